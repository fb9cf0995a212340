/** Takes over the files of a dead program from an archive that was made inside its jail: nothing hostile is ever opened here. */
import { copyFile, mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Extract, extract } from 'tar-stream';
import type { OutFile } from '../../contract/job.ts';
import { fixedLimits } from '../../contract/limits.ts';
import { cleanName, unlike } from '../text.ts';
import { ByteReader } from './byte-reader.ts';
import { type LeaveReason, mostElsewhere, mostNamed, reasonsToLeave } from './collector.ts';
import { describeFile } from './describe-file.ts';

type TarEntry = Extract extends AsyncIterable<infer Entry> ? Entry : never;

export interface LeftBehind {
	readonly name: string;
	readonly reason: string;
}

export interface Collected {
	readonly files: OutFile[];
	/** What was left behind, and why; empty when everything came along. */
	readonly missing: readonly LeftBehind[];
	/** How many more were left behind, of which no names are known. */
	readonly more: number;
	/** Files that it wrote in other places. */
	readonly elsewhere: readonly string[];
}

/** A name with line breaks would be two in a link, a header or a list. */
const oneLine = (name: string): string => name.replaceAll(/[\n\t]+/g, ' ');

/** A path below the folder, of clean names; undefined when there is none or it lies too deep. */
export function cleanPath(name: string): string | undefined {
	const parts = oneLine(cleanName(name))
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

/** A file that was taken over, and how the archive calls it. */
interface Taken {
	readonly raw: string;
	readonly file: OutFile;
}

/** Undefined for links to elsewhere, pipes, sockets and devices, and where two files could be meant by a link. */
function contentOf(entry: TarEntry, taken: readonly Taken[]): Content | undefined {
	const { type, size, linkname } = entry.header;
	if (type === 'file') return { bytes: size ?? 0, source: entry };
	const [first, other] = type === 'link' ? taken.filter(({ raw }) => raw === linkname) : [];
	return first?.file.path && !other ? { bytes: first.file.bytes, source: first.file.path } : undefined;
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
	return { name, ...(await describeFile(path, name, bytes)), bytes, path };
}

const reasons = {
	...reasonsToLeave,
	name: 'it cannot be stored under this name',
	cut: 'the list of files ended early',
};

const brokenOff: Collected = { files: [], missing: [{ name: '', reason: reasons.cut }], more: 0, elsewhere: [] };

function reasonToSkip(bytes: number, taken: readonly Taken[]): string | undefined {
	const total = taken.reduce((sum, { file }) => sum + file.bytes, bytes);
	if (taken.length >= fixedLimits.outFiles) return reasons.count;
	if (total > fixedLimits.outBytes) return reasons.total;
	return undefined;
}

/** Names that differ in what is cleaned away, or masked, are told apart by a number. */
function freeName(name: string, taken: readonly Taken[]): string {
	const isTaken = (path: string) => taken.some(({ file }) => file.name === path);
	return isTaken(name) ? unlike(name, isTaken) : name;
}

/** @returns the file, or why it stays behind */
async function take(entry: TarEntry, to: Destination, taken: readonly Taken[]): Promise<OutFile | string> {
	const content = contentOf(entry, taken);
	const clean = nameFor(entry.header.name, to);
	if (!content) return reasons.kind;
	if (clean === undefined) return reasons.depth;
	const name = freeName(clean, taken);
	const reason = reasonToSkip(content.bytes, taken);
	return reason ?? keep(content, to, name).catch(() => (entry.destroyed ? reasons.cut : reasons.name));
}

/** Longer than any path. */
const wordBytes = 8_192;

const isReason = (word: string): word is LeaveReason => Object.hasOwn(reasonsToLeave, word);

/** @param bytes of the archive; undefined when it reaches to the end */
type Left = Pick<Collected, 'missing' | 'more' | 'elsewhere'> & { readonly bytes: number | undefined };

/** Undefined when it is not what the collector writes. */
async function readLeft(reader: ByteReader, mask: FileMask): Promise<Left | undefined> {
	const line = (await reader.until(0x0a, 60))?.toString() ?? '';
	const [, count = Number.NaN, more = 0, bytes = 0] =
		/^(\d{1,9}) (\d{1,9}) (\d{1,12}|-)$/.exec(line)?.map(Number) ?? [];
	if (!(count <= mostNamed)) return undefined;
	const missing: LeftBehind[] = [];
	const elsewhere: string[] = [];
	while (missing.length + elsewhere.length < count) {
		const word = (await reader.until(0, wordBytes))?.toString() ?? '';
		const [, reason = '', found = ''] = /^([a-z]+)\/(.*)$/s.exec(word) ?? [];
		if (!isReason(reason)) return undefined;
		const name = mask.text(oneLine(cleanName(found)));
		if (reason === 'place') elsewhere.push(name);
		else missing.push({ name, reason: reasonsToLeave[reason] });
	}
	return { missing, elsewhere, more, bytes: Number.isNaN(bytes) ? undefined : bytes };
}

/** @param archive a tar stream; read to its end, or until as much was left behind as may be taken */
async function readArchive(archive: Readable, to: Destination): Promise<{ files: OutFile[]; missing: LeftBehind[] }> {
	const taken: Taken[] = [];
	const missing: LeftBehind[] = [];
	let left = 0;
	const reader = extract();
	archive.on('error', (error) => reader.destroy(error));
	archive.pipe(reader);
	try {
		for await (const entry of reader) {
			const file = await take(entry, to, taken);
			if (typeof file !== 'string') taken.push({ raw: entry.header.name, file });
			else {
				missing.push({ name: to.mask.text(oneLine(cleanName(entry.header.name.replace(/^out\//, '')))), reason: file });
				left += entry.header.size ?? 0;
			}
			if (left > fixedLimits.outBytes) break;
			entry.resume();
		}
	} catch {
		if (missing.at(-1)?.reason !== reasons.cut) missing.push({ name: '', reason: reasons.cut });
	}
	return { files: taken.map(({ file }) => file), missing };
}

const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
	one.name < other.name ? -1 : Number(one.name > other.name);

const mostShown = 10;

/** In words for a model: what stays behind, by name. */
export function describeMissing({ missing, more }: Pick<Collected, 'missing' | 'more'>): string {
	const named = missing.slice(0, mostShown).map(({ name, reason }) => (name === '' ? reason : `${name} (${reason})`));
	const others = missing.length - named.length + more;
	return named.join(', ') + (others > 0 ? ` and ${others} more` : '');
}

/** In words for a model: what it wrote in other places. */
export function describeElsewhere({ elsewhere }: Pick<Collected, 'elsewhere'>): string {
	const isMore = elsewhere.length > mostElsewhere;
	return elsewhere.slice(0, mostElsewhere).join(', ') + (isMore ? ' and more' : '');
}

/** Takes what comes behind the files. */
export type OnRest = (rest: Readable) => Promise<void>;

async function collectFrom(reader: ByteReader, to: Destination, onRest: OnRest | undefined): Promise<Collected> {
	if (await reader.isOver()) return { files: [], missing: [], more: 0, elsewhere: [] };
	const left = await readLeft(reader, to.mask);
	if (left === undefined) return brokenOff;
	const archive = left.bytes === undefined ? reader.rest() : reader.take(left.bytes);
	const { files, missing } = left.bytes === 0 ? { files: [], missing: [] } : await readArchive(archive, to);
	if (onRest && left.bytes !== undefined) {
		// What was not read of the files lies before the rest.
		await finished(archive.resume());
		await onRest(reader.rest());
	}
	return {
		files: files.sort(byName),
		missing: [...left.missing, ...missing].sort(byName),
		more: left.more,
		elsewhere: left.elsewhere,
	};
}

/**
 * @param stream what a collector writes (collector.ts); empty when the program left nothing
 * @param onRest receives the archive of the session, if the collector was asked for one
 */
export async function collect(stream: Readable, folder: string, mask: FileMask, onRest?: OnRest): Promise<Collected> {
	try {
		return await collectFrom(new ByteReader(stream), { folder, mask }, onRest);
	} catch {
		return brokenOff;
	} finally {
		stream.destroy();
	}
}
