/** secure-code packages: Python packages that programs in the jail may import. */
import { KnownError } from '../../contract/error.ts';
import { findPython, readPackages, setPackages, withoutPackages, withPackages } from '../../core/compose.ts';
import { dataHome } from '../../core/host/folders.ts';
import type { Command } from '../command.ts';
import type { Flags } from '../flags.ts';

const flags = { json: { type: 'boolean', help: 'print one line of JSON' } } as const satisfies Flags;

const help = `Manages the Python packages of the sandbox. They are fetched as wheels with pip and mounted read-only.

Usage: secure-code packages add NAME...
       secure-code packages remove NAME...
       secure-code packages list

Example:
  secure-code packages add pandas matplotlib
`;

async function python(): Promise<{ path: string; version: string }> {
	const runtime = await findPython();
	if (!runtime) throw new KnownError('RUNTIME_MISSING', { language: 'Python' });
	return { path: runtime.hostProgram, version: runtime.version };
}

async function change(names: readonly string[]): Promise<void> {
	await setPackages(dataHome(), names, await python());
}

function show(isJson: boolean): void {
	const { names, python: version } = readPackages(dataHome());
	if (isJson) process.stdout.write(`${JSON.stringify({ python: { version, packages: names } })}\n`);
	else process.stdout.write(names.length === 0 ? 'no packages\n' : `for Python ${version}: ${names.join(' ')}\n`);
}

export const packages: Command = {
	flags,
	help,
	async act(typed) {
		const [action, ...names] = typed.positionals;
		if (action === 'add' && names.length > 0) await change(withPackages(readPackages(dataHome()).names, names));
		else if (action === 'remove' && names.length > 0)
			await change(withoutPackages(readPackages(dataHome()).names, names));
		else if (action !== 'list')
			throw new KnownError('USAGE', { details: 'packages: say add NAME..., remove NAME... or list' });
		show(typed.values.json === true);
		return 0;
	},
};
