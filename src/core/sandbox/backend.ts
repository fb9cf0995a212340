/** The promise every isolation technology keeps: run one command in a fresh box and say exactly how it ended. */
import type { Socket as UdpSocket } from 'node:dgram';
import type { Server as TcpServer } from 'node:net';
import type { Limits } from '../../contract/limits.ts';

export type OutputStream = 'stdout' | 'stderr';

/** What isolation a job asks for. Paths without "host" in their name are paths inside the box. */
export interface BoxSpec {
	readonly argv: readonly string[];
	/** Whole environment of the program; it starts empty. */
	readonly env: Readonly<Record<string, string>>;
	/** Variables whose values never appear in an argv or a file. */
	readonly secretEnv: Readonly<Record<string, string>>;
	readonly limits: Limits;
	/** Files that appear read-only, by their absolute path in the box. */
	readonly files: readonly BoxFile[];
	/** Folders of the host that appear read-only. */
	readonly binds: readonly { readonly hostPath: string; readonly path: string }[];
	/** Ports of the box's own network that are handed to us; 53 is UDP, the others TCP. Empty: no way out. */
	readonly ports: readonly number[];
	/** V8 keeps huge reservations it never touches, so its address space cannot be limited. */
	readonly limitAddressSpace: boolean;
	/** Files and folders that fit into /work; absent: as the table of limits says. */
	readonly workInodes?: number | undefined;
	/** A folder that is made, writable, before the program starts. */
	readonly madeFolder?: string | undefined;
	/** A command that writes the program's files to its stdout (collector.ts) after everything else is dead. */
	readonly collector: readonly string[];
	/** The collector brings nothing but what lies in `madeFolder`, and is left out when that is empty and nothing elsewhere could be meant for it. */
	readonly collectsMadeFolder?: boolean | undefined;
	/** How the same program is started before there is a job, to wait for it (init/init.c, flag w). Absent: it cannot wait. */
	readonly waiting?: WaitingStart | undefined;
	/**
	 * Absent: the box shows the interpreters and a closed list of programs, nothing of the device. Present: it starts empty,
	 * shows what is listed, and `binds` stays empty.
	 */
	readonly device?: DeviceView | undefined;
	/** Processors the box may keep busy, where a control group can say so. Absent: all. */
	readonly cpus?: number | undefined;
}

/** Where a program finds the files and the data of its job. */
export const inputFolder = '/work/in';

/** An interpreter that starts, says so, and then waits for the environment of a job; then it runs the file of its argv. */
export interface WaitingStart {
	readonly argv: readonly string[];
	/** What it finds before its job brings the real environment. */
	readonly env: Readonly<Record<string, string>>;
}

/** What a box shows of the device that it runs on. */
export interface DeviceView {
	/** Later ones lie over earlier ones. */
	readonly mounts: readonly BoxMount[];
	readonly cwd: string;
	/** Who stands behind the box on the device. Null: a user that only this box has, called `device` in it. */
	readonly user: { readonly uid: number; readonly gid: number } | null;
	readonly hostName: string;
	/** none: a network of its own without a way out. host: the device's own. */
	readonly network: 'none' | 'host';
	/** own: /proc shows the box's processes. device: all of the device, read-only; never where boxes run as our own user. */
	readonly processes: 'own' | 'device';
}

/** A mandatory mount that cannot be had ends the box before it begins. */
export type BoxMount =
	| {
			readonly kind: 'bind';
			readonly hostPath: string;
			readonly path: string;
			readonly isWritable: boolean;
			readonly isMandatory: boolean;
	  }
	/** A folder in memory. */
	| { readonly kind: 'memory'; readonly path: string; readonly bytes: number; readonly mode: string }
	| { readonly kind: 'link'; readonly path: string; readonly target: string }
	/** Covers what would be seen here. */
	| { readonly kind: 'hide'; readonly path: string; readonly isFolder: boolean; readonly isMandatory: boolean };

export interface BoxFile {
	readonly path: string;
	readonly content: string;
}

/** A UDP socket for port 53, a TCP server for any other port. */
export type BoxSocket = UdpSocket | TcpServer;

export interface BoxIo {
	readonly stdin: string | undefined;
	/** A promise holds the box back: nothing more is read of its output until it resolves. */
	readonly onOutput: (stream: OutputStream, chunk: Buffer) => void | Promise<void>;
	/** Called when the program is let go. */
	readonly onStart?: (() => void) | undefined;
	/** Receives the collector's output; called once, before anything of it arrives. */
	readonly onCollected?: ((archive: NodeJS.ReadableStream) => void) | undefined;
	/** Receives a socket that listens in the box's network, once for each port, before the program starts. */
	readonly onSocket?: ((port: number, socket: BoxSocket) => void) | undefined;
	/** Aborting kills the box; the reason is one of StopReason. */
	readonly signal: AbortSignal;
}

/** Why we ended a box. Everything else is the program's own doing. */
export type StopReason = 'timeout' | 'idle' | 'memory' | 'output' | 'cancelled';

export interface BoxOutcome {
	/** Why we killed it; null when it ended by itself. */
	readonly stopped: StopReason | null;
	/** The wait status of the program, null when it never got that far. */
	readonly exit: { readonly code: number | null; readonly signal: string | null } | null;
	/** What the backend said about its own failure; null when it worked. */
	readonly fault: string | null;
	readonly oomKills: number;
	readonly processLimitHits: number;
	readonly peakMemoryBytes: number;
	readonly cpuMs: number;
	/** Wall time from the start of the program to its end. */
	readonly durationMs: number;
}

export type Tier = 'full' | 'reduced';

/** One thing that was looked at, and the one fix if it is not as it should be. */
export interface ProbeStep {
	readonly name: string;
	readonly status: 'ok' | 'reduced' | 'failed';
	readonly detail: string;
	readonly fix: string | null;
}

export interface Probe {
	readonly backend: string;
	/** null: cannot run at all. */
	readonly tier: Tier | null;
	readonly steps: readonly ProbeStep[];
}

/** warm: the interpreter was waiting in its box. cold: the box was made for the job. */
export type Start = 'warm' | 'cold';

export interface BackendOutcome extends BoxOutcome {
	readonly tier: Tier;
	readonly start: Start;
}

export interface Backend {
	readonly name: string;
	probe(): Promise<Probe>;
	run(spec: BoxSpec, io: BoxIo): Promise<BackendOutcome>;
	/** Resolves when every box that is called for waits for its job. */
	settle(): Promise<void>;
	/** Ends what waits, and waits until it is gone. Jobs that run are not touched. */
	close(): Promise<void>;
}
