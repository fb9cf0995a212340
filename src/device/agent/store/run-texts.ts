/** What the tables of QuickCMD and device_agent show of a job: the command and its output, cut and with secrets masked by shape. */

import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { toUSVString } from 'node:util';
import type { Command } from '../../../contract/device-job.ts';
import type { ShellEval } from '../../../core/audit/chain.ts';
import { evalText, noEvalText } from '../../../core/audit/shell-eval.ts';
import type { OutputStream } from '../../../core/sandbox/backend.ts';
import { maskShapes, maskShapesIn } from '../../../core/secrets/shapes.ts';
import { cutMark, cutMiddle } from '../../../core/text.ts';
import type { JobRow } from '../ports.ts';
import type { JobOutput } from './job-output.ts';

/** Of each stream, in `runs`. */
const runBytes = 16 * 1024;
/** Of each stream, in `audit_shell_eval`: as much as device_agent keeps by default. */
const evalBytes = 1024 * 1024;
/** Of a command or a prompt. */
const commandBytes = 64 * 1024;

/** Output of a job that is over, ready to be written with the change that says so. */
export interface OutputTexts {
	readonly stdout: string;
	readonly stderr: string;
	readonly evaluated: { readonly stdout: string; readonly stderr: string } | null;
}

export const noTexts: OutputTexts = { stdout: '', stderr: '', evaluated: null };

/** Only device_agent has a table for scripts, and only for this capability of its. */
export const isShellEval = ({ face, draft }: Pick<JobRow, 'face' | 'draft'>): boolean =>
	face === 'device' && /^shell\.eval(\.|$)/.test(draft.capability);

const forTable = (text: string, bytes: number): string =>
	maskShapes(cutMiddle(toUSVString(text).replaceAll('\0', '\ufffd'), bytes).text);

/** The two ends of a stream. */
async function ends(output: JobOutput, stream: OutputStream): Promise<string> {
	const { stored } = output.sizes()[stream];
	const part = async (offset: number, length: number) =>
		forTable((await output.slice(stream, offset, length)).bytes.toString(), runBytes);
	if (stored <= runBytes) return part(0, stored);
	const half = runBytes / 2;
	return (await part(0, half)) + cutMark(stored - runBytes) + (await part(stored - half, half));
}

async function evaluatedText(output: JobOutput, stream: OutputStream): Promise<string> {
	const { bytes } = await output.slice(stream, 0, evalBytes);
	return evalText(maskShapesIn(bytes));
}

/** Of a job whose streams are complete. */
export async function textsOf(row: JobRow, output: JobOutput): Promise<OutputTexts> {
	const both = <T>(read: (stream: OutputStream) => Promise<T>) => Promise.all([read('stdout'), read('stderr')]);
	const [stdout, stderr] = await both((stream) => ends(output, stream));
	if (!isShellEval(row)) return { stdout, stderr, evaluated: null };
	const [out, err] = await both((stream) => evaluatedText(output, stream));
	return { stdout, stderr, evaluated: { stdout: out, stderr: err } };
}

const words = (command: Command): string => (command.mode === 'argv' ? command.argv.join(' ') : command.script);

export function shellEvalOf({ draft }: JobRow, { evaluated }: OutputTexts, mask: (text: string) => string): ShellEval {
	const { command, cwd } = draft;
	return {
		cmd: forTable(mask(words(command)), commandBytes),
		cwd: cwd ?? '',
		shell: command.mode === 'script' ? command.shell : '',
		stdout_b64: evaluated?.stdout ?? noEvalText,
		stderr_b64: evaluated?.stderr ?? noEvalText,
	};
}

const createdAt = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ');

export class RunTexts {
	readonly #insert: StatementSync;
	readonly #update: StatementSync;
	readonly #mask: (text: string) => string;

	/** @param mask hides the secrets that the agent knows */
	constructor(db: DatabaseSync, mask: (text: string) => string) {
		this.#mask = mask;
		this.#insert = db.prepare('INSERT INTO run_texts (n, prompt, selected_command, created_at) VALUES (?, ?, ?, ?)');
		this.#update = db.prepare(
			'UPDATE run_texts SET stdout = ?, stderr = ? WHERE n = (SELECT n FROM jobs WHERE job_id = ?)',
		);
	}

	add(n: number, { draft, compat, acceptedAt }: JobRow): void {
		const prompt = forTable(this.#mask(compat?.prompt ?? ''), commandBytes);
		this.#insert.run(n, prompt, forTable(this.#mask(words(draft.command)), commandBytes), createdAt(acceptedAt));
	}

	/** A job whose texts are not to be kept has a row all the same. */
	addWithout(n: number, { acceptedAt }: JobRow): void {
		this.#insert.run(n, '', '', createdAt(acceptedAt));
	}

	setOutput(jobId: string, { stdout, stderr }: OutputTexts): void {
		this.#update.run(stdout, stderr, jobId);
	}
}
