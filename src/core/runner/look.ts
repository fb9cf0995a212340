/** Looks at the files of the device: what a path of a profile is, where it leads, and who can get there. */
import { lstatSync, readdirSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type HostMount, readMounts } from '../host/mounts.ts';

export type PathKind = 'folder' | 'file' | 'link' | 'other';

/** What the building of a view asks about the device. */
export interface Device {
	readonly mounts: readonly HostMount[];
	/** Undefined when nothing is there. */
	realpath(path: string): string | undefined;
	/** Of the path itself, links not followed. */
	kindOf(path: string): PathKind | undefined;
	linkTarget(path: string): string | undefined;
	entries(folder: string): readonly string[];
	/** Whether the user that stands behind a job can get there and, if it is a file, read it. */
	canReach(path: string): boolean;
	isExecutable(path: string): boolean;
}

function attempt<T>(look: () => T): T | undefined {
	try {
		return look();
	} catch {
		return undefined;
	}
}

function kindOf(stats: Stats): PathKind {
	if (stats.isDirectory()) return 'folder';
	if (stats.isFile()) return 'file';
	return stats.isSymbolicLink() ? 'link' : 'other';
}

/** Who stands behind a job; null: a user whom no ownership and no group helps. */
export type Behind = { readonly uid: number; readonly gid: number } | null;

const enter = 0o1;
const read = 0o4;

function allows(path: string, behind: Behind, bit: number): boolean {
	const stats = attempt(() => statSync(path));
	if (!stats) return false;
	const shift = stats.uid === behind?.uid ? 6 : stats.gid === behind?.gid ? 3 : 0;
	return ((stats.mode >> shift) & bit) === bit;
}

function canReach(path: string, behind: Behind): boolean {
	const parent = dirname(path);
	if (parent !== path && !(allows(parent, behind, enter) && canReach(parent, behind))) return false;
	return attempt(() => statSync(path))?.isDirectory() === true || allows(path, behind, read);
}

export function lookAtDevice(behind: Behind): Device {
	return {
		mounts: readMounts(),
		realpath: (path) => attempt(() => realpathSync(path)),
		kindOf: (path) => attempt(() => kindOf(lstatSync(path))),
		linkTarget: (path) => attempt(() => readlinkSync(path)),
		entries: (folder) => attempt(() => readdirSync(folder)) ?? [],
		canReach: (path) => canReach(path, behind),
		isExecutable: (path) => allows(path, behind, enter),
	};
}
