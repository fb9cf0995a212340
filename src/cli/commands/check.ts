/** secure-code check: what the static checker says, for people, for programs and line by line. */
import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { z } from 'zod';
import { KnownError, problemFor } from '../../contract/error.ts';
import { languageChoiceSchema, languageLabels } from '../../contract/language.ts';
import { limits } from '../../contract/limits.ts';
import { type CheckOptions, check as checkCode, checkOptionsSchema, describeFindings } from '../../core/compose.ts';
import { checkPolicy } from '../check-policy.ts';
import type { Command, Typed } from '../command.ts';
import { allowedImports, type Flags, language, network, programFlags, text } from '../flags.ts';
import { type Line, readLines, writeLine } from '../lines.ts';

const flags = {
	...programFlags,
	'max-code-length': { type: 'string', value: 'N', help: `characters (default ${limits.codeCharacters.default})` },
	json: { type: 'boolean', help: 'print one line of JSON for each program' },
	jsonl: {
		type: 'boolean',
		help: 'read {"id","code","language"} lines from stdin, write {"id","language","verdict","findings"}',
	},
} as const satisfies Flags;

const help = `Checks programs without running them.

Usage: secure-code check [FILE...|-] [flags]
       secure-code check --jsonl [flags] < programs.jsonl

Exit codes: 0 nothing blocks, 65 at least one program is forbidden.

Example:
  echo 'import os; os.system("ls")' | secure-code check -
`;

const forbidden = 65;

function optionsOf(typed: Typed): CheckOptions {
	const length = text(typed.values, 'max-code-length');
	const parsed = checkOptionsSchema.safeParse({
		...checkPolicy(typed.values),
		language: language(typed.values),
		network: network(text(typed.values, 'network')),
		allowedImports: allowedImports(typed.values),
		...(length !== undefined && { maxCodeLength: Number(length) }),
	});
	if (parsed.success) return parsed.data;
	throw new KnownError('USAGE', { details: z.prettifyError(parsed.error) });
}

async function read(file: string): Promise<string> {
	if (file === '-') return readAll(process.stdin);
	return readFile(file, 'utf8').catch(() => {
		throw new KnownError('USAGE', { details: `${file} cannot be read` });
	});
}

async function checkFile(file: string, options: CheckOptions, isJson: boolean, isAlone: boolean): Promise<boolean> {
	const report = checkCode(await read(file), options);
	const { language: found, verdict, findings } = report;
	if (isJson) await writeLine(process.stdout, { ...(!isAlone && { file }), language: found, verdict, findings });
	else if (findings.length > 0)
		process.stdout.write(`${isAlone ? '' : `${file}:\n`}${describeFindings(report, options)}\n`);
	else process.stdout.write(`${isAlone ? '' : `${file}: `}clean (${languageLabels[found]})\n`);
	return verdict === 'forbidden';
}

async function checkFiles(typed: Typed, options: CheckOptions): Promise<number> {
	const files = typed.positionals.length > 0 ? typed.positionals : ['-'];
	let isForbidden = false;
	for (const file of files) {
		const blocks = await checkFile(file, options, typed.values.json === true, files.length === 1);
		isForbidden ||= blocks;
	}
	return isForbidden ? forbidden : 0;
}

const lineSchema = z.object({ id: z.unknown(), code: z.string(), language: languageChoiceSchema.optional() });
/** Room for the longest program, escaped. */
const lineBytes = 16 * 1024 * 1024;

function checkLine(line: Line, options: CheckOptions): unknown {
	const refuse = (id: unknown, details: string) => {
		const problem = problemFor('JOB_INVALID', { details });
		return { id: id ?? null, language: null, verdict: 'forbidden', findings: [], problem };
	};
	if ('tooLong' in line) return refuse(null, `the line is longer than ${lineBytes} bytes`);
	let value: unknown;
	try {
		value = JSON.parse(line.text);
	} catch {
		return refuse(null, 'the line is not JSON');
	}
	const parsed = lineSchema.safeParse(value);
	if (!parsed.success) return refuse((value as { id?: unknown } | null)?.id, z.prettifyError(parsed.error));
	const { id, code, language: chosen } = parsed.data;
	const report = checkCode(code, chosen ? { ...options, language: chosen } : options);
	return { id, language: report.language, verdict: report.verdict, findings: report.findings };
}

async function checkLines(options: CheckOptions): Promise<number> {
	for await (const line of readLines(process.stdin, lineBytes)) {
		if ('text' in line && line.text.trim() === '') continue;
		await writeLine(process.stdout, checkLine(line, options));
	}
	return 0;
}

export const check: Command = {
	flags,
	help,
	async act(typed) {
		const options = optionsOf(typed);
		return typed.values.jsonl === true ? checkLines(options) : checkFiles(typed, options);
	},
};
