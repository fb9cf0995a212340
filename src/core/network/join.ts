/** Joins two connections so that each end, each failure and each slow reader of one side is felt on the other. */
import type { Socket } from 'node:net';

/** Also of one that was closed before. */
export function afterClose(socket: Socket, act: () => void): void {
	if (socket.closed) act();
	else socket.once('close', act);
}

/** A side may end and still listen; what was sent before an orderly end arrives; a failure looks like one. */
function carry(from: Socket, to: Socket, count: (bytes: number) => void): void {
	from.on('data', (chunk: Buffer) => count(chunk.length));
	from.pipe(to);
	afterClose(from, () => {
		if (from.readableEnded) to.destroySoon();
		else to.resetAndDestroy();
	});
}

export function join(one: Socket, other: Socket, count: (bytes: number) => void): void {
	carry(one, other, count);
	carry(other, one, count);
}
