/** Takes over the files of a dead program from an archive that was made inside its jail: nothing hostile is ever opened here. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import mime from 'mime';
import { type Extract, extract } from 'tar-stream';
import type { OutFile } from '../../contract/job.ts';
import { fixedLimits } from '../../contract/limits.ts';
import { cleanText } from '../text.ts';

type TarEntry = Extract extends AsyncIterable<infer Entry> ? Entry : never;

export interface Collected {
	readonly files: OutFile[];
	/** Why something was left behind; empty when everything came along. */
	readonly missing: string[];
}

/** A path below the folder, of clean names; undefined when there is none or it lies too deep. */
export function cleanPath(name: string): string | undefined {
	const parts = cleanText(Buffer.from(name))
		.split('/')
		.filter((part) => part !== '' && part !== '.' && part !== '..')
		.slice(1);
	return parts.length === 0 || parts.length > fixedLimits.outDepth ? undefined : parts.join('/');
}

async function keep(entry: TarEntry, folder: string, name: string): Promise<OutFile> {
	const path = join(folder, name);
	await mkdir(dirname(path), { recursive: true });
	await writeFile(path, entry as AsyncIterable<Buffer>, { mode: 0o644 }).catch(async (error: unknown) => {
		await rm(path, { force: true });
		throw error;
	});
	const type = mime.getType(name) ?? 'application/octet-stream';
	return { name, type, bytes: entry.header.size ?? 0, path };
}

function reasonToSkip(entry: TarEntry, name: string | undefined, taken: OutFile[], bytes: number): string | undefined {
	if (entry.header.type !== 'file') return 'an entry is not an ordinary file';
	if (name === undefined) return `a file lies deeper than ${fixedLimits.outDepth} folders`;
	if (taken.length >= fixedLimits.outFiles) return `there are more than ${fixedLimits.outFiles} files`;
	if (bytes + (entry.header.size ?? 0) > fixedLimits.outBytes) return 'the files are too large together';
	if (taken.some((file) => file.name === name)) return 'two files have the same name';
	return undefined;
}

/** @param archive a tar stream; it is always read to its end */
export async function collect(archive: Readable, folder: string): Promise<Collected> {
	const files: OutFile[] = [];
	const missing = new Set<string>();
	let bytes = 0;
	const reader = extract();
	archive.on('error', (error) => reader.destroy(error));
	archive.pipe(reader);
	try {
		for await (const entry of reader) {
			const name = cleanPath(entry.header.name);
			const reason = reasonToSkip(entry, name, files, bytes);
			if (reason || name === undefined) {
				if (reason) missing.add(reason);
				entry.resume();
				continue;
			}
			bytes += entry.header.size ?? 0;
			files.push(await keep(entry, folder, name));
		}
	} catch {
		missing.add('the list of files ended early');
		archive.resume();
	}
	return { files, missing: [...missing] };
}
