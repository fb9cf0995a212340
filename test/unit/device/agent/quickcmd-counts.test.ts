import { describe, expect, it } from 'vitest';
import type { JobView } from '../../../../src/contract/device-job.ts';
import { QuickCmdCounts } from '../../../../src/device/agent/quickcmd-counts.ts';

const job = (jobId: string, state: JobView['state'], more: object = {}) =>
	({ face: 'quickcmd', jobId, state, result: null, ...more }) as unknown as JobView;
const ended = (jobId: string, status: string) => job(jobId, 'ended', { result: { status } });

describe('the counts of QuickCMD', () => {
	it('know a job from the moment it is accepted, and where it stands', () => {
		const counted = new QuickCmdCounts();
		const seen = [job('a', 'queued'), job('a', 'running'), job('b', 'awaiting_approval'), ended('a', 'failed')].map(
			(change) => {
				counted.changed(change);
				return counted.counts;
			},
		);
		expect(seen).toEqual([
			{ total: 1, running: 0, completed: 0, failed: 0 },
			{ total: 1, running: 1, completed: 0, failed: 0 },
			{ total: 2, running: 1, completed: 0, failed: 0 },
			{ total: 2, running: 0, completed: 1, failed: 0 },
		]);
	});

	it('call completed and failed what the protocol calls so', () => {
		const counted = new QuickCmdCounts();
		for (const status of ['succeeded', 'failed', 'killed', 'timed_out', 'cancelled', 'denied', 'broken'])
			counted.changed(ended(status, status));
		counted.changed(job('lost', 'lost'));
		expect(counted.counts).toEqual({ total: 8, running: 0, completed: 3, failed: 5 });
	});

	it('are of no other protocol', () => {
		const counted = new QuickCmdCounts();
		for (const state of ['running', 'lost'] as const) counted.changed(job('a', state, { face: 'agent3' }));
		expect(counted.counts).toEqual({ total: 0, running: 0, completed: 0, failed: 0 });
	});
});
