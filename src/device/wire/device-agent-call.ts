/** What the arguments of a capability of device_agent mean, one shape for each kind. Both sides. Pure. */
import { z } from 'zod';
import type { DeviceAgentKind } from './device-agent.ts';
import { readJson, wholeText } from './json.ts';

export type DeviceAgentShell = 'auto' | 'bash' | 'sh' | 'powershell';

export type DeviceAgentCall =
	/** The arguments are the command itself. */
	| { readonly kind: 'shell.exec'; readonly argv: readonly string[] }
	| {
			readonly kind: 'shell.eval';
			readonly cmd: string;
			readonly cwd: string | null;
			readonly shell: DeviceAgentShell;
	  }
	| { readonly kind: 'docker.container.list'; readonly isAll: boolean }
	/** `lines` null: as many as the device gives. */
	| { readonly kind: 'docker.container.logs'; readonly container: string; readonly lines: number | null }
	| { readonly kind: 'docker.container.exec'; readonly container: string; readonly argv: readonly string[] }
	/** Bytes of a file; `limit` null: as many as the device gives. */
	| { readonly kind: 'fs.read'; readonly path: string; readonly offset: number; readonly limit: number | null };

export type DeviceAgentCallReading = { readonly call: DeviceAgentCall } | { readonly details: string };

const mostLines = 100_000;

const word = wholeText.refine((text) => !text.includes('\0'), 'holds a NUL');
const argv = z.array(word).min(1, 'names no program');
const container = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/, 'is no name of a container');
const count = (most: number) =>
	z
		.string()
		.regex(/^\d{1,15}$/, 'is no number')
		.transform(Number)
		.refine((number) => number <= most, `is more than ${most}`);

/** What the original knows, and other names for it. */
const shellWords: Readonly<Record<string, DeviceAgentShell>> = {
	'': 'auto',
	auto: 'auto',
	bash: 'bash',
	sh: 'sh',
	powershell: 'powershell',
	'powershell.exe': 'powershell',
};

const shell = z.string().transform((name, context): DeviceAgentShell => {
	const known = Object.hasOwn(shellWords, name) ? shellWords[name] : undefined;
	if (known) return known;
	context.addIssue('is no shell that is known');
	return z.NEVER;
});

const evalSchema = z.object({ cmd: word.min(1, 'is empty'), cwd: word.max(4096).nullish(), shell: shell.nullish() });
const evaluating = ({ cmd, cwd, shell }: z.infer<typeof evalSchema>): DeviceAgentCall => ({
	...{ kind: 'shell.eval', cmd, cwd: cwd || null, shell: shell ?? 'auto' },
});
/** Members that the protocol does not know say nothing in a plain request; what is signed is meant. */
const evalSchemas = { plain: evalSchema.transform(evaluating), signed: evalSchema.strict().transform(evaluating) };

const path = word.max(4096).regex(/^\//, 'is no absolute path');

const schemas: Readonly<Record<Exclude<DeviceAgentKind, 'shell.eval'>, z.ZodType<DeviceAgentCall, unknown>>> = {
	'shell.exec': argv.transform((argv) => ({ kind: 'shell.exec', argv })),
	'docker.container.list': z
		.union([z.tuple([]), z.tuple([z.literal('--all')])], 'takes nothing or "--all"')
		.transform((args) => ({ kind: 'docker.container.list', isAll: args.length > 0 })),
	'docker.container.logs': z
		.tuple([container, count(mostLines).optional()])
		.transform(([container, lines]) => ({ kind: 'docker.container.logs', container, lines: lines ?? null })),
	'docker.container.exec': z
		.tuple([container], word)
		.transform(([container, ...argv]) => ({ kind: 'docker.container.exec' as const, container, argv }))
		.refine(({ argv }) => argv.length > 0, 'names no program'),
	'fs.read': z
		.tuple([path, count(Number.MAX_SAFE_INTEGER).optional(), count(Number.MAX_SAFE_INTEGER).optional()])
		.transform(([path, offset, limit]) => ({ kind: 'fs.read', path, offset: offset ?? 0, limit: limit ?? null })),
};

export function decodeDeviceAgentCall(
	kind: DeviceAgentKind,
	args: readonly string[],
	from: keyof typeof evalSchemas = 'plain',
): DeviceAgentCallReading {
	if (kind === 'shell.eval') return decodeEval(args, evalSchemas[from]);
	return readingOf(schemas[kind].safeParse(args));
}

function readingOf({ data, error }: z.ZodSafeParseResult<DeviceAgentCall>): DeviceAgentCallReading {
	return data ? { call: data } : { details: `args: ${z.prettifyError(error).replaceAll(/\s*\n\s*/g, ' ')}` };
}

/** One JSON object, or the command, its folder and its shell one after the other. */
function decodeEval(args: readonly string[], schema: (typeof evalSchemas)['plain']): DeviceAgentCallReading {
	const object = args.length === 1 ? objectIn(args[0] ?? '') : undefined;
	if (object) return 'details' in object ? object : readingOf(schema.safeParse(object.value));
	if (args.length > 3) return { details: 'args: takes a command, a folder and a shell' };
	const [cmd, cwd, shell] = args;
	return readingOf(schema.safeParse({ cmd, cwd, shell }));
}

/** What begins as no command does: a brace with a quote right behind it, or with a member of an object. */
const objectStart = /^\s*\{(?:"|\s*"[^"]*"\s*:)/;

/** A command may begin with a brace, too; what is meant as an object and is none is no command. */
function objectIn(text: string): { readonly value: unknown } | { readonly details: string } | undefined {
	if (!/^\s*\{/.test(text)) return undefined;
	const read = readJson(Buffer.from(text));
	if (read.ok) return { value: read.value };
	const isCommand = read.why === 'is not JSON' && !objectStart.test(text);
	return isCommand ? undefined : { details: `args: the object ${read.why}` };
}

export function encodeDeviceAgentArgs(call: DeviceAgentCall): string[] {
	if (call.kind === 'shell.exec') return [...call.argv];
	if (call.kind === 'shell.eval') return [JSON.stringify(evalObject(call))];
	if (call.kind === 'docker.container.list') return call.isAll ? ['--all'] : [];
	if (call.kind === 'docker.container.logs') return [call.container, ...(call.lines === null ? [] : [`${call.lines}`])];
	if (call.kind === 'docker.container.exec') return [call.container, ...call.argv];
	return [call.path, `${call.offset}`, ...(call.limit === null ? [] : [`${call.limit}`])];
}

/** Originals want a folder, be it empty. */
const evalObject = ({ cmd, cwd, shell }: Extract<DeviceAgentCall, { kind: 'shell.eval' }>) => ({
	...{ cmd, cwd: cwd ?? '' },
	...(shell !== 'auto' && { shell }),
});
