/** The routes of the native protocol, one row each: agent, client and the OpenAPI document are made from this table. Plain data. */
import { z } from 'zod';
import { approvalAnswerSchema, approvalStates } from '../../contract/approval.ts';
import { jobStates } from '../../contract/device-job.ts';
import type { ErrorCode } from '../../contract/error.ts';
import { policyDecisionSchema } from '../../contract/policy.ts';
import {
	approvalListSchema,
	approvalSchema,
	auditStatusSchema,
	capabilitiesSchema,
	enrolledSchema,
	enrolSchema,
	healthSchema,
	hitsSchema,
	jobBodySchema,
	jobEventSchema,
	jobListSchema,
	jobViewSchema,
	nativeLimits,
	pageSchema,
} from './native.ts';

export interface NativeRoute {
	readonly method: 'GET' | 'POST' | 'DELETE';
	readonly path: string;
	/** What it does, in the words of the document. */
	readonly summary: string;
	readonly description?: string;
	/** nobody: anyone may ask. caller: a signed request or a token. job: the body is signed. */
	readonly proof: 'nobody' | 'caller' | 'job';
	readonly params: z.ZodObject;
	readonly query: z.ZodObject;
	readonly body?: z.ZodType;
	/** What it answers with when it works, by status. No schema: no body. */
	readonly answers: Readonly<
		Record<number, { readonly what: string; readonly schema?: z.ZodType; readonly type?: string }>
	>;
	/** Refusals of its own; every route may answer REQUEST_INVALID and INTERNAL, and those with a proof AUTH_REQUIRED and AUTH_FORBIDDEN. */
	readonly refusals: readonly ErrorCode[];
}

/** A number of a query: digits only, so that everybody reads the same. */
const count = (least: number, most: number) =>
	z.preprocess(
		(text) => (typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text),
		z.int().min(least).max(most),
	);

const none = z.strictObject({});
const jobParams = z.strictObject({ jobId: z.string().regex(/^[A-Za-z0-9-]{1,64}$/) });
const streamParams = jobParams.extend({ stream: z.enum(['stdout', 'stderr']) });
const approvalParams = z.strictObject({ approvalId: z.string().regex(/^[A-Za-z0-9-]{1,64}$/) });

const raw = z.literal('1').optional().describe('The bytes themselves; headers tell the rest.');
const waitMs = count(0, nativeLimits.waitMs);
const listed = count(1, nativeLimits.listed).default(50);

const job = { what: 'The job as it is now.', schema: jobViewSchema };
const page = { what: 'A page.', schema: pageSchema };

export const nativeRoutes = {
	getHealth: {
		method: 'GET',
		path: '/v2/health',
		summary: 'Which device this is, and what its clock says',
		proof: 'nobody',
		params: none,
		query: none,
		answers: { 200: { what: 'The agent is up.', schema: healthSchema } },
		refusals: [],
	},
	getDocument: {
		method: 'GET',
		path: '/v2/openapi.json',
		summary: 'This document',
		proof: 'nobody',
		params: none,
		query: none,
		answers: { 200: { what: 'OpenAPI 3.1.', schema: z.looseObject({}) } },
		refusals: [],
	},
	enroll: {
		method: 'POST',
		path: '/v2/enroll',
		summary: 'Register a key of one’s own with a token that is good once',
		proof: 'nobody',
		params: none,
		query: none,
		body: enrolSchema,
		answers: { 200: { what: 'The key is good from now on.', schema: enrolledSchema } },
		refusals: ['AUTH_REQUIRED'],
	},
	getCapabilities: {
		method: 'GET',
		path: '/v2/capabilities',
		summary: 'What the agent is, what the key may do, and which limits hold',
		proof: 'caller',
		params: none,
		query: none,
		answers: { 200: { what: 'All of it.', schema: capabilitiesSchema } },
		refusals: [],
	},
	submitJob: {
		method: 'POST',
		path: '/v2/jobs',
		summary: 'Hand a job in',
		description:
			'The body is a JWS (EdDSA with Ed25519) in compact or flattened JSON form, whose payload is a JobEnvelope and whose protected header holds exactly `alg`, `kid` and `typ: "secure-code-job+jws"`. The same bytes once more, or another envelope with the same `job.idempotencyKey`, answer with the job that is there. A job that the policy denies is a job, too: its state is `ended` and its result says why.',
		proof: 'job',
		params: none,
		query: z.strictObject({
			wait: waitMs.default(0).describe('Milliseconds to wait for the end of the job before the answer.'),
		}),
		answers: { 200: { ...job, what: 'The job was handed in before.' }, 202: { ...job, what: 'The job is on record.' } },
		refusals: ['REQUEST_TOO_LARGE', 'AUTH_STALE', 'REQUEST_REPLAYED', 'RATE_LIMITED', 'AUDIT_BROKEN', 'AGENT_STOPPING'],
	},
	listJobs: {
		method: 'GET',
		path: '/v2/jobs',
		summary: 'Jobs, the newest first',
		description: 'A key with no other role than `executor` sees its own jobs.',
		proof: 'caller',
		params: none,
		query: z.strictObject({
			state: z.enum(jobStates).optional(),
			limit: listed,
			before: jobParams.shape.jobId.optional().describe('Only jobs that are older than this one.'),
		}),
		answers: { 200: { what: 'A page of jobs.', schema: jobListSchema } },
		refusals: [],
	},
	getJob: {
		method: 'GET',
		path: '/v2/jobs/:jobId',
		summary: 'All that is known of a job',
		proof: 'caller',
		params: jobParams,
		query: none,
		answers: { 200: job },
		refusals: ['JOB_NOT_FOUND'],
	},
	waitForJob: {
		method: 'GET',
		path: '/v2/jobs/:jobId/wait',
		summary: 'Wait until a job is over, or waits for approval, or the time is up',
		proof: 'caller',
		params: jobParams,
		query: z.strictObject({ ms: waitMs.default(30_000) }),
		answers: { 200: job },
		refusals: ['JOB_NOT_FOUND'],
	},
	watchJob: {
		method: 'GET',
		path: '/v2/jobs/:jobId/events',
		summary: 'Every event of a job, those that were and those that come',
		description:
			'Server-sent events: each `data` is a JobEvent, each `id` its `seq`; comments come while nothing happens. With an upgrade to WebSocket each text message is a JobEvent, and the agent closes with 1000 after `end`. Whoever comes back names the last `seq` it has seen (`Last-Event-ID` or `after`) and misses nothing. A reader that takes nothing for half a minute is cut off and can come back in the same way.',
		proof: 'caller',
		params: jobParams,
		query: z.strictObject({
			after: count(0, Number.MAX_SAFE_INTEGER).optional().describe('The last `seq` that was seen; 0: everything.'),
		}),
		answers: {
			200: { what: 'The events.', schema: jobEventSchema, type: 'text/event-stream' },
			204: { what: 'Everything was seen, and nothing will come.' },
		},
		refusals: ['JOB_NOT_FOUND', 'RATE_LIMITED', 'AGENT_STOPPING'],
	},
	readOutput: {
		method: 'GET',
		path: '/v2/jobs/:jobId/output/:stream',
		summary: 'A page of what a job printed',
		proof: 'caller',
		params: streamParams,
		query: z.strictObject({
			offset: count(0, Number.MAX_SAFE_INTEGER).default(0).describe('Byte to begin with.'),
			limit: count(4, nativeLimits.longestPageBytes).default(nativeLimits.pageBytes).describe('Bytes.'),
			raw,
		}),
		answers: { 200: page },
		refusals: ['JOB_NOT_FOUND'],
	},
	tailOutput: {
		method: 'GET',
		path: '/v2/jobs/:jobId/output/:stream/tail',
		summary: 'The last lines of what a job printed',
		proof: 'caller',
		params: streamParams,
		query: z.strictObject({ lines: count(1, nativeLimits.tailLines).default(20), raw }),
		answers: { 200: page },
		refusals: ['JOB_NOT_FOUND'],
	},
	searchOutput: {
		method: 'GET',
		path: '/v2/jobs/:jobId/output/:stream/grep',
		summary: 'Lines of what a job printed in which a pattern is found',
		proof: 'caller',
		params: streamParams,
		query: z.strictObject({
			pattern: z.string().min(1).max(nativeLimits.patternCharacters).describe('RE2 syntax.'),
			limit: count(1, nativeLimits.hits).default(100),
		}),
		answers: { 200: { what: 'The lines.', schema: hitsSchema } },
		refusals: ['JOB_NOT_FOUND'],
	},
	forgetOutput: {
		method: 'DELETE',
		path: '/v2/jobs/:jobId/output',
		summary: 'Delete what a job printed; the record of the job stays',
		proof: 'caller',
		params: jobParams,
		query: none,
		answers: { 200: job },
		refusals: ['JOB_NOT_FOUND'],
	},
	cancelJob: {
		method: 'POST',
		path: '/v2/jobs/:jobId/cancel',
		summary: 'End a job; answers when nothing of it is left',
		proof: 'caller',
		params: jobParams,
		query: none,
		answers: { 200: job },
		refusals: ['JOB_NOT_FOUND'],
	},
	explainJob: {
		method: 'POST',
		path: '/v2/explain',
		summary: 'What the policy says about a job, without running or recording anything',
		proof: 'caller',
		params: none,
		query: none,
		body: jobBodySchema,
		answers: { 200: { what: 'The decision.', schema: policyDecisionSchema } },
		refusals: ['REQUEST_TOO_LARGE', 'REQUEST_REPLAYED'],
	},
	listApprovals: {
		method: 'GET',
		path: '/v2/approvals',
		summary: 'Requests for approval, the newest first',
		description: 'A key that may not approve sees the requests for its own jobs.',
		proof: 'caller',
		params: none,
		query: z.strictObject({ state: z.enum(approvalStates).optional(), limit: listed }),
		answers: { 200: { what: 'The requests.', schema: approvalListSchema } },
		refusals: [],
	},
	getApproval: {
		method: 'GET',
		path: '/v2/approvals/:approvalId',
		summary: 'One request for approval, with the exact command',
		proof: 'caller',
		params: approvalParams,
		query: none,
		answers: { 200: { what: 'The request.', schema: approvalSchema } },
		refusals: ['APPROVAL_NOT_FOUND'],
	},
	answerApproval: {
		method: 'POST',
		path: '/v2/approvals/:approvalId',
		summary: 'Approve or deny a job',
		description: 'Takes the role `approver` and another principal than the one who asked for the job.',
		proof: 'caller',
		params: approvalParams,
		query: none,
		body: approvalAnswerSchema,
		answers: { 200: { what: 'The request after the answer.', schema: approvalSchema } },
		refusals: ['APPROVAL_NOT_FOUND', 'APPROVAL_FORBIDDEN', 'APPROVAL_OVER', 'REQUEST_REPLAYED', 'AUDIT_BROKEN'],
	},
	getAuditStatus: {
		method: 'GET',
		path: '/v2/audit/status',
		summary: 'Whether the audit is whole, and how long it is',
		proof: 'caller',
		params: none,
		query: none,
		answers: { 200: { what: 'How it stands.', schema: auditStatusSchema } },
		refusals: [],
	},
	getMetrics: {
		method: 'GET',
		path: '/metrics',
		summary: 'Figures of the agent for Prometheus',
		description: 'Peers in the networks of `metrics.from` (loopback, unless it is set) need no proof.',
		proof: 'caller',
		params: none,
		query: none,
		answers: { 200: { what: 'Text in the format of Prometheus.', type: 'text/plain', schema: z.string() } },
		refusals: [],
	},
} as const satisfies Record<string, NativeRoute>;

export type NativeRoutes = typeof nativeRoutes;
export type NativeRouteName = keyof NativeRoutes;

/** What a route takes and gives, as types. */
export type ParamsOf<K extends NativeRouteName> = z.output<NativeRoutes[K]['params']>;
export type QueryOf<K extends NativeRouteName> = z.output<NativeRoutes[K]['query']>;

/** Path and query of a call, ready to be signed and sent. */
export function nativePath<K extends NativeRouteName>(
	name: K,
	params: Record<string, string> = {},
	query: Record<string, string | number | undefined> = {},
): string {
	const path = nativeRoutes[name].path.replaceAll(/:(\w+)/g, (_, key: string) => encodeURIComponent(params[key] ?? ''));
	const search = new URLSearchParams();
	for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
	return search.size === 0 ? path : `${path}?${search}`;
}
