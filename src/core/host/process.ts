/** The only door to other processes: starts what it is given, without a shell and without inheriting our environment. */
import { type ChildProcess, type ExecFileException, execFile, type StdioOptions, spawn } from 'node:child_process';
import { execa } from 'execa';
import { KnownError } from '../../contract/error.ts';

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
	const child = spawn(file, args, { env: { ...env }, stdio, cwd, ...user, detached: true, windowsHide: true });
	// Whoever waits for its end hears of it; an error that nobody hears would end us.
	child.on('error', () => {});
	// Without a file left for its pipes Node gives back a process that has none.
	if (!child.stdio) throw new KnownError('SANDBOX_BROKEN', { details: 'this process cannot open more files' });
	return child;
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

const commandMs = 600_000;
const commandOutputBytes = 64 * 1024 * 1024;

/** Runs a helper command to its end; a command that cannot be started has no exit code. */
export function runCommand(
	file: string,
	args: readonly string[],
	options: CommandOptions = {},
): Promise<CommandOutput> {
	return options.show ? runShown(file, args, options) : runUnseen(file, args, options);
}

/** Not with execa, which lets our process end where no file is left for the pipes of another. */
function runUnseen(
	file: string,
	args: readonly string[],
	{ env, timeoutMs = commandMs, user }: CommandOptions,
): Promise<CommandOutput> {
	const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: commandOutputBytes } as const;
	return new Promise((resolve) => {
		const end = (error: ExecFileException | null, stdout: string, stderr: string) =>
			resolve({ exitCode: exitCodeOf(error), stdout: withoutLastEnd(stdout), stderr: withoutLastEnd(stderr) });
		try {
			// eslint-disable-next-line @n8n/community-nodes/no-dangerous-functions
			const child = execFile(file, args, { ...limits, ...user, ...(env && { env: { ...env } }) }, end);
			child.stdin?.on('error', () => {}).end();
		} catch {
			resolve({ exitCode: undefined, stdout: '', stderr: '' });
		}
	});
}

function exitCodeOf(error: ExecFileException | null): number | undefined {
	if (error === null) return 0;
	return typeof error.code === 'number' ? error.code : undefined;
}

const withoutLastEnd = (text: string): string => text.replace(/\r?\n$/, '');

async function runShown(
	file: string,
	args: readonly string[],
	{ env, timeoutMs = commandMs, user }: CommandOptions,
): Promise<CommandOutput> {
	const result = await execa(file, args, {
		...(env ? { env: { ...env }, extendEnv: false } : {}),
		stdin: 'inherit',
		stdout: ['inherit', 'pipe'],
		stderr: ['inherit', 'pipe'],
		timeout: timeoutMs,
		...user,
		reject: false,
	});
	return { exitCode: result.exitCode, stdout: result.stdout ?? '', stderr: result.stderr ?? '' };
}
