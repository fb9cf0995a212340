/** Users of the device: who a profile names, and how the user of a jail appears in it. */
import { KnownError } from '../../contract/error.ts';
import { runCommand } from '../host/process.ts';
import { readOptional } from '../host/read.ts';
import type { BoxFile, DeviceView } from '../sandbox/backend.ts';
import { deviceUser } from '../sandbox/image.ts';
import { onDevice } from './programs.ts';

export interface Account {
	readonly uid: number;
	readonly gid: number;
}

async function askId(flag: string, user: string): Promise<number | undefined> {
	const { exitCode, stdout } = await runCommand('/usr/bin/id', [flag, '--', user], { env: {}, timeoutMs: 10_000 });
	return exitCode === 0 && /^\d+\n?$/.test(stdout) ? Number(stdout) : undefined;
}

/** Users seldom change, and asking starts two processes. */
const keptMs = 60_000;
const kept = new Map<string, { readonly at: number; readonly account: Promise<Account | undefined> }>();

async function look(user: string): Promise<Account | undefined> {
	const [uid, gid] = await Promise.all([askId('-u', user), askId('-g', user)]);
	return uid === undefined || gid === undefined ? undefined : { uid, gid };
}

/** Asks the system, which may keep its users anywhere. @throws PROFILE_UNUSABLE when there is no such user */
export async function findAccount(profile: string, user: string): Promise<Account> {
	const known = kept.get(user);
	const fresh = known && performance.now() - known.at < keptMs ? known : { at: performance.now(), account: look(user) };
	kept.set(user, fresh);
	const account = await fresh.account;
	if (account) return account;
	kept.delete(user);
	throw new KnownError('PROFILE_UNUSABLE', { profile, details: `there is no user ${user}` });
}

/** Programs ask who they are; the files of the device, where they are shown, stay as they are but for one more line. */
function withLine(view: DeviceView, path: string, id: number, line: string, otherwise: string): BoxFile[] {
	const source = onDevice(view, path);
	const text = source === undefined ? otherwise : readOptional(source);
	if (text === undefined || text.split('\n').some((one) => one.split(':')[2] === String(id))) return [];
	return [{ path, content: `${text.trimEnd()}\n${line}\n` }];
}

export function accountFiles(view: DeviceView): BoxFile[] {
	const { uid, gid } = view.user ?? { uid: deviceUser.id, gid: deviceUser.id };
	const { name } = deviceUser;
	return [
		...withLine(view, '/etc/passwd', uid, `${name}:x:${uid}:${gid}::/work:/bin/sh`, 'root:x:0:0:root:/:/bin/false'),
		...withLine(view, '/etc/group', gid, `${name}:x:${gid}:`, 'root:x:0:'),
	];
}
