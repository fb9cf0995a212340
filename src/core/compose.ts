/** Puts the parts of this process together; the only file that builds them. Nodes and command line enter here. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { KnownError } from '../contract/error.ts';
import { type JobRequest, jobRequestSchema } from '../contract/job.ts';
import { languageLabels } from '../contract/language.ts';
import { fixedLimits } from '../contract/limits.ts';
import { createExecutor } from './code-job.ts';
import { dataHome, dataHomes } from './host/folders.ts';
import { AnsweringThread } from './host/worker.ts';
import { type Inspection, inspect } from './inspect.ts';
import { bundlesWith, defaultBundle, findBundle } from './packages/bundle.ts';
import type { Boxes, Executor, Inspector, Packages } from './ports.ts';
import { FairQueue } from './queue.ts';
import type { Probe } from './sandbox/backend.ts';
import { NsjailBackend } from './sandbox/backends/nsjail/nsjail.ts';
import { shareInputs } from './sandbox/inputs.ts';
import { type WarmSettings, warmSettings } from './sandbox/pool/settings.ts';
import { javascriptPackages } from './sandbox/runtimes/javascript.ts';
import { pythonPackages } from './sandbox/runtimes/python.ts';
import { FolderStore } from './sessions/folder-store.ts';
import { keyFile, placeOf } from './sessions/key.ts';
import type { SessionWish } from './sessions/session.ts';

export { check } from './checker/check.ts';
export { describeFindings } from './checker/describe.ts';
export { type CheckOptions, checkOptionsSchema } from './checker/options.ts';
export { RunFolder } from './host/run-folder.ts';
export { type Bundle, defaultBundle, type PackageLanguage, parseBundle, readBundles } from './packages/bundle.ts';
export { addLocked, addPackages, type PackageOrder, removeBundle, removePackages } from './packages/manage.ts';
export { curatedNames } from './packages/names.ts';
export type { JobContext } from './ports.ts';
export { installNsjail } from './sandbox/backends/nsjail/install.ts';
export { locateNsjail } from './sandbox/backends/nsjail/locate.ts';
export { type WarmSettings, warmSettings } from './sandbox/pool/settings.ts';
export { findPython } from './sandbox/runtimes/python.ts';
export { FolderStore } from './sessions/folder-store.ts';
export { placeOf } from './sessions/key.ts';
export { type S3Settings, S3Store } from './sessions/s3-store.ts';
export { deleteSession, listSessions, type SessionEntry, type SessionWish, sessionWaitMs } from './sessions/session.ts';
export type { SessionStore } from './sessions/store.ts';

/** What every backend says about this host. */
export const probeBackends = (): Promise<Probe[]> =>
	Promise.all([new NsjailBackend(warmSettings())].map((backend) => backend.probe()));

/** Names of the packages that somebody asked for; what they need in turn is nobody's concern. */
export function packageNames(bundle: string): readonly string[] {
	return packagesFor(bundle).names;
}

/** For what runs in a jail and is no job. */
export const createBackend = (): NsjailBackend => new NsjailBackend();

const MiB = 1024 * 1024;
const hourMs = 3_600_000;

/** What a session of the command line may hold, and how long it lasts after its last call. */
const sessionDefaults = { quotaBytes: 64 * MiB, ttlMs: 24 * hourMs } as const;

const sessionFolder = (home: string): string => join(home, 'sessions');

/** Where sessions of this machine lie, and the key that encrypts them where there is no other. */
export const localSessions = (): string => sessionFolder(dataHome());
export const dataFolderKey = (): Uint8Array => keyFile(dataHome());

/** Sessions of the command line lie in the data folder, encrypted with the key of that folder. */
function sessionFor(name: string): SessionWish {
	const home = dataHome();
	const master = keyFile(home);
	const place = placeOf(master, ['command line'], name);
	const store = new FolderStore(sessionFolder(home));
	return { store, master, place, label: 'command line', keepsState: 'tried', ...sessionDefaults };
}

/** The default bundle need not be there; one that somebody chose must. */
function packagesFor(bundle: string): Packages & { readonly names: readonly string[] } {
	const found = bundle === 'none' ? undefined : findBundle(dataHomes(), bundle);
	if (!found && bundle !== defaultBundle && bundle !== 'none') throw new KnownError('BUNDLE_MISSING', { name: bundle });
	const binds = [
		...(found?.python === undefined ? [] : [{ hostPath: found.python, path: pythonPackages }]),
		...(found?.javascript === undefined ? [] : [{ hostPath: found.javascript, path: javascriptPackages }]),
	];
	const { modules = [], names = [], pythonVersion } = found ?? {};
	return { binds, modules, names, pythonVersion };
}

function createBoxes(backend: NsjailBackend): Boxes {
	return {
		backend,
		async runtimeFor(language) {
			const runtime = (await backend.image()).runtimes[language];
			if (!runtime) throw new KnownError('RUNTIME_MISSING', { language: languageLabels[language] });
			return runtime;
		},
		packagesFor,
		sessionFor,
		bundlesWith: (language, module) => bundlesWith(dataHomes(), language, module),
		shareInputs,
	};
}

/** Programs up to this length are inspected at once, in a few milliseconds, the worst in some hundred; longer ones must not hold up their process. */
const shortCode = 4_096;
/** A program of the greatest length needs a fraction of it. */
const inspectionMs = 20_000;

/** Beside the sources, and beside the bundle that is made of them. */
function inspectionThread(): AnsweringThread {
	const bundled = join(import.meta.dirname, 'inspect-worker.js');
	return new AnsweringThread(existsSync(bundled) ? bundled : bundled.replace(/js$/, 'ts'), inspectionMs);
}

function createInspector(): Inspector {
	let thread: AnsweringThread | undefined;
	return async (request) => {
		if ((request.code ?? request.script ?? '').length <= shortCode) return inspect(request);
		thread ??= inspectionThread();
		return thread.ask<Inspection>({ request }).catch((error: Error) => {
			throw new KnownError('INTERNAL', { id: randomUUID().slice(0, 8) }, { cause: error });
		});
	};
}

/** How many jobs run at a time: SECURE_CODE_CONCURRENCY, else twice the processors. */
export function defaultConcurrency(env: NodeJS.ProcessEnv = process.env): number {
	const text = env.SECURE_CODE_CONCURRENCY;
	if (text === undefined || text === '') return Math.max(4, 2 * availableParallelism());
	if (!/^[1-9]\d{0,2}$/.test(text))
		throw new KnownError('CONFIG_INVALID', { details: 'SECURE_CODE_CONCURRENCY is not a number from 1 to 999' });
	return Number(text);
}

export interface ExecutorOptions {
	readonly concurrency?: number;
	readonly queueLength?: number;
	/** What boxes may wait for jobs; absent: none. */
	readonly warm?: WarmSettings | undefined;
}

export function composeExecutor(options: ExecutorOptions = {}): Executor {
	const queue = new FairQueue(
		options.concurrency ?? defaultConcurrency(),
		options.queueLength ?? fixedLimits.queueLength,
	);
	return createExecutor({ boxes: createBoxes(new NsjailBackend(options.warm)), queue, inspect: createInspector() });
}

const shared = Symbol.for('n8n-nodes-secure-code.executor');

/** The one executor of this process, whichever node or copy of the package asks first. */
export function sharedExecutor(): Executor {
	const place = globalThis as { [shared]?: Executor };
	place[shared] ??= composeExecutor({ warm: warmSettings() });
	return place[shared];
}

/** Reads a request from outside; what does not fit is named in words. */
export function parseJobRequest(input: unknown): JobRequest {
	const parsed = jobRequestSchema.safeParse(input);
	if (parsed.success) return parsed.data;
	throw new KnownError('JOB_INVALID', { details: z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, ' ') });
}
