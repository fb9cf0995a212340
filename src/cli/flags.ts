/** One table of flags: what is typed, what it means, what help says. */
import { KnownError } from '../contract/error.ts';
import type { JobRequestInput, Network } from '../contract/job.ts';
import { languageChoiceSchema } from '../contract/language.ts';
import { type LimitName, limits } from '../contract/limits.ts';
import { type Flags, list, text, texts, type Values } from './flag-table.ts';

export { describeFlags, type Flags, list, text, texts, type Values } from './flag-table.ts';

const MiB = 1024 * 1024;
const { timeoutMs, memoryBytes } = limits;

export const programFlags = {
	language: {
		type: 'string',
		short: 'l',
		value: 'LANG',
		help: `${languageChoiceSchema.options.join(', ')} (default auto)`,
	},
	network: { type: 'string', value: 'NET', help: 'none (default), full, or hosts: a.com,*.b.com,c.com:8443' },
	'allow-imports': {
		type: 'string',
		value: 'A,B',
		help: 'only these modules; an empty list allows none (default: every module)',
	},
	'allow-subprocess': { type: 'boolean', help: 'the check lets Python and JavaScript start other programs' },
	'allow-workers': { type: 'boolean', help: 'the check lets JavaScript start worker threads' },
	writable: { type: 'string', value: 'A,B', help: 'folders the check lets a program write to (default /work,/tmp)' },
	'read-deny': { type: 'string', value: 'A,B', help: 'further paths that the check does not let a program read' },
	severity: {
		type: 'string',
		multiple: true,
		value: 'RULE=S',
		help: 'block, warn or off for one rule of docs/checker.md',
	},
	'warn-only': { type: 'boolean', help: 'the check blocks nothing, it only warns' },
	'on-syntax-error': { type: 'string', value: 'S', help: 'block (default) or warn' },
	'check-policy': { type: 'string', value: 'FILE', help: 'all of this from a YAML or JSON file; flags come on top' },
} as const satisfies Flags;

export const jobFlags = {
	...programFlags,
	timeout: {
		type: 'string',
		short: 't',
		value: 'S',
		help: `seconds, ${timeoutMs.floor / 1000} to ${timeoutMs.ceiling / 1000} (default ${timeoutMs.default / 1000})`,
	},
	memory: {
		type: 'string',
		short: 'm',
		value: 'MB',
		help: `megabytes, ${memoryBytes.floor / MiB} to ${memoryBytes.ceiling / MiB} (default ${memoryBytes.default / MiB})`,
	},
	secret: {
		type: 'string',
		multiple: true,
		value: 'NAME[@HOSTS]',
		help: 'pass this variable of your environment, masked in all output; with @a.com,b.com the program gets a placeholder, and these hosts the value',
	},
	bundle: {
		type: 'string',
		short: 'b',
		value: 'NAME',
		help: 'the packages the program finds (default "default"; none)',
	},
	file: {
		type: 'string',
		short: 'f',
		multiple: true,
		value: 'IN',
		help: 'show this file as /work/in/<name>, read-only',
	},
	out: { type: 'string', short: 'o', value: 'DIR', help: 'put what the program leaves in /work/out here' },
	session: {
		type: 'string',
		value: 'NAME',
		help: 'keep /work, and the variables of Python, for the next run with this name',
	},
	stdin: { type: 'string', value: 'FILE', help: 'what the program reads from stdin (- for your own)' },
	backend: { type: 'string', value: 'NAME', help: 'auto (default) or nsjail' },
	'no-check': { type: 'boolean', help: 'skip the static check; the jail stays the same' },
	'no-warm': { type: 'boolean', help: 'make a box for each job although one may be waiting' },
} as const satisfies Flags;

const usage = (details: string) => new KnownError('USAGE', { details });

export interface SecretFlag {
	readonly name: string;
	/** Absent: the program gets the value itself. */
	readonly hosts?: readonly string[];
}

/** NAME, or NAME@host,host for a value that only these hosts get. */
export const secrets = (values: Values): SecretFlag[] =>
	texts(values, 'secret').map((typed) => {
		const [name = '', hosts, ...more] = typed.split('@');
		if (hosts === undefined) return { name };
		if (more.length > 0 || list(hosts).length === 0) throw usage(`--secret ${typed}: write NAME or NAME@host1,host2`);
		return { name, hosts: list(hosts) };
	});

export function network(value: string | undefined): Network {
	if (value === undefined || value === 'none') return 'none';
	return value === 'full' ? 'full' : list(value);
}

/** Reads a limit in the unit people type and names its bounds when it does not fit. */
function limit(values: Values, flag: string, name: LimitName, unit: number): number | undefined {
	const typed = text(values, flag);
	if (typed === undefined) return undefined;
	const { floor, ceiling } = limits[name];
	const value = /^\d+(\.\d+)?$/.test(typed) ? Math.round(Number(typed) * unit) : Number.NaN;
	if (!(value >= floor && value <= ceiling))
		throw usage(`--${flag} ${typed}: must be a number from ${floor / unit} to ${ceiling / unit}`);
	return value;
}

export function language(values: Values) {
	const parsed = languageChoiceSchema.safeParse(text(values, 'language') ?? 'auto');
	if (parsed.success) return parsed.data;
	throw usage(`--language ${text(values, 'language')}: must be one of ${languageChoiceSchema.options.join(', ')}`);
}

export function allowedImports(values: Values): string[] | undefined {
	const typed = text(values, 'allow-imports');
	return typed === undefined ? undefined : list(typed);
}

/** The part of a request that flags can set; a job line of --jsonl may say otherwise. */
export function requestDefaults(values: Values): Partial<JobRequestInput> {
	const backend = text(values, 'backend') ?? 'auto';
	if (backend !== 'auto' && backend !== 'nsjail') throw usage(`--backend ${backend}: must be auto or nsjail`);
	const timeout = limit(values, 'timeout', 'timeoutMs', 1000);
	const memory = limit(values, 'memory', 'memoryBytes', MiB);
	const imports = allowedImports(values);
	const bundle = text(values, 'bundle');
	const session = text(values, 'session');
	return {
		language: language(values),
		network: network(text(values, 'network')),
		limits: { ...(timeout && { timeoutMs: timeout }), ...(memory && { memoryBytes: memory }) },
		secrets: secrets(values).map(({ name }) => name),
		check: values['no-check'] !== true,
		warm: values['no-warm'] !== true,
		...(imports && { allowedImports: imports }),
		...(bundle && { bundle }),
		...(session && { session }),
	};
}
