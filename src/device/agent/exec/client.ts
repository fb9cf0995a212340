/** The front's half of the exec side: a runner whose jobs run in another process, as another user. */
import { connect, type Socket } from 'node:net';
import { KnownError, knownErrorOf } from '../../../contract/error.ts';
import type { DeviceJob, Runner, RunnerOutcome } from '../../../core/runner/runner.ts';
import type { BoxIo, ProbeStep, StopReason } from '../../../core/sandbox/backend.ts';
import { Link } from './link.ts';
import { type FromExec, type FromFront, fromExecSchema, mostBytes } from './messages.ts';

/** The exec side ends a job within 5 s of being told to; after this it is given up. */
const stopMs = 20_000;

const unreachable = (details: string, cause?: unknown) => new KnownError('SANDBOX_UNAVAILABLE', { details }, { cause });

function reach(path: string): Promise<Socket> {
	return new Promise((resolve, reject) => {
		const socket = connect(path);
		socket.once('connect', () => resolve(socket));
		socket.once('error', (error) => reject(unreachable('the exec side of the agent does not answer', error)));
	});
}

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
	#isClosed = false;

	constructor(path: string) {
		this.#path = path;
	}

	async run(job: DeviceJob, io: BoxIo): Promise<RunnerOutcome> {
		if (this.#isClosed) throw new KnownError('AGENT_STOPPING');
		const call = new Call(await reach(this.#path), io);
		const stop = (reason: StopReason) => this.#stop(call, reason);
		const onAbort = () => stop(io.signal.reason as StopReason);
		const running = { stop: () => stop('cancelled'), over: call.answer };
		this.#running.add(running);
		call.link.send({ type: 'run', job });
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
		const call = new Call(await reach(this.#path));
		call.link.send({ type: 'probe' });
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
		const timer = setTimeout(() => call.giveUp('the exec side did not end the job in time'), stopMs);
		void call.answer.then(() => clearTimeout(timer));
	}
}

function outcomeOf(answer: Answer | string): RunnerOutcome {
	if (typeof answer === 'string') return lost(answer);
	if (answer.type === 'refused') throw knownErrorOf(answer.problem);
	return answer.type === 'outcome' ? answer.outcome : lost('the exec side answered something else');
}

/** @param path the socket of the exec side */
export const connectRunner = (path: string): Runner => new ExecRunner(path);
