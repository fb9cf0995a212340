/** A real store in a folder that goes away with its test, and what a test needs to fill it. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type AgentConfig, agentConfigSchema } from '../../src/contract/agent-config.ts';
import type { AuditEntry } from '../../src/contract/audit.ts';
import { jobDraftSchema } from '../../src/contract/device-job.ts';
import type { JobResult } from '../../src/contract/job.ts';
import type { JobRow, Store } from '../../src/device/agent/ports.ts';
import { openStore, type StoreOptions } from '../../src/device/agent/store/open.ts';
import { tempFolder } from './temp-folder.ts';

const pair = generateKeyPairSync('ed25519');

/** The key of every test device. */
export const deviceKey = pair.privateKey;

export const agentConfig = (changes: Partial<AgentConfig> = {}): AgentConfig => ({
	...agentConfigSchema.parse({
		version: 1,
		device: { id: 'device-1' },
		listeners: [{ faces: ['native'], port: 0 }],
	}),
	...changes,
});

/** A folder of an agent with the key of its device. */
export function agentFolder(dir: string = tempFolder()): string {
	mkdirSync(join(dir, 'keys'));
	writeFileSync(join(dir, 'keys', 'device.key'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
	writeFileSync(join(dir, 'keys', 'device.pub'), pair.publicKey.export({ type: 'spki', format: 'pem' }));
	return dir;
}

export function openTestStore(dir: string = agentFolder(), options: Partial<StoreOptions> = {}): Store {
	const store = openStore(dir, { config: agentConfig(), signingKey: deviceKey, ...options });
	onTestFinished(() => store.close());
	return store;
}

export function jobRow(changes: Partial<JobRow> = {}): JobRow {
	return {
		jobId: 'job-1',
		face: 'native',
		clientId: null,
		idempotencyKey: null,
		principal: { name: 'alice', roles: ['executor'], capabilities: ['*'], keyId: 'key-1', peer: '127.0.0.1' },
		draft: jobDraftSchema.parse({ capability: 'shell.exec', command: { mode: 'argv', argv: ['ls', '-la'] } }),
		decision: null,
		acceptedAt: Date.parse('2026-05-24T10:00:00.000Z'),
		...changes,
	};
}

export const succeeded: JobResult = {
	...{ status: 'succeeded', exitCode: 0, signal: null, stdout: 'a\n', stderr: '', durationMs: 12, cpuMs: 3 },
	...{ truncated: { stdout: false, stderr: false }, peakMemoryBytes: 1000, queuedMs: 0, language: null },
	...{ backend: 'nsjail', tier: 'full', start: 'cold', findings: [], files: [], problem: null },
};

export const accepted = (jobId: string): AuditEntry => ({ event: 'job.accepted', jobId, principal: 'alice' });

/** A job that is in the store and waits for its turn. */
export async function addJob(store: Store, changes: Partial<JobRow> = {}): Promise<JobRow> {
	const row = jobRow(changes);
	await store.change((tx) => tx.addJob(row, 'queued'), accepted(row.jobId));
	return row;
}

/** Runs a job that prints this, as the pipeline does. */
export async function runJob(
	store: Store,
	row: JobRow,
	stdout: string | Buffer,
	stderr: string | Buffer = '',
): Promise<void> {
	const { jobId } = row;
	await store.change((tx) => tx.setJob(jobId, { state: 'running', startedAt: row.acceptedAt + 5 }), {
		event: 'job.start',
		jobId,
	});
	const output = store.output(jobId);
	output.append('stdout', Buffer.from(stdout));
	output.append('stderr', Buffer.from(stderr));
	await output.finish();
	await store.change((tx) => tx.setJob(jobId, { state: 'ended', result: succeeded, endedAt: row.acceptedAt + 17 }), {
		event: 'job.end',
		jobId,
		exitCode: 0,
		status: 'succeeded',
	});
}
