/** The rules of the operator: which of them match a command. Pure. */

import type { PolicyReason } from '../../contract/policy.ts';
import type { Policy, Rule } from './policy.ts';
import { reason } from './reasons.ts';

const concerns = (list: readonly string[] | undefined, name: string): boolean =>
	list === undefined || list.some((one) => one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1))));

/** @param name the bare name of the program @param words all words joined by one blank */
export function matchesCommand(rule: Rule, name: string, words: string): boolean {
	if (rule.in !== 'command') return false;
	const isNamed = rule.programs === undefined || rule.programs.includes(name);
	return isNamed && (rule.pattern === null || rule.pattern.regex.test(words));
}

export const matchesText = (rule: Rule, text: string): boolean =>
	rule.in === 'text' && rule.pattern !== null && rule.pattern.regex.test(text);

function reasonsOf(
	policy: Policy,
	capability: string,
	matches: (rule: Rule) => boolean,
	shown: string,
): PolicyReason[] {
	const told = (rules: readonly Rule[], word: 'deny' | 'ask'): PolicyReason[] =>
		rules
			.filter((rule) => concerns(rule.capabilities, capability) && matches(rule))
			.map(({ name, why }) => reason('operator-deny', word, `${word}/${name}`, why, shown));
	return [...told(policy.deny, 'deny'), ...told(policy.ask, 'ask')];
}

export const commandReasons = (policy: Policy, capability: string, name: string, words: string): PolicyReason[] =>
	reasonsOf(policy, capability, (rule) => matchesCommand(rule, name, words), words);

export const textReasons = (policy: Policy, capability: string, text: string): PolicyReason[] =>
	reasonsOf(policy, capability, (rule) => matchesText(rule, text), text);
