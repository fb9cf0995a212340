/** secure-code agent exec: the exec side of an agent, which runs commands as another user than the one that holds the keys. */
import { join, resolve } from 'node:path';
import { KnownError } from '../../contract/error.ts';
import { serveExec } from '../../device/agent/exec/serve.ts';
import { layoutOf } from '../../device/agent/layout.ts';
import { createLog } from '../../device/agent/log.ts';
import { agentFolder, dirFlag } from '../agent-folder.ts';
import type { Command } from '../command.ts';
import { type Flags, text, texts } from '../flags.ts';

const flags = {
	...dirFlag,
	socket: { type: 'string', value: 'S', help: 'socket to listen on (default: run/exec.sock below the folder)' },
	policy: { type: 'string', value: 'FILE', help: 'policy with the profiles (default: policy.yaml below the folder)' },
	mask: { type: 'string', multiple: true, value: 'PATH', help: 'a further path that no command may see' },
	'allow-exposed': { type: 'boolean', help: 'start although others can change the policy' },
} as const satisfies Flags;

const help = `Runs the exec side of an agent in the foreground: it takes decided jobs from the front over a socket and runs each in a
jail. Start it as another user than the front, in the group of the front, which may connect to the socket; the front finds
it by "runner: { socket: S }" of its configuration. It reads what jobs may do from its own policy file, never from a job.

Usage: secure-code agent exec [--dir D] [--socket S] [--policy FILE] [--mask PATH]...

SIGTERM and SIGINT end what runs and stop. SIGHUP loads the policy again; one that is not valid changes nothing.
`;

export const agentExec: Command = {
	flags,
	help,
	handlesSignals: true,
	async act({ values, positionals }) {
		if (positionals.length > 0)
			throw new KnownError('USAGE', { details: `agent exec takes no "${positionals[0]}"; say --dir D` });
		const dir = agentFolder(values);
		const { run, policy } = layoutOf(dir);
		return serveExec({
			dir,
			socketPath: resolve(text(values, 'socket') ?? join(run, 'exec.sock')),
			policyPath: resolve(text(values, 'policy') ?? policy),
			masks: texts(values, 'mask'),
			allowsExposed: values['allow-exposed'] === true,
			log: createLog('info'),
		});
	},
};
