/** A job that has a session: what it finds of earlier calls, and what is kept of it for the next one. */
import { join } from 'node:path';
import { problemFor } from '../contract/error.ts';
import type { JobFile, JobRequest, JobResult } from '../contract/job.ts';
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

/** A file that is given anew takes the place of the one that was kept. */
function withKept(request: JobRequest, { inputs }: OpenSession): JobRequest {
	const names = new Set(request.files.map(({ name }) => name));
	const kept: JobFile[] = inputs.filter(({ name }) => !names.has(name)).map(({ name, path }) => ({ name, path }));
	return { ...request, files: [...kept, ...request.files] };
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

/** What did not end by itself leaves nothing that is kept. */
async function keepSession(
	open: OpenSession,
	receiver: TreeReceiver,
	result: JobResult,
	inputs: { readonly names: readonly string[]; readonly folder: string | undefined; readonly draft: string },
): Promise<JobResult> {
	const { quotaBytes } = open.wish;
	const full = (bytes: number) =>
		withProblem(
			result,
			problemFor('SESSION_FULL', { found: Math.ceil(bytes / MiB), limit: Math.floor(quotaBytes / MiB) }),
		);
	if (!receiver.isWhole || !endedByItself(result)) return withProblem(result, problemFor('SESSION_UNCHANGED'));
	if (receiver.bytes > quotaBytes) return full(receiver.bytes);
	const { folder, names, draft } = inputs;
	const kept = folder === undefined ? [] : names.map((name) => ({ name, path: join(folder, name) }));
	const saved = await saveSession(open, { tree: receiver.path, inputs: kept, draft });
	return saved.isSaved ? aboutState(open.wish, result) : full(saved.bytes);
}

/** Calls of one session run one after the other; it is given back whatever happens. */
export async function inSession(wish: SessionWish, request: JobRequest, run: RunWithSession): Promise<JobResult> {
	const folder = RunFolder.create();
	try {
		const open = await openSession(wish, join(folder.path, 'session'), request.limits.timeoutMs);
		if (!open) return withoutRun('denied', problemFor('SESSION_BUSY', { limit: sessionWaitMs / 1000 }));
		try {
			const receiver = new TreeReceiver(join(folder.path, 'tree.tar'), wish.quotaBytes);
			const whole = withKept(request, open);
			const names = whole.files.map(({ name }) => name).filter((name) => name !== dataName);
			const part = { tree: open.tree, keepsState: wish.keepsState !== false, receiver };
			return await run(whole, part, (result, inFolder) =>
				keepSession(open, receiver, result, { names, folder: inFolder, draft: join(folder.path, 'encrypted') }),
			);
		} finally {
			await open.lock.release();
		}
	} finally {
		folder.remove();
		void sweepExpired(wish).catch(() => {});
	}
}
