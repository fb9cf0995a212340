/** What the model asks for, in any of the forms models use; a wrong argument becomes words it can act on. */
import { problemFor } from '../../src/contract/error.ts';
import type { Problem } from '../../src/contract/job.ts';
import type { LanguageChoice } from '../../src/contract/language.ts';
import type { NodeContext } from '../shared/context.ts';
import { readFromAi } from '../shared/from-ai.ts';

export interface ToolCall {
	readonly code: string;
	readonly language?: LanguageChoice;
	/** Seconds. */
	readonly maxTime?: number;
	/** Megabytes. */
	readonly maxMemory?: number;
	/** Secrets, in any of the forms that secret-choice.ts knows. */
	readonly credentials?: readonly unknown[];
	/** Files, in any of the forms that files-in.ts knows. */
	readonly files?: readonly unknown[];
}

export type ParsedCall = { readonly call: ToolCall } | { readonly problem: Problem };

const codeNames = ['code', 'input', 'query'] as const;
const unsupported = {
	session: 'whether there is a session, and which, is decided for you',
} as const;
const listNames = ['credentials', 'files'] as const;
const numberNames = ['maxTime', 'maxMemory'] as const;
/** Every name under which a model may pass something. */
export const argumentNames: readonly string[] = [
	...[...codeNames, 'language', ...numberNames, ...listNames],
	...Object.keys(unsupported),
];

const languageNames = new Map<string, LanguageChoice>([
	['auto', 'auto'],
	['python', 'python'],
	['python3', 'python'],
	['py', 'python'],
	['javascript', 'javascript'],
	['js', 'javascript'],
	['node', 'javascript'],
	['typescript', 'javascript'],
	['ts', 'javascript'],
	['bash', 'bash'],
	['sh', 'bash'],
	['shell', 'bash'],
]);

type Arguments = Record<string, unknown>;

export const readModelArguments = (context: NodeContext, itemIndex: number): unknown =>
	readFromAi(context, itemIndex, argumentNames);

const isObject = (value: unknown): value is Arguments =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

/** Forms and models send empty fields as '' or null. */
const withoutEmpty = (raw: Arguments): Arguments =>
	Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== '' && value !== null && value !== undefined));

const toNumber = (value: unknown): unknown =>
	typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;

function toList(value: unknown): unknown {
	if (isObject(value)) return Object.keys(value).length === 0 ? [] : [value];
	if (typeof value !== 'string') return value;
	try {
		return toList(JSON.parse(value));
	} catch {
		return value;
	}
}

/** One name that stands alone is a list of one. */
const toNames = (value: unknown): unknown => {
	const list = toList(value);
	return typeof list === 'string' ? [list] : list;
};

const toLanguage = (value: unknown): unknown =>
	typeof value === 'string' ? (languageNames.get(value.trim().toLowerCase()) ?? value) : value;

function replaceWith(call: Arguments, names: readonly string[], change: (value: unknown) => unknown): void {
	for (const name of names) if (name in call) call[name] = change(call[name]);
}

/** Brings the forms a call may have into one. Decides nothing; what does not fit stays as it is. */
export function normaliseCall(raw: unknown): unknown {
	if (typeof raw === 'string') return { code: raw };
	if (!isObject(raw)) return raw;
	const { input, query, ...call } = withoutEmpty(raw);
	const code = call.code ?? input ?? query;
	if (code !== undefined) call.code = code;
	replaceWith(call, ['language'], toLanguage);
	replaceWith(call, numberNames, toNumber);
	replaceWith(call, ['credentials'], toList);
	replaceWith(call, ['files'], toNames);
	return call;
}

const kindOf = (value: unknown): string => {
	if (Array.isArray(value)) return 'a list';
	if (typeof value === 'object') return 'an object';
	return typeof value === 'string' ? `the text "${value.slice(0, 40)}"` : `the ${typeof value} ${String(value)}`;
};

function codeFault({ code }: Arguments): string[] {
	if (code === undefined) return ['"code" is missing; it must be a text with the whole program'];
	return typeof code === 'string' ? [] : [`"code" must be a text with the whole program, not ${kindOf(code)}`];
}

function languageFault({ language }: Arguments): string[] {
	if (language === undefined || (typeof language === 'string' && languageNames.has(language))) return [];
	return [`"language" must be "python", "javascript", "bash" or "auto", not ${kindOf(language)}`];
}

function numberFaults(call: Arguments): string[] {
	const units = { maxTime: 'seconds', maxMemory: 'megabytes' };
	return numberNames
		.filter((name) => call[name] !== undefined && !(Number.isFinite(call[name]) && Number(call[name]) > 0))
		.map((name) => `"${name}" must be a positive number of ${units[name]}, not ${kindOf(call[name])}`);
}

function listFaults({ credentials, files }: Arguments): string[] {
	const isList = (value: unknown) => value === undefined || Array.isArray(value);
	return [
		...(isList(credentials) ? [] : ['"credentials" must be a list of objects with the "name" of a secret']),
		...(isList(files) ? [] : ['"files" must be a list of objects with the "name" of a file']),
	];
}

const isEmpty = (value: unknown): boolean =>
	value === undefined || (typeof value === 'object' && Object.keys(value as object).length === 0);

function unsupportedProblem(call: Arguments): Problem | undefined {
	const names = Object.keys(unsupported).filter((name) => !isEmpty(call[name])) as (keyof typeof unsupported)[];
	if (names.length === 0) return undefined;
	const details = names.map((name) => unsupported[name]).join('; ');
	return problemFor('JOB_UNSUPPORTED', { field: names.join('" and "'), details });
}

/** Nobody checks the arguments before a node runs, so this does; unknown ones are ignored. */
export function parseCall(raw: unknown): ParsedCall {
	const call = normaliseCall(raw);
	if (!isObject(call)) {
		const details = `a call is a text with the program or an object with "code", not ${kindOf(call)}`;
		return { problem: problemFor('JOB_INVALID', { details }) };
	}
	const faults = [...codeFault(call), ...languageFault(call), ...numberFaults(call), ...listFaults(call)];
	if (faults.length > 0) return { problem: problemFor('JOB_INVALID', { details: faults.join('; ') }) };
	const problem = unsupportedProblem(call);
	return problem === undefined ? { call: call as unknown as ToolCall } : { problem };
}
