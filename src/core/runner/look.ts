/** Looks at the files of the device: what a path of a profile is, where it leads, and who can get there. */
import {
	accessSync,
	constants,
	lstatSync,
	readdirSync,
	readlinkSync,
	realpathSync,
	type Stats,
	statSync,
} from 'node:fs';
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

const allows = (path: string, bits: number): boolean => ((attempt(() => statSync(path))?.mode ?? 0) & bits) === bits;

const enter = 0o001;
const read = 0o004;

/** A user whom no group and no ownership helps. */
function canAnyoneReach(path: string): boolean {
	const parent = dirname(path);
	if (parent !== path && !(allows(parent, enter) && canAnyoneReach(parent))) return false;
	return attempt(() => statSync(path))?.isDirectory() === true || allows(path, read);
}

function canWeReach(path: string): boolean {
	const isFolder = attempt(() => statSync(path))?.isDirectory() === true;
	const test = () => accessSync(isFolder ? dirname(path) : path, isFolder ? constants.X_OK : constants.R_OK);
	return attempt(() => test() ?? true) === true;
}

/** @param isOwnUser whether our own user stands behind jobs */
export function lookAtDevice(isOwnUser: boolean): Device {
	return {
		mounts: readMounts(),
		realpath: (path) => attempt(() => realpathSync(path)),
		kindOf: (path) => attempt(() => kindOf(lstatSync(path))),
		linkTarget: (path) => attempt(() => readlinkSync(path)),
		entries: (folder) => attempt(() => readdirSync(folder)) ?? [],
		canReach: isOwnUser ? canWeReach : canAnyoneReach,
		isExecutable: (path) =>
			isOwnUser ? attempt(() => accessSync(path, constants.X_OK) ?? true) === true : allows(path, 0o001),
	};
}
