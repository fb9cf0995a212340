/** What a job is in the words of device_agent. Pure. */
import { isOver, type JobView } from '../../../contract/device-job.ts';
import { type ErrorCode, problemFor } from '../../../contract/error.ts';
import type { JobResult, Problem } from '../../../contract/job.ts';
import type { PolicyReason } from '../../../contract/policy.ts';
import { parseContainers } from '../../../core/runner/container-words.ts';
import { deviceAgentKindOf } from '../../wire/device-agent.ts';
import {
	type DeviceAgentAnswer,
	type DeviceAgentCode,
	type DeviceAgentFailed,
	type DeviceAgentRun,
	deviceAgentFailed,
	deviceAgentFailures,
} from '../../wire/device-agent-answer.ts';
import { exitCodeOf } from './exit-code.ts';
import { withNote } from './note.ts';

export interface DeviceAgentTexts {
	readonly stdout: string;
	readonly stderr: string;
	/** They are not all that is stored. */
	readonly isCut: boolean;
	/** Of fs.read. */
	readonly page: DeviceAgentRun['page'];
	/** The file goes on behind the page, so that it is no failure when the command was ended there. */
	readonly hasMore: boolean;
}

/** What somebody hears who asks for a job that has not begun, or not ended. */
export function deviceAgentWaiting(job: JobView): DeviceAgentFailed {
	const about = { requestId: job.clientId, auditHash: job.auditHash || null };
	if (job.state !== 'awaiting_approval')
		return deviceAgentFailed('running', 'The command has not ended yet; ask again for its result.', about);
	const message = `Nothing was run yet: approval ${job.approvalId} is needed. Ask later for the result of this request.`;
	return deviceAgentFailed('approval_required', message, { ...about, approvalId: job.approvalId });
}

/** Of a job that is over. */
export function deviceAgentAnswerOf(job: JobView, texts: DeviceAgentTexts): DeviceAgentAnswer {
	const { result, clientId, auditHash, approvalId } = job;
	if (!isOver(job.state)) return deviceAgentWaiting(job);
	const about = { requestId: clientId, auditHash: auditHash || null };
	if (!result) return deviceAgentFailed('internal', problemFor('JOB_LOST').message, about);
	if (result.status === 'denied' || result.status === 'broken')
		return { ...failureOf(job, result), ...about, approvalId };
	const run = runOf(job, result, texts);
	if (result.status === 'timed_out')
		return deviceAgentFailed('timeout', result.problem?.message ?? '', { ...about, result: run });
	if (result.status === 'cancelled')
		return deviceAgentFailed('cancelled', result.problem?.message ?? '', { ...about, result: run });
	return ofContainers(job, run, about) ?? { kind: 'done', ...about, result: run };
}

/** What docker answered, in the shape that its capability has. A command that failed is told as any other. */
function ofContainers(
	{ capability }: JobView,
	run: DeviceAgentRun,
	about: { readonly requestId: string | null; readonly auditHash: string | null },
): DeviceAgentAnswer | undefined {
	const { stdout, stderr, exitCode, isTruncated } = run;
	const kind = deviceAgentKindOf(capability);
	if (kind === 'docker.container.list') {
		if (exitCode === 0)
			return { kind: 'done', ...about, result: { type: 'containers', containers: parseContainers(stdout) } };
		return deviceAgentFailed('internal', 'Containers cannot be listed on this device.', {
			...{ ...about, result: run, httpStatus: notOffered },
		});
	}
	if (kind !== 'docker.container.logs' || exitCode !== 0) return undefined;
	return { kind: 'done', ...about, result: { type: 'logs', stdout, stderr, isTruncated } };
}

/** HTTP status of a capability that this device has no means for. */
const notOffered = 501;

function runOf(
	job: JobView,
	result: JobResult,
	{ stdout, stderr, isCut, page, hasMore }: DeviceAgentTexts,
): DeviceAgentRun {
	const { status, problem, durationMs } = result;
	// A page that was read to its last byte is no output that went missing.
	const isLost = page === null && (isCut || isIncomplete(job) || status === 'output_exceeded');
	return {
		type: 'run',
		stdout,
		stderr: withNote(stderr, status === 'out_of_memory' ? (problem?.message ?? null) : null),
		exitCode: hasMore && status === 'output_exceeded' ? 0 : exitCodeOf(result),
		isTruncated: isLost || page?.isEnd === false,
		durationMs,
		...placeOf(job),
		page,
	};
}

const isIncomplete = ({ output }: JobView): boolean =>
	[output.stdout, output.stderr].some(({ storedBytes, totalBytes }) => storedBytes < totalBytes) || !output.isKept;

/** What read a script, and where. */
function placeOf({ capability, command, decision, cwd }: JobView): Pick<DeviceAgentRun, 'shell' | 'cwd'> {
	if (deviceAgentKindOf(capability) !== 'shell.eval' || command.mode !== 'script') return { shell: null, cwd: null };
	const planned = decision?.plan?.mode === 'script' ? decision.plan.shell : command.shell;
	return { shell: planned === 'auto' ? 'bash' : planned, cwd: cwd ?? '' };
}

const byProblem: Readonly<Partial<Record<ErrorCode, DeviceAgentCode>>> = {
	APPROVAL_DENIED: 'denied',
	APPROVAL_EXPIRED: 'expired',
	APPROVALS_FULL: 'overloaded',
	QUEUE_FULL: 'overloaded',
	RATE_LIMITED: 'overloaded',
	AGENT_STOPPING: 'overloaded',
	JOB_INVALID: 'invalid_request',
	JOB_UNSUPPORTED: 'invalid_request',
	REQUEST_INVALID: 'invalid_request',
	REQUEST_TOO_LARGE: 'invalid_request',
	REQUEST_REPLAYED: 'nonce_reused',
	AUTH_FORBIDDEN: 'denied',
	POLICY_DENIED: 'denied',
};

/** The stage that refused, in the words of the original. */
const byStage: Readonly<Partial<Record<PolicyReason['class'], DeviceAgentCode>>> = {
	'kill-list': 'blocked',
	'operator-deny': 'blocked',
	program: 'binary_not_allowed',
	default: 'binary_not_allowed',
};

export const deviceAgentCodeOf = ({ code }: Problem): DeviceAgentCode => byProblem[code as ErrorCode] ?? 'internal';

function failureOf({ decision }: JobView, { problem }: JobResult): DeviceAgentFailed {
	const known = problem ?? problemFor('POLICY_DENIED', { why: 'nothing allows it', rule: 'default' });
	const stage = known.code === 'POLICY_DENIED' ? decision?.reasons[0]?.class : undefined;
	const code = (stage && byStage[stage]) ?? deviceAgentCodeOf(known);
	return deviceAgentFailed(code, known.message, { httpStatus: deviceAgentFailures[code] });
}
