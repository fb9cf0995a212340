/** What the agent counts, as Prometheus reads it. No command, id or name of a principal is a label. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { FaceName, JobView } from '../../contract/device-job.ts';
import { isOver } from '../../contract/device-job.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import { reasonOf } from './auth-failures.ts';

/** What is asked at the moment of a scrape instead of being counted. */
export interface Gauges {
	runningJobs(): number;
	waitingJobs(): number;
	pendingApprovals(): number;
	isAuditIntact(): boolean;
}

const durationBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800];

export interface JobCounts {
	readonly total: number;
	readonly running: number;
	readonly completed: number;
	readonly failed: number;
}

export class Metrics {
	readonly #registry = new Registry();
	readonly #jobs: Counter<'facade' | 'state'>;
	readonly #durations: Histogram<'facade'>;
	readonly #output: Counter;
	readonly #decisions: Counter<'decision' | 'class'>;
	readonly #authFailures: Counter<'facade' | 'reason'>;
	readonly #replays: Counter;
	readonly #killFailures: Counter;
	readonly #gauges: Gauges;
	#total = 0;
	#completed = 0;
	#failed = 0;

	constructor(version: string, gauges: Gauges) {
		const registers = [this.#registry];
		const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
			new Counter<Label>({ name: `rsagent_${name}`, help, labelNames, registers });
		const gauge = (name: string, help: string, value: () => number) =>
			new Gauge({
				name: `rsagent_${name}`,
				help,
				registers,
				collect() {
					this.set(value());
				},
			});
		this.#gauges = gauges;
		this.#jobs = counter('jobs_total', 'Jobs that are over, by protocol and how they ended.', ['facade', 'state']);
		this.#output = counter('output_bytes_total', 'What commands printed, in bytes.', []);
		this.#decisions = counter('policy_decisions_total', 'Decisions of the policy, by the class of the rule.', [
			'decision',
			'class',
		]);
		this.#authFailures = counter('auth_failures_total', 'Requests that did not prove who sent them.', [
			'facade',
			'reason',
		]);
		this.#replays = counter('replays_total', 'Requests that came before or were too old.', []);
		this.#killFailures = counter('sandbox_kill_failures_total', 'Jobs that could not be proved dead.', []);
		this.#durations = new Histogram({
			name: 'rsagent_job_duration_seconds',
			help: 'Time from the start of a command to its end.',
			labelNames: ['facade'],
			buckets: durationBuckets,
			registers,
		});
		gauge('jobs_running', 'Jobs that run now.', gauges.runningJobs);
		gauge('queue_depth', 'Jobs that wait for their turn.', gauges.waitingJobs);
		gauge('approvals_pending', 'Requests that wait for a person.', gauges.pendingApprovals);
		gauge('audit_chain_ok', '1 while the chain of the audit holds, else 0.', () => (gauges.isAuditIntact() ? 1 : 0));
		gauge('process_memory_bytes', 'Resident memory of the agent.', () => process.memoryUsage.rss());
		this.#setBuildInfo(version);
	}

	#setBuildInfo(version: string): void {
		const info = new Gauge({
			name: 'rsagent_build_info',
			help: 'Version of the agent and of Node.js; always 1.',
			labelNames: ['version', 'node'],
			registers: [this.#registry],
		});
		info.set({ version, node: process.versions.node }, 1);
	}

	/** Hears every change of a job's state. */
	changed(job: JobView): void {
		if (job.state === 'queued' || job.state === 'awaiting_approval') return;
		if (!isOver(job.state)) return;
		const state = job.result?.status ?? job.state;
		this.#total++;
		if (state === 'succeeded' || state === 'failed') this.#completed++;
		else this.#failed++;
		this.#jobs.inc({ facade: job.face, state });
		this.#output.inc(job.output.stdout.totalBytes + job.output.stderr.totalBytes);
		if (job.startedAt !== null && job.endedAt !== null)
			this.#durations.observe({ facade: job.face }, Math.max(0, job.endedAt - job.startedAt) / 1000);
		if (job.isConfirmedDead === false) this.#killFailures.inc();
	}

	decided({ decision, reasons }: PolicyDecision): void {
		this.#decisions.inc({ decision, class: reasons[0]?.class ?? 'default' });
	}

	authFailed(facade: FaceName, reason: string): void {
		this.#authFailures.inc({ facade, reason: reasonOf(reason) });
	}

	replayed(): void {
		this.#replays.inc();
	}

	counts(): JobCounts {
		const running = this.#gauges.runningJobs();
		return { total: this.#total + running, running, completed: this.#completed, failed: this.#failed };
	}

	text(): Promise<string> {
		return this.#registry.metrics();
	}
}
