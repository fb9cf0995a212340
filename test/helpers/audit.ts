/** An audit with every kind of row, and hands that tamper with it. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll } from 'vitest';
import { jobDraftSchema } from '../../src/contract/device-job.ts';
import { databaseFile } from '../../src/core/audit/places.ts';
import type { JobRow } from '../../src/device/agent/ports.ts';
import { openStore } from '../../src/device/agent/store/open.ts';
import { addJob, agentConfig, agentFolder, deviceKey, jobRow, runJob } from './store.ts';
import { tempFolder } from './temp-folder.ts';

export const shellEvalJob = (jobId: string, script = 'git status'): JobRow =>
	jobRow({
		jobId,
		face: 'device',
		clientId: `r-${jobId}`,
		draft: jobDraftSchema.parse({
			capability: 'shell.eval',
			command: { mode: 'script', script, shell: 'bash' },
			cwd: '/repo',
		}),
	});

/** Ten jobs of two faces, a checkpoint after every five rows, and one at the end. @returns the folder of the agent */
async function writeAudit(dir: string): Promise<string> {
	const audit = { ...agentConfig().audit, checkpointRows: 5 };
	const store = openStore(agentFolder(dir), { config: agentConfig({ audit }), signingKey: deviceKey });
	await store.change(() => {}, { event: 'agent.start', detail: { version: '1' } });
	for (let n = 0; n < 5; n++) {
		await runJob(store, await addJob(store, { jobId: `job-${n}`, clientId: `c-${n}` }), `output ${n}\n`);
		await runJob(store, await addJob(store, shellEvalJob(`eval-${n}`)), `evaluated ${n}\n`);
	}
	store.close();
	return dir;
}

export const writtenAudit = (): Promise<string> => writeAudit(tempFolder());

/** One for all tests of a file, which work on copies of it. */
export function sharedAudit(): () => string {
	let dir = '';
	beforeAll(async () => {
		dir = await writeAudit(mkdtempSync(join(tmpdir(), 'secure-code-test-')));
	});
	afterAll(() => rmSync(dir, { recursive: true, force: true }));
	return () => dir;
}

/** Without the stored output. */
export function copyOf(dir: string): string {
	const copy = join(tempFolder(), 'agent');
	cpSync(dir, copy, { recursive: true, filter: (path) => !path.startsWith(join(dir, 'state', 'output', '')) });
	return copy;
}

/** Runs SQL on the database of an agent, as somebody who may write it. */
export function tamper(dir: string, sql: string, ...values: (string | number | null | Uint8Array)[]): void {
	// Newer versions of Node.js protect the schema; whoever tampers does not.
	const db = new DatabaseSync(databaseFile(dir), { defensive: false } as object);
	if (values.length === 0) db.exec(sql);
	else db.prepare(sql).run(...values);
	db.close();
}

export function query(dir: string, sql: string): Record<string, unknown>[] {
	const db = new DatabaseSync(databaseFile(dir), { readOnly: true });
	const rows = db
		.prepare(sql)
		.all()
		.map((row) => ({ ...row }));
	db.close();
	return rows;
}
