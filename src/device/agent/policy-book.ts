/** The policy that is loaded now: read from its file, replaced as a whole, never by one that is not valid. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { KnownError } from '../../contract/error.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import { type Profile, profileSchema } from '../../core/runner/profile.ts';
import type { CapabilityFacts } from './face.ts';
import type { Decider } from './job-run.ts';

export interface PolicyBook {
	readonly hash: string;
	readonly profiles: Readonly<Record<string, Profile>>;
	readonly decide: Decider;
	programs(capability: string): readonly string[];
	capabilities(): readonly CapabilityFacts[];
}

/** Until the rooms of the policy are here: everything is denied, but for a file that says "interim: allow". */
export function readPolicy(path: string): PolicyBook {
	let text: string;
	try {
		text = readFileSync(path, 'utf8');
	} catch (error) {
		throw new KnownError('POLICY_INVALID', { details: `${path} cannot be read` }, { cause: error });
	}
	const policyHash = createHash('sha256').update(text).digest('hex');
	const allows = parse(text)?.interim === 'allow';
	const folders = ['/usr', '/bin', '/lib', '/lib64', '/etc'].map((folder) => ({ path: folder, isOptional: true }));
	return {
		hash: policyHash,
		profiles: { default: profileSchema.parse({ mounts: folders }) },
		programs: () => [],
		capabilities: () => [],
		decide: async (_principal, { command }): Promise<PolicyDecision> => {
			const decision = allows ? 'allow' : 'deny';
			const plan = command.mode === 'argv' ? command : { ...command, shell: 'bash' as const };
			return {
				decision,
				reasons: [{ rule: 'default/interim', class: 'default', decision, why: 'no rule allows it' }],
				plan: allows ? plan : null,
				profile: allows ? 'default' : null,
				limits: {},
				isHighRisk: false,
				policyHash,
			};
		},
	};
}
