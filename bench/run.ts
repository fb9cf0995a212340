/**
 * Measures how long small programs take, from the call to its result, inside this running process.
 * The rivals take turns in every round, so that a noisy machine is noisy for all of them; medians and ratios are printed.
 *
 *   npm run bench            30 rounds
 *   npm run bench -- 100     100 rounds
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, loadavg } from 'node:os';
import bringPodman from '../test/helpers/bring-podman.ts';
import { whyNoBundle } from '../test/helpers/bundles.ts';
import { type Program, programs } from './programs.ts';
import { chart, type Row, rowsOf, table, verdicts } from './report.ts';
import { type Rival, rivalsFor } from './rivals.ts';

const rounds = Number(process.argv[2] ?? 30);
const atOnce = 50;

async function time(rival: Rival, calls: number, isAlone: boolean): Promise<number> {
	await rival.settle();
	const start = performance.now();
	await Promise.all(Array.from({ length: calls }, () => rival.once(isAlone)));
	return performance.now() - start;
}

async function takeTurns(rivals: readonly Rival[], turns: number, calls = 1): Promise<Map<string, number[]>> {
	const times = new Map<string, number[]>(rivals.map((rival) => [rival.name, []]));
	for (const rival of rivals) for (let warmUp = 0; warmUp < 2; warmUp++) await time(rival, calls, false);
	for (let round = 0; round < turns; round++) {
		for (const rival of rivals) times.get(rival.name)?.push(await time(rival, calls, calls === 1));
	}
	return times;
}

/** Starts that come all at once: as many as a burst of parallel tool calls has, and some more. */
async function measureBurst(program: Program, rivals: readonly Rival[]): Promise<Row[]> {
	const some = rivals.filter(({ name }) => name === 'bare' || name.startsWith('secure-code'));
	return rowsOf(
		`${atOnce} at once`,
		program.language,
		await takeTurns(some, Math.max(5, Math.round(rounds / 3)), atOnce),
	);
}

async function measure(program: Program, folder: string): Promise<Row[]> {
	const { packages, language, name } = program;
	const lack = packages && (await whyNoBundle(packages.bundle, packages.names));
	if (lack !== undefined) {
		console.log(`skipped: ${name}: ${lack}`);
		return [];
	}
	const rivals = await rivalsFor(program, folder);
	const rows = rowsOf(name, language, await takeTurns(rivals, rounds));
	if (name === 'hello') rows.push(...(await measureBurst(program, rivals)));
	return rows;
}

bringPodman();
const folder = await mkdtemp('/tmp/secure-code-bench-');
await chmod(folder, 0o755);
const loadBefore = loadavg()[0];
const rows: Row[] = [];
for (const program of programs) rows.push(...(await measure(program, folder)));
await rm(folder, { recursive: true });
console.log(table(rows));
console.log(`\n| goal | measured | | |\n| --- | ---: | ---: | --- |\n${verdicts(rows)}`);
for (const language of ['python', 'javascript', 'bash'])
	console.log(`\n\`\`\`mermaid\n${chart(rows, language)}\n\`\`\``);

const date = new Date().toISOString();
const machine = { processors: cpus().length, model: cpus()[0]?.model, node: process.version, loadBefore };
await mkdir('bench/runs', { recursive: true });
await writeFile(
	`bench/runs/${date.slice(0, 19).replaceAll(':', '-')}.json`,
	`${JSON.stringify({ date, machine, rounds, rows })}\n`,
);
// Boxes keep nothing alive; control groups of this process are removed at its exit.
process.exit(0);
