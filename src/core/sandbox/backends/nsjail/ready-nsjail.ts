/** An nsjail that was started ahead and reads its configuration when a job comes: its libraries are loaded then. */
import { closeSync, constants, fstatSync, openSync, readdirSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultLimits } from '../../../../contract/limits.ts';
import { runCommand } from '../../../host/process.ts';
import type { BoxIo, BoxOutcome, BoxSpec } from '../../backend.ts';
import { beginJob, configOf, type Footing, groupLimits, type JailSite, standJail, takeSite } from './jail.ts';
import { NsjailProcess, nsjailBytes } from './nsjail-process.ts';
import { JailRun } from './run.ts';

/** How long it may take until it reads. */
const startMs = 5_000;
const lookMs = 2;

export class ReadyNsjail {
	readonly #footing: Footing;
	readonly #site: JailSite;
	#nsjail: NsjailProcess | undefined;
	/** The end of the pipe that its configuration is written into. */
	#pipe: number | undefined;
	/** A job has it, and gives its site back. */
	#isTaken = false;
	#isDismissed = false;
	/** It has opened the pipe. */
	#isReading = false;
	readonly madeAt = performance.now();
	readonly bytes = nsjailBytes;
	readonly isReady: Promise<boolean>;
	#left = () => {};
	/** Resolves when nothing of it is left. */
	readonly isGone: Promise<void>;

	constructor(footing: Footing) {
		this.#footing = footing;
		this.#site = takeSite(footing, { limits: defaultLimits });
		this.isGone = new Promise((resolve) => {
			this.#left = resolve;
		});
		this.isReady = this.#start().catch(() => {
			this.dismiss();
			return false;
		});
	}

	get isWaiting(): boolean {
		return !this.#isTaken && !this.#isDismissed && this.#isReading && (this.#nsjail?.isAlive ?? false);
	}

	/**
	 * Makes the jail of a job.
	 * @throws at once, before anything of the job has run, when it cannot
	 */
	take(spec: BoxSpec, io: BoxIo): Promise<BoxOutcome> {
		const nsjail = this.#nsjail;
		if (!nsjail || !this.isWaiting || !this.#stillReads()) throw new Error('nsjail is not ready');
		const { cgroup } = this.#site;
		this.#footing.cgroups?.prepareToAdd();
		cgroup?.limit(groupLimits(spec));
		this.#configure(configOf(this.#footing, spec, this.#site, io));
		this.#isTaken = true;
		nsjail.hold();
		const jail = standJail(this.#site, () => new JailRun(nsjail, cgroup, spec.collector.length > 0));
		void jail.isGone.then(this.#left);
		return beginJob(jail, spec, io).outcome;
	}

	dismiss(): void {
		if (this.#isTaken || this.#isDismissed) return;
		this.#isDismissed = true;
		this.#closePipe();
		if (this.#nsjail?.isAlive) this.#nsjail.child.kill('SIGKILL');
		else this.#giveBack();
	}

	/**
	 * Nothing but a named pipe lets a program wait for a file that it opens by its name. Under the name of our own descriptor,
	 * because whoever opens a pipe that nobody writes into waits for ever, also when we were killed.
	 */
	async #start(): Promise<boolean> {
		const path = join(this.#site.folder.path, 'jail.cfg');
		const { exitCode } = await runCommand('mkfifo', ['-m', '600', path]);
		if (exitCode !== 0 || this.#isDismissed) throw new Error('no pipe could be made');
		this.#pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
		const { cgroup } = this.#site;
		const taskLists = cgroup?.taskLists ?? [];
		this.#nsjail = new NsjailProcess(this.#footing.binary, {
			configPath: `/proc/${process.pid}/fd/${this.#pipe}`,
			hasCollector: true,
			hasNetwork: true,
			taskLists,
		});
		cgroup?.closeTaskLists();
		this.#nsjail.letGo();
		this.#nsjail.child.once('error', () => {}).once('exit', () => this.#end());
		await this.#untilRead(this.#nsjail.child.pid ?? 0);
		return this.isWaiting;
	}

	/** Looks at the host: that a process has ended may not have been heard yet. */
	#stillReads(): boolean {
		return this.#pipe !== undefined && hasOpen(this.#nsjail?.child.pid ?? 0, this.#pipe);
	}

	async #untilRead(pid: number): Promise<void> {
		for (const since = performance.now(); !this.#isReading; await sleep(lookMs, undefined, { ref: false })) {
			if (this.#pipe === undefined || performance.now() - since > startMs) throw new Error('nsjail is not ready');
			this.#isReading = hasOpen(pid, this.#pipe);
		}
	}

	#configure(text: string): void {
		if (this.#pipe === undefined) throw new Error('nsjail is not ready');
		const bytes = Buffer.from(text);
		const written = writeSync(this.#pipe, bytes);
		this.#closePipe();
		if (written < bytes.length) throw new Error('the configuration does not fit into a pipe');
	}

	#closePipe(): void {
		if (this.#pipe !== undefined) closeSync(this.#pipe);
		this.#pipe = undefined;
	}

	#end(): void {
		if (this.#isTaken) return;
		this.#isDismissed = true;
		this.#closePipe();
		this.#giveBack();
	}

	#giveBack(): void {
		this.#site.giveBack(true);
		this.#left();
	}
}

/** Whether a process has the pipe open that we know by this descriptor. */
function hasOpen(pid: number, pipe: number): boolean {
	const { dev, ino } = fstatSync(pipe);
	const folder = `/proc/${pid}/fd`;
	try {
		const files = readdirSync(folder).map((fd) => statSync(join(folder, fd), { throwIfNoEntry: false }));
		return files.some((file) => file?.dev === dev && file.ino === ino);
	} catch {
		return false;
	}
}
