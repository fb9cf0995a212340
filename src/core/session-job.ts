/** A job that has a session: what it finds of earlier calls, and what is kept of it for the next one. */
import { join } from 'node:path';
import { problemFor } from '../contract/error.ts';
import type { JobFile, JobRequest, JobResult, Problem } from '../contract/job.ts';
import { fixedLimits } from '../contract/limits.ts';
import { RunFolder } from './host/run-folder.ts';
import { withoutRun, withProblem } from './result.ts';
import { dataName } from './sandbox/inputs.ts';
import { TreeReceiver } from './sessions/receiver.ts';
import {
	type OpenSession,
	openSession,
	type SessionWish,
	saveSession,
	sessionWaitMs,
	sweepExpired,
} from './sessions/session.ts';

const MiB = 1024 * 1024;

/** What one run does with its session. */
export interface SessionPart {
	/** Archive of the host with what lay in /work; undefined for a new session. */
	readonly tree: string | undefined;
	readonly keepsState: boolean;
	/** Takes what lies in /work at the end. */
	readonly receiver: TreeReceiver;
}

/** A file that is given anew takes the place of the one that was kept, and where there are too many, of the oldest. */
function withKept(request: JobRequest, { inputs }: OpenSession): { whole: JobRequest; left: readonly string[] } {
	const names = new Set(request.files.map(({ name }) => name));
	const older: JobFile[] = inputs.filter(({ name }) => !names.has(name)).map(({ name, path }) => ({ name, path }));
	const tooMany = Math.max(0, older.length + request.files.length - fixedLimits.inFiles);
	const whole = { ...request, files: [...older.slice(tooMany), ...request.files] };
	return { whole, left: older.slice(0, tooMany).map(({ name }) => name) };
}

export type RunWithSession = (
	request: JobRequest,
	session: SessionPart,
	/** Called when the program is over, while its inputs still lie there. */
	keep: (result: JobResult, inFolder: string | undefined) => Promise<JobResult>,
) => Promise<JobResult>;

/** A program that was stopped was in the middle of something; the last good state is worth more than half of a new one. */
const endedByItself = ({ status }: JobResult): boolean => ['succeeded', 'failed', 'killed'].includes(status);

/** Whoever counts on variables that are not kept is told so at once. */
const aboutState = ({ keepsState }: SessionWish, result: JobResult): JobResult =>
	keepsState === true && result.language !== 'python' ? withProblem(result, problemFor('SESSION_FILES_ONLY')) : result;

/** Nothing that was given goes away without a word. */
function aboutInputs({ quotaBytes }: SessionWish, result: JobResult, left: readonly string[]): JobResult {
	if (left.length === 0) return result;
	const most = { count: fixedLimits.inFiles, limit: Math.floor(quotaBytes / MiB) };
	return withProblem(result, problemFor('SESSION_INPUTS_LEFT', { ...most, names: left.join(', ') }));
}

interface Inputs {
	readonly names: readonly string[];
	readonly folder: string | undefined;
	readonly draft: string;
}

/** What did not end by itself leaves nothing that is kept. `left`: inputs that found no room. */
async function keepSession(
	open: OpenSession,
	receiver: TreeReceiver,
	result: JobResult,
	inputs: Inputs,
): Promise<{ readonly result: JobResult; readonly left: readonly string[] }> {
	const { quotaBytes } = open.wish;
	const unkept = (problem: Problem) => ({ result: withProblem(result, problem), left: [] });
	const full = (bytes: number) =>
		unkept(problemFor('SESSION_FULL', { found: Math.ceil(bytes / MiB), limit: Math.floor(quotaBytes / MiB) }));
	if (!receiver.isWhole || !endedByItself(result)) return unkept(problemFor('SESSION_UNCHANGED'));
	if (receiver.bytes > quotaBytes) return full(receiver.bytes);
	const { folder, names, draft } = inputs;
	const kept = folder === undefined ? [] : names.map((name) => ({ name, path: join(folder, name) }));
	const saved = await saveSession(open, { tree: receiver.path, inputs: kept, draft });
	return saved.isSaved ? { result: aboutState(open.wish, result), left: saved.left } : full(saved.bytes);
}

/** Calls of one session run one after the other; it is given back whatever happens. */
export async function inSession(wish: SessionWish, request: JobRequest, run: RunWithSession): Promise<JobResult> {
	const folder = RunFolder.create();
	try {
		const open = await openSession(wish, join(folder.path, 'session'), request.limits.timeoutMs);
		if (!open) return withoutRun('denied', problemFor('SESSION_BUSY', { limit: sessionWaitMs / 1000 }));
		try {
			const receiver = new TreeReceiver(join(folder.path, 'tree.tar'), wish.quotaBytes);
			const { whole, left } = withKept(request, open);
			const names = whole.files.map(({ name }) => name).filter((name) => name !== dataName);
			const part = { tree: open.tree, keepsState: wish.keepsState !== false, receiver };
			return await run(whole, part, async (result, inFolder) => {
				const inputs = { names, folder: inFolder, draft: join(folder.path, 'encrypted') };
				const kept = await keepSession(open, receiver, result, inputs);
				return aboutInputs(wish, kept.result, [...left, ...kept.left]);
			});
		} finally {
			await open.lock.release();
		}
	} finally {
		folder.remove();
		void sweepExpired(wish).catch(() => {});
	}
}
