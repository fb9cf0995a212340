/** Tells the socket service of Ogent how executions go on. What it does, or that it is not there, never holds up a job. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobEvent, JobView } from '../../../contract/device-job.ts';
import { fetchOverHttp } from '../../../core/fetch.ts';
import { FairQueue } from '../../../core/queue.ts';
import {
	encodeOgentPush,
	type OgentPush,
	ogentLines,
	ogentProgress,
	ogentPushLines,
	ogentPushPath,
} from '../../wire/ogent-push.ts';
import type { Log } from '../face.ts';
import type { Jobs } from '../ports.ts';
import { withNote } from './note.ts';
import { LastLines } from './ogent-lines.ts';
import { ogentState } from './ogent-state.ts';
import { ogentTexts } from './ogent-texts.ts';

const sendMs = 2000;
/** Updates on their way at the same time, and executions that wait for that. */
const lanes = 8;
const mostWaiting = 1000;
/** The last update of an execution is tried again after these pauses. */
const pausesMs = [0, 1000, 3000];
/** What is left of the output for a receiver that does not take all of it. */
const shortBytes = 64 * 1024;

export interface PushParts {
	readonly url: string;
	/** Sent as a bearer token; null: none. */
	readonly token: string | null;
	readonly jobs: Jobs;
	readonly log: Log;
	readonly stopping: AbortSignal;
}

/** ok: taken. refused: it will not take this. failed: worth another try. */
type Sent = 'ok' | 'too_large' | 'refused' | 'failed';

export class OgentPushes {
	readonly #parts: PushParts;
	readonly #queue = new FairQueue(lanes, mostWaiting);
	#isDown = false;

	constructor(parts: PushParts) {
		this.#parts = parts;
	}

	/** From now to the end of the job; never rejects. */
	async follow(executionId: string, jobId: string): Promise<void> {
		const follower = new Follower(executionId, (push) => this.#send(push));
		try {
			for await (const event of this.#parts.jobs.watch(jobId, 0, this.#parts.stopping)) {
				if (event.type === 'end') await this.#finish(follower, executionId, event.job);
				else follower.hear(event);
			}
		} catch (error) {
			if (this.#parts.stopping.aborted) return;
			this.#parts.log.warn({ jobId, error: (error as Error).message }, 'an execution could not be followed');
		}
	}

	async #finish(follower: Follower, executionId: string, job: JobView): Promise<void> {
		await follower.drained();
		for (const pause of pausesMs) {
			if (pause > 0) await sleep(pause, undefined, { signal: this.#parts.stopping });
			const sent = await this.#send(await this.#lastOf(executionId, job));
			if (sent === 'too_large') await this.#send(await this.#lastOf(executionId, job, shortBytes));
			if (sent !== 'failed') return;
		}
	}

	async #lastOf(executionId: string, job: JobView, most?: number): Promise<OgentPush> {
		const { status, message, why } = ogentState(job);
		const { output, error, isTruncated } = await ogentTexts(this.#parts.jobs, job, most);
		return {
			executionId,
			status,
			progress: 100,
			output: output === '' && status === 'cancelled' ? (message ?? '') : ogentLines(output),
			// An original says nothing of stderr when the command worked.
			error: status === 'completed' ? '' : withNote(error, why),
			isTruncated,
		};
	}

	async #send(push: OgentPush): Promise<Sent> {
		const turn = await this.#queue.enter(push.executionId, this.#parts.stopping);
		if (!turn.granted) return 'refused';
		const sent = await this.#post(encodeOgentPush(push)).finally(() => turn.release());
		this.#tell(sent);
		return sent;
	}

	async #post(body: string): Promise<Sent> {
		const { url, token, stopping } = this.#parts;
		try {
			const response = await fetchOverHttp(url.replace(/\/+$/, '') + ogentPushPath, {
				method: 'POST',
				headers: { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) },
				body,
				signal: AbortSignal.any([stopping, AbortSignal.timeout(sendMs)]),
			});
			await response.body?.cancel();
			if (response.status === 413) return 'too_large';
			if (response.status >= 500 || response.status === 429) return 'failed';
			return response.ok ? 'ok' : 'refused';
		} catch {
			return 'failed';
		}
	}

	/** Once when it stops taking updates, once when it takes them again. */
	#tell(sent: Sent): void {
		const isDown = sent !== 'ok';
		if (isDown === this.#isDown || this.#parts.stopping.aborted) return;
		this.#isDown = isDown;
		if (isDown) this.#parts.log.warn({ sent }, 'the socket service of Ogent does not take updates');
		else this.#parts.log.info({}, 'the socket service of Ogent takes updates again');
	}
}

/** The updates of one execution, in order; of those that wait behind a slow receiver only the newest is sent. */
class Follower {
	readonly #executionId: string;
	readonly #send: (push: OgentPush) => Promise<Sent>;
	readonly #lines = new LastLines(ogentPushLines);
	readonly #waiting: OgentPush[] = [];
	#sending: Promise<void> | undefined;

	constructor(executionId: string, send: (push: OgentPush) => Promise<Sent>) {
		this.#executionId = executionId;
		this.#send = send;
	}

	hear(event: Exclude<JobEvent, { type: 'end' }>): void {
		if (event.type === 'state' && event.state === 'running') this.#put(1, 'Starting execution...');
		if (event.type !== 'output' || event.stream !== 'stdout') return;
		this.#lines.push(Buffer.from(event.base64, 'base64'));
		// What was not sent yet is in the newer one; the start is not.
		if (this.#waiting.at(-1)?.output !== 'Starting execution...') this.#waiting.pop();
		this.#put(ogentProgress(this.#lines.count), this.#lines.text);
	}

	/** Resolves when nothing waits any more. */
	async drained(): Promise<void> {
		await this.#sending;
	}

	#put(progress: number, output: string): void {
		this.#waiting.push({
			...{ executionId: this.#executionId, status: 'running', progress, output, error: '' },
			isTruncated: false,
		});
		this.#sending ??= this.#sendAll();
	}

	async #sendAll(): Promise<void> {
		for (let push = this.#waiting.shift(); push; push = this.#waiting.shift()) await this.#send(push);
		this.#sending = undefined;
	}
}
