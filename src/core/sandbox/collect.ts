/** Takes over the files of a dead program from an archive that was made inside its jail: nothing hostile is ever opened here. */
import { copyFile, mkdir, open, rm, stat } from 'node:fs/promises';
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

/** What hides secrets in names and contents; the stream is undefined when there is nothing to hide. */
export interface FileMask {
	text(text: string): string;
	stream(): { push(chunk: Buffer): Buffer; end(): Buffer } | undefined;
}

/** Where files go, and how they are called there. */
interface Destination {
	readonly folder: string;
	readonly mask: FileMask;
}

function nameFor(path: string, { mask }: Destination): string | undefined {
	const clean = cleanPath(path);
	return clean === undefined ? undefined : mask.text(clean);
}

async function* masked(content: AsyncIterable<Buffer>, mask: FileMask): AsyncGenerator<Buffer> {
	const stream = mask.stream();
	for await (const chunk of content) yield stream?.push(chunk) ?? chunk;
	if (stream) yield stream.end();
}

interface Content {
	readonly bytes: number;
	/** The entry itself, or the path of a file that was taken over under its first name. */
	readonly source: TarEntry | string;
}

/** Undefined for links to elsewhere, pipes, sockets and devices. */
function contentOf(entry: TarEntry, to: Destination, taken: readonly OutFile[]): Content | undefined {
	const { type, size, linkname } = entry.header;
	if (type === 'file') return { bytes: size ?? 0, source: entry };
	const first = type === 'link' ? taken.find(({ name }) => name === nameFor(linkname ?? '', to)) : undefined;
	return first?.path ? { bytes: first.bytes, source: first.path } : undefined;
}

/** The file is opened before the entry is read: a name that the host cannot have must not end the archive. */
async function store(source: Content['source'], path: string, mask: FileMask): Promise<void> {
	if (typeof source === 'string') return copyFile(source, path);
	const file = await open(path, 'w', 0o644);
	try {
		await file.writeFile(masked(source as AsyncIterable<Buffer>, mask));
	} catch (error) {
		await rm(path, { force: true });
		throw error;
	} finally {
		await file.close();
	}
}

async function keep({ source }: Content, { folder, mask }: Destination, name: string): Promise<OutFile> {
	const path = join(folder, name);
	await mkdir(dirname(path), { recursive: true });
	await store(source, path, mask);
	const bytes = (await stat(path)).size;
	return { name, type: mime.getType(name) ?? 'application/octet-stream', bytes, path };
}

const reasons = {
	type: 'an entry is not an ordinary file',
	depth: `a file lies deeper than ${fixedLimits.outDepth} folders`,
	count: `there are more than ${fixedLimits.outFiles} files`,
	size: 'the files are too large together',
	twice: 'two files have the same name',
	name: 'a file could not be stored under its name',
	cut: 'the list of files ended early',
};

function reasonToSkip(bytes: number, name: string, taken: readonly OutFile[]): string | undefined {
	const total = taken.reduce((sum, file) => sum + file.bytes, bytes);
	if (taken.length >= fixedLimits.outFiles) return reasons.count;
	if (total > fixedLimits.outBytes) return reasons.size;
	if (taken.some((file) => file.name === name)) return reasons.twice;
	return undefined;
}

/** @returns the file, or why it stays behind */
async function take(entry: TarEntry, to: Destination, taken: readonly OutFile[]): Promise<OutFile | string> {
	const content = contentOf(entry, to, taken);
	const name = nameFor(entry.header.name, to);
	if (!content) return reasons.type;
	if (name === undefined) return reasons.depth;
	const reason = reasonToSkip(content.bytes, name, taken);
	return reason ?? keep(content, to, name).catch(() => (entry.destroyed ? reasons.cut : reasons.name));
}

/** @param archive a tar stream; read to its end, or until as much was left behind as may be taken */
export async function collect(archive: Readable, folder: string, mask: FileMask): Promise<Collected> {
	const files: OutFile[] = [];
	const missing = new Set<string>();
	let left = 0;
	const reader = extract();
	archive.on('error', (error) => reader.destroy(error));
	archive.pipe(reader);
	try {
		for await (const entry of reader) {
			const file = await take(entry, { folder, mask }, files);
			if (typeof file !== 'string') files.push(file);
			else {
				missing.add(file);
				left += entry.header.size ?? 0;
			}
			if (left > fixedLimits.outBytes) break;
			entry.resume();
		}
	} catch {
		missing.add(reasons.cut);
	}
	archive.destroy();
	return { files, missing: [...missing] };
}
