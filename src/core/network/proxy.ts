/** A way to the outside that leads through a proxy of the operator (RFC 9110, CONNECT); the jail knows nothing of it. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Refusal } from './refusal.ts';

export interface HttpProxy {
	readonly host: string;
	readonly port: number;
	/** The proxy itself is spoken to over TLS. */
	readonly isSecure: boolean;
	/** Whole header, which may hold a password; null: none. */
	readonly authorization: string | null;
}

const answerMs = 15_000;
const mostHeadBytes = 16 * 1024;

/** Asks for a tunnel to a name, which the proxy looks up; what is reached is still only what the rules allow by name. */
export async function connectThrough(
	proxy: HttpProxy,
	target: { readonly name: string; readonly port: number },
	keep: (socket: Socket) => void,
): Promise<Socket> {
	const { host, port, isSecure } = proxy;
	const socket = isSecure
		? connectTls({ host, port, servername: host, timeout: answerMs })
		: connect({ host, port, timeout: answerMs, allowHalfOpen: true });
	keep(socket);
	await opened(socket, isSecure ? 'secureConnect' : 'connect');
	socket.write(requestFor(proxy, target));
	const status = await answerOf(socket);
	socket.setTimeout(0);
	if (status === 200) return socket;
	socket.destroy();
	throw new Refusal(status === 407 ? 'the proxy wants other credentials' : `the proxy answered with ${status}`);
}

function requestFor({ authorization }: HttpProxy, { name, port }: { name: string; port: number }): string {
	const proof = authorization === null ? '' : `proxy-authorization: ${authorization}\r\n`;
	return `CONNECT ${name}:${port} HTTP/1.1\r\nhost: ${name}:${port}\r\n${proof}\r\n`;
}

const gone = () => new Refusal('the proxy does not answer');

function opened(socket: Socket, event: string): Promise<void> {
	return new Promise((resolve, reject) => {
		socket.once(event, () => resolve());
		socket.once('timeout', () => socket.destroy());
		for (const end of ['error', 'close']) socket.once(end, () => reject(gone()));
	});
}

/** What comes behind the head is the other side's already, and is given back. */
function answerOf(socket: Socket): Promise<number> {
	return new Promise((resolve, reject) => {
		let held = Buffer.alloc(0);
		const done = (act: () => void) => {
			socket.off('data', hear).off('close', fail).off('end', fail);
			act();
		};
		const fail = () => done(() => reject(gone()));
		const hear = (chunk: Buffer) => {
			held = Buffer.concat([held, chunk]);
			const end = held.indexOf('\r\n\r\n');
			if (end < 0 && held.length <= mostHeadBytes) return;
			const status = Number(/^HTTP\/1\.[01] (\d{3})\b/.exec(held.subarray(0, 20).toString('latin1'))?.[1] ?? 0);
			done(() => {
				socket.pause();
				if (end >= 0 && held.length > end + 4) socket.unshift(held.subarray(end + 4));
				resolve(status);
			});
		};
		socket.on('data', hear).once('close', fail).once('end', fail);
	});
}
