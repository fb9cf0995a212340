import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../../../../src/contract/agent-config.ts';
import { lastText, textFrom } from '../../../../../src/device/agent/faces/stored-text.ts';
import { openStore } from '../../../../../src/device/agent/store/open.ts';
import { person, submission } from '../../../../helpers/desk.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const config = agentConfigSchema.parse({
	...{ version: 1, device: { id: 'device-1' }, listeners: [{ faces: ['device'], port: 0 }] },
});

/** The real store with one job that printed these bytes. */
async function printed(bytes: Buffer, act: (jobs: Parameters<typeof lastText>[0], jobId: string) => Promise<void>) {
	const store = openStore(tempFolder(), { config, signingKey: privateKey });
	const jobId = 'job-1';
	const { draft } = submission();
	const row = { jobId, face: 'device' as const, clientId: null, idempotencyKey: null, principal: person('a'), draft };
	await store.change((tx) => tx.addJob({ ...row, decision: null, acceptedAt: 1 }, 'running'));
	const output = store.output(jobId, 64 * 1024 * 1024);
	for (let at = 0; at < bytes.length; at += 100_000) output.append('stdout', bytes.subarray(at, at + 100_000));
	await output.finish();
	const read: Parameters<typeof lastText>[0]['read'] = (id, stream, offset, limit) =>
		store.output(id).read(stream, offset, limit);
	try {
		await act({ read } as Parameters<typeof lastText>[0], jobId);
	} finally {
		store.close();
	}
}

const many = 'aé😀'.repeat(500_000);

describe('the last text of a stream', () => {
	it('is all of it where it fits', async () => {
		const bytes = Buffer.from(many);
		await printed(bytes, async (jobs, jobId) => {
			expect(await lastText(jobs, jobId, 'stdout', bytes.length, bytes.length)).toEqual({
				...{ text: many, isCut: false, offset: 0, bytes: bytes.length },
			});
		});
	});

	it.each([1, 2, 3, 4, 5, 6, 7, 8])('begins with a whole character when %i bytes fit', async (most) => {
		const bytes = Buffer.from('aé😀'.repeat(10));
		await printed(bytes, async (jobs, jobId) => {
			const { text } = await lastText(jobs, jobId, 'stdout', bytes.length, most);
			expect([text.includes('\ufffd'), 'aé😀'.repeat(10).endsWith(text)]).toEqual([false, true]);
		});
	});

	it('keeps a broken character at the end', async () => {
		const bytes = Buffer.concat([Buffer.from('ab'), Buffer.from([0xf0, 0x9f])]);
		await printed(bytes, async (jobs, jobId) => {
			expect((await lastText(jobs, jobId, 'stdout', bytes.length, 100)).text).toBe('ab\ufffd');
		});
	});
});

describe('the text from an offset on', () => {
	it.each([4, 5, 6, 7, 8, 9, 10])(
		'ends with a whole character, and the next one follows (pages of %i)',
		async (limit) => {
			const bytes = Buffer.from('aé😀'.repeat(10));
			await printed(bytes, async (jobs, jobId) => {
				let all = '';
				for (let offset = 0; offset < bytes.length; ) {
					const { text, nextOffset } = await textFrom(jobs, jobId, 'stdout', offset, limit);
					expect(nextOffset - offset).toBeLessThanOrEqual(limit);
					expect(nextOffset).toBeGreaterThan(offset);
					all += text;
					offset = nextOffset;
				}
				expect(all).toBe('aé😀'.repeat(10));
			});
		},
	);
});
