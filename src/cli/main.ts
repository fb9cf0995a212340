/** The command line: typed words become a command, a command ends in an exit code. */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { KnownError } from '../contract/error.ts';
import type { Command, CommandGroup, Typed } from './command.ts';
import { describeFlags, type Flags } from './flag-table.ts';

type Commands = Readonly<Record<string, () => Promise<Command | CommandGroup>>>;

/** Only what was asked for is loaded: the agent, for example, works without the parsers of the check. */
const commands: Commands = {
	run: async () => (await import('./code-commands.ts')).codeCommands.run,
	check: async () => (await import('./code-commands.ts')).codeCommands.check,
	doctor: async () => (await import('./code-commands.ts')).codeCommands.doctor,
	setup: async () => (await import('./code-commands.ts')).codeCommands.setup,
	packages: async () => (await import('./code-commands.ts')).codeCommands.packages,
	sessions: async () => (await import('./code-commands.ts')).codeCommands.sessions,
	agent: async () => (await import('./commands/agent.ts')).agent,
	audit: async () => (await import('./commands/audit.ts')).audit,
};

const overview = `Runs code that a language model wrote in a sandbox.

Usage: secure-code COMMAND [flags]

  run        run a program, or many
  check      check programs without running them
  doctor     say what this host can do, and what to mend
  setup      install what is missing
  packages   bundles of packages for programs
  sessions   list and delete what programs keep from call to call
  agent      the device agent: run commands of others on this machine, safely
  audit      verify, export and follow what the agent wrote about itself

"secure-code COMMAND --help" explains each.
`;

const helpFlag = { help: { type: 'boolean', short: 'h', help: 'show this' } } as const satisfies Flags;

function parse(command: Command, args: string[]): Typed {
	const options = Object.fromEntries(
		Object.entries<Flags[string]>({ ...command.flags, ...helpFlag }).map(([name, { type, short, multiple }]) => [
			name,
			{ type, ...(short && { short }), ...(multiple && { multiple }) },
		]),
	);
	try {
		return parseArgs({ args, options, allowPositionals: true });
	} catch (error) {
		throw new KnownError('USAGE', { details: (error as Error).message });
	}
}

const stopping = new AbortController();

/** A second signal is the end, whatever goes on. */
function stopOrEnd(name: NodeJS.Signals): void {
	if (stopping.signal.aborted) {
		process.removeAllListeners(name);
		process.kill(process.pid, name);
	}
	stopping.abort();
}

/** Until the command ends, a signal ends its work. */
function stopOnSignals(): void {
	for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stopOrEnd);
}

async function runCommand(command: Command, args: string[]): Promise<number> {
	const typed = parse(command, args);
	if (typed.values.help === true) {
		process.stdout.write(`${command.help}\n${describeFlags({ ...command.flags, ...helpFlag })}\n`);
		return 0;
	}
	if (command.handlesSignals !== true) stopOnSignals();
	return command.act(typed, stopping.signal);
}

interface Table {
	readonly overview: string;
	/** What was typed before, to be named in messages: "" or "agent ". */
	readonly before: string;
	readonly commands: Commands;
}

/** What comes as a whole, as the rows of a table that is loaded row by row. */
const rows = (table: Readonly<Record<string, Command>>): Commands =>
	Object.fromEntries(Object.entries(table).map(([name, command]) => [name, async () => command]));

async function start(args: string[], { overview, before, commands: table }: Table): Promise<number> {
	const [name, ...rest] = args;
	if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
		process.stdout.write(overview);
		return name === undefined ? 64 : 0;
	}
	const load = Object.hasOwn(table, name) ? table[name] : undefined;
	if (!load) throw new KnownError('USAGE', { details: `There is no command "${before}${name}".` });
	const command = await load();
	if (!('load' in command)) return runCommand(command, rest);
	return start(rest, { overview: command.overview, before: `${name} `, commands: rows(await command.load(rest)) });
}

function explain(error: unknown): number {
	const known = KnownError.is(error)
		? error
		: new KnownError('INTERNAL', { id: randomUUID().slice(0, 8) }, { cause: error });
	process.stderr.write(`secure-code: ${known.problem.message}\n${known.problem.next}\n`);
	if (known.row.audience === 'maintainer') process.stderr.write(`${(error as Error).stack ?? error}\n`);
	return known.row.exit;
}

// A reader that has seen enough (head, for example) is no failure of ours.
process.stdout.on('error', () => process.exit(0));

start(process.argv.slice(2), { overview, before: '', commands })
	.catch(explain)
	.then((code) => {
		process.exitCode = code;
		process.stdin.destroy();
	});
