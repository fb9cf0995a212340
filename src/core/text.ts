/** Makes the bytes a program printed fit for a model and for a screen: valid text, no control sequences, cut in the middle. */
import { stripVTControlCharacters } from 'node:util';

/** Operating system commands and other string sequences, also when their end is missing. */
const stringSequence =
	/(?:\u001b[\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u001b\u009c\n]*(?:\u0007|\u001b\\|\u009c)?/g;
const controlCharacter = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Decodes UTF-8 (bad bytes become U+FFFD), drops terminal sequences and control characters, ends lines with \n. */
export function cleanText(bytes: Uint8Array): string {
	const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
	if (!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)) return text;
	return stripVTControlCharacters(text.replace(stringSequence, ''))
		.replace(/\r\n?/g, '\n')
		.replace(controlCharacter, '');
}

/** Characters that show a name other than it is: directions of writing, and such as cannot be seen. */
const deceiving = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A name or a path as it may be shown. */
export const cleanName = (name: string): string => cleanText(Buffer.from(name)).replace(deceiving, '');

/** The most bytes that a name of a file may have. */
const nameBytes = 255;

/** What is left of a name when it is to be one file in one folder: its last part, on one line, not too long; '' for nothing. */
export function fileNameFor(name: string): string {
	const last =
		cleanName(name)
			.replaceAll(/[\n\t]+/g, ' ')
			.split(/[/\\]/)
			.at(-1)
			?.trim() ?? '';
	if (last === '.' || last === '..') return '';
	const bytes = Buffer.from(last);
	if (bytes.length <= nameBytes) return last;
	const ending = Buffer.from(/\.[^.]{1,12}$/.exec(last)?.[0] ?? '');
	return Buffer.concat([head(bytes, nameBytes - ending.length), ending]).toString();
}

/**
 * A path that is not taken yet: "a.csv" for the second time is "a (2).csv", in the same folder and no longer than a name may be.
 * @param first number to try, by who knows that smaller ones are taken
 */
export function unlike(path: string, isTaken: (path: string) => boolean, first = 2): string {
	const [, folder = '', stem = '', ending = ''] = /^(.*\/)?(.+?)(\.[^./]{1,12})?$/s.exec(path) ?? [];
	for (let number = first; ; number++) {
		const tail = ` (${number})${ending}`;
		const bytes = Buffer.from(stem);
		const room = Math.min(bytes.length, nameBytes - Buffer.byteLength(tail));
		const other = `${folder}${head(bytes, room)}${tail}`;
		if (!isTaken(other)) return other;
	}
}

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;

/** The longest start of `bytes` that is at most `size` long and does not end inside a character. */
function head(bytes: Buffer, size: number): Buffer {
	let end = size;
	while (end > 0 && isContinuation(bytes[end])) end--;
	return bytes.subarray(0, end);
}

/** The longest end of `bytes` that is at most `size` long and does not begin inside a character. */
function tail(bytes: Buffer, size: number): Buffer {
	let start = bytes.length - size;
	while (start < bytes.length && isContinuation(bytes[start])) start++;
	return bytes.subarray(start);
}

export const cutMark = (bytes: number): string => `\n[… ${bytes} bytes cut …]\n`;

export interface CutText {
	readonly text: string;
	readonly truncated: boolean;
}

/** Keeps head and tail of a long text, `maxBytes` of UTF-8 together (the mark in the middle comes on top). */
export function cutMiddle(text: string, maxBytes: number): CutText {
	const bytes = Buffer.from(text);
	if (bytes.length <= maxBytes) return { text, truncated: false };
	const first = head(bytes, Math.ceil(maxBytes / 2));
	const last = tail(bytes, Math.floor(maxBytes / 2));
	const cut = bytes.length - first.length - last.length;
	return { text: first.toString() + cutMark(cut) + last.toString(), truncated: true };
}
