/** Tries a policy on the examples that its own rules, programs and capabilities carry. Pure. */
import type { PolicyDecision } from '../../contract/policy.ts';
import { decide } from './decide.ts';
import { matchesCommand, matchesText } from './operator.ts';
import type { Capability, Policy, Rule } from './policy.ts';
import type { Program } from './programs/program.ts';

/** @param own names of the programs that this policy brings itself @returns which rule fails on which example */
export function failingExample(policy: Policy, own: readonly string[]): string | undefined {
	const rules = [...policy.deny, ...policy.ask].map((rule) => named(`rule ${rule.name}`, ruleFailure(rule)));
	const programs = [...policy.programs.values()]
		.filter(({ name }) => own.includes(name))
		.map((program) => named(`program ${program.name}`, programFailure(policy, program)));
	const capabilities = [...policy.capabilities.values()].map((capability) =>
		named(`capability ${capability.name}`, capabilityFailure(policy, capability)),
	);
	return [...rules, ...programs, ...capabilities].find((failure) => failure !== undefined);
}

const named = (name: string, failure: string | undefined): string | undefined => failure && `${name}: ${failure}`;

function ruleFailure(rule: Rule): string | undefined {
	const matches = (example: string): boolean =>
		matchesText(rule, example) || matchesCommand(rule, example.split(' ')[0] ?? '', example);
	const missed = rule.matches.find((example) => !matches(example));
	if (missed !== undefined) return `"${missed}" must match and does not`;
	const caught = rule.ignores.find(matches);
	return caught === undefined ? undefined : `"${caught}" must not match and does`;
}

/** A program is tried as if a capability allowed it and everything it may start, and nothing else. */
export function programFailure(policy: Policy, { allows, denies }: Program): string | undefined {
	const [profile = ''] = Object.keys(policy.profiles);
	const capability: Capability = {
		...{ name: 'example', profile, accepts: ['script'], scripts: 'static', shells: ['bash'], programs: '*' },
		...{
			absolutePrograms: 'search-path',
			requiresApproval: false,
			autoApprove: [],
			otherwise: 'deny',
			unlisted: 'deny',
			isHighRisk: false,
		},
		...{ allows: [...allows], denies: [...denies], asks: [] },
	};
	return capabilityFailure({ ...policy, deny: [], ask: [] }, capability);
}

function capabilityFailure(policy: Policy, capability: Capability): string | undefined {
	const { allows, asks, denies } = capability;
	const wanted = { allow: allows, ask: asks, deny: denies };
	for (const [word, examples] of Object.entries(wanted)) {
		for (const example of examples) {
			const { decision, reasons } = decideExample(policy, capability, example);
			const [first] = reasons;
			if (decision !== word)
				return `"${example}" must be decided ${word}, but ${first?.rule} says ${decision}: ${first?.why}`;
		}
	}
	return undefined;
}

/** As somebody who may ask for everything. */
const anybody = { roles: ['executor' as const], capabilities: ['*'] };

function decideExample(policy: Policy, capability: Capability, example: string): PolicyDecision {
	const { name, devices, accepts } = capability;
	const open = { ...policy, roles: { executor: ['*'] }, capabilities: new Map([[name, capability]]) };
	return decide(open, {
		principal: anybody,
		capability: name,
		command: accepts.includes('script')
			? { mode: 'script', script: example, shell: 'auto' }
			: { mode: 'argv', argv: example.split(' ') },
		env: {},
		deviceId: devices?.[0] ?? 'device',
	});
}
