/** Every limit of a job: one row each, from which node parameters, flags, docs and tests are made. Plain data: n8n reads it at start. */
import type { JobStatus } from './status.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

export interface LimitRow {
	readonly unit: 'ms' | 'bytes' | 'characters' | 'count';
	readonly default: number;
	readonly floor: number;
	readonly ceiling: number;
	/** The status of a job that reaches the limit. `failed`: the program sees an ordinary error of its language first. */
	readonly status: JobStatus;
	/** The code of the problem that names the limit in the result. */
	readonly problem: string;
	readonly what: string;
}

/** The limits that a request may set. The author's value is the ceiling for what a model may ask. */
export const limits = {
	timeoutMs: {
		unit: 'ms',
		default: 30_000,
		floor: 1_000,
		ceiling: 300_000,
		status: 'timed_out',
		problem: 'LIMIT_TIME',
		what: 'wall time from the start of the program to its end',
	},
	memoryBytes: {
		unit: 'bytes',
		default: 128 * MiB,
		floor: 16 * MiB,
		ceiling: 1024 * MiB,
		status: 'out_of_memory',
		problem: 'LIMIT_MEMORY',
		what: 'memory of all processes of the job together, files in /work and /tmp included',
	},
	codeCharacters: {
		unit: 'characters',
		default: 50_000,
		floor: 100,
		ceiling: 200_000,
		status: 'denied',
		problem: 'LIMIT_CODE',
		what: 'length of the code',
	},
	outputBytes: {
		unit: 'bytes',
		default: 1 * MiB,
		floor: 1 * KiB,
		ceiling: 10 * MiB,
		status: 'succeeded',
		problem: 'LIMIT_OUTPUT',
		what: 'what is kept of stdout and of stderr, each; more is cut in the middle and marked as truncated',
	},
	/** Node.js alone needs a dozen threads. */
	processes: {
		unit: 'count',
		default: 64,
		floor: 16,
		ceiling: 256,
		status: 'failed',
		problem: 'LIMIT_PROCESSES',
		what: 'processes and threads of the job at the same time',
	},
	openFiles: {
		unit: 'count',
		default: 256,
		floor: 32,
		ceiling: 4096,
		status: 'failed',
		problem: 'LIMIT_OPEN_FILES',
		what: 'open files of one process',
	},
	fileBytes: {
		unit: 'bytes',
		default: 64 * MiB,
		floor: 1 * MiB,
		ceiling: 1024 * MiB,
		status: 'failed',
		problem: 'LIMIT_FILE_SIZE',
		what: 'size of one file that the program writes, in whole MiB',
	},
	workBytes: {
		unit: 'bytes',
		default: 64 * MiB,
		floor: 1 * MiB,
		ceiling: 1024 * MiB,
		status: 'failed',
		problem: 'LIMIT_DISK',
		what: 'space in /work; it is memory, so it also counts as memory',
	},
} as const satisfies Record<string, LimitRow>;

export type LimitName = keyof typeof limits;

/** Limits that no request can change. */
export const fixedLimits = {
	/** Bytes of stdout and stderr together after which a flooding program is killed (`output_exceeded`). */
	totalOutputBytes: 10 * MiB,
	/** What the model reads of one stream: head and tail, the middle cut out. */
	modelTextBytes: 16 * KiB,
	/** Files and folders that fit into /work, and into /tmp. */
	workInodes: 2_048,
	/** Space in /tmp and in /dev/shm. */
	tmpBytes: 32 * MiB,
	/** Jobs that may wait for a free slot before a new one is turned away. */
	queueLength: 100,
	/** Files that are taken over from /work/out, and how deep they may lie. */
	outFiles: 100,
	outDepth: 8,
	/** Bytes of all files taken over from /work/out. */
	outBytes: 64 * MiB,
	/** The beginning of a text file that a result shows. */
	previewBytes: 1 * KiB,
	/** The beginnings of all text files together that a model reads. */
	modelPreviewBytes: 8 * KiB,
	/** Bytes in and out of the network of one job, and its connections at a time. */
	networkBytes: 256 * MiB,
	connections: 256,
	/** Bytes of one input file, and how many there may be. */
	inFileBytes: 64 * MiB,
	inFiles: 100,
	/** Modules that a waiting interpreter imports ahead. */
	preloadedModules: 20,
} as const;

export type Limits = Record<LimitName, number>;

export const defaultLimits = Object.fromEntries(
	Object.entries(limits).map(([name, row]) => [name, row.default]),
) as Limits;

/** The tighter of what the author allows and what the model asks; never below the floor. */
export function narrow(name: LimitName, allowed: number, asked: number | undefined): number {
	return asked === undefined ? allowed : Math.max(limits[name].floor, Math.min(allowed, asked));
}
