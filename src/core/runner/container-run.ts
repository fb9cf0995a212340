/** Runs one command line of docker or podman, and ends it and what it stands for when it must end. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { hearOutput, type StartedProcess, startProcess } from '../host/process.ts';
import type { BoxIo, StopReason } from '../sandbox/backend.ts';
import { cliEnvironment } from './container-cli.ts';

/** How long the command line may take to end when what it shows has ended. */
const leaveMs = 10_000;
const againMs = 100;

export interface CliStart {
	readonly program: string;
	readonly words: readonly string[];
	/** Open file that becomes the stdin; undefined: none. */
	readonly stdin: number | undefined;
	readonly timeoutMs: number;
	/** Ends what runs; called until the command line has ended. */
	end(): Promise<void>;
}

export interface CliEnd {
	readonly stopped: StopReason | null;
	readonly exitCode: number | null;
	/** Why the command line could not be started; null when it was. */
	readonly fault: string | null;
	/** The last of what was printed on stderr. */
	readonly lastWords: string;
	readonly durationMs: number;
}

const wordsBytes = 2_000;

export async function runCli(start: CliStart, io: BoxIo): Promise<CliEnd> {
	const { program, words, stdin } = start;
	const child = startProcess(program, words, {
		env: cliEnvironment(),
		stdio: [stdin ?? 'ignore', 'pipe', 'pipe'],
		umask: 0o077,
		cwd: '/',
	});
	const startedAt = performance.now();
	let lastWords = '';
	hearOutput(child, (stream, chunk) => {
		if (stream === 'stderr') lastWords = (lastWords + chunk.toString()).slice(-wordsBytes);
		return io.onOutput(stream, chunk);
	});
	io.onStart?.();
	const ending = new Ending(child, start, io);
	const fault = await once(child, 'close').then(
		() => null,
		(error: Error) => error.message,
	);
	const stopped = ending.over();
	const exitCode = child.exitCode;
	return { stopped, exitCode, fault, lastWords, durationMs: performance.now() - startedAt };
}

/** Time and cancellation of one command line. */
class Ending {
	readonly #child: StartedProcess;
	readonly #start: CliStart;
	readonly #io: BoxIo;
	readonly #timer: NodeJS.Timeout;
	readonly #onAbort = () => this.#stop(this.#io.signal.reason as StopReason);
	#stopped: StopReason | null = null;
	#isOver = false;

	constructor(child: StartedProcess, start: CliStart, io: BoxIo) {
		this.#child = child;
		this.#start = start;
		this.#io = io;
		this.#timer = setTimeout(() => this.#stop('timeout'), start.timeoutMs);
		if (io.signal.aborted) this.#onAbort();
		io.signal.addEventListener('abort', this.#onAbort);
	}

	over(): StopReason | null {
		this.#isOver = true;
		clearTimeout(this.#timer);
		this.#io.signal.removeEventListener('abort', this.#onAbort);
		return this.#stopped;
	}

	#stop(reason: StopReason): void {
		if (this.#stopped !== null || this.#isOver) return;
		this.#stopped = reason;
		void this.#end();
	}

	/** It may be on its way to the engine still, so it is asked for more than once. */
	async #end(): Promise<void> {
		for (const since = performance.now(); !this.#isOver; await sleep(againMs)) {
			await this.#start.end();
			if (performance.now() - since > leaveMs) this.#child.kill('SIGKILL');
		}
	}
}
