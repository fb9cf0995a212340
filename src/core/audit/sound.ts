/** What a value of the audit must be before it is read: SQL that judges it where it lies, and a comparison with its bytes. Pure. */
import { sealedFields } from './chain.ts';

/** UTF-8 of one column of a line, and of a detail; what was written is far below. */
export const longestColumn = 8 * 1024;
export const longestDetail = 4 * 1024 * 1024;
/** Of one output of a script in base64. */
export const longestEval = 16 * 1024 * 1024;

const numbers = new Set(['seq', 'exitCode', 'stdoutBytes', 'stderrBytes']);
const required = new Set(['seq', 'at', 'event', 'prev', 'seal']);
export const columns = [...sealedFields, 'seal'];

export const isInteger = (name: string): string =>
	`(typeof(${name}) = 'integer' AND ${name} BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER})`;
/** A NUL would hide what follows it. */
export const isText = (name: string, longest: number): string =>
	`(typeof(${name}) = 'text' AND octet_length(${name}) <= ${longest} AND instr(CAST(${name} AS BLOB), x'00') = 0)`;

/** Whether the value is what its column should hold; decided by SQLite, before anything is read into memory. */
export function isSound(name: string): string {
	const sound = numbers.has(name) ? isInteger(name) : isText(name, longestColumn);
	return required.has(name) ? sound : `(${name} IS NULL OR ${sound})`;
}

/** Bytes of all texts of a row as they lie in the file, to be compared with those of the texts that were read. */
export const textBytes = columns
	.filter((name) => !numbers.has(name))
	.map((name) => `coalesce(octet_length(${name}), 0)`)
	.join(' + ');

const texts = (record: Read): string[] =>
	Object.values(record).filter((value): value is string => typeof value === 'string');

const readBytes = (record: Read): number => texts(record).reduce((sum, text) => sum + Buffer.byteLength(text), 0);

/** Bytes that are no UTF-8 are read as U+FFFD, also where U+FFFD itself was written; only the bytes tell them apart. */
function hasReplacement(record: Read, bytesOf: (name: string) => Uint8Array): boolean {
	return Object.entries(record).some(
		([name, value]) =>
			typeof value === 'string' && value.includes('\ufffd') && !Buffer.from(value).equals(bytesOf(name)),
	);
}

type Read = Readonly<Record<string, unknown>>;

/**
 * Whether what was read of a row is what lies in the file.
 * @param bytes of all its texts, as SQLite counts them
 */
export const readsExactly = (record: Read, bytes: number, bytesOf: (name: string) => Uint8Array): boolean =>
	bytes === readBytes(record) && !hasReplacement(record, bytesOf);

/** Null for what is no text in UTF-8. */
export function exactText(bytes: unknown): string | null {
	if (!(bytes instanceof Uint8Array)) return null;
	const text = Buffer.from(bytes).toString();
	return Buffer.from(text).equals(bytes) ? text : null;
}
