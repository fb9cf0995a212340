/** The front's half of the exec side: a runner whose jobs run in another process, as another user. */
import { connect, type Socket } from 'node:net';
import { KnownError, knownErrorOf } from '../../../contract/error.ts';
import type { DeviceJob, Runner, RunnerOutcome } from '../../../core/runner/runner.ts';
import type { BoxIo, ProbeStep, StopReason } from '../../../core/sandbox/backend.ts';
import { Link } from './link.ts';
import { type FromExec, type FromFront, fromExecSchema, mostBytes } from './messages.ts';

/** Waits for the exec side, in milliseconds. A unit that is stopped or stuck still takes connections, and never answers. */
export interface Patience {
	/** Until it takes a connection. */
	readonly connectMs: number;
	/** It ends a job within 5 s of being told to; after this it is given up. */
	readonly stopMs: number;
	/** What it takes to begin a job, beside the time of the job itself. */
	readonly beginMs: number;
	readonly probeMs: number;
}

const ordinaryPatience: Patience = { connectMs: 10_000, stopMs: 20_000, beginMs: 60_000, probeMs: 120_000 };

const unreachable = (details: string, cause?: unknown) => new KnownError('SANDBOX_UNAVAILABLE', { details }, { cause });

function reach(path: string, ms: number): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect(path);
		const timer = setTimeout(() => socket.destroy(new Error('it took no connection in time')), ms);
		socket.once('close', () => clearTimeout(timer));
		socket.once('connect', () => {
			clearTimeout(timer);
			resolve(socket);
		});
		socket.once('error', (error) => reject(unreachable('the exec side of the agent does not answer', error)));
	});
}

const notInTime = 'the exec side did not end the job in time';

type Answer = Exclude<FromExec, { type: 'started' | 'output' }>;
type ExecLink = Link<FromExec, FromFront>;

/** How a job ended that nobody can tell about any more. The exec side takes its jobs with it, but nobody here has looked. */
const lost = (fault: string): RunnerOutcome => ({
	stopped: null,
	exit: null,
	fault,
	oomKills: 0,
	processLimitHits: 0,
	peakMemoryBytes: 0,
	cpuMs: 0,
	durationMs: 0,
	backend: 'exec',
	tier: 'reduced',
	isConfirmedDead: false,
});

/** Node.js has no longer timers. */
const longestTimerMs = 2 ** 31 - 1;

/** One question over one connection. */
class Call {
	readonly link: ExecLink;
	readonly #io: BoxIo | undefined;
	#settle: (answer: Answer | string) => void = () => {};
	/** The last word of the exec side, or why there is none. */
	readonly answer: Promise<Answer | string>;

	constructor(socket: Socket, io?: BoxIo) {
		this.#io = io;
		this.answer = new Promise((resolve) => {
			this.#settle = resolve;
		});
		this.link = new Link(socket, {
			schema: fromExecSchema,
			mostBytes: mostBytes.fromExec,
			hear: (message) => this.#hear(message),
			malformed: (details) => this.giveUp(`the exec side said what it must not say: ${details}`),
		});
		void this.link.closed.then(() => this.giveUp('the exec side of the agent went away'));
	}

	/** Gives up after so many milliseconds without a last word. */
	within(ms: number, why: string): void {
		const timer = setTimeout(() => this.giveUp(why), Math.min(ms, longestTimerMs));
		void this.answer.then(() => clearTimeout(timer));
	}

	giveUp(why: string): void {
		this.#settle(why);
		this.link.destroy();
	}

	#hear(message: FromExec): void {
		if (message.type === 'started') this.#io?.onStart?.();
		else if (message.type === 'output') this.#print(message);
		else this.#settle(message);
	}

	/** Whoever keeps the output and does not keep up holds the exec side back, and that the job. */
	#print({ stream, base64 }: Extract<FromExec, { type: 'output' }>): void {
		const taken = this.#io?.onOutput(stream, Buffer.from(base64, 'base64'));
		if (!taken) return;
		this.link.pause();
		void taken.catch(() => {}).finally(() => this.link.resume());
	}
}

class ExecRunner implements Runner {
	readonly #path: string;
	readonly #running = new Set<{ stop(): void; readonly over: Promise<unknown> }>();
	readonly #patience: Patience;
	#isClosed = false;

	constructor(path: string, patience: Patience) {
		this.#path = path;
		this.#patience = patience;
	}

	async run(job: DeviceJob, io: BoxIo): Promise<RunnerOutcome> {
		if (this.#isClosed) throw new KnownError('AGENT_STOPPING');
		const call = new Call(await reach(this.#path, this.#patience.connectMs), io);
		const stop = (reason: StopReason) => this.#stop(call, reason);
		const onAbort = () => stop(io.signal.reason as StopReason);
		const running = { stop: () => stop('cancelled'), over: call.answer };
		this.#running.add(running);
		call.link.send({ type: 'run', job });
		// The exec side ends the job when its time is over, and says so; this is for one that does not.
		const { beginMs, stopMs } = this.#patience;
		call.within(beginMs + job.limits.timeoutMs + stopMs, notInTime);
		if (io.signal.aborted) onAbort();
		io.signal.addEventListener('abort', onAbort);
		try {
			return outcomeOf(await call.answer);
		} finally {
			io.signal.removeEventListener('abort', onAbort);
			this.#running.delete(running);
			call.link.destroy();
		}
	}

	async probe(): Promise<readonly ProbeStep[]> {
		const call = new Call(await reach(this.#path, this.#patience.connectMs));
		call.link.send({ type: 'probe' });
		call.within(this.#patience.probeMs, 'the exec side of the agent does not answer');
		const answer = await call.answer;
		call.link.destroy();
		if (typeof answer === 'string') throw unreachable(answer);
		return answer.type === 'steps' ? answer.steps : [];
	}

	async close(): Promise<void> {
		this.#isClosed = true;
		for (const { stop } of this.#running) stop();
		await Promise.all([...this.#running].map(({ over }) => over));
	}

	#stop(call: Call, reason: StopReason): void {
		call.link.send({ type: 'stop', reason });
		call.within(this.#patience.stopMs, notInTime);
	}
}

function outcomeOf(answer: Answer | string): RunnerOutcome {
	if (typeof answer === 'string') return lost(answer);
	if (answer.type === 'refused') throw knownErrorOf(answer.problem);
	return answer.type === 'outcome' ? answer.outcome : lost('the exec side answered something else');
}

/** @param path the socket of the exec side */
export const connectRunner = (path: string, patience: Partial<Patience> = {}): Runner =>
	new ExecRunner(path, { ...ordinaryPatience, ...patience });
