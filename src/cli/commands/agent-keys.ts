/** secure-code agent keys: who may talk to the agent. New keys are shown once. */
import { readFileSync } from 'node:fs';
import type { KeyEntry } from '../../contract/agent-config.ts';
import { type FaceName, faceNames } from '../../contract/device-job.ts';
import { KnownError } from '../../contract/error.ts';
import { roles as allRoles, type Role } from '../../contract/principal.ts';
import { renewCertificate } from '../../device/agent/certificate-files.ts';
import { addKey, issueJwt, listKeys, type MadeKey, revokeKey, rotateKey } from '../../device/agent/keys.ts';
import { kindOfFace } from '../../device/agent/new-key.ts';
import { tellAgent } from '../agent-call.ts';
import { agentFolder, dirFlag } from '../agent-folder.ts';
import type { Command } from '../command.ts';
import { type Flags, list, text, texts, type Values } from '../flags.ts';

const flags = {
	...dirFlag,
	id: { type: 'string', value: 'ID', help: 'add: name of the key (default: the protocol and a number)' },
	principal: { type: 'string', value: 'NAME', help: 'add: who it stands for (default: its id)' },
	roles: { type: 'string', value: 'A,B', help: `add: some of ${allRoles.join(',')} (default executor)` },
	capabilities: { type: 'string', value: 'A,B', help: 'add: only these capabilities (default: all of the policy)' },
	kind: {
		type: 'string',
		value: 'KIND',
		help: 'add: token or ed25519, where the protocol takes both (native, device)',
	},
	'public-key': { type: 'string', value: 'FILE', help: 'add: public Ed25519 key (PEM) that the client made itself' },
	overlap: { type: 'string', value: 'HOURS', help: 'rotate: how long the old key stays good (default 24)' },
	subject: { type: 'string', value: 'NAME', help: 'issue: whom the JWT is for' },
	days: { type: 'string', value: 'N', help: 'issue: how long it is good (default 90)' },
	host: { type: 'string', multiple: true, value: 'NAME', help: 'rotate tls: a further name or address' },
	json: { type: 'boolean', help: 'print one line of JSON' },
} as const satisfies Flags;

const help = `Makes, lists and takes back keys. A running agent takes changes over at once.

Usage: secure-code agent keys list
       secure-code agent keys add PROTOCOL [--principal NAME] [--roles A,B] [--capabilities A,B]
           [--kind token|ed25519] [--public-key FILE]
       secure-code agent keys rotate ID [--overlap HOURS]
       secure-code agent keys rotate tls [--host NAME]
       secure-code agent keys revoke ID
       secure-code agent keys issue ID --subject NAME [--days N]

PROTOCOL is one of ${faceNames.join(', ')}. Who approves jobs needs a key of the native protocol with the role approver;
the page of the agent and curl take a token.

Example:
  secure-code agent keys add native --principal alice --roles approver --kind token
`;

const usage = (details: string) => new KnownError('USAGE', { details });

function number(values: Values, flag: string, ifAbsent: number, most: number): number {
	const typed = text(values, flag);
	if (typed === undefined) return ifAbsent;
	if (!/^\d{1,6}(\.\d+)?$/.test(typed) || Number(typed) > most)
		throw usage(`--${flag} ${typed}: must be a number from 0 to ${most}`);
	return Number(typed);
}

function rolesFrom(values: Values): Role[] {
	const typed = list(text(values, 'roles') ?? 'executor');
	const known = typed.filter((name): name is Role => allRoles.some((role) => role === name));
	if (known.length < typed.length || known.length === 0)
		throw usage(`--roles ${text(values, 'roles')}: must be some of ${allRoles.join(',')}`);
	return known;
}

function faceFrom(typed: string | undefined): FaceName {
	const face = faceNames.find((name) => name === typed);
	if (!face) throw usage(`agent keys add: say one of ${faceNames.join(', ')}`);
	return face;
}

const kindsOf: Readonly<Partial<Record<FaceName, readonly KeyEntry['kind'][]>>> = {
	native: ['ed25519', 'token'],
	device: ['token', 'ed25519'],
};

function kindFrom(values: Values, face: FaceName): KeyEntry['kind'] {
	const typed = text(values, 'kind');
	const hasPublicKey = text(values, 'public-key') !== undefined;
	const usual = hasPublicKey ? 'ed25519' : kindOfFace[face];
	const kind = typed === undefined ? usual : [usual, ...(kindsOf[face] ?? [])].find((one) => one === typed);
	if (kind === undefined || (hasPublicKey && kind !== 'ed25519'))
		throw usage(`--kind ${typed}: must be one of ${(kindsOf[face] ?? [usual]).join(', ')}`);
	return kind;
}

function fileText(path: string): string {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		throw usage(`${path} cannot be read`);
	}
}

async function add(dir: string, typed: string | undefined, values: Values): Promise<MadeKey> {
	const face = faceFrom(typed);
	const [id, capabilities, publicFile] = ['id', 'capabilities', 'public-key'].map((flag) => text(values, flag));
	const made = await addKey(dir, {
		...{ id, face, roles: rolesFrom(values), principal: text(values, 'principal') },
		kind: kindFrom(values, face),
		...(capabilities !== undefined && { capabilities: list(capabilities) }),
		...(publicFile !== undefined && { publicKey: fileText(publicFile) }),
	});
	return made;
}

const nameOfSecret: Readonly<Record<KeyEntry['kind'], string>> = {
	token: 'token',
	'jwt-hs256': 'token',
	hmac: 'secret',
	ed25519: 'key',
};

function showMade({ entry, shown }: MadeKey, isJson: boolean): void {
	const name = nameOfSecret[entry.kind];
	const { id, face, principal } = entry;
	if (isJson)
		process.stdout.write(`${JSON.stringify({ id, face, principal, ...(shown !== null && { [name]: shown }) })}\n`);
	else if (shown === null) process.stdout.write(`${id}: the agent knows this public key now\n`);
	else process.stdout.write(`${id} (${face}, ${principal}), shown this one time:\n${shown.trimEnd()}\n`);
}

function stateOf({ isRevoked, notAfter }: KeyEntry): string {
	if (isRevoked) return 'revoked';
	if (notAfter === undefined) return 'good';
	return notAfter > Date.now() ? `good until ${new Date(notAfter).toISOString()}` : 'over';
}

function showAll(keys: readonly KeyEntry[], isJson: boolean): void {
	const shown = keys.map(({ id, face, kind, principal, roles, capabilities, ...rest }) => ({
		...{ id, face, kind, principal, roles, capabilities: capabilities ?? ['*'] },
		state: stateOf(rest as KeyEntry),
	}));
	const lines = shown.map(
		({ id, face, principal, roles, state }) => `${[id, face, principal, roles.join(','), state].join('  ')}\n`,
	);
	process.stdout.write(isJson ? `${JSON.stringify({ keys: shown })}\n` : lines.join(''));
}

const hourMs = 3_600_000;
const mostHours = 24 * 365;

async function rotate(dir: string, id: string, values: Values): Promise<void> {
	const isJson = values.json === true;
	if (id !== 'tls') {
		showMade(await rotateKey(dir, id, number(values, 'overlap', 24, mostHours) * hourMs), isJson);
		return tellAgent(dir);
	}
	const { ca, fingerprint } = await renewCertificate(dir, texts(values, 'host'));
	const words = `New certificate, SHA-256 fingerprint:\n  ${fingerprint}\nGive it (${dir}/tls/cert.pem) to the clients.\n`;
	process.stdout.write(isJson ? `${JSON.stringify({ ca, fingerprint })}\n` : words);
	return tellAgent(dir);
}

function needed(typed: string | undefined, words: string): string {
	if (typed === undefined) throw usage(`agent keys ${words}`);
	return typed;
}

export const agentKeys: Command = {
	flags,
	help,
	async act({ values, positionals }) {
		const [action, name, ...more] = positionals;
		if (more.length > 0) throw usage(`agent keys: "${more[0]}" is too many`);
		const dir = agentFolder(values);
		const isJson = values.json === true;
		if (action === 'list') showAll(listKeys(dir), isJson);
		else if (action === 'add') {
			showMade(await add(dir, name, values), isJson);
			await tellAgent(dir);
		} else if (action === 'rotate') await rotate(dir, needed(name, 'rotate: say the ID of a key, or tls'), values);
		else if (action === 'revoke') {
			const id = needed(name, 'revoke: say the ID of a key');
			revokeKey(dir, id);
			process.stdout.write(isJson ? `${JSON.stringify({ id, state: 'revoked' })}\n` : `${id} is revoked\n`);
			await tellAgent(dir);
		} else if (action === 'issue') {
			const id = needed(name, 'issue: say the ID of a key');
			const subject = needed(text(values, 'subject'), 'issue: say --subject NAME');
			const token = await issueJwt(dir, id, subject, number(values, 'days', 90, 3650));
			process.stdout.write(isJson ? `${JSON.stringify({ id, subject, token })}\n` : `${token}\n`);
		} else throw usage('agent keys: say list, add, rotate, revoke or issue');
		return 0;
	},
};
