/** Makes a new agent below a folder: configuration, policy, keys, certificate and units. Asks nothing and overwrites nothing. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { type AgentConfig, agentConfigSchema, type KeyEntry } from '../../contract/agent-config.ts';
import { type FaceName, faceNames } from '../../contract/device-job.ts';
import { KnownError } from '../../contract/error.ts';
import { makeDeviceKey } from '../../core/audit/device-key.ts';
import { userName } from '../../core/host/user.ts';
import { createCertificate, fingerprintOf } from './certificate.ts';
import { freePort } from './free-ports.ts';
import { layoutOf } from './layout.ts';
import { fileEndings, kindOfFace, newKey } from './new-key.ts';
import { readOnlyPolicy } from './policies.ts';
import type { QuickCmdSettings } from './quickcmd-config.ts';
import { systemUser, unitsFor } from './units.ts';

export interface InitOptions {
	readonly dir: string;
	readonly faces: readonly FaceName[];
	/** Address to listen on. */
	readonly listen: string;
	/** Further names and addresses that the certificate is valid for. */
	readonly hosts: readonly string[];
	/** Absent: the ports that the protocols are known by, or the next free ones. */
	readonly portBase?: number | undefined;
	/** Absent: the name of this machine. */
	readonly deviceId?: string | undefined;
	/** Of an agent of QuickCMD that this one follows: its settings, and the policy made of them. */
	readonly quickcmd?: { readonly settings: QuickCmdSettings; readonly policy: string } | undefined;
	/** How the units start the command line. */
	readonly program: readonly [string, string];
}

/** What a client of each face needs; printed once. */
export interface InitResult {
	readonly faces: {
		readonly agent3?: { readonly url: string; readonly token: string };
		readonly ogent?: { readonly url: string; readonly token: string };
		readonly quickcmd?: { readonly url: string; readonly secret: string; readonly ca: string };
		readonly device?: { readonly url: string; readonly token: string };
		readonly native?: { readonly url: string; readonly key: string; readonly ca: string };
	};
}

export interface Initialised {
	readonly result: InitResult;
	/** SHA-256 of the certificate. */
	readonly fingerprint: string;
}

export const defaultPorts: Readonly<Record<FaceName, number>> = {
	agent3: 5000,
	ogent: 5001,
	quickcmd: 8443,
	device: 7474,
	native: 7475,
};
const tlsFaces: readonly FaceName[] = ['quickcmd', 'native'];

/** The one controller that QuickCMD's protocol starts with. */
export const firstController = 'controller-1';

const principalOf = (face: FaceName): string => (face === 'quickcmd' ? firstController : `${face}-1`);

type Listeners = AgentConfig['listeners'];

async function listenersFor({ faces, listen, portBase, quickcmd }: InitOptions): Promise<Listeners> {
	const listeners: Listeners = [];
	for (const face of faceNames.filter((name) => faces.includes(name))) {
		const wanted = portBase === undefined ? defaultPorts[face] : portBase + faceNames.indexOf(face);
		// Its controllers know the port of the agent that goes; it may still be in use.
		const known = face === 'quickcmd' && portBase === undefined ? quickcmd?.settings.port : undefined;
		const port = known ?? (await freePort(listen, wanted, new Set(listeners.map((other) => other.port))));
		const own = face === 'quickcmd' ? quickcmd?.settings.tls : undefined;
		const tls = own ?? { certFile: 'tls/cert.pem', keyFile: 'tls/key.pem' };
		listeners.push({ faces: [face], host: listen, port, ...(tlsFaces.includes(face) && { tls }) });
	}
	return listeners;
}

interface MadeKey {
	readonly entry: KeyEntry;
	readonly kept: string;
	readonly shown: string;
}

async function keyFor(face: FaceName): Promise<MadeKey> {
	const id = `${face}-1`;
	const kind = kindOfFace[face];
	const { kept, shown } = await newKey({ id, face, kind });
	const file = `keys/${id}.${fileEndings[kind]}`;
	const entry: KeyEntry = {
		id,
		face,
		kind,
		principal: principalOf(face),
		roles: ['executor'],
		file,
		isRevoked: false,
	};
	return { entry, kept, shown };
}

/** One for each controller of the agent that goes, with the secret that they share. */
function keysOf({ controllers, secret }: QuickCmdSettings): MadeKey[] {
	return controllers.map((principal, index) => {
		const id = `quickcmd-${index + 1}`;
		const [face, kind] = ['quickcmd' as const, 'hmac' as const];
		const file = `keys/${id}.${fileEndings[kind]}`;
		const entry: KeyEntry = { id, face, kind, principal, roles: ['executor'], file, isRevoked: false };
		return { entry, kept: secret, shown: secret };
	});
}

async function keysFor({ faces, quickcmd }: InitOptions): Promise<MadeKey[]> {
	const made = faceNames
		.filter((face) => faces.includes(face))
		.map(async (face) => (face === 'quickcmd' && quickcmd ? keysOf(quickcmd.settings) : [await keyFor(face)]));
	return (await Promise.all(made)).flat();
}

/** A device id is a word; the name of a machine may be more. */
const wordOf = (name: string): string => name.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 64) || 'device';

interface Plan {
	readonly listeners: Listeners;
	readonly keys: readonly MadeKey[];
	readonly certificate: { readonly cert: string; readonly key: string };
}

const head = `# The configuration of a device agent. docs/agent.md explains every word; what is not known here is refused.
# After a change: "secure-code agent doctor", then SIGHUP for keys and policy, or a restart for the rest.
`;

function configText({ deviceId, faces, quickcmd }: InitOptions, { listeners, keys }: Plan): string {
	const { controllers = [firstController], concurrentJobs } = quickcmd?.settings ?? {};
	const config = {
		version: 1,
		device: { id: wordOf(deviceId ?? hostname()) },
		listeners,
		keys: keys.map(({ entry: { isRevoked: _, ...entry } }) => entry),
		policyFile: 'policy.yaml',
		...(concurrentJobs !== undefined && { limits: { concurrentJobs } }),
		...(faces.includes('quickcmd') && { quickcmd: { allowedControllers: [...controllers] } }),
	};
	agentConfigSchema.parse(config);
	return head + stringify(config, { lineWidth: 120 });
}

interface NewFile {
	readonly path: string;
	readonly text: string;
	readonly mode: number;
}

function filesOf(options: InitOptions, plan: Plan): NewFile[] {
	const at = layoutOf(options.dir);
	const secret = (path: string, text: string): NewFile => ({ path, text, mode: 0o600 });
	const open = (path: string, text: string): NewFile => ({ path, text, mode: 0o644 });
	const user = process.getuid?.() === 0 ? systemUser : userName();
	const units = unitsFor({ dir: options.dir, program: options.program, user, group: user });
	return [
		...plan.keys.map(({ entry, kept }) => secret(join(options.dir, entry.file), `${kept}\n`)),
		open(join(at.tls, 'cert.pem'), plan.certificate.cert),
		secret(join(at.tls, 'key.pem'), plan.certificate.key),
		...Object.entries(units).map(([name, text]) => open(join(at.units, name), text)),
		secret(at.policy, options.quickcmd?.policy ?? readOnlyPolicy),
		// Last: a folder that has it is complete.
		secret(at.config, configText(options, plan)),
	];
}

/** Makes what was not there; gives it back when anything fails. */
function write(dir: string, files: readonly NewFile[]): void {
	const wasThere = existsSync(dir);
	try {
		mkdirSync(dir, { recursive: true, mode: 0o700 });
		chmodSync(dir, 0o700);
		const { state, run } = layoutOf(dir);
		for (const folder of [state, run]) mkdirSync(folder, { mode: 0o700 });
		makeDeviceKey(dir);
		for (const { path, text, mode } of files) {
			mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
			writeFileSync(path, text, { mode, flag: 'wx' });
			chmodSync(path, mode);
		}
	} catch (error) {
		if (wasThere) for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true, force: true });
		else rmSync(dir, { recursive: true, force: true });
		throw new KnownError('PERMISSION', { details: `${dir} could not be filled: ${(error as Error).message}.` });
	}
}

function refuseUsed(dir: string): void {
	if (!existsSync(dir)) return;
	if (!statSync(dir).isDirectory() || readdirSync(dir).length > 0)
		throw new KnownError('CONFIG_INVALID', { details: `${dir} is not empty, and nothing is overwritten` });
}

const urlHost = (listen: string): string => {
	if (listen === '0.0.0.0' || listen === '::') return hostname();
	return listen.includes(':') ? `[${listen}]` : listen;
};

function resultOf({ listen }: InitOptions, { listeners, keys, certificate }: Plan): InitResult {
	const url = ({ tls, port }: Listeners[number]) => `${tls ? 'https' : 'http'}://${urlHost(listen)}:${port}`;
	const authorityOf = ({ tls }: Listeners[number]) =>
		tls?.certFile.startsWith('/') ? readFileSync(tls.certFile, 'utf8') : certificate.cert;
	const about = (listener: Listeners[number]): object => {
		const [face] = listener.faces;
		const shown = keys.find(({ entry }) => entry.face === face)?.shown ?? '';
		if (face === 'quickcmd') return { url: url(listener), secret: shown, ca: authorityOf(listener) };
		if (face === 'native') return { url: url(listener), key: shown, ca: authorityOf(listener) };
		return { url: url(listener), token: shown };
	};
	return { faces: Object.fromEntries(listeners.map((listener) => [listener.faces[0], about(listener)])) };
}

/** Throws CONFIG_INVALID for a folder that is in use. */
export async function initAgent(given: InitOptions): Promise<Initialised> {
	const options = { ...given, dir: resolve(given.dir) };
	refuseUsed(options.dir);
	const listeners = await listenersFor(options);
	const names = [...new Set(['localhost', hostname(), ...options.hosts, '127.0.0.1', '::1'])];
	const plan: Plan = {
		listeners,
		keys: await keysFor(options),
		certificate: await createCertificate(names),
	};
	write(options.dir, filesOf(options, plan));
	return { result: resultOf(options, plan), fingerprint: fingerprintOf(plan.certificate.cert) };
}
