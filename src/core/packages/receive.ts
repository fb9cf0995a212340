/** Lays out the tree that a jail made of packages: ordinary files and folders only, readable by all, executable by none. */
import { createWriteStream } from 'node:fs';
import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import { KnownError } from '../../contract/error.ts';

/** More than any sensible bundle has. */
const mostFiles = 200_000;
const mostBytes = 4 * 1024 * 1024 * 1024;

const refuse = (details: string) => new KnownError('CONFIG_INVALID', { details: `the packages ${details}` });

/** Undefined for the folder itself. Nothing leads out of it, whatever the jail wrote. */
function pathOf(name: string): string | undefined {
	const parts = name.split('/').filter((part) => part !== '' && part !== '.');
	if (parts.some((part) => part === '..' || part.includes('\0')))
		throw refuse('have a name that leads out of their folder');
	return parts.length === 0 ? undefined : parts.join('/');
}

/** @param archive a tar stream of a folder; links in it are left out */
export async function receiveTree(archive: Readable, folder: string): Promise<void> {
	const reader = extract();
	archive.on('error', (error) => reader.destroy(error));
	archive.pipe(reader);
	let files = 0;
	let bytes = 0;
	for await (const entry of reader) {
		const { type, name, size = 0 } = entry.header;
		const path = pathOf(name);
		if (path !== undefined && (type === 'file' || type === 'directory')) {
			files++;
			bytes += size;
			if (files > mostFiles || bytes > mostBytes) throw refuse('are too large');
			const target = join(folder, path);
			await mkdir(type === 'file' ? dirname(target) : target, { recursive: true });
			if (type === 'file') await pipeline(entry, createWriteStream(target, { flags: 'wx', mode: 0o644 }));
			await chmod(target, type === 'file' ? 0o644 : 0o755);
		}
		entry.resume();
	}
}
