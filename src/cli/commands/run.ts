/** secure-code run: one program as if it ran here, or many jobs line by line. */
import { readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { basename } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { KnownError, knownErrors } from '../../contract/error.ts';
import type { JobRequestInput, JobResult } from '../../contract/job.ts';
import { composeExecutor, parseJobRequest } from '../../core/compose.ts';
import type { JobContext } from '../../core/ports.ts';
import { checkPolicy } from '../check-policy.ts';
import type { Command, Typed } from '../command.ts';
import { type Flags, jobFlags, requestDefaults, type SecretFlag, secrets, text, texts } from '../flags.ts';
import { runLines } from './run-lines.ts';

const flags = {
	...jobFlags,
	json: { type: 'boolean', help: 'print one line of JSON, the result; exit 0 whenever there is one' },
	jsonl: { type: 'boolean', help: 'read jobs from stdin, a line of JSON each, and write results as they finish' },
	concurrency: {
		type: 'string',
		short: 'c',
		value: 'N',
		help: 'with --jsonl: jobs at a time (default: twice the processors)',
	},
} as const satisfies Flags;

const help = `Runs a program in the sandbox.

Usage: secure-code run [FILE|-] [flags]
       secure-code run --jsonl [flags] < jobs.jsonl

Without --json, stdout, stderr and the exit code are the program's own. Exit codes of ours: 65 refused by the check,
69 no sandbox, 124 time limit, 137 memory or output limit, 128+N ended by signal N.

Examples:
  echo 'print(6 * 7)' | secure-code run -
  secure-code run analysis.py --file sales.csv --out results --timeout 60 --memory 512
  secure-code run --json - <<< 'console.log([1, 2, 3].map((n) => n * n))'
`;

async function readProgram(typed: Typed): Promise<string> {
	const [file = '-', ...more] = typed.positionals;
	if (more.length > 0) throw new KnownError('USAGE', { details: `one program at a time; "${more[0]}" is too many` });
	if (file === '-') return readAll(process.stdin);
	return readFile(file, 'utf8').catch(() => {
		throw new KnownError('USAGE', { details: `${file} cannot be read` });
	});
}

async function readStdin(typed: Typed): Promise<string | undefined> {
	const source = text(typed.values, 'stdin');
	if (source === undefined) return undefined;
	return source === '-' ? readAll(process.stdin) : readFile(source, 'utf8');
}

/** Values come from our environment, so that they stand in no command line. */
function secretValues(wanted: readonly SecretFlag[]): Record<string, string> {
	return Object.fromEntries(
		wanted.map(({ name }) => {
			const value = process.env[name];
			if (value === undefined)
				throw new KnownError('USAGE', { details: `--secret ${name}: there is no such variable` });
			return [name, value];
		}),
	);
}

const secretHosts = (wanted: readonly SecretFlag[]): Record<string, readonly string[]> =>
	Object.fromEntries(wanted.flatMap(({ name, hosts }) => (hosts === undefined ? [] : [[name, hosts]])));

async function requestOf(typed: Typed): Promise<JobRequestInput> {
	const stdin = await readStdin(typed);
	return {
		...requestDefaults(typed.values),
		checkPolicy: checkPolicy(typed.values),
		code: await readProgram(typed),
		...(stdin !== undefined && { stdin }),
		files: texts(typed.values, 'file').map((path) => ({ name: basename(path), path })),
	};
}

/** What a shell would report for this end. */
function exitCodeOf(result: JobResult): number {
	if (result.status === 'succeeded' || result.status === 'failed') return result.exitCode ?? 1;
	const signal = constants.signals[result.signal as keyof typeof constants.signals];
	if (result.status === 'killed' && signal) return 128 + signal;
	const code = result.problem?.code as keyof typeof knownErrors | undefined;
	return (code && knownErrors[code]?.exit) || 1;
}

function explain(result: JobResult): void {
	if (!result.problem) return;
	process.stderr.write(`secure-code: ${result.problem.message}\n${result.problem.next}\n`);
}

export const run: Command = {
	flags,
	help,
	async act(typed, signal) {
		const wanted = secrets(typed.values);
		const context: JobContext = {
			signal,
			outDir: text(typed.values, 'out'),
			secretValues: secretValues(wanted),
			secretHosts: secretHosts(wanted),
		};
		if (typed.values.jsonl === true) return runLines(typed, context);
		const request = parseJobRequest(await requestOf(typed));
		const isJson = typed.values.json === true;
		const live = (stream: 'stdout' | 'stderr', chunk: Buffer) => process[stream].write(chunk);
		const result = await composeExecutor().run(request, isJson ? context : { ...context, onOutput: live });
		if (!isJson) {
			explain(result);
			return exitCodeOf(result);
		}
		process.stdout.write(`${JSON.stringify(result)}\n`);
		return 0;
	},
};
