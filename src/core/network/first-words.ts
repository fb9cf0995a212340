/** Reads for whom a connection says it is: the name in a TLS greeting, or the Host of an HTTP request; nothing is consumed. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { getExtensionData, NonTlsError, readTlsClientHello } from 'read-tls-client-hello';

/** A request head or a greeting that is longer is nobody's. */
const mostBytes = 16_384;

export interface FirstWords {
	readonly kind: 'tls' | 'http' | 'other';
	/** Null: it does not say. */
	readonly host: string | null;
}

const requestLine = /^[A-Z]{3,16} \S+ HTTP\/1\.[01]\r?\n/;

/** Host may stand once; a second one, or an absolute address that says otherwise, is a trick. */
export function hostOfRequest(head: string): string | null | undefined {
	if (!requestLine.test(head)) return undefined;
	const hosts = [...head.matchAll(/\r?\n[Hh][Oo][Ss][Tt][ \t]*:[ \t]*([^\r\n]*?)[ \t]*(?=\r?\n)/g)].map(
		(match) => match[1] ?? '',
	);
	const absolute = /^[A-Z]+ https?:\/\/([^/\s?#]*)/i.exec(head)?.[1];
	const names = new Set([...hosts, ...(absolute === undefined ? [] : [absolute])].map((host) => host.toLowerCase()));
	if (names.size > 1 || hosts.length > 1) return '';
	const [name] = names;
	return name === undefined ? null : name.replace(/:\d+$/, '');
}

const isWhole = (text: string): boolean => /\r?\n\r?\n/.test(text);
const mayBeRequest = (text: string): boolean => /^[A-Z]{0,16}( |$)/.test(text.slice(0, 17));

/** Collects until the head is whole; what was read is put back. */
async function readHead(socket: Socket): Promise<string> {
	let read = Buffer.alloc(0);
	for (;;) {
		const chunk = socket.read() as Buffer | null;
		if (chunk) read = Buffer.concat([read, chunk]);
		const text = read.toString('latin1');
		if (socket.readableEnded || socket.destroyed) return text;
		if (read.length > 0 && (isWhole(text) || !mayBeRequest(text) || read.length > mostBytes)) {
			socket.unshift(read);
			return text;
		}
		await Promise.race([once(socket, 'readable'), once(socket, 'end'), once(socket, 'close')]);
	}
}

async function tlsName(socket: Socket): Promise<FirstWords | undefined> {
	try {
		const hello = await readTlsClientHello(socket);
		return { kind: 'tls', host: getExtensionData(hello, 'server_name')?.serverName ?? null };
	} catch (error) {
		if (error instanceof NonTlsError) return undefined;
		throw error;
	}
}

/** Waits for the first words of whoever connected; rejects when they make no sense. */
export async function readFirstWords(socket: Socket): Promise<FirstWords> {
	const tls = await tlsName(socket);
	if (tls) return tls;
	const host = hostOfRequest(await readHead(socket));
	return host === undefined ? { kind: 'other', host: null } : { kind: 'http', host };
}
