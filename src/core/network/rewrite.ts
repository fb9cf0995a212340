/** Puts secrets into the requests to one host, and masks them in its answers. */
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { Mask } from '../secrets/redact.ts';
import type { Rewrite } from './http-relay.ts';
import type { Substitution } from './substitution.ts';

/** A server that compresses although it was asked not to. */
const decoders: Readonly<Record<string, () => Transform>> = {
	gzip: createGunzip,
	'x-gzip': createGunzip,
	deflate: createInflate,
	br: createBrotliDecompress,
};

const undecodable = (): Transform =>
	new Transform({ transform: (_chunk, _encoding, done) => done(new Error('the answer cannot be read')) });

function decoding({ headers }: IncomingMessage): Transform[] {
	const coding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
	if (coding === 'identity' || coding === '') return [];
	return [(decoders[coding] ?? undecodable)()];
}

function masking(mask: Mask): Transform[] {
	const stream = mask.stream();
	if (!stream) return [];
	return [
		new Transform({
			transform: (chunk: Buffer, _encoding, done) => done(null, stream.push(chunk)),
			flush: (done) => done(null, stream.end()),
		}),
	];
}

export const rewriteFor = (host: string, port: number, substitution: Substitution, mask: Mask): Rewrite => ({
	request: (text) => substitution.fill(host, port, text),
	// Node.js reads and writes headers as Latin-1.
	answer: (text) => Buffer.from(mask.text(Buffer.from(text, 'latin1').toString())).toString('latin1'),
	body: (answer) => [...decoding(answer), ...masking(mask)],
});
