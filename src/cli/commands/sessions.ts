/** secure-code sessions: what is kept from one call to the next, to be looked at and deleted. */
import { KnownError } from '../../contract/error.ts';
import {
	deleteSession,
	FolderStore,
	listSessions,
	localSessions,
	S3Store,
	type SessionEntry,
	type SessionStore,
} from '../../core/compose.ts';
import type { Command, Typed } from '../command.ts';
import { type Flags, text } from '../flags.ts';

const flags = {
	folder: { type: 'string', value: 'DIR', help: 'sessions of this folder (default: those of this machine)' },
	s3: { type: 'boolean', help: 'sessions of the bucket that the SECURE_CODE_S3_... variables name' },
	all: { type: 'boolean', help: 'with delete: every session' },
	expired: { type: 'boolean', help: 'with delete: those that have expired' },
	json: { type: 'boolean', help: 'print one line of JSON' },
} as const satisfies Flags;

const help = `Lists and deletes sessions: the files in /work, and the variables, that programs keep for the next call.

Usage: secure-code sessions list [--folder DIR | --s3] [--json]
       secure-code sessions delete ID... | --expired | --all

An id may be shortened. Whose a session is cannot be read from it: names are hashes, and the content is encrypted.

With --s3: SECURE_CODE_S3_ENDPOINT (with the bucket), SECURE_CODE_S3_ACCESS_KEY_ID, SECURE_CODE_S3_SECRET_ACCESS_KEY,
and, if they are not the usual ones, SECURE_CODE_S3_REGION and SECURE_CODE_S3_PREFIX.
`;

const usage = (details: string) => new KnownError('USAGE', { details });

function bucket(env: NodeJS.ProcessEnv): SessionStore {
	const need = (name: string): string => {
		const value = env[name];
		if (value === undefined || value === '') throw usage(`--s3: ${name} is not set`);
		return value;
	};
	return new S3Store({
		endpoint: need('SECURE_CODE_S3_ENDPOINT'),
		accessKeyId: need('SECURE_CODE_S3_ACCESS_KEY_ID'),
		secretAccessKey: need('SECURE_CODE_S3_SECRET_ACCESS_KEY'),
		region: env.SECURE_CODE_S3_REGION ?? 'auto',
		prefix: env.SECURE_CODE_S3_PREFIX ?? 'secure-code',
	});
}

function storeOf(typed: Typed): SessionStore {
	if (typed.values.s3 === true) return bucket(process.env);
	return new FolderStore(text(typed.values, 'folder') ?? localSessions());
}

const MiB = 1024 * 1024;

const describe = ({ id, label, bytes, used, expires, isExpired }: SessionEntry): string =>
	`${id}  ${(bytes / MiB).toFixed(1)} MB  used ${used}  ${isExpired ? 'expired' : 'expires'} ${expires}  ${label}`;

async function list(typed: Typed, store: SessionStore): Promise<void> {
	const found = await listSessions(store);
	if (typed.values.json === true) process.stdout.write(`${JSON.stringify(found)}\n`);
	else process.stdout.write(found.length === 0 ? 'no sessions\n' : `${found.map(describe).join('\n')}\n`);
}

function chosen(typed: Typed, ids: readonly string[], found: readonly SessionEntry[]): readonly SessionEntry[] {
	if (typed.values.all === true) return found;
	if (typed.values.expired === true) return found.filter(({ isExpired }) => isExpired);
	return ids.map((id) => {
		const matches = found.filter((entry) => entry.id.startsWith(id));
		if (matches[0] === undefined) throw usage(`there is no session ${id}`);
		if (matches.length > 1) throw usage(`${id} is the beginning of ${matches.length} sessions`);
		return matches[0];
	});
}

async function remove(typed: Typed, ids: readonly string[], store: SessionStore): Promise<void> {
	const isMany = typed.values.all === true || typed.values.expired === true;
	if (isMany === ids.length > 0) throw sayWhat;
	const deleted: string[] = [];
	for (const { namespace, id } of chosen(typed, ids, await listSessions(store))) {
		if (!(await deleteSession(store, { namespace, id }))) throw usage(`session ${id} is in use; try again`);
		deleted.push(id);
	}
	if (typed.values.json === true) process.stdout.write(`${JSON.stringify({ deleted })}\n`);
	else process.stdout.write(`${deleted.length} deleted\n`);
}

const sayWhat = usage('sessions: say list, or delete ID..., --expired or --all');

export const sessions: Command = {
	flags,
	help,
	async act(typed) {
		const [action, ...ids] = typed.positionals;
		if (action === 'list' && ids.length === 0) await list(typed, storeOf(typed));
		else if (action === 'delete') await remove(typed, ids, storeOf(typed));
		else throw sayWhat;
		return 0;
	},
};
