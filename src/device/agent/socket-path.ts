/** The shorter of the two ways to a socket: the kernel takes no long ones. */
import { relative } from 'node:path';
import { KnownError } from '../../contract/error.ts';

const mostBytes = 107;

/** Throws CONFIG_INVALID when neither way is short enough. */
export function socketPath(path: string, cwd = process.cwd()): string {
	const near = relative(cwd, path);
	const shorter = Buffer.byteLength(near) < Buffer.byteLength(path) ? near : path;
	if (Buffer.byteLength(shorter) > mostBytes)
		throw new KnownError('CONFIG_INVALID', {
			details: `the way to ${path} is too long for a socket; use a shorter folder`,
		});
	return shorter;
}
