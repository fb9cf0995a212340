/** The shape of a policy: one YAML file of version 1; what is not known in it is refused. Pure. */
import { z } from 'zod';
import { capabilityPattern } from '../../contract/device-job.ts';
import { roles } from '../../contract/principal.ts';
import { profileSchema } from '../runner/profile.ts';

const KiB = 1024;

/** Commands that must be decided so; they are tried whenever the policy is loaded. */
const examples = z.array(z.string().min(1)).default([]);

const absolutePath = z.string().regex(/^\/[^\0]*$/, 'must be an absolute path');
const programName = z.string().regex(/^[^\s/\0-][^\s/\0]*$/, 'must be the bare name of a program');

/** Words of the notation in docs/policy.md, for example "-a -n=integer --color[=(auto|never)]" and "pattern path*". */
const notation = z.string();

/** What may follow the name of a program, or one of its sub-commands. */
const usageFields = {
	/** Flags that may be given, all of them; any other flag is not allowed. */
	flags: notation.default(''),
	/** What may stand beside the flags, in order. Absent: nothing. */
	positionals: notation.default(''),
	/** Other positionals when one of these flags was given, for example "-e" of grep, whose first word is a file then. */
	positionalsWith: z.record(z.string(), notation).default({}),
	/** One of these flags must be there, as "-c" for a shell, which would read its commands from elsewhere. []: none. */
	needsFlag: z.array(z.string()).default([]),
	maxArgs: z.int().positive().default(200),
	/** gnu: letters bundle, "--name=value". words: each flag is a whole word, as in find. */
	flagStyle: z.enum(['gnu', 'words']).default('gnu'),
	/** Flags must come first; what follows the first other word is not read as a flag by the program. */
	stopsAtPositional: z.boolean().default(false),
	/** Every word is text, whatever it begins with, as in echo. */
	readsNoFlags: z.boolean().default(false),
	/** What no word beside the flags may begin with, for example "@", which makes some programs read their words from a file. */
	refusedStart: z.string().length(1).optional(),
	/** No flag of this program, known or not, writes or runs anything, so words that begin with a wildcard are harmless. */
	isHarmlessWithAnyFlag: z.boolean().default(false),
};

export interface UsageInput extends z.input<typeof plainUsageSchema> {
	readonly subcommands?: Readonly<Record<string, UsageInput>> | undefined;
}
export interface UsageShape extends z.output<typeof plainUsageSchema> {
	readonly subcommands: Readonly<Record<string, UsageShape>>;
}
const plainUsageSchema = z.strictObject(usageFields);

const subcommandsSchema = z.lazy(() => z.record(z.string(), usageSchema).default({}));
const usageSchema: z.ZodType<UsageShape, UsageInput> = z.strictObject({
	...usageFields,
	subcommands: subcommandsSchema,
}) as never;

export const programSchema = z.strictObject({
	name: programName,
	/** Where it lies. Present: it is started there and nowhere else. */
	path: absolutePath.optional(),
	/** SHA-256 of the file at "path", hex; another file is not started. */
	sha256: z
		.string()
		.regex(/^[0-9a-f]{64}$/)
		.optional(),
	/** It can start other programs. Without flags that rule this out it is asked about. */
	isExecCapable: z.boolean().default(false),
	/** Any arguments, as long as no path among them is out of bounds and none of them starts another program. */
	anyArguments: z.boolean().default(false),
	/** With anyArguments: flags that are not allowed. */
	deniedFlags: notation.default(''),
	/** Part of the shell, so it only works in a script. */
	isBuiltin: z.boolean().default(false),
	...usageFields,
	subcommands: subcommandsSchema,
	allows: examples,
	denies: examples,
});
export type ProgramInput = z.input<typeof programSchema>;
export type ProgramShape = z.output<typeof programSchema>;

/** Kinds of syntax that a script may have beside plain commands one after the other. */
export const syntaxKinds = [
	'pipelines',
	'conditions',
	'loops',
	'subshells',
	'redirections',
	'variables',
	'wildcards',
	'background',
	'substitutions',
] as const;
export type SyntaxKind = (typeof syntaxKinds)[number];

const scriptsSchema = z.strictObject({
	/** Absent: all but substitutions. []: only plain commands, joined by ";", "&&" and "||". */
	syntax: z.array(z.enum(syntaxKinds)).default(syntaxKinds.filter((kind) => kind !== 'substitutions')),
	maxBytes: z
		.int()
		.positive()
		.max(256 * KiB)
		.default(16 * KiB),
	maxCommands: z.int().positive().max(1000).default(50),
	maxDepth: z.int().positive().max(32).default(8),
});

/**
 * Prefixes of absolute paths; a star stands for any part of a name, two for any number of names. What ends in "/." is that folder
 * itself, and nothing below it. The workspace of the job, /tmp of the jail
 * and a few devices such as /dev/null are always open.
 */
const pathsSchema = z.strictObject({
	read: z.array(absolutePath).default([]),
	write: z.array(absolutePath).default([]),
	/** Never, whatever "read" and "write" say. */
	hide: z.array(z.string().regex(/^(\/|\*\*\/)[^\0]*$/, 'must begin with / or **/')).default([]),
});

const pattern = z.string().min(1).max(1000);

/** A rule of the operator. It matches when all of what it names matches; one of "programs" and "pattern" must be there. */
const ruleSchema = z
	.strictObject({
		name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,60}$/),
		why: z.string().min(1).max(300),
		/** Names of programs, whatever their arguments. */
		programs: z.array(programName).optional(),
		/** RE2, searched in the words of a simple command joined by one blank, or in the whole text ("in": text). */
		pattern: pattern.optional(),
		in: z.enum(['command', 'text']).default('command'),
		ignoresCase: z.boolean().default(false),
		/** Absent: all. */
		capabilities: z.array(z.string()).optional(),
		/** The rule must match these … */
		matches: examples,
		/** … and must not match these. */
		ignores: examples,
	})
	.refine((rule) => rule.programs !== undefined || rule.pattern !== undefined, 'say "programs" or "pattern"');
export type RuleShape = z.output<typeof ruleSchema>;

const capabilityFields = {
	profile: z.string(),
	accepts: z.array(z.enum(['argv', 'script'])).default(['argv', 'script']),
	/** static: every simple command must pass. free: any script, but what is not understood is asked about or denied. */
	scripts: z.enum(['static', 'free']).default('static'),
	/** Which shells may be asked for. */
	shells: z.array(z.enum(['bash', 'sh', 'powershell'])).default(['bash', 'sh']),
	/** Names of programs, "*" for all that the policy knows. []: none. */
	programs: z.union([z.literal('*'), z.array(programName)]),
	/** search-path: also written with a folder of the profile's path. listed: only with the path that the program says. */
	absolutePrograms: z.enum(['search-path', 'listed']).default('search-path'),
	/** What is allowed is asked about. */
	requiresApproval: z.boolean().default(false),
	/** RE2; a static script runs without approval when each simple command matches one as a whole. */
	autoApprove: z.array(pattern).default([]),
	/** What no rule allows. Absent: "default" of the policy. allow: only for free scripts, and only in a jail or container. */
	otherwise: z.enum(['deny', 'ask', 'allow']).optional(),
	/** The same for programs that are not in "programs" at all. Absent: as "otherwise". */
	unlisted: z.enum(['deny', 'ask', 'allow']).optional(),
	/** Approval of it must be typed in. */
	isHighRisk: z.boolean().default(false),
	/** Ids of devices, a star at the end stands for any rest. Absent: every device. */
	devices: z.array(z.string()).optional(),
	/** Names of containers that the command may be for; patterns as in "devices". Absent: none. */
	containers: z.array(z.string()).optional(),
	timeoutMs: z.int().min(1000).max(3_600_000).optional(),
	maxOutputBytes: z.int().min(1024).optional(),
	allows: examples,
	asks: examples,
	denies: examples,
};
const capabilityName = z.string().regex(capabilityPattern);
export const capabilitySchema = z.strictObject(capabilityFields);
export type CapabilityShape = z.output<typeof capabilitySchema>;

export const policySchema = z.strictObject({
	version: z.literal(1),
	name: z.string().min(1).max(100),
	/** What no rule speaks about. */
	default: z.enum(['deny', 'ask']).default('deny'),
	profiles: z.record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/), profileSchema),
	paths: pathsSchema.prefault({}),
	/** Names of variables that a job may set, a star at the end stands for any rest. []: none. */
	environment: z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*\*?$/)).default([]),
	scripts: scriptsSchema.prefault({}),
	/** Sets of programs that come with the agent. []: none. */
	shipped: z.array(z.string()).default([]),
	/** Programs of this device. One with the name of a shipped one takes its place. */
	programs: z.array(programSchema).default([]),
	deny: z.array(ruleSchema).default([]),
	ask: z.array(ruleSchema).default([]),
	/** Each as in `capabilitySchema`; with "like" it is the same as another one but for what it says itself. Examples stay behind. */
	capabilities: z.record(capabilityName, z.looseObject({ like: capabilityName.optional() })),
	/** Which role may ask for which capabilities ("kind.*", "*"). A role that is not named may ask for none. */
	roles: z.partialRecord(z.enum(roles), z.array(z.string())).default({ executor: ['*'], admin: ['*'] }),
	/** A service that is asked about what this policy would let run. It can only make decisions stricter; no answer: denied. */
	hook: z
		.strictObject({
			url: z.url({ protocol: /^https?$/ }),
			timeoutMs: z.int().min(10).max(30_000).default(2000),
			/** File below the folder of the agent with the bearer token. */
			tokenFile: z.string().optional(),
		})
		.optional(),
});
export type PolicyShape = z.output<typeof policySchema>;
