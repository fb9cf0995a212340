/** The file of the socket: made where nobody else can put one, and open to our group alone. */
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { KnownError } from '../../../contract/error.ts';

const invalid = (details: string) => new KnownError('CONFIG_INVALID', { details });

/** Owner and group: whoever may write to a socket may connect to it. */
const ownerAndGroup = 0o660;

/** Trust lies in the folder: where others can make or replace files, a socket could be anybody's. */
export function refuseOpenFolder(path: string): void {
	const folder = dirname(path);
	const stats = lstatSync(folder, { throwIfNoEntry: false });
	if (!stats?.isDirectory()) throw invalid(`${folder} is no folder`);
	const uid = process.geteuid?.() ?? 0;
	if (stats.uid !== uid && stats.uid !== 0) throw invalid(`${folder} belongs to the user ${stats.uid}`);
	if ((stats.mode & 0o022) !== 0) throw invalid(`${folder} can be changed by others; chmod go-w ${folder}`);
}

const isAnswered = (path: string): Promise<boolean> =>
	new Promise((resolve) => {
		const socket = connect(path);
		const end = (answer: boolean) => {
			socket.destroy();
			resolve(answer);
		};
		socket.once('connect', () => end(true));
		socket.once('error', () => end(false));
	});

/** A socket that nobody answers was left by a process that was killed. */
async function removeStale(path: string): Promise<void> {
	const stats = lstatSync(path, { throwIfNoEntry: false });
	if (!stats) return;
	if (!stats.isSocket()) throw invalid(`${path} is no socket`);
	if (await isAnswered(path)) throw invalid(`another exec side listens on ${path}`);
	rmSync(path);
}

/** Listens, and is open to the group from the first moment on at which anybody could know of it. */
export async function claimSocket(server: Server, path: string): Promise<void> {
	refuseOpenFolder(path);
	await removeStale(path);
	const before = process.umask(0o177);
	try {
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen(path, resolve);
		});
	} finally {
		process.umask(before);
	}
	chmodSync(path, ownerAndGroup);
}
