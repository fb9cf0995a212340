/** Hears what a connection begins with: TLS and for which name, HTTP, something else, or nothing; nothing is consumed. */
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { getExtensionData, readTlsClientHello } from 'read-tls-client-hello';
import { Refusal } from './refusal.ts';

/** A greeting or a request line that is longer is nobody's. */
const mostBytes = 16_640;
/** How long whoever has begun to speak may take to say for whom it is. */
const wordsMs = 10_000;

export type FirstWords =
	/** Null: it does not name its host, or hides it. */
	| { readonly kind: 'tls'; readonly host: string | null }
	| { readonly kind: 'http' }
	| { readonly kind: 'other' }
	| { readonly kind: 'silence' };

const tlsHandshake = 0x16;
const recordHead = 5;
const encryptedHello = 0xfe0d;

const requestLine = /^[A-Z][A-Z-]{0,31} [^\s]+ HTTP\/1\.[01]\r?\n/;
const mayBeRequest = (text: string): boolean => /^[A-Z][A-Z-]{0,31}(?: |$)/.test(text);

/** Whether more words would change nothing. */
function isEnough(read: Buffer): boolean {
	if (read.length === 0) return false;
	if (read.length > mostBytes) return true;
	if (read[0] === tlsHandshake) return read.length >= recordHead && read.length >= recordHead + read.readUInt16BE(3);
	const text = read.toString('latin1');
	return text.includes('\n') || !mayBeRequest(text.slice(0, 33));
}

/** The greeting must be whole in its first record, as every client sends it; otherwise its name could hide in the next. */
async function nameIn(record: Buffer): Promise<string | null> {
	const hello = await readTlsClientHello(Readable.from([record], { objectMode: false })).catch(() => undefined);
	if (!hello || hello.extensions.some(({ id }) => id === encryptedHello)) return null;
	return getExtensionData(hello, 'server_name')?.serverName ?? null;
}

async function understand(read: Buffer): Promise<FirstWords> {
	if (read.length === 0) return { kind: 'silence' };
	if (read[0] === tlsHandshake) return { kind: 'tls', host: await nameIn(read) };
	return { kind: requestLine.test(read.toString('latin1')) ? 'http' : 'other' };
}

/** Reads until `isEnough`, or until nothing was said for `silentMs`, and puts everything back. */
function listen(socket: Socket, silentMs: number): Promise<Buffer> {
	return new Promise((resolve, reject) => {
		let read: Buffer = Buffer.alloc(0);
		const stop = () => {
			clearTimeout(timer);
			socket.off('readable', look).off('end', end).off('close', fail);
		};
		const giveUp = (error: Error) => {
			stop();
			reject(error);
		};
		const fail = () => giveUp(new Error('the connection ended before it said for whom it is'));
		const finish = () => {
			stop();
			if (read.length > 0) socket.unshift(read);
			resolve(read);
		};
		// Whoever ends without a word may still be waiting for the server's.
		const end = () => (read.length === 0 ? finish() : fail());
		const look = () => {
			const chunk = socket.read() as Buffer | null;
			if (chunk === null) return;
			if (read.length === 0) {
				clearTimeout(timer);
				timer = setTimeout(() => giveUp(new Refusal('it did not say in time for whom it is')), wordsMs);
			}
			read = Buffer.concat([read, chunk]);
			if (isEnough(read)) finish();
		};
		let timer = setTimeout(finish, silentMs);
		socket.on('readable', look).on('end', end).on('close', fail);
	});
}

/** @param silentMs how long to wait for the first byte; some clients wait for the server to speak first */
export async function readFirstWords(socket: Socket, silentMs: number): Promise<FirstWords> {
	return understand(await listen(socket, silentMs));
}
