/** A process of its own that writes to a store until it is killed: node store-writer.ts DIR MODE. Says on stdout what is safe on disk. */
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentConfigSchema } from '../../src/contract/agent-config.ts';
import { jobDraftSchema } from '../../src/contract/device-job.ts';
import { openStore } from '../../src/device/agent/store/open.ts';

const [dir = '', mode = 'jobs'] = process.argv.slice(2);
const config = agentConfigSchema.parse({
	version: 1,
	device: { id: 'device-1' },
	listeners: [{ faces: ['native'], port: 0 }],
	audit: { checkpointRows: 20 },
});
const signingKey = createPrivateKey(readFileSync(join(dir, 'keys', 'device.key')));
const store = openStore(dir, { config, signingKey });
const say = (...words: (string | number)[]) => process.stdout.write(`${words.join(' ')}\n`);

const draft = jobDraftSchema.parse({ capability: 'shell.exec', command: { mode: 'argv', argv: ['ls'] } });
const principal = { name: 'alice', roles: ['executor' as const], capabilities: ['*'], keyId: null, peer: null };

async function writeJob(jobId: string, padding: string): Promise<void> {
	const row = {
		jobId,
		face: 'native' as const,
		clientId: null,
		idempotencyKey: null,
		principal,
		draft,
		decision: null,
		acceptedAt: Date.now(),
	};
	store.firstTime('native', jobId, Date.now() + 3_600_000);
	await store.change((tx) => tx.addJob(row, 'queued'), { event: 'job.accepted', jobId, detail: { padding } });
	say('accepted', jobId);
	await store.change((tx) => tx.setJob(jobId, { state: 'running', startedAt: Date.now() }), {
		event: 'job.start',
		jobId,
	});
	const output = store.output(jobId);
	output.note(`["state",1,${Date.now()},"running"]`);
	output.append('stdout', Buffer.from(`output of ${jobId}\n`));
	if (jobId.endsWith('7')) return;
	await output.finish();
	await store.change((tx) => tx.setJob(jobId, { state: 'ended', endedAt: Date.now() }), { event: 'job.end', jobId });
	say('ended', jobId);
}

/** Jobs without end, some of which never end themselves. */
async function writeJobs(lane: number, padding: string): Promise<never> {
	for (let n = 0; ; n++) await writeJob(`job-${lane}-${n}`, padding);
}

/** One job that prints more than the disk takes. */
async function printTooMuch(): Promise<void> {
	const row = {
		jobId: 'flood',
		face: 'native' as const,
		clientId: null,
		idempotencyKey: null,
		principal,
		draft,
		decision: null,
		acceptedAt: 1,
	};
	await store.change((tx) => tx.addJob(row, 'running'), { event: 'job.accepted', jobId: 'flood' });
	const output = store.output('flood');
	for (let n = 0; n < 64; n++) {
		output.append('stdout', Buffer.alloc(64 * 1024, 'x'));
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
	await output.finish();
	await store.change((tx) => tx.setJob('flood', { state: 'ended', endedAt: 2 }), { event: 'job.end', jobId: 'flood' });
	const page = await output.read('stdout', 0, 10);
	say(JSON.stringify({ output: store.job('flood')?.output, page: { ...page, bytes: page.bytes.toString() } }));
	store.close();
}

/** Until the disk is full: then every change is refused, and so is the next. */
async function fillDisk(): Promise<void> {
	for (let n = 0; ; n++) {
		try {
			await writeJob(`job-${n}`, 'x'.repeat(10_000));
		} catch (error) {
			say('refused', (error as { code?: string }).code ?? (error as Error).message, String(store.status().isWritable));
			await writeJob('one-more', 'x'.repeat(100_000)).catch((again: { code?: string }) =>
				say('refused', again.code ?? ''),
			);
			store.close();
			return;
		}
	}
}

// The limit of a file's size stands in for a full disk; its signal would end the process.
process.on('SIGXFSZ', () => {});
if (mode === 'jobs') await Promise.all([0, 1, 2, 3].map((lane) => writeJobs(lane, 'x'.repeat(300))));
else if (mode === 'flood') await printTooMuch();
else await fillDisk();
