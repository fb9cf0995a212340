/** Hears what the first process of a jail says, line by line. */
import type { Duplex } from 'node:stream';
import { type InitMessage, parseInitMessage } from './control.ts';

/** @param hear is called with undefined for a line that the first process never says */
export function hearInit(control: Duplex, hear: (message: InitMessage | undefined) => void): void {
	control.setEncoding('utf8');
	control.on('error', () => {
		// The jail went away while we were writing; its end is reported by the process.
	});
	let rest = '';
	control.on('data', (text: string) => {
		const lines = (rest + text).split('\n');
		rest = lines.pop() ?? '';
		for (const line of lines) hear(parseInitMessage(line));
	});
}
