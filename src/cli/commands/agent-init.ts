/** secure-code agent init: makes an agent below a folder, and shows its keys this one time. */
import { readFileSync, realpathSync } from 'node:fs';
import { isIP } from 'node:net';
import { type FaceName, faceNames } from '../../contract/device-job.ts';
import { KnownError } from '../../contract/error.ts';
import { importQuickCmd } from '../../core/policy/importers/quickcmd.ts';
import { type Initialised, type InitOptions, initAgent } from '../../device/agent/init.ts';
import { readOnlyPolicy } from '../../device/agent/policies.ts';
import { readQuickCmdConfig } from '../../device/agent/quickcmd-config.ts';
import { agentFolder, dirFlag } from '../agent-folder.ts';
import type { Command } from '../command.ts';
import { type Flags, list, text, texts, type Values } from '../flags.ts';

const flags = {
	...dirFlag,
	faces: { type: 'string', value: 'A,B', help: `protocols to speak (default all: ${faceNames.join(',')})` },
	listen: { type: 'string', value: 'ADDRESS', help: 'address to listen on (default 127.0.0.1)' },
	host: { type: 'string', multiple: true, value: 'NAME', help: 'a further name or address for the certificate' },
	'port-base': { type: 'string', value: 'N', help: 'first of five ports in a row (default 5000 5001 8443 7474 7475)' },
	'device-id': { type: 'string', value: 'ID', help: 'name of this device (default: the name of the machine)' },
	quickcmd: {
		type: 'string',
		value: 'FILE',
		help: 'follow an agent of QuickCMD: its agent-config.yaml (secret, controllers, port, certificate, images, limits)',
	},
	json: { type: 'boolean', help: 'print one line of JSON: addresses and keys' },
} as const satisfies Flags;

const help = `Makes an agent below a folder: configuration, policy, keys, certificate, systemd units. It asks nothing,
overwrites nothing, listens on loopback only, and shows the keys this one time.

Usage: secure-code agent init [--dir D] [flags]

Example:
  secure-code agent init && secure-code agent serve
`;

const usage = (details: string) => new KnownError('USAGE', { details });

function facesFrom(values: Values): FaceName[] {
	const all = text(values, 'quickcmd') === undefined ? faceNames.join(',') : 'quickcmd';
	const typed = list(text(values, 'faces') ?? all);
	const strange = typed.find((name) => !faceNames.some((face) => face === name));
	if (strange !== undefined || typed.length === 0)
		throw usage(`--faces ${strange ?? ''}: must be some of ${faceNames.join(',')}`);
	return faceNames.filter((face) => typed.includes(face));
}

const mostPortBase = 65_535 - faceNames.length;

function portBase(values: Values): number | undefined {
	const typed = text(values, 'port-base');
	if (typed === undefined) return undefined;
	if (!/^\d{1,5}$/.test(typed) || Number(typed) < 1 || Number(typed) > mostPortBase)
		throw usage(`--port-base ${typed}: must be a number from 1 to ${mostPortBase}`);
	return Number(typed);
}

function listen(values: Values): string {
	const typed = text(values, 'listen') ?? '127.0.0.1';
	if (isIP(typed) === 0) throw usage(`--listen ${typed}: must be an address of this machine`);
	return typed;
}

function hosts(values: Values): string[] {
	const typed = texts(values, 'host');
	const strange = typed.find(
		(name) => isIP(name) === 0 && !/^[A-Za-z0-9*]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(name),
	);
	if (strange !== undefined) throw usage(`--host ${strange}: must be a name or an address`);
	return typed;
}

function readOld(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new KnownError('USAGE', { details: `--quickcmd ${file}: it cannot be read` }, { cause: error });
	}
}

/** The policy that is made of it has the capability of QuickCMD only. */
function quickcmd(values: Values, faces: readonly FaceName[]): InitOptions['quickcmd'] {
	const file = text(values, 'quickcmd');
	if (file === undefined) return undefined;
	if (faces.join() !== 'quickcmd') throw usage('--quickcmd is for an agent that speaks quickcmd alone');
	const old = readOld(file);
	return { settings: readQuickCmdConfig(old), policy: importQuickCmd(old, readOnlyPolicy).text };
}

const words: Readonly<Record<string, string>> = {
	token: 'token',
	secret: 'secret',
	key: 'private key (Ed25519, JWK)',
};

function describe({ result, fingerprint }: Initialised, dir: string, follows: boolean): string {
	const faces = Object.entries(result.faces).map(([name, face]) => {
		const [kind = '', value = ''] = Object.entries(face).find(([key]) => key in words) ?? [];
		return `${name}: ${face.url}\n  ${words[kind]}: ${value}`;
	});
	return `Made an agent in ${dir}. The keys are shown this one time; only digests and what the agent needs are kept.

${faces.join('\n\n')}

Certificate (${dir}/tls/cert.pem), SHA-256 fingerprint:
  ${fingerprint}

${follows ? `The policy (${dir}/policy.yaml) says at its top what became narrower than it was.` : `The policy (${dir}/policy.yaml) lets commands read and nothing else.`}
Next: secure-code agent serve --dir ${dir}
`;
}

export const agentInit: Command = {
	flags,
	help,
	async act({ values, positionals }) {
		if (positionals.length > 0) throw usage(`agent init takes no "${positionals[0]}"`);
		const dir = agentFolder(values);
		const faces = facesFrom(values);
		const made = await initAgent({
			dir,
			faces,
			quickcmd: quickcmd(values, faces),
			listen: listen(values),
			hosts: hosts(values),
			portBase: portBase(values),
			deviceId: text(values, 'device-id'),
			program: [process.execPath, realpathSync(process.argv[1] ?? '')],
		});
		process.stdout.write(
			values.json === true ? `${JSON.stringify(made.result)}\n` : describe(made, dir, values.quickcmd !== undefined),
		);
		return 0;
	},
};
