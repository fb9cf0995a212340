/** The pipeline of the agent over a real store in a folder of its own; only what runs commands is a stand-in, told what to do. */
import { generateKeyPairSync } from 'node:crypto';
import { agentConfigSchema } from '../../src/contract/agent-config.ts';
import { type JobDraftInput, type JobView, jobDraftSchema } from '../../src/contract/device-job.ts';
import type { PolicyDecision } from '../../src/contract/policy.ts';
import type { Principal } from '../../src/contract/principal.ts';
import { FairQueue } from '../../src/core/queue.ts';
import type { DeviceJob, Runner, RunnerOutcome } from '../../src/core/runner/runner.ts';
import type { BoxIo } from '../../src/core/sandbox/backend.ts';
import { createMask } from '../../src/core/secrets/redact.ts';
import { ApprovalMirror } from '../../src/device/agent/approval-mirror.ts';
import { ApprovalDesk } from '../../src/device/agent/approvals.ts';
import type { Log } from '../../src/device/agent/face.ts';
import { JobDesk } from '../../src/device/agent/jobs.ts';
import type { Rates, Submission } from '../../src/device/agent/ports.ts';
import { openStore } from '../../src/device/agent/store/open.ts';

export const goodEnd: RunnerOutcome = {
	stopped: null,
	exit: { code: 0, signal: null },
	fault: null,
	oomKills: 0,
	processLimitHits: 0,
	peakMemoryBytes: 0,
	cpuMs: 1,
	durationMs: 2,
	backend: 'stand-in',
	tier: 'full',
	isConfirmedDead: true,
};

/** What happens instead of a command. */
export type Act = (job: DeviceJob, io: BoxIo) => Promise<RunnerOutcome>;

/** Ends when it is told to. */
export const untilStopped: Act = (_job, io) =>
	new Promise((resolve) => {
		const stop = () => resolve({ ...goodEnd, exit: null, stopped: io.signal.reason });
		if (io.signal.aborted) stop();
		io.signal.addEventListener('abort', stop);
	});

export const person = (name: string, more: Partial<Principal> = {}): Principal => ({
	name,
	roles: ['executor'],
	capabilities: ['*'],
	keyId: `key-of-${name}`,
	peer: '127.0.0.1',
	...more,
});

export const decided = (decision: PolicyDecision['decision'], more: Partial<PolicyDecision> = {}): PolicyDecision => ({
	decision,
	reasons: [{ rule: 'test/rule', class: 'program', decision, why: 'the test says so' }],
	plan: decision === 'deny' ? null : { mode: 'argv', argv: ['/usr/bin/true'] },
	profile: decision === 'deny' ? null : 'default',
	limits: {},
	isHighRisk: false,
	policyHash: 'a'.repeat(64),
	...more,
});

export const submission = (more: Partial<JobDraftInput> = {}, rest: Partial<Submission> = {}): Submission => ({
	face: 'native',
	draft: jobDraftSchema.parse({ capability: 'shell.run', command: { mode: 'argv', argv: ['true'] }, ...more }),
	...rest,
});

export interface DeskOptions {
	readonly act?: Act;
	readonly decide?: (principal: Principal) => PolicyDecision;
	readonly slots?: number;
	readonly queueLength?: number;
	readonly config?: Record<string, unknown>;
	readonly rates?: Rates;
	readonly mirror?: string;
	readonly now?: () => number;
	/** Secrets that the agent knows, by their names. */
	readonly secrets?: Readonly<Record<string, string>>;
}

const silent: Log = { info: () => {}, warn: () => {}, error: () => {} };
const { privateKey } = generateKeyPairSync('ed25519');

export interface Desk {
	readonly jobs: JobDesk;
	readonly approvals: ApprovalDesk;
	readonly store: ReturnType<typeof openStore>;
	/** Jobs that were begun, in order. */
	readonly ran: DeviceJob[];
	readonly changes: JobView[];
}

/** Closing the store without stopping the desk is what a crash leaves behind. */
export function openDesk(dir: string, options: DeskOptions = {}): Desk {
	const config = agentConfigSchema.parse({
		version: 1,
		device: { id: 'device-1' },
		listeners: [{ faces: ['native'], port: 0 }],
		...options.config,
	});
	const now = options.now ?? Date.now;
	const mask = createMask(options.secrets ?? {});
	const store = openStore(dir, { config, signingKey: privateKey, now, mask: mask.text });
	const ran: DeviceJob[] = [];
	const changes: JobView[] = [];
	const runner: Runner = {
		run: (job, io) => {
			ran.push(job);
			return (options.act ?? (async () => goodEnd))(job, io);
		},
		probe: async () => [],
		close: async () => {},
	};
	const mirror = new ApprovalMirror(options.mirror, store, silent);
	const approvals = new ApprovalDesk({ store, config, mirror, now });
	const jobs = new JobDesk({
		...{ store, approvals, mirror, runner, config, now },
		mask: () => mask,
		queue: new FairQueue(options.slots ?? 4, options.queueLength ?? 100),
		decide: async (principal) => (options.decide ?? (() => decided('allow')))(principal),
		rates: options.rates ?? { admit: () => undefined },
		log: silent,
		onChange: (job) => changes.push(job),
	});
	return { jobs, approvals, store, ran, changes };
}
