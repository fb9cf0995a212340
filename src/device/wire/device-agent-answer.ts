/** The wire of device_agent, answers: results, failures, health and capabilities. Both sides; a client trusts `ok`, not the status. Pure. */
import { z } from 'zod';
import { readJson } from './json.ts';

/** What went wrong, and the HTTP status that goes with it. `timeout` and `cancelled` say that something ran. */
export const deviceAgentFailures = {
	invalid_request: 400,
	unknown_capability: 404,
	binary_not_allowed: 403,
	blocked: 403,
	approval_required: 202,
	denied: 403,
	expired: 403,
	timeout: 200,
	cancelled: 200,
	nonce_reused: 409,
	bad_signature: 401,
	stale: 401,
	overloaded: 429,
	internal: 500,
	/** Asked for by its id too early. */
	running: 202,
	/** Asked for by an id that nobody used. */
	unknown_request: 404,
} as const satisfies Record<string, number>;
export type DeviceAgentCode = keyof typeof deviceAgentFailures;

/** What a command printed and how it ended; exit code 128 + n: signal n. */
export interface DeviceAgentRun {
	readonly type: 'run';
	readonly stdout: string;
	readonly stderr: string;
	readonly exitCode: number;
	/** Something that it printed is not in here. */
	readonly isTruncated: boolean;
	readonly durationMs: number | null;
	/** shell.eval: what read the command, and where. */
	readonly shell: string | null;
	readonly cwd: string | null;
	/** fs.read: which bytes of the file stand in stdout; `isEnd`: the file ends with them. */
	readonly page: { readonly offset: number; readonly nextOffset: number; readonly isEnd: boolean } | null;
}

export interface DeviceAgentContainer {
	readonly id: string;
	readonly name: string;
	readonly image: string;
	readonly state: string;
	readonly status: string;
}

export interface DeviceAgentLogs {
	readonly type: 'logs';
	readonly stdout: string;
	readonly stderr: string;
	readonly isTruncated: boolean;
}

export type DeviceAgentResult =
	| DeviceAgentRun
	| DeviceAgentLogs
	| { readonly type: 'containers'; readonly containers: readonly DeviceAgentContainer[] }
	/** Of an original, in a shape that nobody wrote down. */
	| { readonly type: 'raw'; readonly raw: unknown };

export interface DeviceAgentDone {
	readonly kind: 'done';
	readonly requestId: string | null;
	readonly result: DeviceAgentResult;
	/** Seal of the line of the audit that holds how it ended. */
	readonly auditHash: string | null;
}

export interface DeviceAgentFailed {
	readonly kind: 'failed';
	readonly httpStatus: number;
	/** One of ours, or the word of an original. */
	readonly code: string;
	readonly message: string;
	readonly requestId: string | null;
	readonly approvalId: string | null;
	readonly auditHash: string | null;
	/** What it had done until then. */
	readonly result: DeviceAgentResult | null;
}

export type DeviceAgentAnswer = DeviceAgentDone | DeviceAgentFailed;

export interface DeviceAgentHttpAnswer {
	readonly httpStatus: number;
	readonly body: Readonly<Record<string, unknown>>;
}

export const deviceAgentFailed = (
	code: DeviceAgentCode,
	message: string,
	more: Partial<Omit<DeviceAgentFailed, 'kind' | 'code' | 'message'>> = {},
): DeviceAgentFailed => ({
	kind: 'failed',
	...{ httpStatus: deviceAgentFailures[code], code, message },
	...{ requestId: null, approvalId: null, auditHash: null, result: null },
	...more,
});

/** How bytes became text: as UTF-8, with U+FFFD where they were none. */
const encoding = 'utf8-lossy';

const known = (body: Record<string, unknown>): Record<string, unknown> =>
	Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));

function resultBody(result: DeviceAgentResult): unknown {
	if (result.type === 'raw') return result.raw;
	if (result.type === 'containers') return result.containers;
	const { stdout, stderr, isTruncated } = result;
	if (result.type === 'logs') return { stdout, stderr, truncated: isTruncated, encoding };
	const { exitCode, durationMs, shell, cwd, page } = result;
	return known({
		...{ stdout, stderr, exit_code: exitCode, truncated: isTruncated, duration_ms: durationMs, encoding, shell, cwd },
		...(page && { offset: page.offset, next_offset: page.nextOffset, eof: page.isEnd }),
	});
}

export function encodeDeviceAgentAnswer(answer: DeviceAgentAnswer): DeviceAgentHttpAnswer {
	const { requestId, auditHash } = answer;
	if (answer.kind === 'done') {
		const result = resultBody(answer.result);
		return { httpStatus: 200, body: { ok: true, result, request_id: requestId, audit_hash: auditHash } };
	}
	const { httpStatus, code, message, approvalId, result } = answer;
	const more = known({ approval_id: approvalId, result: result && resultBody(result) });
	const body = { ok: false, error: code, message, request_id: requestId, ...more, audit_hash: auditHash };
	return { httpStatus, body };
}

const runSchema = z
	.object({
		stdout: z.string(),
		stderr: z.string().nullish(),
		exit_code: z.int(),
		truncated: z.boolean().nullish(),
		duration_ms: z.number().nullish(),
		shell: z.string().nullish(),
		cwd: z.string().nullish(),
		offset: z.int().optional(),
		next_offset: z.int().optional(),
		eof: z.boolean().optional(),
	})
	.transform(
		(read): DeviceAgentRun => ({
			type: 'run',
			stdout: read.stdout,
			stderr: read.stderr ?? '',
			exitCode: read.exit_code,
			isTruncated: read.truncated ?? false,
			durationMs: read.duration_ms ?? null,
			shell: read.shell ?? null,
			cwd: read.cwd ?? null,
			page: pageOf(read.offset, read.next_offset, read.eof),
		}),
	);

const pageOf = (offset?: number, nextOffset?: number, isEnd?: boolean): DeviceAgentRun['page'] =>
	offset === undefined || nextOffset === undefined ? null : { offset, nextOffset, isEnd: isEnd ?? false };

const logsSchema = z
	.object({ stdout: z.string(), stderr: z.string(), truncated: z.boolean() })
	.transform(
		({ stdout, stderr, truncated }): DeviceAgentLogs => ({ type: 'logs', stdout, stderr, isTruncated: truncated }),
	);

const containersSchema = z
	.array(z.object({ id: z.string(), name: z.string(), image: z.string(), state: z.string(), status: z.string() }))
	.transform((containers) => ({ type: 'containers' as const, containers }));

const resultSchema = z.union([
	runSchema,
	logsSchema,
	containersSchema,
	z.unknown().transform((raw) => ({ type: 'raw' as const, raw })),
]);

const doneSchema = z.object({
	ok: z.literal(true),
	result: z.unknown().optional(),
	request_id: z.string().nullish(),
	audit_hash: z.string().nullish(),
});

const failedSchema = z.object({
	ok: z.literal(false),
	error: z.string(),
	message: z.string().nullish(),
	request_id: z.string().nullish(),
	approval_id: z.string().nullish(),
	audit_hash: z.string().nullish(),
	result: z.unknown().optional(),
});

function valueIn(body: Uint8Array): unknown {
	const read = readJson(body);
	return read.ok ? read.value : undefined;
}

const resultIn = (value: unknown): DeviceAgentResult | null =>
	value === undefined || value === null ? null : resultSchema.parse(value);

/** What a client makes of an answer, ours or an original's; undefined when it is none. */
export function decodeDeviceAgentAnswer(httpStatus: number, body: Uint8Array): DeviceAgentAnswer | undefined {
	const value = valueIn(body);
	const done = doneSchema.safeParse(value).data;
	if (done)
		return {
			kind: 'done',
			requestId: done.request_id ?? null,
			result: resultIn(done.result) ?? { type: 'raw', raw: null },
			auditHash: done.audit_hash ?? null,
		};
	const failed = failedSchema.safeParse(value).data;
	return failed && failedOf(httpStatus, failed);
}

const failedOf = (httpStatus: number, read: z.infer<typeof failedSchema>): DeviceAgentFailed => ({
	kind: 'failed',
	httpStatus,
	code: read.error,
	message: read.message ?? read.error,
	requestId: read.request_id ?? null,
	approvalId: read.approval_id ?? null,
	auditHash: read.audit_hash ?? null,
	result: resultIn(read.result),
});

export interface DeviceAgentHealth {
	readonly isOk: boolean;
	readonly deviceId: string;
	readonly version: string;
}

export const encodeDeviceAgentHealth = ({ isOk, deviceId, version }: DeviceAgentHealth): Record<string, unknown> => ({
	ok: isOk,
	device_id: deviceId,
	version,
});

const healthSchema = z.object({ ok: z.boolean(), device_id: z.string(), version: z.string() });

export function decodeDeviceAgentHealth(body: Uint8Array): DeviceAgentHealth | undefined {
	const { data } = healthSchema.safeParse(valueIn(body));
	return data && { isOk: data.ok, deviceId: data.device_id, version: data.version };
}

/** One entry of the policy, in the words of the manifest. */
export interface DeviceAgentCapability {
	readonly name: string;
	/** Null: the capability is not about programs. */
	readonly binariesAllowed: readonly string[] | null;
	readonly requiresApproval: boolean;
}

export const encodeDeviceAgentCapabilities = (
	{ deviceId, version }: Omit<DeviceAgentHealth, 'isOk'>,
	capabilities: readonly DeviceAgentCapability[],
): Record<string, unknown> => ({
	ok: true,
	device_id: deviceId,
	version,
	capabilities: capabilities.map(({ name, binariesAllowed, requiresApproval }) =>
		known({ name, binaries_allowed: binariesAllowed, requires_approval: requiresApproval }),
	),
});

const capabilitySchema = z.object({
	name: z.string(),
	binaries_allowed: z.array(z.string()).nullish(),
	requires_approval: z.boolean().nullish(),
});

/** Also of an original that answers with the list alone. */
export function decodeDeviceAgentCapabilities(body: Uint8Array): DeviceAgentCapability[] | undefined {
	const list = z.array(capabilitySchema);
	const { data } = z.union([list, z.object({ capabilities: list })]).safeParse(valueIn(body));
	const read = data && (Array.isArray(data) ? data : data.capabilities);
	return read?.map(({ name, binaries_allowed, requires_approval }) => ({
		...{ name, binariesAllowed: binaries_allowed ?? null, requiresApproval: requires_approval ?? false },
	}));
}
