/** An nsjail that was started ahead and reads its configuration when a job comes: its libraries are loaded then. */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultLimits } from '../../../../contract/limits.ts';
import { runCommand } from '../../../host/process.ts';
import type { BoxIo, BoxOutcome, BoxSpec } from '../../backend.ts';
import { beginJob, configOf, type Footing, groupLimits, type JailSite, standJail, takeSite } from './jail.ts';
import { NsjailProcess } from './nsjail-process.ts';
import { JailRun } from './run.ts';

/** What it holds: its anonymous memory, measured with nsjail 3.6. */
const heldBytes = 1024 * 1024;
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
	readonly madeAt = performance.now();
	readonly bytes = heldBytes;
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
		return !this.#isTaken && !this.#isDismissed && this.#pipe !== undefined && (this.#nsjail?.isAlive ?? false);
	}

	/**
	 * Makes the jail of a job.
	 * @throws at once, before anything of the job has run, when it cannot
	 */
	take(spec: BoxSpec, io: BoxIo): Promise<BoxOutcome> {
		const nsjail = this.#nsjail;
		if (!nsjail || !this.isWaiting) throw new Error('nsjail is not ready');
		const { cgroup } = this.#site;
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

	/** Nothing but a named pipe lets a program wait for a file that it opens by its name. */
	async #start(): Promise<boolean> {
		const configPath = join(this.#site.folder.path, 'jail.cfg');
		const { exitCode } = await runCommand('mkfifo', ['-m', '600', configPath]);
		if (exitCode !== 0 || this.#isDismissed) throw new Error('no pipe could be made');
		const { cgroup } = this.#site;
		const taskLists = cgroup?.taskLists ?? [];
		this.#nsjail = new NsjailProcess(this.#footing.binary, {
			configPath,
			hasCollector: true,
			hasNetwork: true,
			taskLists,
		});
		cgroup?.closeTaskLists();
		this.#nsjail.letGo();
		this.#nsjail.child.once('error', () => {}).once('exit', () => this.#end());
		this.#pipe = await untilRead(configPath);
		return this.isWaiting;
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

/** A pipe can be opened for writing, without waiting, as soon as somebody reads it. */
async function untilRead(path: string): Promise<number> {
	for (const since = performance.now(); ; await sleep(lookMs, undefined, { ref: false })) {
		try {
			return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENXIO' || performance.now() - since > startMs) throw error;
		}
	}
}
