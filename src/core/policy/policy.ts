/** A policy as it is asked: patterns compiled, programs looked up by name. Nobody changes it after it was loaded. Pure. */
import type { RE2JS } from 're2js';
import type { DecisionWord } from '../../contract/policy.ts';
import type { Role } from '../../contract/principal.ts';
import type { Profile } from '../runner/profile.ts';
import type { PathRules } from './paths.ts';
import type { Program } from './programs/program.ts';
import type { CapabilityShape, PolicyShape, RuleShape } from './schema.ts';

export interface Pattern {
	/** As it was written. */
	readonly source: string;
	readonly regex: RE2JS;
}

export interface Rule extends Omit<RuleShape, 'pattern'> {
	readonly pattern: Pattern | null;
}

export interface Capability extends Omit<CapabilityShape, 'autoApprove' | 'otherwise' | 'unlisted'> {
	readonly name: string;
	readonly autoApprove: readonly Pattern[];
	readonly otherwise: DecisionWord;
	readonly unlisted: DecisionWord;
}

export interface Policy {
	readonly name: string;
	/** SHA-256 of the text, hex. */
	readonly hash: string;
	readonly profiles: Readonly<Record<string, Profile>>;
	readonly paths: PathRules;
	readonly environment: readonly string[];
	readonly scripts: PolicyShape['scripts'];
	readonly programs: ReadonlyMap<string, Program>;
	readonly deny: readonly Rule[];
	readonly ask: readonly Rule[];
	readonly capabilities: ReadonlyMap<string, Capability>;
	readonly roles: Readonly<Partial<Record<Role, readonly string[]>>>;
	readonly hook: PolicyShape['hook'];
}
