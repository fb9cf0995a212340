/** Runs one job in one jail: start nsjail, let the program go, watch it, and be sure that nothing of it is left. */
import { once } from 'node:events';
import type { Duplex, Readable } from 'node:stream';
import type { Cgroup, CgroupUsage } from '../../../host/cgroup.ts';
import { hearOutput, type StartedProcess, startProcess } from '../../../host/process.ts';
import { childrenOf, heldBytes, isThere, killChild, type ProcessId, processId } from '../../../host/processes.ts';
import type { BoxIo, BoxOutcome, BoxSocket, BoxSpec, OutputStream, StopReason } from '../../backend.ts';
import { memoryFolders } from '../../image.ts';
import { decodeWaitStatus, type Ended, type InitMessage, parseInitMessage } from './control.ts';

/** The jail must stand within this time, or something is wrong with the machine. */
const startMs = 20_000;
/** How long the collector may take once the program is dead. */
const collectMs = 15_000;
/** How long a killed jail may take to disappear before nsjail itself is killed. */
const dieMs = 2_000;
/** Without a control group, how often the memory of the job is looked at. */
const memoryWatchMs = 20;
const logBytes = 16_384;
/** What a command leaves on its device is for its own user alone. */
const deviceUmask = 0o077;

export interface JailFiles {
	readonly binary: string;
	readonly configPath: string;
}

/** One jail from its start to its end. */
export class JailRun {
	readonly #spec: BoxSpec;
	readonly #io: BoxIo;
	readonly #cgroup: Cgroup | undefined;
	readonly #child: StartedProcess;
	readonly #control: Duplex;
	readonly #timers = new Set<NodeJS.Timeout>();
	readonly #over: Promise<void>;
	#settled = () => {};
	readonly #printed = { stdout: 0, stderr: 0 };
	/** Resolves when nsjail has reaped the jail and left. */
	readonly gone: Promise<void>;
	#startTimer: NodeJS.Timeout | undefined;
	#initPid = 0;
	/** Known from the moment on at which the jail stands; without it nothing of the program ever ran. */
	#init: ProcessId | undefined;
	#stopped: StopReason | null = null;
	#fault: string | null = null;
	#ended: Ended | undefined;
	#startedAt = 0;
	#endedAt = 0;
	#watchedPeak = 0;
	/** What the control group counted, read before whoever waits for `gone` removes it. */
	#usage: CgroupUsage | undefined;
	#log = '';

	constructor(files: JailFiles, spec: BoxSpec, io: BoxIo, cgroup: Cgroup | undefined) {
		this.#spec = spec;
		this.#io = io;
		this.#cgroup = cgroup;
		this.#child = startProcess(files.binary, ['--config', files.configPath, '--log_fd', '5'], {
			env: spec.secretEnv,
			umask: spec.device ? deviceUmask : undefined,
			stdio: [
				'ignore',
				'pipe',
				'pipe',
				'pipe',
				spec.collector.length > 0 ? 'pipe' : 'ignore',
				'pipe',
				spec.ports.length > 0 ? 'ipc' : 'ignore',
				...(cgroup?.taskLists ?? []),
			],
		});
		cgroup?.closeTaskLists();
		this.#child.on('message', (port, socket) => this.#io.onSocket?.(port as number, socket as unknown as BoxSocket));
		this.#control = this.#child.stdio[3] as Duplex;
		this.#over = new Promise((resolve) => {
			this.#settled = resolve;
		});
		this.gone = this.#untilGone();
		this.#listen();
	}

	/**
	 * Resolves when the program and all it started are reaped and its whole output is here. What is left then of the jail
	 * is its first process and nsjail, which take the namespaces down; `gone` resolves after that.
	 */
	async outcome(): Promise<BoxOutcome> {
		const onAbort = () => this.#stop(this.#io.signal.reason as StopReason);
		if (this.#io.signal.aborted) onAbort();
		this.#io.signal.addEventListener('abort', onAbort);
		await Promise.race([this.#over, this.gone]);
		this.#io.signal.removeEventListener('abort', onAbort);
		return this.#result();
	}

	/** Number of the first process on the host; 0 before the jail stands. */
	get initPid(): number {
		return this.#initPid;
	}

	/** Looks at the host: with the first process goes every process of its namespace, and the kernel reaps it last. */
	isAlive(): boolean {
		return this.#init !== undefined && isThere(this.#init);
	}

	async #untilGone(): Promise<void> {
		await once(this.#child, 'close').catch((error: Error) => {
			this.#fault = error.message;
		});
		this.#clearTimers();
		this.#usage = this.#cgroup?.usage();
	}

	#print(stream: OutputStream, chunk: Buffer): void | Promise<void> {
		this.#printed[stream] += chunk.length;
		const taken = this.#io.onOutput(stream, chunk);
		this.#settle();
		return taken;
	}

	/** With a collector the archive is part of the outcome, and it ends with nsjail. */
	#settle(): void {
		if (!this.#ended || this.#spec.collector.length > 0) return;
		const { stdoutBytes, stderrBytes } = this.#ended;
		if (this.#printed.stdout >= stdoutBytes && this.#printed.stderr >= stderrBytes) this.#settled();
	}

	#listen(): void {
		const [, , , , collected, log] = this.#child.stdio as (Readable | null)[];
		hearOutput(this.#child, (stream, chunk) => this.#print(stream, chunk));
		log?.setEncoding('utf8').on('data', (text: string) => {
			this.#log = (this.#log + text).slice(0, logBytes);
		});
		if (collected) this.#io.onCollected?.(collected);
		this.#control.setEncoding('utf8');
		this.#control.on('error', () => {
			// The jail went away while we were writing; its end is reported by the process.
		});
		let rest = '';
		this.#control.on('data', (text: string) => {
			const lines = (rest + text).split('\n');
			rest = lines.pop() ?? '';
			for (const line of lines) this.#hear(parseInitMessage(line));
		});
		this.#startTimer = setTimeout(() => this.#fail('the jail did not start in time'), startMs);
		this.#timers.add(this.#startTimer);
	}

	#hear(message: InitMessage | undefined): void {
		if (!message) this.#fail('the first process of the jail said something that it never says');
		else if (message.kind === 'ready') this.#letGo();
		else if (message.kind === 'exec-failed') this.#fail(`the program could not be executed (errno ${message.errno})`);
		else if (message.kind === 'join-failed') this.#fail(`a control group refused the jail (errno ${message.errno})`);
		else if (message.kind === 'network-failed') this.#fail(`the network of the jail failed (errno ${message.errno})`);
		else if (message.kind === 'ended') this.#end(message);
	}

	#end(message: Ended): void {
		this.#ended = message;
		this.#endedAt = performance.now();
		this.#clearTimers();
		this.#after(collectMs, () => this.#kill());
		this.#settle();
	}

	/** A first process that joined its control groups by itself starts the program at once; another waits for us. */
	#letGo(): void {
		this.#initPid = childrenOf(this.#child.pid ?? 0)[0] ?? 0;
		this.#init = processId(this.#initPid);
		if (this.#cgroup?.taskLists.length) this.#begin();
		else void this.#placeAndGo();
	}

	/** Nothing of the program has run yet: limits are put around the first process, then it may start the program. */
	async #placeAndGo(): Promise<void> {
		if (this.#initPid === 0) this.#fail('the first process of the jail was not found');
		await this.#cgroup?.add(this.#initPid).catch((error: Error) => {
			this.#fail(`the control group refused the jail: ${error.message}`);
		});
		if (this.#stopped || this.#fault !== null) return;
		if (!this.#cgroup) this.#watchMemory();
		this.#begin();
		this.#control.write('g');
	}

	#begin(): void {
		clearTimeout(this.#startTimer);
		this.#startedAt = performance.now();
		this.#after(this.#spec.limits.timeoutMs, () => this.#stop('timeout'));
		this.#io.onStart?.();
	}

	#watchMemory(): void {
		const timer = setInterval(() => {
			const limit = this.#spec.limits.memoryBytes;
			const held = heldBytes(this.#initPid, memoryFolders, limit);
			this.#watchedPeak = Math.max(this.#watchedPeak, held);
			if (held > limit) this.#stop('memory');
		}, memoryWatchMs);
		this.#timers.add(timer);
	}

	/** Who cancels wants nothing of the program. */
	#stop(reason: StopReason): void {
		if (this.#ended) return;
		this.#stopped ??= reason;
		if (reason === 'cancelled' || !this.#endProgram()) this.#kill();
	}

	/**
	 * Where something of it is wanted, only the program is ended: the first process then ends all others, as it always does,
	 * and hands over what they have left.
	 * @returns false where there is nothing to be had
	 */
	#endProgram(): boolean {
		const wantsFiles = this.#spec.collector.length > 0;
		const [program] = wantsFiles && this.#initPid > 0 ? childrenOf(this.#initPid) : [];
		if (program === undefined) return false;
		killChild(this.#initPid, program);
		this.#after(dieMs, () => this.#kill());
		return true;
	}

	#fail(fault: string): void {
		this.#fault ??= fault;
		this.#kill();
	}

	/** The end of the first process is the end of all of them; nsjail leaves only when the kernel has reaped the last. */
	#kill(): void {
		const nsjail = this.#child.pid;
		if (nsjail === undefined) return;
		if (this.#initPid > 0) killChild(nsjail, this.#initPid);
		else this.#child.kill('SIGTERM');
		this.#control.destroy();
		this.#after(dieMs, () => this.#child.kill('SIGKILL'));
	}

	#after(ms: number, action: () => void): void {
		this.#timers.add(setTimeout(action, ms));
	}

	#clearTimers(): void {
		for (const timer of this.#timers) clearTimeout(timer);
		this.#timers.clear();
	}

	#result(): BoxOutcome {
		const usage = this.#usage ?? this.#cgroup?.usage();
		const end = this.#endedAt || performance.now();
		const exit = this.#ended ? decodeWaitStatus(this.#ended.waitStatus) : null;
		const isUnexplained = !exit && !this.#stopped && !usage?.oomKills;
		return {
			stopped: this.#stopped,
			exit,
			fault: this.#fault ?? (isUnexplained ? this.#log.trim() || 'the jail ended without a word' : null),
			oomKills: usage?.oomKills ?? 0,
			processLimitHits: usage?.processLimitHits ?? 0,
			peakMemoryBytes: usage?.peakMemoryBytes || Math.max(this.#watchedPeak, this.#ended?.peakMemoryBytes ?? 0),
			cpuMs: usage?.cpuMs ?? this.#ended?.cpuMs ?? 0,
			durationMs: this.#startedAt ? end - this.#startedAt : 0,
		};
	}
}
