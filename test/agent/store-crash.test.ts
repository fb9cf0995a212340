/** A writer that is killed, or whose disk is full, in a process of its own: nothing is half there, and the audit is intact. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { verifyAudit } from '../../src/core/audit/verify.ts';
import { query } from '../helpers/audit.ts';
import { agentFolder, openTestStore } from '../helpers/store.ts';

const program = 'test/helpers/store-writer.ts';
const quiet = '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON';

function startWriter(dir: string): ChildProcess {
	const writer = spawn(process.execPath, [quiet, program, dir, 'jobs'], { stdio: ['ignore', 'pipe', 'inherit'] });
	onTestFinished(() => void writer.kill('SIGKILL'));
	return writer;
}

/** Lines of the writer until there are so many; then it is killed. */
async function killAfter(writer: ChildProcess, count: number): Promise<string[]> {
	const lines: string[] = [];
	for await (const line of createInterface({ input: writer.stdout as NodeJS.ReadableStream })) {
		lines.push(line);
		if (lines.length === count) writer.kill('SIGKILL');
	}
	return lines;
}

const idsOf = (lines: readonly string[], word: string): string[] =>
	lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

/** Jobs whose state and whose lines of the audit do not tell the same. */
const halfChanges = (dir: string) =>
	query(
		dir,
		`SELECT job_id, state, (SELECT group_concat(event, ' ') FROM audit WHERE jobId = job_id) AS events FROM jobs
			WHERE events IS NOT CASE state WHEN 'queued' THEN 'job.accepted' WHEN 'running' THEN 'job.accepted job.start'
				ELSE 'job.accepted job.start job.end' END
		UNION ALL SELECT jobId, 'unknown', event FROM audit WHERE jobId IS NOT NULL AND jobId NOT IN (SELECT job_id FROM jobs)`,
	);

describe('a writer that is killed at any moment', () => {
	it.each([3, 40, 41, 150, 400])(
		'after %i lines leaves whole changes, an intact audit, and all that it said',
		async (count) => {
			const dir = agentFolder();
			const lines = await killAfter(startWriter(dir), count);
			expect(await verifyAudit({ dir })).toMatchObject({ status: 'intact', firstBad: null });
			expect(halfChanges(dir)).toEqual([]);
			const store = openTestStore(dir);
			const missing = idsOf(lines, 'accepted').filter((jobId) => store.job(jobId) === undefined);
			const undone = idsOf(lines, 'ended').filter((jobId) => store.job(jobId)?.state !== 'ended');
			const replayed = idsOf(lines, 'accepted').filter((jobId) => store.firstTime('native', jobId, Date.now() + 1000));
			expect({ missing, undone, replayed }).toEqual({ missing: [], undone: [], replayed: [] });
		},
	);

	it('leaves running jobs, which are lost and never given out to be run again, with what they had printed', async () => {
		const dir = agentFolder();
		await killAfter(startWriter(dir), 100);
		const running = query(dir, "SELECT job_id FROM jobs WHERE state = 'running'").map((row) => row.job_id as string);
		const store = openTestStore(dir);
		const waiting = await store.recover();
		expect(running).toContain('job-0-7');
		expect(waiting.filter(({ jobId }) => running.includes(jobId))).toEqual([]);
		expect(running.map((jobId) => store.job(jobId)?.state)).toEqual(running.map(() => 'lost'));
		const output = store.output('job-0-7');
		expect(await output.read('stdout', 0, 100)).toMatchObject({ bytes: Buffer.from('output of job-0-7\n'), eof: true });
		expect(await output.notes()).toHaveLength(1);
		expect(await store.recover()).toEqual(waiting);
		expect(await verifyAudit({ dir })).toMatchObject({ status: 'intact' });
	});

	it('keeps nobody from verifying while it works', async () => {
		const dir = agentFolder();
		const writer = startWriter(dir);
		const lines = createInterface({ input: writer.stdout as NodeJS.ReadableStream });
		await once(lines, 'line');
		const found = [];
		for (let n = 0; n < 5; n++) found.push(await verifyAudit({ dir }));
		const rows = async () => (await verifyAudit({ dir })).rows;
		await expect.poll(rows).toBeGreaterThan(found.at(-1)?.rows ?? 0);
		writer.kill('SIGKILL');
		await once(writer, 'exit');
		expect(found.map(({ status, firstBad }) => ({ status, firstBad }))).toEqual(
			found.map(() => ({ status: 'intact', firstBad: null })),
		);
	});
});

/** With files that may not grow beyond so many KiB. */
function runLimited(dir: string, mode: string, kibibytes: number): string {
	const line = `ulimit -f ${kibibytes}; exec "$@"`;
	return execFileSync('bash', ['-c', line, 'bash', process.execPath, quiet, program, dir, mode], { encoding: 'utf8' });
}

describe('a disk that is full', () => {
	it('costs a job its further output, and nothing else', async () => {
		const said = JSON.parse(runLimited(agentFolder(), 'flood', 1024));
		const stored = said.output.stdout.storedBytes;
		expect(said).toEqual({
			output: {
				stdout: { totalBytes: 64 * 64 * 1024, storedBytes: stored, isComplete: true },
				stderr: { totalBytes: 0, storedBytes: 0, isComplete: true },
				isKept: true,
			},
			page: {
				bytes: 'x'.repeat(10),
				offset: 0,
				nextOffset: 10,
				eof: false,
				totalBytes: 64 * 64 * 1024,
				storedBytes: stored,
			},
		});
		expect(stored).toBe(1024 * 1024);
	});

	it('refuses every change that cannot be recorded, and leaves an intact audit', async () => {
		const dir = agentFolder();
		const lines = runLimited(dir, 'disk', 512).trimEnd().split('\n');
		expect(lines.slice(-2)).toEqual(['refused AUDIT_BROKEN false', 'refused AUDIT_BROKEN']);
		expect(await verifyAudit({ dir })).toMatchObject({ status: 'intact' });
		expect(halfChanges(dir)).toEqual([]);
		const store = openTestStore(dir);
		expect(idsOf(lines, 'accepted').filter((jobId) => store.job(jobId) === undefined)).toEqual([]);
	});
});
