/** Which files a program gets: those the author selects, those the model names, and small ones that the model writes itself. */
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { problemFor } from '../../src/contract/error.ts';
import type { JobFile, Problem } from '../../src/contract/job.ts';
import { fileNameFor } from '../../src/core/text.ts';
import type { NodeContext } from '../shared/context.ts';
import { type AvailableFile, availableFiles, describeFiles, isTooLarge, withinLimits } from '../shared/item-files.ts';
import type { FileSettings } from './file-settings.ts';

/** A file that comes with the call. */
export interface WrittenFile {
	readonly name: string;
	readonly base64: string;
}

export type FileChoice =
	| {
			readonly given: readonly AvailableFile[];
			readonly written: readonly WrittenFile[];
			/** What the program should have got and does not get, and why. */
			readonly leftOut?: Problem;
	  }
	| { readonly problem: Problem };

type Asked = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Asked =>
	typeof value === 'object' && value !== null && !Array.isArray(value);

const invalid = (details: string) => ({ problem: problemFor('JOB_INVALID', { details }) });

/** Undefined when the entry carries no content. */
function writtenBy(entry: Asked): Buffer | undefined {
	if (typeof entry.content === 'string') return Buffer.from(entry.content);
	return typeof entry.base64 === 'string' ? Buffer.from(entry.base64, 'base64') : undefined;
}

/** The forms of one entry: "sales.csv", { name }, and { name, content } or { name, base64 } for a file of the model's own. */
function readEntry(entry: unknown): { name: string; content: Buffer | undefined } | undefined {
	const asked: Asked = isObject(entry) ? entry : { name: entry };
	const content = writtenBy(asked);
	const path = typeof asked.name === 'string' ? asked.name : '';
	const name = fileNameFor(path);
	return name === '' ? undefined : { name, content };
}

export function chooseFiles(
	asked: readonly unknown[],
	available: readonly AvailableFile[],
	mode: FileSettings['mode'],
): FileChoice {
	const wanted = new Set(mode === 'always' ? available : []);
	const written = new Map<string, WrittenFile>();
	for (const entry of asked) {
		const read = readEntry(entry);
		if (!read) return invalid('each of "files" must be the name of a file, or an object with "name" and "content"');
		const file = available.find(({ name }) => name === read.name);
		if (read.content !== undefined)
			written.set(read.name, { name: read.name, base64: read.content.toString('base64') });
		else if (file === undefined || isTooLarge(file)) return unknownFile(read.name, available);
		else wanted.add(file);
	}
	const { given, leftOut } = withinLimits([...wanted].filter(({ name }) => !written.has(name)));
	const missing = leftOut === undefined ? {} : { leftOut: problemFor('FILES_NOT_GIVEN', { details: leftOut }) };
	return { given, written: [...written.values()], ...missing };
}

function unknownFile(name: string, available: readonly AvailableFile[]): FileChoice {
	const names = available.length === 0 ? 'there is none' : describeFiles(available);
	return { problem: problemFor('FILE_UNKNOWN', { name, names }) };
}

/** n8n keeps large files outside of the item, and small ones may be in it. */
async function store(context: NodeContext, { binary }: AvailableFile, path: string): Promise<void> {
	if (binary.id === undefined) await writeFile(path, Buffer.from(binary.data, 'base64'), { mode: 0o600 });
	else await pipeline(await context.helpers.getBinaryStream(binary.id), createWriteStream(path, { mode: 0o600 }));
}

/** Brings the chosen files to where the core takes them from. */
export async function layOutFiles(
	context: NodeContext,
	choice: Exclude<FileChoice, { problem: Problem }>,
	folder: string,
): Promise<JobFile[]> {
	if (choice.given.length > 0) await mkdir(folder, { mode: 0o700 });
	const files: JobFile[] = [...choice.written];
	for (const [index, file] of choice.given.entries()) {
		const path = join(folder, String(index));
		await store(context, file, path);
		files.push({ name: file.name, path });
	}
	return files;
}

/** @param spread names that a model's arguments may have; empty for a step */
export function filesFor(
	context: NodeContext,
	itemIndex: number,
	settings: FileSettings,
	spread: readonly string[],
): AvailableFile[] {
	if (settings.from === 'none') return [];
	const node = settings.from === 'item' ? undefined : settings.from.node;
	return availableFiles(context, itemIndex, { node, properties: settings.properties, spread });
}
