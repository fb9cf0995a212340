/** Reads from a credential which devices there are and how each is reached. Pure: what is wrong is said by line, never by value. */

import type { FaceName } from '../../src/contract/device-job.ts';
import { KnownError } from '../../src/contract/error.ts';
import type { DeviceAccess } from '../../src/device/client/client.ts';

export type DeviceList = ReadonlyMap<string, DeviceAccess>;

type Fields = Readonly<Record<string, unknown>>;

const aliasPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const mostDevices = 1000;

const refuse = (details: string): KnownError => new KnownError('CONFIG_INVALID', { details });

const text = (fields: Fields, name: string): string | undefined => {
	const value = fields[name];
	if (typeof value === 'string') return value.trim() === '' ? undefined : value.trim();
	return typeof value === 'object' && value !== null ? JSON.stringify(value) : undefined;
};

/** What only this protocol needs, from the names of the credential, which are those that "agent init" prints. */
const proofs: Record<FaceName, (fields: Fields) => object> = {
	native: (fields) => ({ key: text(fields, 'key'), token: text(fields, 'token') }),
	agent3: (fields) => ({ token: text(fields, 'token') ?? '' }),
	ogent: (fields) => ({
		token: fields.proof === 'login' ? undefined : text(fields, 'token'),
		login:
			fields.proof === 'login'
				? {
						url: text(fields, 'loginUrl') ?? '',
						user: text(fields, 'user') ?? '',
						password: text(fields, 'password') ?? '',
					}
				: undefined,
		dialect: text(fields, 'dialect') ?? 'service',
		marksExit: fields.marksExit === true,
	}),
	quickcmd: (fields) => {
		const controllerId = text(fields, 'controllerId') ?? 'controller-1';
		return { secret: text(fields, 'secret') ?? '', controllerId, origin: text(fields, 'origin') ?? controllerId };
	},
	device: (fields) => ({ token: text(fields, 'token'), key: text(fields, 'key'), keyId: text(fields, 'keyId') }),
};

function accessOf(protocol: FaceName, fields: Fields): DeviceAccess {
	const trust = { url: text(fields, 'url') ?? '', ca: text(fields, 'ca'), fingerprint: text(fields, 'fingerprint') };
	return { protocol, ...trust, ...proofs[protocol](fields) } as DeviceAccess;
}

interface Line {
	readonly alias: string;
	readonly fields: Fields;
}

/** A URL keeps the proof and the certificate of the credential; an object brings its own. */
function readLine(line: string, number: number, shared: Fields): Line {
	const at = line.indexOf('=');
	const alias = line.slice(0, at).trim();
	const value = line.slice(at + 1).trim();
	const where = `line ${number} of "More Devices"`;
	if (at < 1 || !aliasPattern.test(alias)) throw refuse(`${where} does not begin with "name ="`);
	if (!value.startsWith('{')) return { alias, fields: { ...shared, url: value } };
	return { alias, fields: { ...ofProtocol(shared), ...readObject(value, where) } };
}

/** What says how to speak, not who we are. */
const ofProtocol = ({ proof, dialect, marksExit, controllerId, origin }: Fields): Fields => ({
	proof,
	dialect,
	marksExit,
	controllerId,
	origin,
});

function readObject(value: string, where: string): Fields {
	try {
		return JSON.parse(value) as Fields;
	} catch {
		throw refuse(`${where} is not valid JSON`);
	}
}

function linesOf(fields: Fields): Line[] {
	const { devices, ...shared } = fields;
	const lines = (typeof devices === 'string' ? devices : '').split('\n').map((line) => line.trim());
	const more = lines.flatMap((line, index) =>
		line === '' || line.startsWith('#') ? [] : [readLine(line, index + 1, shared)],
	);
	if (text(fields, 'url') === undefined) return more;
	const alias = text(fields, 'alias') ?? 'device';
	if (!aliasPattern.test(alias)) throw refuse('the name of the device may hold letters, digits, ".", "_" and "-"');
	return [{ alias, fields: shared }, ...more];
}

/** @param fields the credential as n8n decrypted it; throws CONFIG_INVALID */
export function readDeviceList(protocol: FaceName, fields: Fields): DeviceList {
	const lines = linesOf(fields);
	if (lines.length === 0) throw refuse('the credential has no device: give it a URL');
	if (lines.length > mostDevices) throw refuse(`the credential has more than ${mostDevices} devices`);
	const list = new Map<string, DeviceAccess>();
	for (const { alias, fields: own } of lines) {
		if (list.has(alias)) throw refuse(`the credential has two devices called ${alias}`);
		list.set(alias, accessOf(protocol, own));
	}
	return list;
}

/** The devices that a node may use: those of its own list, in that order; "*" stands for all of the credential. */
export function allowedDevices(all: DeviceList, allowed: readonly string[]): DeviceList {
	if (allowed.includes('*')) return all;
	const list = new Map<string, DeviceAccess>();
	for (const alias of allowed) {
		const access = all.get(alias);
		if (!access) throw refuse(`the credential has no device called ${alias}, which "Allowed Devices" names`);
		list.set(alias, access);
	}
	return list;
}
