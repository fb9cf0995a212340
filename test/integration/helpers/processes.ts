/** Finds processes of the machine by a name that a test chose; processes in a jail show up here too. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

function commandOf(pid: string): string {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
	} catch {
		return '';
	}
}

/** The commands of all processes that are called `name`. */
export const processesCalled = (name: string): string[] =>
	readdirSync('/proc')
		.filter((entry) => /^\d+$/.test(entry))
		.map(commandOf)
		.filter((command) => command.startsWith(name));

export async function until(isTrue: () => boolean): Promise<void> {
	while (!isTrue()) await sleep(50);
}

/** A Bash program that leaves one process in its own session and stays in another, both with this name. */
export const programCalled = (name: string): string =>
	`(setsid bash -c 'exec -a ${name} sleep 601' &)\nexec -a ${name} sleep 600\n`;
