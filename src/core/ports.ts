/** What the story of a job asks of its surroundings. */
import type { JobRequest, JobResult } from '../contract/job.ts';
import type { Language } from '../contract/language.ts';
import type { Inspection } from './inspect.ts';
import type { Decision } from './network/gateway.ts';
import type { Backend, OutputStream } from './sandbox/backend.ts';
import type { Runtime } from './sandbox/runtimes/runtime.ts';
import type { SessionWish } from './sessions/session.ts';

export interface JobContext {
	/** Aborting kills the job at once. */
	readonly signal?: AbortSignal | undefined;
	/** Sees every byte as it arrives, before anything is cut or cleaned, with secrets masked. */
	readonly onOutput?: ((stream: OutputStream, chunk: Buffer) => void) | undefined;
	/** Hears what the network let through and refused, once for each host, port and reason, with secrets masked. */
	readonly onDecision?: ((decision: Decision) => void) | undefined;
	/** What the job finds of earlier calls, and keeps for later ones. */
	readonly session?: SessionWish | undefined;
	/** Folder of the host that receives what the program leaves in /work/out. */
	readonly outDir?: string | undefined;
	/** Values of secrets by name: those named in the request are given to the program, and all of them are masked. */
	readonly secretValues?: Readonly<Record<string, string>> | undefined;
	/** Secrets that a program never holds: it gets a placeholder, and the value is put in on the way to these hosts only. */
	readonly secretHosts?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** One per process. A program's failure is a result; a KnownError is thrown only where an operator must act. */
export interface Executor {
	run(request: JobRequest, context?: JobContext): Promise<JobResult>;
	/** Resolves when every box that is called for waits for its job. */
	settle(): Promise<void>;
	/** Ends the boxes that wait, and waits until they are gone. */
	close(): Promise<void>;
}

/** A folder of the host that appears read-only at `path`. */
export interface Bind {
	readonly hostPath: string;
	readonly path: string;
}

/** A bundle of packages as a job finds it. */
export interface Packages {
	readonly binds: readonly Bind[];
	/** What its programs may import beside what an author lists. */
	readonly modules: readonly string[];
	/** The Python that it was made for; absent where it has nothing for Python. */
	readonly pythonVersion?: string | undefined;
}

/** Says what may run; it may take its time elsewhere. */
export type Inspector = (request: JobRequest) => Promise<Inspection>;

/** Where jobs run, and what they find there. */
export interface Boxes {
	readonly backend: Backend;
	/** Throws RUNTIME_MISSING when the host has no interpreter for the language. */
	runtimeFor(language: Language): Promise<Runtime>;
	/** Throws BUNDLE_MISSING for a bundle that this host does not have. */
	packagesFor(bundle: string): Packages;
	/** The session of this machine that a name stands for. */
	sessionFor(name: string): SessionWish;
	/** The bundles of this host that have a module, in no order of worth. */
	bundlesWith(language: 'python' | 'javascript', module: string): string[];
	/** Lays out the files and the data of a request; undefined when it has none. */
	shareInputs(request: JobRequest): Promise<{ readonly path: string; remove(): void } | undefined>;
}
