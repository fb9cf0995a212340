/** The policy that is loaded now: read from its file, replaced as a whole, never by one that is not valid. */
import { readFileSync } from 'node:fs';
import { KnownError } from '../../contract/error.ts';
import { decide } from '../../core/policy/decide.ts';
import { loadPolicy } from '../../core/policy/load.ts';
import type { Policy } from '../../core/policy/policy.ts';
import { type ReadOptions, refuseExposed } from './config.ts';
import type { CapabilityFacts } from './face.ts';
import type { Decider } from './job-run.ts';
import { look } from './ownership.ts';

export interface PolicyPlace extends ReadOptions {
	/** File of the policy. */
	readonly path: string;
	/** Folder of the agent; no command may name it. */
	readonly dir: string;
}

/** Throws POLICY_INVALID with what is wrong, and CONFIG_INVALID for a file that others can change. */
export function readPolicy({ path, dir, ...options }: PolicyPlace): Policy {
	refuseExposed([look(path)], options);
	const policy = loadPolicy(textOf(path), { ownPaths: [dir] });
	// What nobody asks must not look as if it were asked.
	if (policy.hook) throw new KnownError('POLICY_INVALID', { details: 'hook: this agent cannot ask one' });
	return policy;
}

function textOf(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch (error) {
		throw new KnownError('POLICY_INVALID', { details: `${path} cannot be read` }, { cause: error });
	}
}

export const deciderOf =
	(policy: () => Policy, deviceId: string): Decider =>
	async (principal, { capability, command, cwd, paths, env, image, container }) =>
		decide(policy(), { principal, capability, command, cwd, paths, env, image, container, deviceId });

/** What a policy has rules for. */
export const capabilitiesOf = ({ capabilities }: Policy): CapabilityFacts[] =>
	[...capabilities.values()].map(({ name, requiresApproval }) => ({ name, requiresApproval }));

/** Names of the programs that a policy knows for a capability. */
export function programsOf(policy: Policy, name: string): readonly string[] {
	const programs = policy.capabilities.get(name)?.programs ?? [];
	return programs === '*' ? [...policy.programs.keys()].sort() : programs;
}
