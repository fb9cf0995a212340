/** Tries a policy on the examples that its own rules carry. Pure. */
import { decide } from './decide.ts';
import { matchesCommand, matchesText } from './operator.ts';
import type { Capability, Policy, Rule } from './policy.ts';

/** @returns which rule fails on which example; undefined when all hold */
export function failingExample(policy: Policy): string | undefined {
	for (const rule of [...policy.deny, ...policy.ask]) {
		const failure = ruleFailure(rule);
		if (failure !== undefined) return `rule ${rule.name}: ${failure}`;
	}
	for (const capability of policy.capabilities.values()) {
		const failure = capabilityFailure(policy, capability);
		if (failure !== undefined) return `capability ${capability.name}: ${failure}`;
	}
	return undefined;
}

function ruleFailure(rule: Rule): string | undefined {
	const matches = (example: string): boolean =>
		matchesText(rule, example) || matchesCommand(rule, example.split(' ')[0] ?? '', example);
	const missed = rule.matches.find((example) => !matches(example));
	if (missed !== undefined) return `"${missed}" must match and does not`;
	const caught = rule.ignores.find(matches);
	return caught === undefined ? undefined : `"${caught}" must not match and does`;
}

/** As somebody who may ask for everything. */
const anybody = { roles: ['executor' as const, 'admin' as const], capabilities: ['*'] };

function capabilityFailure(policy: Policy, capability: Capability): string | undefined {
	const wanted = [
		...capability.allows.map((example) => ({ example, word: 'allow' })),
		...capability.asks.map((example) => ({ example, word: 'ask' })),
		...capability.denies.map((example) => ({ example, word: 'deny' })),
	];
	for (const { example, word } of wanted) {
		const decided = decideExample(policy, capability, example);
		if (decided.decision !== word)
			return `"${example}" must be decided ${word}, but ${decided.reasons[0]?.rule} says ${decided.decision}: ${decided.reasons[0]?.why}`;
	}
	return undefined;
}

function decideExample(policy: Policy, capability: Capability, example: string) {
	const isScript = capability.accepts.includes('script');
	const command = isScript
		? { mode: 'script' as const, script: example, shell: 'auto' as const }
		: { mode: 'argv' as const, argv: example.split(' ') };
	return decide(
		{ ...policy, roles: { executor: ['*'] } },
		{
			principal: anybody,
			capability: capability.name,
			command,
			cwd: undefined,
			image: undefined,
			container: undefined,
			env: {},
			deviceId: capability.devices?.[0] ?? 'device',
		},
	);
}
