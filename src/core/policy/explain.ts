/** A decision in words, for whoever wants to know which rule fired and what would run. Pure. */
import type { CommandPlan, PolicyDecision, PolicyReason } from '../../contract/policy.ts';

/** Characters that a terminal would act on are spelled out. */
const visible = (text: string): string =>
	text.replaceAll(/[^\P{C}\n]|[\u2028\u2029]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);

const line = ({ decision, rule, why, command }: PolicyReason): string =>
	`  ${decision.padEnd(5)} ${rule}: ${why}${command === undefined || command === '' ? '' : ` (${command})`}`;

function planLines(plan: CommandPlan | null): string[] {
	if (plan === null) return ['runs: nothing'];
	if (plan.mode === 'argv') return [`runs: ${JSON.stringify(plan.argv)}`];
	return [
		`runs in ${plan.shell}:`,
		...plan.script
			.trimEnd()
			.split('\n')
			.map((text) => `  ${text}`),
	];
}

export function explainDecision({
	decision,
	reasons,
	plan,
	profile,
	limits,
	isHighRisk,
	policyHash,
}: PolicyDecision): string {
	const most = [
		...(limits.timeoutMs === undefined ? [] : [`${limits.timeoutMs / 1000} s`]),
		...(limits.outputBytes === undefined ? [] : [`${limits.outputBytes} bytes of output`]),
	];
	const lines = [
		`${decision}${isHighRisk ? ', to be typed in' : ''}`,
		...reasons.map(line),
		...planLines(plan),
		...(profile === null ? [] : [`profile: ${profile}`]),
		...(most.length === 0 ? [] : [`at most: ${most.join(', ')}`]),
		`policy: ${policyHash.slice(0, 16)}`,
	];
	return visible(`${lines.join('\n')}\n`);
}
