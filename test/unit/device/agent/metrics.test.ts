import { describe, expect, it } from 'vitest';
import type { JobView } from '../../../../src/contract/device-job.ts';
import { Metrics } from '../../../../src/device/agent/metrics.ts';
import { decided } from '../../../helpers/desk.ts';

const stream = (totalBytes: number) => ({ totalBytes, storedBytes: 0, isComplete: true });

const job = (more: object) =>
	({
		face: 'agent3',
		state: 'ended',
		result: { status: 'succeeded' },
		output: { stdout: stream(5), stderr: stream(2) },
		startedAt: 1000,
		endedAt: 3000,
		isConfirmedDead: true,
		...more,
	}) as unknown as JobView;

/** Series with a value other than 0, without buckets. */
async function series(metrics: Metrics): Promise<string[]> {
	const lines = (await metrics.text()).split('\n');
	return lines.filter((line) => line.startsWith('rsagent_') && !/_bucket|memory|build_info| 0$/.test(line)).sort();
}

describe('the metrics', () => {
	it('count jobs when they are over, by protocol and how they ended', async () => {
		const metrics = new Metrics('1.2.3');
		for (const more of [
			{},
			{ state: 'running' },
			{ result: { status: 'timed_out' }, isConfirmedDead: false },
			{ state: 'lost', result: null },
		])
			metrics.changed(job(more));
		expect(await series(metrics)).toEqual([
			'rsagent_job_duration_seconds_count{facade="agent3"} 3',
			'rsagent_job_duration_seconds_sum{facade="agent3"} 6',
			'rsagent_jobs_total{facade="agent3",state="lost"} 1',
			'rsagent_jobs_total{facade="agent3",state="succeeded"} 1',
			'rsagent_jobs_total{facade="agent3",state="timed_out"} 1',
			'rsagent_output_bytes_total 21',
			'rsagent_sandbox_kill_failures_total 1',
		]);
	});

	it('count decisions, failed proofs and replays, and let no words of strangers become labels', async () => {
		const metrics = new Metrics('1.2.3');
		metrics.decided(decided('deny'));
		metrics.authFailed('native', 'stale');
		metrics.authFailed('native', 'Evil"} 1\nfake 2');
		metrics.replayed();
		expect(await series(metrics)).toEqual([
			'rsagent_auth_failures_total{facade="native",reason="other"} 1',
			'rsagent_auth_failures_total{facade="native",reason="stale"} 1',
			'rsagent_policy_decisions_total{decision="deny",class="program"} 1',
			'rsagent_replays_total 1',
		]);
	});

	it('ask at every scrape what is so now', async () => {
		const metrics = new Metrics('1.2.3');
		let running = 1;
		metrics.watch({
			runningJobs: () => running,
			waitingJobs: () => 2,
			pendingApprovals: () => 3,
			isAuditIntact: () => true,
		});
		const before = await series(metrics);
		running = 4;
		const four = ['rsagent_approvals_pending 3', 'rsagent_audit_chain_ok 1', 'rsagent_jobs_running 1'];
		expect([before, (await series(metrics))[2], metrics.counts()]).toEqual([
			[...four, 'rsagent_queue_depth 2'],
			'rsagent_jobs_running 4',
			{ total: 0, running: 0, completed: 0, failed: 0 },
		]);
	});

	it('say which version this is', async () => {
		expect(await new Metrics('1.2.3').text()).toContain(
			`rsagent_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
		);
	});
});
