/**
 * Measures how long one small program takes, from the call to its result, inside this running process.
 * The rivals take turns in every round, so that a noisy machine is noisy for all of them; medians and ratios are printed.
 *
 *   npm run bench            30 rounds
 *   npm run bench -- 100     100 rounds
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type Rival, rivalsFor, type Scenario } from './rivals.ts';

const rounds = Number(process.argv[2] ?? 30);

/** What the project promises for a cold start, as a multiple of the bare interpreter. */
const goals = { python: 1.7, javascript: 1.4, bash: 6 } as const;

const programs: readonly Omit<Scenario, 'file'>[] = [
	{ language: 'python', code: 'print("hello")\n', prints: 'hello\n' },
	{ language: 'javascript', code: 'console.log("hello");\n', prints: 'hello\n' },
	{ language: 'bash', code: 'echo hello\n', prints: 'hello\n' },
];

const median = (values: readonly number[]): number =>
	[...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function time(rival: Rival): Promise<number> {
	const start = performance.now();
	await rival.once();
	return performance.now() - start;
}

async function takeTurns(rivals: readonly Rival[]): Promise<Map<string, number[]>> {
	const times = new Map<string, number[]>(rivals.map((rival) => [rival.name, []]));
	for (const rival of rivals) await rival.once();
	for (let round = 0; round < rounds; round++) {
		for (const rival of rivals) times.get(rival.name)?.push(await time(rival));
	}
	return times;
}

interface Row {
	readonly language: string;
	readonly name: string;
	readonly medianMs: number;
	readonly ratio: number;
	readonly times: readonly number[];
}

function rowsOf(language: string, times: Map<string, number[]>): Row[] {
	const bare = median(times.get('bare') ?? []);
	return [...times].map(([name, all]) => {
		const medianMs = median(all);
		return { language, name, medianMs, ratio: medianMs / bare, times: all };
	});
}

function print(rows: readonly Row[]): void {
	console.log('| language | started by | median ms | × bare |\n| --- | --- | ---: | ---: |');
	for (const { language, name, medianMs, ratio } of rows)
		console.log(`| ${language} | ${name} | ${medianMs.toFixed(1)} | ${ratio.toFixed(2)} |`);
	for (const [language, goal] of Object.entries(goals)) {
		const ratio = rows.find((row) => row.language === language && row.name === 'secure-code')?.ratio ?? Number.NaN;
		console.log(`${language}: ${ratio.toFixed(2)} × bare, goal ≤ ${goal}: ${ratio <= goal ? 'met' : 'MISSED'}`);
	}
}

const folder = await mkdtemp('/tmp/secure-code-bench-');
await chmod(folder, 0o755);
const rows: Row[] = [];
for (const program of programs) {
	const file = join(folder, `hello.${program.language}`);
	await writeFile(file, program.code, { mode: 0o644 });
	rows.push(...rowsOf(program.language, await takeTurns(await rivalsFor({ ...program, file }))));
}
await rm(folder, { recursive: true });
print(rows);

const date = new Date().toISOString();
const machine = { processors: cpus().length, model: cpus()[0]?.model, node: process.version };
await mkdir('bench/runs', { recursive: true });
await writeFile(
	`bench/runs/${date.slice(0, 19).replaceAll(':', '-')}.json`,
	`${JSON.stringify({ date, machine, rounds, rows })}\n`,
);
// Boxes keep nothing alive; control groups of this process are removed at its exit.
process.exit(0);
