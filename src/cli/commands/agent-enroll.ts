/** secure-code agent enroll: on the device, a token for one key; on the machine of whoever holds it, the key itself. */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KnownError } from '../../contract/error.ts';
import { roles as allRoles, type Role } from '../../contract/principal.ts';
import { fingerprintOf } from '../../device/agent/certificate.ts';
import { readConfig } from '../../device/agent/config.ts';
import { invite } from '../../device/agent/enrolment.ts';
import { layoutOf } from '../../device/agent/layout.ts';
import { enrolledSchema } from '../../device/wire/native.ts';
import { decodeAnswer } from '../../device/wire/native-codec.ts';
import { nativePath } from '../../device/wire/native-routes.ts';
import { signingJwk } from '../../device/wire/native-sign.ts';
import { agentFolder, dirFlag } from '../agent-folder.ts';
import type { Command } from '../command.ts';
import { type Flags, list, text, type Values } from '../flags.ts';

const flags = {
	...dirFlag,
	principal: { type: 'string', value: 'NAME', help: 'create: who the key will stand for' },
	roles: { type: 'string', value: 'A,B', help: `create: some of ${allRoles.join(',')} (default executor)` },
	capabilities: { type: 'string', value: 'A,B', help: 'create: only these capabilities (default: all of the policy)' },
	minutes: { type: 'string', value: 'N', help: 'create: how long the token is good (default 10)' },
	token: { type: 'string', value: 'TOKEN', help: 'join: what "create" printed' },
	fingerprint: { type: 'string', value: 'SHA256', help: 'join: of the certificate of the device' },
	ca: { type: 'string', value: 'FILE', help: 'join: certificate of the device, in place of its fingerprint' },
	json: { type: 'boolean', help: 'print one line of JSON' },
} as const satisfies Flags;

const help = `Lets somebody register a key of his own, without a secret on the way.

Usage: secure-code agent enroll create --principal NAME [--roles A,B] [--minutes N]      on the device
       secure-code agent enroll join URL --token TOKEN --fingerprint SHA256 [--json]     on the other machine

"join" makes a key pair, sends the public half to the agent, and prints what the credential of Remote Shell takes. The token is good
once.
`;

const usage = (details: string) => new KnownError('USAGE', { details });

function rolesFrom(values: Values): Role[] {
	const typed = list(text(values, 'roles') ?? 'executor');
	const known = typed.filter((name): name is Role => allRoles.some((role) => role === name));
	if (known.length === 0 || known.length < typed.length) throw usage(`--roles: must be some of ${allRoles.join(',')}`);
	return known;
}

function minutesFrom(values: Values): number {
	const typed = text(values, 'minutes') ?? '10';
	if (!/^\d{1,4}$/.test(typed) || Number(typed) < 1 || Number(typed) > 1440)
		throw usage('--minutes: must be a number from 1 to 1440');
	return Number(typed);
}

function addressOf(dir: string): string {
	const { config } = readConfig(dir);
	const listener = config.listeners.find(({ faces }) => faces.includes('native'));
	if (!listener)
		throw new KnownError('CONFIG_INVALID', { details: 'no listener of this agent has the native protocol' });
	return `${listener.tls ? 'https' : 'http'}://${listener.host}:${listener.port}`;
}

function create(dir: string, values: Values): void {
	const principal = text(values, 'principal');
	if (principal === undefined)
		throw usage('agent enroll create: say --principal, the name that the key will stand for');
	const capabilities = text(values, 'capabilities');
	const minutes = minutesFrom(values);
	const token = invite(dir, {
		...{ principal, roles: rolesFrom(values), expiresAt: Date.now() + minutes * 60_000 },
		...(capabilities !== undefined && { capabilities: list(capabilities) }),
	});
	const url = addressOf(dir);
	const fingerprint = fingerprintOf(readFileSync(join(layoutOf(dir).tls, 'cert.pem'), 'utf8'));
	if (values.json === true) process.stdout.write(`${JSON.stringify({ url, token, fingerprint, minutes })}\n`);
	else
		process.stdout.write(
			`Good for ${minutes} minutes and one key. On the other machine (with the address by which it reaches this one):\n\n  secure-code agent enroll join ${url} --token ${token} --fingerprint ${fingerprint}\n`,
		);
}

async function joinAgent(url: string | undefined, values: Values): Promise<void> {
	const [token, fingerprint, caFile] = ['token', 'fingerprint', 'ca'].map((name) => text(values, name));
	if (url === undefined || token === undefined) throw usage('agent enroll join: say the URL of the agent and --token');
	const ca = caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
	const { publicKey, privateKey } = generateKeyPairSync('ed25519', {
		publicKeyEncoding: { type: 'spki', format: 'pem' },
		privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
	});
	// Loaded when it is needed: a running agent connects to nobody.
	const { DeviceHttp } = await import('../../device/client/http.ts');
	const http = new DeviceHttp({ url, ca, fingerprint });
	const { status, body } = await http
		.send({
			...{ method: 'POST', path: nativePath('enroll'), timeoutMs: 30_000 },
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ token, publicKey }),
		})
		.finally(() => http.close());
	if (status === 401)
		throw usage('the agent does not know this token: it was used, its time is over, or it is of another agent');
	const answer = decodeAnswer(enrolledSchema, body);
	if (status !== 200 || !answer.ok)
		throw new KnownError('AGENT_UNREACHABLE', { details: `it answered with ${status}` });
	const key = signingJwk(privateKey, answer.value.keyId);
	const printed = { url, key, ...(ca !== undefined && { ca }), ...(fingerprint !== undefined && { fingerprint }) };
	if (values.json === true) process.stdout.write(`${JSON.stringify(printed)}\n`);
	else
		process.stdout.write(
			`${answer.value.keyId} (${answer.value.principal}), shown this one time:\n${JSON.stringify(printed)}\n`,
		);
}

export const agentEnroll: Command = {
	flags,
	help,
	async act({ values, positionals: [action, url] }) {
		if (action === 'create') create(agentFolder(values), values);
		else if (action === 'join') await joinAgent(url, values);
		else throw usage('agent enroll: say create or join');
		return 0;
	},
};
