/** What stands in the clear at the beginning of an encrypted session: when it was used, when it ends, whose it is. Pure. */
import { z } from 'zod';

const headerSchema = z.strictObject({
	/** Milliseconds since 1970. */
	created: z.number(),
	used: z.number(),
	expires: z.number(),
	/** Bytes of what is inside. */
	bytes: z.number(),
	/** For the person who lists sessions: a workflow and a node, or the command line. Never the key. */
	label: z.string().max(200),
	salt: z.string(),
});
export type SessionHeader = z.infer<typeof headerSchema>;

const magic = 'secure-code session 1\n';

export function writeHeader(header: SessionHeader): Buffer {
	return Buffer.from(`${magic}${JSON.stringify(header)}\n`);
}

/** @returns the header and how long it is; undefined when these bytes do not begin with one */
export function readHeader(bytes: Uint8Array): { header: SessionHeader; length: number } | undefined {
	const text = Buffer.from(bytes).toString('utf8');
	if (!text.startsWith(magic)) return undefined;
	const end = text.indexOf('\n', magic.length);
	if (end < 0) return undefined;
	try {
		const header = headerSchema.parse(JSON.parse(text.slice(magic.length, end)));
		return { header, length: Buffer.byteLength(text.slice(0, end + 1)) };
	} catch {
		return undefined;
	}
}
