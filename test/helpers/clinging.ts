/** Programs that do what they can to outlive their job, and a look at the host for what is left of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

let marks = 0;
/** A word that only the processes of one test carry in their command line. */
export const newMark = () => `secure-code-mark-${process.pid}-${++marks}`;

const commandLine = (pid: string): string => {
	try {
		return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
	} catch {
		return '';
	}
};

/** Processes of this host with the mark in their command line. */
export const alive = (mark: string): string[] =>
	readdirSync('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(commandLine)
		.filter((line) => line.includes(mark));

/** @returns whether it came to hold in time */
export async function until(holds: () => boolean, ms: number): Promise<boolean> {
	const since = performance.now();
	while (!holds()) {
		if (performance.now() - since > ms) return false;
		await sleep(20);
	}
	return true;
}

/** Ways of staying; each leaves a process whose command line holds the mark. */
const steps = {
	'ignoring TERM': { head: 'trap "" TERM HUP INT QUIT;', wrap: (command: string) => command },
	setsid: { head: '', wrap: (command: string) => `setsid ${command}` },
	nohup: { head: '', wrap: (command: string) => `nohup ${command}` },
	'forking twice': { head: '', wrap: (command: string) => command },
	'an empty environment': { head: '', wrap: (command: string) => `env -i PATH="$PATH" ${command}` },
} as const;

export type Way = keyof typeof steps;
const ways = Object.keys(steps) as Way[];

/** All sets of ways, the empty one included. */
export const combinations: readonly Way[][] = Array.from({ length: 2 ** ways.length }, (_, bits) =>
	ways.filter((_way, index) => (bits >> index) & 1),
);

export const nameOf = (set: readonly Way[]): string => (set.length === 0 ? 'a plain child' : set.join(' + '));

/** A script that starts a child in all the ways of a set and then waits for ever itself. */
export function clingingScript(set: readonly Way[], mark: string): string {
	const child = set.reduce<string>(
		(command, way) => steps[way].wrap(command),
		`bash -c 'trap "" TERM; while :; do sleep 1; done' ${mark}`,
	);
	const background = set.includes('forking twice')
		? `( ( ${child} > /dev/null 2>&1 & ) & ) &`
		: `${child} > /dev/null 2>&1 &`;
	const head = set.map((way) => steps[way].head).join(' ');
	return `${head}\n: ${mark}\n${background}\necho started\nwhile :; do sleep 1; done\n`;
}
