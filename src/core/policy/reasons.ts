/** Reasons of a decision: how they are made, and which one decides. Pure. */
import { type DecisionWord, decisionWords, type PolicyReason, reasonClasses } from '../../contract/policy.ts';

export type ReasonClass = PolicyReason['class'];

const longestCommand = 200;

export function reason(
	kind: ReasonClass,
	decision: DecisionWord,
	rule: string,
	why: string,
	command?: string,
): PolicyReason {
	const shown =
		command !== undefined && command.length > longestCommand ? `${command.slice(0, longestCommand)}…` : command;
	return { rule, class: kind, decision, why, ...(shown !== undefined && { command: shown }) };
}

const strictness = (word: DecisionWord): number => decisionWords.indexOf(word);

/** The strictest first; of equals the one whose stage comes first. Said once, however often it was found. */
export function inOrder(reasons: readonly PolicyReason[]): PolicyReason[] {
	const seen = new Set<string>();
	const once = reasons.filter((one) => {
		const key = JSON.stringify([one.rule, one.why, one.command]);
		return !seen.has(key) && seen.add(key);
	});
	return once.sort(
		(a, b) =>
			strictness(b.decision) - strictness(a.decision) ||
			reasonClasses.indexOf(a.class) - reasonClasses.indexOf(b.class),
	);
}

export const strictest = (reasons: readonly PolicyReason[]): DecisionWord =>
	reasons.reduce<DecisionWord>(
		(word, { decision }) => (strictness(decision) > strictness(word) ? decision : word),
		'allow',
	);
