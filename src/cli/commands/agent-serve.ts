/** secure-code agent serve: runs the agent of a folder until it is told to stop. */
import { KnownError } from '../../contract/error.ts';
import { serve } from '../../device/agent/serve.ts';
import { agentFolder, dirFlag } from '../agent-folder.ts';
import type { Command } from '../command.ts';
import type { Flags } from '../flags.ts';
import { endLean } from '../lean-start.ts';
import { version } from '../version.ts';

const flags = {
	...dirFlag,
	'allow-exposed': {
		type: 'boolean',
		help: 'start although others can change its files; for file systems without owners and modes',
	},
	'accept-audit': {
		type: 'boolean',
		help: 'start although the audit does not end where it was signed; it says so from then on',
	},
} as const satisfies Flags;

const help = `Runs the agent of a folder in the foreground. Its log is JSON lines on stdout.

Usage: secure-code agent serve [--dir D]

SIGTERM and SIGINT let running jobs end for a while and stop; a second one stops at once. SIGHUP loads keys and policy
again; what is not valid changes nothing.
`;

export const agentServe: Command = {
	flags,
	help,
	handlesSignals: true,
	async act({ values, positionals }) {
		if (positionals.length > 0)
			throw new KnownError('USAGE', { details: `agent serve takes no "${positionals[0]}"; say --dir D` });
		return serve({
			onReady: endLean,
			dir: agentFolder(values),
			version,
			allowsExposed: values['allow-exposed'] === true,
			acceptsAudit: values['accept-audit'] === true,
		});
	},
};
