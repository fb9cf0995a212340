/** One job in one jail: the jail stands, is given its job, is watched, and nothing of it is left. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Cgroup, CgroupUsage } from '../../../host/cgroup.ts';
import { watchMemory } from '../../../host/memory-watch.ts';
import { hearOutput } from '../../../host/process.ts';
import { childrenOf, heldBytes, isThere, killChild, type ProcessId, processId } from '../../../host/processes.ts';
import type { BoxIo, BoxOutcome, BoxSocket, BoxSpec, OutputStream, StopReason } from '../../backend.ts';
import { deferred } from '../../deferred.ts';
import { memoryFolders } from '../../image.ts';
import { decodeWaitStatus, type Ended, type InitMessage, jobMessage, type ProcessLimits } from './control.ts';
import { hearInit } from './hear-init.ts';
import type { NsjailProcess } from './nsjail-process.ts';

/** The jail must stand within this time, or something is wrong with the machine. */
const startMs = 20_000;
/** How long the collector may take once the program is dead. */
const collectMs = 15_000;
/** How long a killed jail may take to disappear before nsjail itself is killed. */
const dieMs = 2_000;
const logBytes = 16_384;

/** What a jail is given to do. */
export interface JailJob {
	readonly spec: BoxSpec;
	readonly io: BoxIo;
	/** For a program that runs already, and waits. */
	readonly limits?: ProcessLimits | undefined;
}

/** One jail from its start to its end. */
export class JailRun {
	readonly #nsjail: NsjailProcess;
	readonly #cgroup: Cgroup | undefined;
	readonly #timers = new Set<NodeJS.Timeout>();
	/** Resolves when the program and all it started are reaped and all it brought is here. */
	readonly #over = deferred();
	readonly #waits = deferred();
	readonly #printed = { stdout: 0, stderr: 0 };
	readonly #archive: PassThrough | undefined;
	/** Sockets of the jail's network, until somebody takes them. */
	readonly #sockets: (readonly [port: number, socket: BoxSocket])[] = [];
	/** Resolves when nsjail has reaped the jail and left. */
	readonly gone: Promise<void>;
	#job: JailJob | undefined;
	/** What the first process is told of the job. */
	#message: Buffer | undefined;
	#stands = false;
	#isWaiting = false;
	#hasBegun = false;
	#isGone = false;
	#startTimer: NodeJS.Timeout | undefined;
	#initPid = 0;
	/** Known from the moment on at which the jail stands; without it nothing of the program ever ran. */
	#init: ProcessId | undefined;
	#stopped: StopReason | null = null;
	#fault: string | null = null;
	#ended: Ended | undefined;
	#nothingToCollect = false;
	#startedAt = 0;
	#endedAt = 0;
	#watchedPeak = 0;
	#endWatch = () => {};
	/** Processor time of an interpreter before it had a job. */
	#cpuBefore = 0;
	/** What the control group counted, read before whoever waits for `gone` removes it. */
	#usage: CgroupUsage | undefined;
	#log = '';

	/** @param collects whether the job has a collector */
	constructor(nsjail: NsjailProcess, cgroup: Cgroup | undefined, collects: boolean) {
		this.#nsjail = nsjail;
		this.#cgroup = cgroup;
		this.#archive = collects ? nsjail.collected?.pipe(new PassThrough()) : undefined;
		this.gone = this.#untilGone();
		this.#listen();
	}

	/** Number of nsjail itself; 0 when it could not be started. */
	get nsjailPid(): number {
		return this.#nsjail.child.pid ?? 0;
	}

	/** Number of the first process on the host; 0 before the jail stands. */
	get initPid(): number {
		return this.#initPid;
	}

	/** Looks at the host: with the first process goes every process of its namespace, and the kernel reaps it last. */
	isAlive(): boolean {
		return this.#init !== undefined && isThere(this.#init);
	}

	/** Resolves when an interpreter waits for its job: true, or false when it never will. */
	async untilWaiting(): Promise<boolean> {
		this.#nsjail.letGo();
		this.#startTimer?.unref();
		await Promise.race([this.#waits.promise, this.gone]);
		return this.isWaiting;
	}

	/** Whether it can still be given a job. */
	get isWaiting(): boolean {
		const hasFailed = this.#fault !== null || this.#stopped !== null || this.#nsjail.child.exitCode !== null;
		return this.#isWaiting && this.#job === undefined && !hasFailed && this.isAlive();
	}

	/**
	 * Gives the jail its job, once.
	 * @throws before anything of the job is known to the jail, when it cannot be told
	 */
	begin(job: JailJob): void {
		const { spec, limits } = job;
		this.#message = jobMessage({ ...spec.env, ...spec.secretEnv }, limits);
		this.#job = job;
		if (this.#isWaiting) this.#nsjail.hold();
		if (this.#isWaiting) this.#startWithin(startMs);
		else this.#handOver(job);
		if (this.#stands || this.#joinsByItself) this.#send();
	}

	/** Whether the program may have run: an interpreter that waited, and never was given its job, has run nothing of it. */
	get hasBegun(): boolean {
		return this.#hasBegun;
	}

	/** The outcome of the job it was given. */
	async outcome(): Promise<BoxOutcome> {
		const { signal } = this.#job?.io ?? {};
		const onAbort = () => this.#stop(signal?.reason as StopReason);
		if (signal?.aborted) onAbort();
		signal?.addEventListener('abort', onAbort);
		await Promise.race([this.#over.promise, this.gone]);
		signal?.removeEventListener('abort', onAbort);
		return this.#result();
	}

	/** Ends a jail that nobody needs. */
	dismiss(): void {
		this.#fault ??= 'dismissed';
		this.#kill();
	}

	/** The end of the first process is the end of all of them; nsjail leaves only when the kernel has reaped the last. */
	#kill(): void {
		const { child, control } = this.#nsjail;
		if (child.pid === undefined) return;
		if (this.#initPid > 0) killChild(child.pid, this.#initPid);
		else child.kill('SIGTERM');
		control.destroy();
		this.#after(dieMs, () => child.kill('SIGKILL'));
	}

	get #joinsByItself(): boolean {
		return (this.#cgroup?.taskLists.length ?? 0) > 0;
	}

	async #untilGone(): Promise<void> {
		await once(this.#nsjail.child, 'close').catch((error: Error) => {
			this.#fault = error.message;
		});
		this.#clearTimers();
		this.#isGone = true;
		for (const [, socket] of this.#sockets.splice(0)) socket.close();
		this.#usage = this.#cgroup?.usage();
	}

	#print(stream: OutputStream, chunk: Buffer): void | Promise<void> {
		if (!this.#job) return this.#fail('the interpreter said something before it had a job');
		this.#beginOnce();
		this.#printed[stream] += chunk.length;
		const taken = this.#job.io.onOutput(stream, chunk);
		this.#settle();
		return taken;
	}

	/** With a collector the archive is part of the outcome, and it ends with nsjail, unless there is nothing in it. */
	#settle(): void {
		if (!this.#ended || (this.#archive && !this.#nothingToCollect)) return;
		const { stdoutBytes, stderrBytes } = this.#ended;
		if (this.#printed.stdout >= stdoutBytes && this.#printed.stderr >= stderrBytes) this.#over.resolve();
	}

	#listen(): void {
		const { child, control, log } = this.#nsjail;
		hearOutput(child, (stream, chunk) => this.#print(stream, chunk));
		child.on('message', (port, socket) => this.#take(port as number, socket as unknown as BoxSocket));
		log.setEncoding('utf8').on('data', (text: string) => {
			this.#log = (this.#log + text).slice(0, logBytes);
		});
		hearInit(control, (message) => this.#hear(message));
		this.#startWithin(startMs);
	}

	#startWithin(ms: number): void {
		this.#startTimer = setTimeout(() => this.#fail('the jail did not start in time'), ms);
		this.#timers.add(this.#startTimer);
	}

	#take(port: number, socket: BoxSocket): void {
		if (this.#isGone) socket.close();
		else if (this.#job && this.#hasBegun) this.#job.io.onSocket?.(port, socket);
		else this.#sockets.push([port, socket.unref()]);
	}

	#hear(message: InitMessage | undefined): void {
		if (!message) this.#fail('the first process of the jail said something that it never says');
		else if (message.kind === 'ready') this.#stand();
		else if (message.kind === 'waits') this.#wait();
		else if (message.kind === 'begins') this.#beginOnce();
		else if (message.kind === 'exec-failed') this.#fail(`the program could not be executed (errno ${message.errno})`);
		else if (message.kind === 'join-failed') this.#fail(`a control group refused the jail (errno ${message.errno})`);
		else if (message.kind === 'network-failed') this.#fail(`the network of the jail failed (errno ${message.errno})`);
		else if (message.kind === 'limit-failed') this.#fail(`the kernel refused a limit (errno ${message.errno})`);
		else if (message.kind === 'ended') this.#end(message);
		else if (message.kind === 'nothing-to-collect') this.#endArchive();
	}

	#endArchive(): void {
		this.#nothingToCollect = true;
		if (this.#archive) this.#nsjail.collected?.unpipe(this.#archive);
		this.#archive?.end();
		this.#settle();
	}

	#end(message: Ended): void {
		this.#ended = message;
		this.#endedAt = performance.now();
		this.#clearTimers();
		this.#after(collectMs, () => this.#kill());
		this.#settle();
	}

	#wait(): void {
		clearTimeout(this.#startTimer);
		this.#isWaiting = true;
		this.#cpuBefore = this.#cgroup?.usage().cpuMs ?? 0;
		this.#waits.resolve();
	}

	/** A first process that joined its control groups by itself goes on at once; another waits for us. */
	#stand(): void {
		this.#initPid = childrenOf(this.#nsjail.child.pid ?? 0)[0] ?? 0;
		this.#init = processId(this.#initPid);
		if (this.#joinsByItself) this.#goOn();
		else void this.#placeAndGo();
	}

	/** Nothing of the program has run yet: limits are put around the first process, then it may start the program. */
	async #placeAndGo(): Promise<void> {
		if (this.#initPid === 0) this.#fail('the first process of the jail was not found');
		await this.#cgroup?.add(this.#initPid).catch((error: Error) => {
			this.#fail(`the control group refused the jail: ${error.message}`);
		});
		if (this.#stopped || this.#fault !== null) return;
		this.#nsjail.control.write('g');
		this.#send();
		this.#goOn();
	}

	#goOn(): void {
		this.#stands = true;
		if (this.#job) this.#start(this.#job);
	}

	/** Everything that the job awaits of the jail; sending comes after that, for what was sent cannot be called back. */
	#handOver(job: JailJob): void {
		this.#hasBegun = true;
		const { onSocket, onCollected } = job.io;
		for (const [port, socket] of this.#sockets.splice(0)) onSocket?.(port, socket.ref());
		if (this.#archive) onCollected?.(this.#archive);
		if (this.#stands) this.#start(job);
	}

	/** The first process says so before it hands the job to an interpreter that waits, but output may be heard before that. */
	#beginOnce(): void {
		if (this.#job && !this.#hasBegun) this.#handOver(this.#job);
	}

	#send(): void {
		if (this.#message) this.#nsjail.control.write(this.#message);
		this.#message = undefined;
	}

	#start({ spec, io }: JailJob): void {
		clearTimeout(this.#startTimer);
		this.#startedAt = performance.now();
		if (!this.#cgroup) this.#watchMemory(spec.limits.memoryBytes);
		this.#after(spec.limits.timeoutMs, () => this.#stop('timeout'));
		io.onStart?.();
	}

	#watchMemory(limit: number): void {
		this.#endWatch = watchMemory(() => {
			const held = heldBytes(this.#initPid, memoryFolders, limit);
			this.#watchedPeak = Math.max(this.#watchedPeak, held);
			if (held > limit) this.#stop('memory');
		});
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
		const wantsFiles = this.#archive !== undefined;
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

	#after(ms: number, action: () => void): void {
		this.#timers.add(setTimeout(action, ms));
	}

	#clearTimers(): void {
		this.#endWatch();
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
			cpuMs: Math.max(0, (usage?.cpuMs ?? this.#ended?.cpuMs ?? 0) - this.#cpuBefore),
			durationMs: this.#startedAt ? end - this.#startedAt : 0,
		};
	}
}
