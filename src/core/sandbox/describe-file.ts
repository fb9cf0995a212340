/** Says what a file is by looking into it: its media type, and the beginning of a text. */
import { open } from 'node:fs/promises';
import { fileTypeFromFile } from 'file-type';
import mime from 'mime';
import { fixedLimits } from '../../contract/limits.ts';
import { cleanText, cutMark } from '../text.ts';

export interface Described {
	/** Media type. */
	readonly type: string;
	/** The beginning of a text file, fit for a screen; null for anything else. */
	readonly preview: string | null;
}

const unknownType = 'application/octet-stream';

/** Types of which the bytes are text, so that the ending of the name may decide between them. */
const textType =
	/^text\/|[/+](json|xml|yaml|toml|sql|javascript|typescript|x-sh|x-ndjson|jsonl|rtf|graphql|x-tex|x-httpd-php|geo\+json)$/;

/** Tabs, line ends, form feeds and colours stand in texts; other control characters do not. */
const binaryCharacter = /[\u0000-\u0008\u000b\u000e-\u001a\u001c-\u001f]/;

/** Undefined when the bytes are no text; a character that is cut at the end does not count. */
function textIn(head: Buffer): string | undefined {
	try {
		const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(head, { stream: true });
		return binaryCharacter.test(text) ? undefined : text;
	} catch {
		return undefined;
	}
}

/** A name without an ending says nothing, even if it is one. */
const textTypeByName = (name: string): string | null => {
	const byName = /[^/]\.[^./]+$/.test(name) ? mime.getType(name) : null;
	return byName !== null && textType.test(byName) ? byName : null;
};

/** Tables for Excel are often written so. Any bytes could be; so only what is called a text, and has no control characters. */
function westernTextIn(head: Buffer, name: string): string | undefined {
	if (textTypeByName(name) === null) return undefined;
	const text = new TextDecoder('windows-1252').decode(head);
	return binaryCharacter.test(text) || /[\u0080-\u009f]/.test(text) ? undefined : text;
}

async function readHead(path: string): Promise<Buffer> {
	const file = await open(path, 'r');
	try {
		const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(fixedLimits.previewBytes), position: 0 });
		return buffer.subarray(0, bytesRead);
	} finally {
		await file.close();
	}
}

/**
 * What the bytes say counts for more than what the file is called.
 * @param name decides between kinds of text only
 */
export async function describeFile(path: string, name: string, bytes: number): Promise<Described> {
	const sniffed = await fileTypeFromFile(path).catch(() => undefined);
	if (sniffed && !textType.test(sniffed.mime)) return { type: sniffed.mime, preview: null };
	const head = await readHead(path);
	const text = textIn(head) ?? westernTextIn(head, name);
	if (text === undefined) return { type: unknownType, preview: null };
	const cut = bytes - head.length;
	const preview = cleanText(Buffer.from(text)) + (cut > 0 ? cutMark(cut) : '');
	return { type: textTypeByName(name) ?? 'text/plain', preview };
}
