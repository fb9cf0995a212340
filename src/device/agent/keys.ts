/** Changes the keys of an agent on disk: its configuration, comments included, and the file of each key. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, parseDocument } from 'yaml';
import type { AgentConfig, KeyEntry } from '../../contract/agent-config.ts';
import { KnownError } from '../../contract/error.ts';
import { parseConfig, type ReadOptions, readConfig } from './config.ts';
import { materialOf } from './key-files.ts';
import { inside, layoutOf } from './layout.ts';
import { fileEndings, jwtFor, type NewKey, newKey } from './new-key.ts';
import { createOwned, writeOwned } from './owned-files.ts';

export interface KeyOrder extends Pick<KeyEntry, 'face' | 'kind' | 'roles' | 'capabilities'> {
	readonly id?: string | undefined;
	/** Absent: the id of the key. */
	readonly principal?: string | undefined;
	/** PEM of the public key of a client that made its pair itself. */
	readonly publicKey?: string | undefined;
}

export interface MadeKey {
	readonly entry: KeyEntry;
	/** Shown this one time; null when the client has the other half already. */
	readonly shown: string | null;
}

const notThere = (id: string) => new KnownError('CONFIG_INVALID', { details: `there is no key ${id}` });

/** Changes the configuration of a folder; what would not be valid is not written. */
function edit(dir: string, change: (document: Document) => void): void {
	const { config: path } = layoutOf(dir);
	const document = parseDocument(readFileSync(path, 'utf8'));
	change(document);
	const text = document.toString({ lineWidth: 120 });
	parseConfig(text);
	writeOwned(path, text, 0o600);
}

/** "controller-1" is followed by "controller-2", "laptop" by "laptop-2". */
function freeId(wanted: string, taken: readonly string[]): string {
	const [, stem = wanted, number] = /^(.*?)(?:-(\d+))?$/.exec(wanted) ?? [];
	for (let next = Number(number ?? 1); ; next++) {
		const id = `${stem}-${next}`.slice(-64);
		if (!taken.includes(id)) return id;
	}
}

export const listKeys = (dir: string, options: ReadOptions = {}): readonly KeyEntry[] =>
	readConfig(dir, options).config.keys;

export async function addKey(dir: string, order: KeyOrder): Promise<MadeKey> {
	const { config } = readConfig(dir);
	const ids = config.keys.map(({ id }) => id);
	const id = order.id ?? freeId(`${order.face}-1`, ids);
	if (ids.includes(id)) throw new KnownError('CONFIG_INVALID', { details: `there is a key ${id} already` });
	const { publicKey, face, kind, principal = id, roles, capabilities } = order;
	const file = `keys/${id}.${fileEndings[kind]}`;
	const grants = { roles, ...(capabilities && { capabilities }) };
	const entry: KeyEntry = { id, face, kind, principal, ...grants, file, isRevoked: false };
	const made = await materialFor(entry, publicKey);
	createOwned(join(dir, entry.file), `${made.kept}\n`, 0o600);
	edit(dir, (document) => write(document, config, entry));
	return { entry, shown: publicKey === undefined ? made.shown : null };
}

async function materialFor(entry: KeyEntry, publicKey: string | undefined): Promise<NewKey> {
	if (publicKey === undefined) return newKey(entry);
	materialOf(entry, publicKey);
	return { kept: publicKey.trim(), shown: '' };
}

function write(document: Document, config: AgentConfig, { isRevoked: _isRevoked, ...entry }: KeyEntry): void {
	if (!document.has('keys')) document.set('keys', document.createNode([]));
	document.addIn(['keys'], document.createNode(entry));
	const controllers = config.quickcmd.allowedControllers;
	if (entry.face !== 'quickcmd' || controllers.includes(entry.principal)) return;
	document.setIn(['quickcmd', 'allowedControllers'], document.createNode([...controllers, entry.principal]));
}

function indexOf({ keys }: AgentConfig, id: string): number {
	const index = keys.findIndex((entry) => entry.id === id);
	if (index === -1) throw notThere(id);
	return index;
}

/** A new key for the same principal; the old one stays good for a while. @param overlapMs 0: it ends now */
export async function rotateKey(dir: string, id: string, overlapMs: number, now = Date.now()): Promise<MadeKey> {
	const { config } = readConfig(dir);
	const old = config.keys[indexOf(config, id)];
	if (!old || old.isRevoked) throw notThere(id);
	const ids = config.keys.map((entry) => entry.id);
	const { face, kind, principal, roles, capabilities } = old;
	const order = { face, kind, principal, roles, ...(capabilities && { capabilities }) };
	const made = await addKey(dir, { ...order, id: freeId(id, ids) });
	const notAfter = Math.min(old.notAfter ?? Number.POSITIVE_INFINITY, now + overlapMs);
	edit(dir, (document) => document.setIn(['keys', indexOf(config, id), 'notAfter'], notAfter));
	return made;
}

/** The key is good for nothing from now on, and its secret is gone; its name stays, because the audit knows it. */
export function revokeKey(dir: string, id: string): void {
	const { config } = readConfig(dir);
	const index = indexOf(config, id);
	edit(dir, (document) => document.setIn(['keys', index, 'isRevoked'], true));
	rmSync(inside(dir, config.keys[index]?.file ?? ''), { force: true });
}

/** Another JWT of a key that signs JWTs. */
export async function issueJwt(dir: string, id: string, subject: string, days: number): Promise<string> {
	const { config } = readConfig(dir);
	const entry = config.keys[indexOf(config, id)];
	if (entry?.kind !== 'jwt-hs256' || entry.isRevoked)
		throw new KnownError('CONFIG_INVALID', { details: `the key ${id} does not sign JWTs` });
	const secret = readFileSync(inside(dir, entry.file), 'utf8').trim();
	return jwtFor(secret, { subject, permissions: [config.ogent.permission], days });
}
