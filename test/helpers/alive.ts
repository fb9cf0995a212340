/** Looks for processes on this machine, whatever jail they are in. */
import { readdirSync, readFileSync } from 'node:fs';

/** Whether a process has these words in its command line. */
export const lives = (words: string): boolean =>
	readdirSync('/proc').some((name) => {
		try {
			return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(words);
		} catch {
			return false;
		}
	});
