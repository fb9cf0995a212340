/** Joins two connections so that each end, each failure and each slow reader of one side is felt on the other. */
import type { Socket } from 'node:net';

/** A side may end and still listen; what was sent before an orderly end arrives; a failure looks like one. */
function carry(from: Socket, to: Socket, count: (bytes: number) => void): void {
	from.on('data', (chunk: Buffer) => count(chunk.length));
	from.pipe(to);
	from.on('close', () => {
		if (from.readableEnded) to.destroySoon();
		else to.resetAndDestroy();
	});
}

export function join(one: Socket, other: Socket, count: (bytes: number) => void): void {
	carry(one, other, count);
	carry(other, one, count);
}
