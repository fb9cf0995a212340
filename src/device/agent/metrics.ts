/** What the agent counts, as Prometheus reads it. No command, id or name of a principal is a label. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { FaceName, JobView } from '../../contract/device-job.ts';
import { isOver } from '../../contract/device-job.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import { reasonOf } from './auth-failures.ts';
import type { JobCounts } from './face.ts';
import { QuickCmdCounts } from './quickcmd-counts.ts';

/** What is asked at the moment of a scrape instead of being counted. */
export interface Gauges {
	runningJobs(): number;
	waitingJobs(): number;
	pendingApprovals(): number;
	isAuditIntact(): boolean;
}

/** Seconds. */
const durationBuckets = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 1800];

function countersIn(registry: Registry) {
	const registers = [registry];
	const counter = <Label extends string = never>(name: string, help: string, ...labelNames: Label[]) =>
		new Counter<Label>({ name: `rsagent_${name}`, help, labelNames, registers });
	return {
		jobs: counter('jobs_total', 'Jobs that are over, by protocol and how they ended.', 'facade', 'state'),
		output: counter('output_bytes_total', 'What commands printed, in bytes.'),
		decisions: counter(
			'policy_decisions_total',
			'Decisions of the policy, by the class of the rule.',
			'decision',
			'class',
		),
		authFailures: counter('auth_failures_total', 'Requests that did not prove who sent them.', 'facade', 'reason'),
		replays: counter('replays_total', 'Requests that came before or were too old.'),
		killFailures: counter('sandbox_kill_failures_total', 'Jobs that could not be proved dead.'),
		durations: new Histogram({
			name: 'rsagent_job_duration_seconds',
			help: 'Time from the start of a command to its end.',
			labelNames: ['facade'],
			buckets: durationBuckets,
			registers,
		}),
	};
}

export class Metrics {
	readonly #registry = new Registry();
	readonly #count = countersIn(this.#registry);
	readonly #quickCmd = new QuickCmdCounts();

	constructor(version: string) {
		const info = this.#gauge('build_info', 'Version of the agent and of Node.js; always 1.', 'version', 'node');
		info.set({ version, node: process.versions.node }, 1);
		this.#asked('process_memory_bytes', 'Resident memory of the agent.', () => process.memoryUsage.rss());
	}

	/** From here on these are asked at every scrape. */
	watch(gauges: Gauges): void {
		this.#asked('jobs_running', 'Jobs that run now.', () => gauges.runningJobs());
		this.#asked('queue_depth', 'Jobs that wait for their turn.', () => gauges.waitingJobs());
		this.#asked('approvals_pending', 'Requests that wait for a person.', () => gauges.pendingApprovals());
		this.#asked('audit_chain_ok', '1 while the chain of the audit holds, else 0.', () =>
			Number(gauges.isAuditIntact()),
		);
	}

	/** Hears every change of a job's state. */
	changed(job: JobView): void {
		this.#quickCmd.changed(job);
		if (!isOver(job.state)) return;
		const { face: facade, result, output, startedAt, endedAt } = job;
		const state = result?.status ?? job.state;
		this.#count.jobs.inc({ facade, state });
		this.#count.output.inc(output.stdout.totalBytes + output.stderr.totalBytes);
		if (startedAt !== null && endedAt !== null)
			this.#count.durations.observe({ facade }, Math.max(0, endedAt - startedAt) / 1000);
		if (job.isConfirmedDead === false) this.#count.killFailures.inc();
	}

	decided({ decision, reasons }: PolicyDecision): void {
		this.#count.decisions.inc({ decision, class: reasons[0]?.class ?? 'default' });
	}

	authFailed(facade: FaceName, reason: string): void {
		this.#count.authFailures.inc({ facade, reason: reasonOf(reason) });
	}

	replayed(): void {
		this.#count.replays.inc();
	}

	counts(): JobCounts {
		return this.#quickCmd.counts;
	}

	text(): Promise<string> {
		return this.#registry.metrics();
	}

	#gauge<Label extends string = never>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> {
		return new Gauge<Label>({ name: `rsagent_${name}`, help, labelNames, registers: [this.#registry] });
	}

	#asked(name: string, help: string, value: () => number): void {
		const registers = [this.#registry];
		new Gauge({
			name: `rsagent_${name}`,
			help,
			registers,
			collect() {
				this.set(value());
			},
		});
	}
}
