/** nsjail as a process: its descriptors, its configuration, and how it is held without keeping our own process alive. */
import type { Duplex, Readable } from 'node:stream';
import { type StartedProcess, startProcess } from '../../../host/process.ts';

/** What an nsjail holds for itself: its anonymous memory, measured with nsjail 3.6. */
export const nsjailBytes = 1024 * 1024;

/** Descriptors of nsjail beside its output; init/init.c says what they are for. The network channel and the task lists follow. */
const controlAt = 3;
const collectedAt = 4;
const logAt = 5;

export interface NsjailOptions {
	readonly configPath: string;
	/** Rights that files of the program do not get; absent: ours. */
	readonly umask?: number | undefined;
	readonly hasCollector: boolean;
	readonly hasNetwork: boolean;
	/** Open task lists of control groups, which the first process joins. */
	readonly taskLists: readonly number[];
}

/** What can be held or let go of by the loop of events. */
interface Held {
	ref(): void;
	unref(): void;
}

export class NsjailProcess {
	readonly child: StartedProcess;

	constructor(binary: string, options: NsjailOptions) {
		const { configPath, umask, hasCollector, hasNetwork, taskLists } = options;
		this.child = startProcess(binary, ['--config', configPath, '--log_fd', String(logAt)], {
			env: {},
			umask,
			stdio: [
				...(['ignore', 'pipe', 'pipe', 'pipe'] as const),
				hasCollector ? 'pipe' : 'ignore',
				'pipe',
				hasNetwork ? 'ipc' : 'ignore',
				...taskLists,
			],
		});
	}

	get control(): Duplex {
		return this.child.stdio[controlAt] as Duplex;
	}

	/** What the collector writes; null without one. */
	get collected(): Readable | null {
		return this.child.stdio[collectedAt] as Readable | null;
	}

	get log(): Readable {
		return (this.child.stdio as unknown as Readable[])[logAt] as Readable;
	}

	/** Whether it runs. */
	get isAlive(): boolean {
		return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
	}

	/** Whoever only waits must not keep our own process from ending. */
	letGo(): void {
		for (const held of this.#held()) held.unref();
	}

	hold(): void {
		for (const held of this.#held()) held.ref();
	}

	#held(): Held[] {
		const { child } = this;
		const streams = child.stdio.filter((stream) => stream !== null && stream !== undefined);
		return [child, ...(child.channel ? [child.channel] : []), ...streams] as unknown as Held[];
	}
}
