/** The key that sessions are encrypted with where n8n does not give one: a file of the data folder that only its owner reads. */
import { createHmac, randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KnownError } from '../../contract/error.ts';
import type { SessionPlace } from './store.ts';

const keyBytes = 32;

function readKey(path: string): Buffer | undefined {
	const found = statSync(path, { throwIfNoEntry: false });
	if (!found) return undefined;
	const text = readFileSync(path, 'utf8').trim();
	const isPrivate = (found.mode & 0o077) === 0;
	if (isPrivate && new RegExp(`^[0-9a-f]{${2 * keyBytes}}$`).test(text)) return Buffer.from(text, 'hex');
	const details = isPrivate
		? 'the key of the sessions is damaged'
		: 'others can read the key of the sessions; chmod it to 600';
	throw new KnownError('CONFIG_INVALID', { details: `${path}: ${details}` });
}

/** Made with the first session; of two who make it at once, both use the first one. */
export function keyFile(home: string): Buffer {
	const path = join(home, 'session.key');
	const found = readKey(path);
	if (found) return found;
	mkdirSync(dirname(path), { recursive: true });
	const draft = `${path}.${randomBytes(6).toString('hex')}`;
	writeFileSync(draft, `${randomBytes(keyBytes).toString('hex')}\n`, { mode: 0o600 });
	chmodSync(draft, 0o600);
	try {
		linkSync(draft, path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
	} finally {
		rmSync(draft, { force: true });
	}
	return readKey(path) ?? keyFile(home);
}

const digest = (master: Uint8Array, parts: readonly string[]): string =>
	createHmac('sha256', master).update(JSON.stringify(parts)).digest('hex').slice(0, 32);

/**
 * Whoever sees the names of sessions learns no key and can guess none.
 * @param owner what may not share sessions with others, such as a workflow and a node
 */
export const placeOf = (master: Uint8Array, owner: readonly string[], key: string): SessionPlace => ({
	namespace: digest(master, ['namespace', ...owner]),
	id: digest(master, ['session', ...owner, key]),
});
