/** The only door to other processes: starts what it is given, without a shell and without inheriting our environment. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { execa } from 'execa';

export interface StartOptions {
	readonly env: Readonly<Record<string, string>>;
	readonly stdio: StdioOptions;
	/** Rights that files of the process do not get; absent: ours. */
	readonly umask?: number | undefined;
	/** Working folder; absent: ours. */
	readonly cwd?: string | undefined;
	/** Absent: we ourselves. Only root can start a process as another. */
	readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

export type StartedProcess = ChildProcess;

export function startProcess(file: string, args: readonly string[], options: StartOptions): StartedProcess {
	// A process inherits it in the moment in which it is made; nothing else runs here meanwhile.
	const before = options.umask === undefined ? undefined : process.umask(options.umask);
	try {
		return spawnIt(file, args, options);
	} finally {
		if (before !== undefined) process.umask(before);
	}
}

function spawnIt(file: string, args: readonly string[], options: StartOptions): StartedProcess {
	const { env, stdio, cwd, user } = options;
	// Running a sandbox is what this package is for, so it starts processes; n8n's rules for verified nodes forbid that, and
	// the README says so. This is the one place that does it.
	// eslint-disable-next-line @n8n/community-nodes/no-dangerous-functions
	return spawn(file, args, { env: { ...env }, stdio, cwd, ...user, detached: true, windowsHide: true });
}

type Stream = 'stdout' | 'stderr';

/**
 * Hears stdout and stderr of a process that has pipes for them. A promise holds both back: what is not read fills the pipe,
 * and then the process waits.
 */
export function hearOutput(child: StartedProcess, hear: (stream: Stream, chunk: Buffer) => void | Promise<void>): void {
	let held = 0;
	const holdBack = async (taken: Promise<void>) => {
		if (held++ === 0) for (const stream of [child.stdout, child.stderr]) stream?.pause();
		await taken.catch(() => {});
		if (--held === 0) for (const stream of [child.stdout, child.stderr]) stream?.resume();
	};
	for (const name of ['stdout', 'stderr'] as const)
		child[name]?.on('data', (chunk: Buffer) => {
			const taken = hear(name, chunk);
			if (taken) void holdBack(taken);
		});
}

export interface CommandOutput {
	readonly exitCode: number | undefined;
	readonly stdout: string;
	readonly stderr: string;
}

interface CommandOptions {
	readonly env?: Readonly<Record<string, string>>;
	/** Shows the command's own output to the person at the terminal. */
	readonly show?: boolean;
	readonly timeoutMs?: number;
	/** Absent: we ourselves. Only root can start a command as another. */
	readonly user?: { readonly uid: number; readonly gid: number };
}

/** Runs a helper command to its end; a command that cannot be started has no exit code. */
export async function runCommand(
	file: string,
	args: readonly string[],
	options: CommandOptions = {},
): Promise<CommandOutput> {
	const result = await execa(file, args, {
		...(options.env ? { env: { ...options.env }, extendEnv: false } : {}),
		stdin: options.show ? 'inherit' : 'ignore',
		stdout: options.show ? ['inherit', 'pipe'] : 'pipe',
		stderr: options.show ? ['inherit', 'pipe'] : 'pipe',
		timeout: options.timeoutMs ?? 600_000,
		// To end others with us, execa hears our signals, and may take one for its own that somebody else has just handled.
		cleanup: options.show === true,
		...options.user,
		reject: false,
	});
	return { exitCode: result.exitCode, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
}
