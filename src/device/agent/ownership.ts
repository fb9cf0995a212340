/** Who could change or read a file of the agent: what others can write is no configuration, what they can read is no secret. */
import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';

/** foreign: of another user than this one and root. writable: by others. readable: by others. missing: it is not there. */
export type ExposureKind = 'missing' | 'foreign' | 'writable' | 'readable';

export interface Exposure {
	readonly path: string;
	readonly kind: ExposureKind;
	/** One sentence that names the path and what is wrong. */
	readonly detail: string;
	readonly fix: string;
}

type Owned = Pick<Stats, 'uid' | 'mode'> & { isSymbolicLink(): boolean };

/** What is wrong with one file or folder for a process of this user. */
export function exposureOf(path: string, found: Owned, uid: number): Exposure | undefined {
	if (found.isSymbolicLink())
		return { path, kind: 'foreign', detail: `${path} is a symbolic link`, fix: `put the file itself at ${path}` };
	if (found.uid !== 0 && found.uid !== uid)
		return {
			path,
			kind: 'foreign',
			detail: `${path} belongs to the user ${found.uid}`,
			fix: `chown ${uid} ${path}`,
		};
	if ((found.mode & 0o022) !== 0)
		return { path, kind: 'writable', detail: `${path} can be changed by other users`, fix: `chmod go-w ${path}` };
	if ((found.mode & 0o044) !== 0)
		return { path, kind: 'readable', detail: `${path} can be read by other users`, fix: `chmod go-r ${path}` };
	return undefined;
}

const processUid = (): number => process.geteuid?.() ?? 0;

export function look(path: string): Exposure | undefined {
	try {
		return exposureOf(path, lstatSync(path), processUid());
	} catch {
		return { path, kind: 'missing', detail: `${path} is not there`, fix: `restore ${path}` };
	}
}

/** A folder above: others may write into it only where they cannot rename what is not theirs (the sticky bit). */
function lookAbove(path: string): Exposure | undefined {
	const found = lstatSync(path);
	const isOpen = (found.mode & 0o002) !== 0 && (found.mode & 0o1000) === 0;
	const isForeign = found.uid !== 0 && found.uid !== processUid();
	if (isForeign) return exposureOf(path, found, processUid());
	return isOpen
		? { path, kind: 'writable', detail: `${path} can be changed by other users`, fix: `chmod o-w ${path}` }
		: undefined;
}

const above = (path: string): string[] => (dirname(path) === path ? [] : [dirname(path), ...above(dirname(path))]);

/** Of the folders that lead to a path. */
export const lookAtWay = (path: string): Exposure[] =>
	above(path)
		.map(lookAbove)
		.filter((exposure) => exposure !== undefined);
