/** Runs one command on the device itself, under a keeper that ends only when nothing of the command is left. */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cgroup, CgroupUsage } from '../host/cgroup.ts';
import { watchMemory } from '../host/memory-watch.ts';
import { hearOutput, type StartedProcess, startProcess } from '../host/process.ts';
import { heldBytes, kill, markedProcesses, markName, tasksOf } from '../host/processes.ts';
import type { BoxIo, BoxOutcome, StopReason } from '../sandbox/backend.ts';
import { decodeWaitStatus, type Ended } from '../sandbox/backends/nsjail/control.ts';
import type { Account } from './accounts.ts';
import { type KeeperMessage, parseKeeperMessage } from './keeper-message.ts';
import type { DeviceLimits } from './runner.ts';

/** The command must be started within this time, or something is wrong with the machine. */
const startMs = 20_000;
/** How long the keeper may take to end everything before we do it ourselves. */
const dieMs = 2_000;
/** How long we look for what is left, and how often. */
const lookMs = 3_000;
const lookEveryMs = 20;
const umask = 0o077;

export interface DirectStart {
	readonly keeper: string;
	/** Null: who we are ourselves. */
	readonly account: Account | null;
	readonly argv: readonly string[];
	readonly env: Readonly<Record<string, string>>;
	readonly cwd: string;
	/** Open file that becomes the stdin; undefined: none. */
	readonly stdin: number | undefined;
	/** By which every process of the command is known, unless it wipes its environment. */
	readonly mark: string;
	readonly limits: DeviceLimits;
}

/** Without a control group the kernel can only count all processes of the user together; those there are already count too. */
function wordsFor({ account, limits, cwd, argv }: DirectStart, hasCgroup: boolean): string[] {
	const most = hasCgroup ? '-' : tasksOf(account?.uid ?? process.getuid?.() ?? 0) + limits.processes;
	return [account?.uid ?? '-', account?.gid ?? '-', most, cwd, ...argv].map(String);
}

/** Why a command was not started: who must act is another in each case. */
export type Refusal = Extract<KeeperMessage, { errno: number }>;

export class DirectRun {
	readonly #start: DirectStart;
	readonly #io: BoxIo;
	readonly #cgroup: Cgroup | undefined;
	readonly #child: StartedProcess;
	readonly #control: Duplex;
	readonly #timers = new Set<NodeJS.Timeout>();
	readonly #gone: Promise<void>;
	#stopped: StopReason | null = null;
	#fault: string | null = null;
	#ended: Ended | undefined;
	#startedAt = 0;
	#endedAt = 0;
	#watchedPeak = 0;
	#endWatch = () => {};
	#heard = 0;
	#usage: CgroupUsage | undefined;
	/** Set when the keeper could not start the command. */
	refusal: Refusal | undefined;

	constructor(start: DirectStart, io: BoxIo, cgroup: Cgroup | undefined) {
		this.#start = start;
		this.#io = io;
		this.#cgroup = cgroup;
		this.#child = startProcess(start.keeper, wordsFor(start, cgroup !== undefined), {
			env: { ...start.env, [markName]: start.mark },
			stdio: [start.stdin ?? 'ignore', 'pipe', 'pipe', 'pipe'],
			umask,
			cwd: '/',
		});
		this.#control = this.#child.stdio[3] as Duplex;
		this.#gone = this.#untilGone();
		this.#listen();
	}

	/** Resolves when the host was looked at for what is left of the command, which is ended until nothing is. */
	async finish(): Promise<BoxOutcome & { readonly isConfirmedDead: boolean }> {
		const onAbort = () => this.#stop(this.#io.signal.reason as StopReason);
		if (this.#io.signal.aborted) onAbort();
		this.#io.signal.addEventListener('abort', onAbort);
		await this.#gone;
		this.#io.signal.removeEventListener('abort', onAbort);
		const isConfirmedDead = await this.#endTheRest();
		return { ...this.#result(), isConfirmedDead };
	}

	async #untilGone(): Promise<void> {
		const closed = once(this.#child, 'close').then(() => true);
		await Promise.race([closed, once(this.#child, 'exit')]).catch((error: Error) => {
			this.#fault = error.message;
		});
		// An end of a pipe may have been handed to a process of somebody else; nobody waits for that.
		for (let heard = -1; heard < this.#heard || this.#child.stdout?.isPaused(); ) {
			heard = this.#heard;
			if (await Promise.race([closed.catch(() => true), sleep(dieMs, false, { ref: false })])) break;
		}
		for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.destroy();
		this.#clearTimers();
		this.#usage = this.#cgroup?.usage();
	}

	#listen(): void {
		hearOutput(this.#child, (stream, chunk) => {
			this.#heard += chunk.length;
			return this.#io.onOutput(stream, chunk);
		});
		this.#control.on('error', () => {
			// The keeper went away while we were writing; its end is reported by the process.
		});
		let rest = '';
		this.#control.setEncoding('utf8').on('data', (text: string) => {
			const lines = (rest + text).split('\n');
			rest = lines.pop() ?? '';
			for (const line of lines) this.#hear(parseKeeperMessage(line));
		});
		this.#after(startMs, () => this.#startedAt || this.#fail('the command did not start in time'));
	}

	#hear(message: KeeperMessage | undefined): void {
		if (!message) this.#fail('the keeper said something that it never says');
		else if (message.kind === 'ready') void this.#letGo();
		else if (message.kind === 'ended') this.#end(message);
		else this.#refuse(message);
	}

	#refuse(refusal: Refusal): void {
		this.refusal = refusal;
		this.#fail(`the command could not be started (${refusal.kind}, errno ${refusal.errno})`);
	}

	/** Limits are put around the keeper, which nothing can leave, before the command is started. */
	async #letGo(): Promise<void> {
		await this.#cgroup?.add(this.#child.pid ?? 0).catch((error: Error) => {
			this.#fail(`the control group refused the command: ${error.message}`);
		});
		if (this.#stopped || this.#fault !== null) return;
		if (!this.#cgroup) this.#watchMemory();
		this.#startedAt = performance.now();
		this.#after(this.#start.limits.timeoutMs, () => this.#stop('timeout'));
		this.#control.write('g');
		this.#io.onStart?.();
	}

	#watchMemory(): void {
		const { memoryBytes } = this.#start.limits;
		this.#endWatch = watchMemory(() => {
			const held = heldBytes(this.#child.pid ?? 0, [], memoryBytes);
			this.#watchedPeak = Math.max(this.#watchedPeak, held);
			if (held > memoryBytes) this.#stop('memory');
		});
	}

	#end(message: Ended): void {
		this.#ended = message;
		this.#endedAt = performance.now();
		this.#clearTimers();
	}

	#stop(reason: StopReason): void {
		if (this.#ended) return;
		this.#stopped ??= reason;
		this.#kill();
	}

	#fail(fault: string): void {
		this.#fault ??= fault;
		this.#kill();
	}

	/** A hang-up ends the command; a keeper that does not manage it is ended itself, and the rest is looked for. */
	#kill(): void {
		this.#control.destroy();
		this.#after(dieMs, () => this.#child.kill('SIGKILL'));
	}

	/** The keeper, or nobody if all is as it should be: by control group, and by the mark for what left the group. */
	#left(): number[] {
		const marked = markedProcesses().filter(({ mark }) => mark === this.#start.mark);
		return [...new Set([...(this.#cgroup?.members() ?? []), ...marked.map(({ pid }) => pid)])];
	}

	async #endTheRest(): Promise<boolean> {
		for (const since = performance.now(); performance.now() - since < lookMs; await sleep(lookEveryMs)) {
			const left = this.#left();
			if (left.length === 0) return true;
			left.forEach(kill);
		}
		return false;
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
		const usage = this.#usage;
		const end = this.#endedAt || performance.now();
		const isStopped = this.#stopped !== null;
		const exit = this.#ended && !isStopped ? decodeWaitStatus(this.#ended.waitStatus) : null;
		const isUnexplained = !exit && !isStopped && !usage?.oomKills;
		return {
			stopped: this.#stopped,
			exit,
			fault: this.#fault ?? (isUnexplained ? 'the keeper of the command ended without a word' : null),
			oomKills: usage?.oomKills ?? 0,
			processLimitHits: usage?.processLimitHits ?? 0,
			peakMemoryBytes: usage?.peakMemoryBytes || Math.max(this.#watchedPeak, this.#ended?.peakMemoryBytes ?? 0),
			cpuMs: usage?.cpuMs ?? this.#ended?.cpuMs ?? 0,
			durationMs: this.#startedAt ? end - this.#startedAt : 0,
		};
	}
}
