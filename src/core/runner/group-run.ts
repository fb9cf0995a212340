/**
 * Runs one command on a system without a keeper (macOS, Windows): its process group, or its tree, is ended. Whatever left the
 * group may go on, so nothing here ever says that all of it is dead.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { hearOutput, runCommand, type StartedProcess, startProcess } from '../host/process.ts';
import type { BoxIo, BoxOutcome, StopReason } from '../sandbox/backend.ts';
import type { DirectStart } from './direct-run.ts';
import { NoProgram } from './launch.ts';

/** How long an end of a pipe may stay open in a process that left. */
const leaveMs = 2_000;

async function endTree(child: StartedProcess, platform: NodeJS.Platform): Promise<void> {
	if (child.pid === undefined) return;
	if (platform === 'win32') await runCommand('taskkill', ['/pid', String(child.pid), '/T', '/F']);
	else
		try {
			process.kill(-child.pid, 'SIGKILL');
		} catch {
			// The group is empty.
		}
}

export async function runInGroup(
	{ account, argv, env, cwd, stdin, limits }: DirectStart,
	io: BoxIo,
	platform: NodeJS.Platform = process.platform,
): Promise<BoxOutcome & { readonly isConfirmedDead: false }> {
	const [program = '', ...words] = argv;
	const stdio = [stdin ?? 'ignore', 'pipe', 'pipe'] as const;
	const child = startProcess(program, words, { env, stdio: [...stdio], umask: 0o077, cwd, user: account ?? undefined });
	let stopped: StopReason | null = null;
	const stop = (reason: StopReason) => {
		stopped ??= reason;
		void endTree(child, platform);
	};
	const onAbort = () => stop(io.signal.reason as StopReason);
	hearOutput(child, (stream, chunk) => io.onOutput(stream, chunk));
	const startedAt = performance.now();
	io.onStart?.();
	if (io.signal.aborted) onAbort();
	io.signal.addEventListener('abort', onAbort);
	const timer = setTimeout(() => stop('timeout'), limits.timeoutMs);
	try {
		await once(child, 'exit');
		// What it started goes with it, as on other systems.
		await endTree(child, platform);
		await Promise.race([once(child, 'close'), sleep(leaveMs, undefined, { ref: false })]);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new NoProgram(program);
		throw error;
	} finally {
		clearTimeout(timer);
		io.signal.removeEventListener('abort', onAbort);
	}
	const exit = stopped === null ? { code: child.exitCode, signal: child.signalCode } : null;
	return { ...noFigures, stopped, exit, durationMs: performance.now() - startedAt, isConfirmedDead: false };
}

const noFigures = { fault: null, oomKills: 0, processLimitHits: 0, peakMemoryBytes: 0, cpuMs: 0 } as const;
