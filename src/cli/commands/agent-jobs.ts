/** secure-code agent jobs: what the running agent did and does, and the end of what should not go on. */
import { setTimeout as wait } from 'node:timers/promises';
import { type JobView, jobStates } from '../../contract/device-job.ts';
import { KnownError } from '../../contract/error.ts';
import { visible } from '../../device/agent/shown.ts';
import { nativePath } from '../../device/wire/native-routes.ts';
import { callAgent } from '../agent-call.ts';
import { agentFolder, dirFlag } from '../agent-folder.ts';
import type { Command } from '../command.ts';
import { type Flags, text, type Values } from '../flags.ts';

const flags = {
	...dirFlag,
	state: { type: 'string', value: 'STATE', help: `list: only ${jobStates.join(', ')}` },
	limit: { type: 'string', value: 'N', help: 'list: how many (default 20)' },
	before: { type: 'string', value: 'ID', help: 'list: only those that are older than this one' },
	stderr: { type: 'boolean', help: 'read: the errors instead of the output' },
	tail: { type: 'string', value: 'LINES', help: 'read: only the last lines' },
	follow: { type: 'boolean', help: 'read: go on until the job is over' },
	json: { type: 'boolean', help: 'print one line of JSON' },
} as const satisfies Flags;

const help = `Shows and ends jobs of the running agent.

Usage: secure-code agent jobs list [--state STATE] [--limit N] [--before ID]
       secure-code agent jobs show ID
       secure-code agent jobs read ID [--stderr] [--tail LINES | --follow]
       secure-code agent jobs cancel ID

On a terminal, characters that move the cursor or hide are spelled out; into a file or a pipe goes every byte as it is.
`;

const usage = (details: string) => new KnownError('USAGE', { details });

interface Page {
	readonly encoding: 'utf8' | 'base64';
	readonly text: string;
	readonly nextOffset: number;
	readonly eof: boolean;
}

const commandOf = ({ command }: JobView): string =>
	command.mode === 'argv' ? command.argv.join(' ') : command.script.split('\n').join('; ');

const columns = 60;

function line(job: JobView): string {
	const how = job.result?.status ?? job.state;
	const when = new Date(job.acceptedAt).toISOString().slice(0, 19);
	const shown = visible(commandOf(job));
	const cut = shown.length > columns ? `${shown.slice(0, columns - 1)}…` : shown;
	return `${[job.jobId, when, how, job.face, job.principal, cut].join('  ')}\n`;
}

async function list(dir: string, values: Values): Promise<void> {
	const [state, limit = '20', before] = ['state', 'limit', 'before'].map((name) => text(values, name));
	const path = nativePath('listJobs', {}, { state, limit, before });
	const answer = await callAgent<{ jobs: JobView[]; next: string | null }>(dir, { method: 'GET', path });
	if (values.json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
	else process.stdout.write(answer.jobs.length > 0 ? answer.jobs.map(line).join('') : 'no jobs\n');
}

const moments = (job: JobView): [string, unknown][] =>
	(
		[
			['accepted', job.acceptedAt],
			['started', job.startedAt],
			['ended', job.endedAt],
		] as const
	).map(([name, at]) => [name, at === null ? 'not yet' : new Date(at).toISOString()]);

function describe(job: JobView): string {
	const { result, decision, output } = job;
	const rows: [string, unknown][] = [
		['job', job.jobId],
		['state', result ? `${job.state}, ${result.status}, exit code ${result.exitCode}` : job.state],
		['from', `${job.principal} by ${job.face}`],
		['capability', job.capability],
		['command', visible(commandOf(job))],
		['folder', job.cwd ?? 'a workspace of its own'],
		['decision', decision ? decision.reasons.map(({ rule, why }) => `${rule} (${why})`).join('; ') : 'none'],
		...moments(job),
		['output', `${output.stdout.storedBytes} bytes of ${output.stdout.totalBytes} are kept`],
		['errors', `${output.stderr.storedBytes} bytes of ${output.stderr.totalBytes} are kept`],
		['audit', job.auditHash],
	];
	if (job.approvalId !== null) rows.push(['approval', job.approvalId]);
	if (result?.problem) rows.push(['problem', result.problem.message]);
	if (job.isConfirmedDead === false) rows.push(['WARNING', 'processes of it may be left']);
	return rows.map(([name, value]) => `${`${name}:`.padEnd(12)}${value}\n`).join('');
}

function show(job: JobView, isJson: boolean): void {
	process.stdout.write(isJson ? `${JSON.stringify(job)}\n` : describe(job));
}

function write({ encoding, text: got }: Page): void {
	const bytes = Buffer.from(got, encoding);
	if (!process.stdout.isTTY) process.stdout.write(bytes);
	else process.stdout.write(bytes.toString().split('\n').map(visible).join('\n'));
}

/** Between two looks at a job that goes on. */
const pollMs = 500;

async function readAll(
	dir: string,
	jobId: string,
	stream: string,
	follows: boolean,
	signal: AbortSignal,
): Promise<void> {
	for (let offset = 0; !signal.aborted; ) {
		const path = nativePath('readOutput', { jobId, stream }, { offset });
		const page = await callAgent<Page>(dir, { method: 'GET', path });
		write(page);
		if (page.eof || (!follows && page.nextOffset === offset)) return;
		if (page.nextOffset === offset) await wait(pollMs, undefined, { signal }).catch(() => {});
		offset = page.nextOffset;
	}
}

async function read(dir: string, jobId: string, values: Values, signal: AbortSignal): Promise<void> {
	const stream = values.stderr === true ? 'stderr' : 'stdout';
	const lines = text(values, 'tail');
	if (lines === undefined) return readAll(dir, jobId, stream, values.follow === true, signal);
	write(await callAgent<Page>(dir, { method: 'GET', path: nativePath('tailOutput', { jobId, stream }, { lines }) }));
}

export const agentJobs: Command = {
	flags,
	help,
	async act({ values, positionals }, signal) {
		const [action, jobId, ...more] = positionals;
		if (more.length > 0) throw usage(`agent jobs: "${more[0]}" is too many`);
		const dir = agentFolder(values);
		const isJson = values.json === true;
		if (action === 'list' && jobId === undefined) {
			await list(dir, values);
			return 0;
		}
		if (jobId === undefined || !['show', 'read', 'cancel'].includes(action ?? ''))
			throw usage('agent jobs: say list, show ID, read ID or cancel ID');
		const job = { jobId };
		if (action === 'show') show(await callAgent(dir, { method: 'GET', path: nativePath('getJob', job) }), isJson);
		else if (action === 'cancel')
			show(await callAgent(dir, { method: 'POST', path: nativePath('cancelJob', job) }), isJson);
		else await read(dir, jobId, values, signal);
		return 0;
	},
};
