/** The wire of the native protocol, version 2: what is signed, what is asked, and what is answered, for agent and client. Pure. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { approvalSchema } from '../../contract/approval.ts';
import { auditStatusSchema } from '../../contract/audit.ts';
import { faceNames, jobDraftSchema, jobEventSchema, jobViewSchema } from '../../contract/device-job.ts';
import { problemSchema } from '../../contract/job.ts';
import { roles } from '../../contract/principal.ts';

/** What nobody can change. Times of what is signed are in seconds, as JOSE has them. */
export const nativeLimits = {
	/** From `iat` to `exp` of a signed job, and of a signed request. */
	jobSeconds: 900,
	requestSeconds: 60,
	/** How far the clock of a client may be ahead. */
	aheadSeconds: 60,
	/** Bytes of one page of output: when nothing is asked for, and at most. */
	pageBytes: 64 * 1024,
	longestPageBytes: 1024 * 1024,
	tailLines: 10_000,
	hits: 500,
	patternCharacters: 1000,
	/** Of one long poll. */
	waitMs: 60_000,
	/** Jobs or approvals in one answer. */
	listed: 200,
	/** A stream in which nothing happens says so as often. */
	heartbeatMs: 15_000,
} as const;

/** `typ` of what is signed: one cannot be taken for the other. */
export const jobType = 'secure-code-job+jws';
export const requestType = 'secure-code-request+jws';

/** EdDSA is the name that every library knows; RFC 9864 calls the same Ed25519. */
export const algorithms = ['EdDSA', 'Ed25519'] as const;

const headerSchema = (type: string) =>
	z.strictObject({ alg: z.enum(algorithms), kid: z.string().min(1).max(64), typ: z.literal(type) });

export const jobHeaderSchema = headerSchema(jobType);
export const requestHeaderSchema = headerSchema(requestType);

const seconds = z.int().min(0).max(253_402_300_799);

/** What both kinds of signed text say: for which device, from when to when, and an id that is used once. */
const claims = {
	aud: z.string().max(64).describe('Id of the device, as /v2/health tells it.'),
	iat: seconds.describe('When it was signed, in seconds since 1970.'),
	exp: seconds.describe('From when on it is void.'),
	jti: z
		.string()
		.regex(/^[\x21-\x7e]{1,128}$/)
		.describe('Used once; a UUID for example.'),
};

/** The payload of a signed job; `exp` at most 15 minutes after `iat`. */
export const jobEnvelopeSchema = z.strictObject({ ...claims, job: jobDraftSchema });
export type JobEnvelope = z.infer<typeof jobEnvelopeSchema>;
export type JobEnvelopeInput = z.input<typeof jobEnvelopeSchema>;

/** The payload of a signed request, `exp` at most a minute after `iat`: it is good for one method, one address and one body. */
export const requestClaimsSchema = z.strictObject({
	...claims,
	method: z.enum(['GET', 'POST', 'DELETE']),
	path: z.string().max(4096).describe('Path and query, exactly as the request has them.'),
	body: z.string().optional().describe('SHA-256 of the body in base64url; absent: there is none.'),
});
export type RequestClaims = z.infer<typeof requestClaimsSchema>;

/** A JWS in its flattened JSON form; the compact form says the same as "protected.payload.signature". */
export const flattenedSchema = z.strictObject({ protected: z.string(), payload: z.string(), signature: z.string() });
export type Flattened = z.infer<typeof flattenedSchema>;

const base64url = '[A-Za-z0-9_-]+';
export const compactPattern = new RegExp(`^${base64url}\\.${base64url}\\.${base64url}$`);

export const bodyDigest = (body: Uint8Array | string): string => createHash('sha256').update(body).digest('base64url');

/** Body of "explain", and of a job on the local socket, where nothing is signed. */
export const jobBodySchema = z.strictObject({ job: jobDraftSchema });

export const healthSchema = z.strictObject({
	status: z.literal('ok'),
	deviceId: z.string(),
	version: z.string(),
	time: z.int().describe('Clock of the device, milliseconds since 1970.'),
});

/** A token that was made with "agent enroll create", and the public half of the key that it is for. */
export const enrolSchema = z.strictObject({
	token: z.string().regex(/^[A-Za-z0-9_-]{20,100}$/),
	publicKey: z.string().max(1000).describe('Ed25519, PEM.'),
});

export const enrolledSchema = z.strictObject({
	deviceId: z.string(),
	keyId: z.string().describe('What stands as "kid" in what is signed with the key.'),
	principal: z.string(),
});

export const jobListSchema = z.strictObject({
	jobs: z.array(jobViewSchema).describe('The newest first; what a job printed is left out of its result.'),
	next: z.string().nullable().describe('Hand it back as "before" for the jobs that are older; null: there are none.'),
});

export const pageSchema = z.strictObject({
	stream: z.enum(['stdout', 'stderr']),
	encoding: z
		.enum(['utf8', 'base64'])
		.describe('utf8: `text` is the output. base64: it is no UTF-8, so these are its bytes.'),
	text: z.string(),
	offset: z.int().describe('Of the first byte.'),
	nextOffset: z.int().describe('Where the next page begins.'),
	eof: z.boolean().describe('The job is over, and nothing follows.'),
	totalBytes: z.int().describe('What the command printed so far.'),
	storedBytes: z.int().describe('What is kept of it and can be read.'),
});
export type NativePage = z.infer<typeof pageSchema>;

/** Where a page that is sent as bare bytes says what else is known. */
export const pageHeaders = {
	offset: 'x-output-offset',
	nextOffset: 'x-output-next-offset',
	eof: 'x-output-eof',
	totalBytes: 'x-output-total-bytes',
	storedBytes: 'x-output-stored-bytes',
} as const satisfies Partial<Record<keyof NativePage, string>>;

export const hitsSchema = z.strictObject({
	stream: z.enum(['stdout', 'stderr']),
	hits: z.array(
		z.strictObject({
			line: z.int().describe('Counts from 1.'),
			offset: z.int().describe('Of the first byte of the line.'),
			text: z.string(),
		}),
	),
	isCut: z.boolean().describe('There are more than were asked for.'),
});
export type NativeHits = z.infer<typeof hitsSchema>;

export const capabilitiesSchema = z.strictObject({
	deviceId: z.string(),
	version: z.string(),
	labels: z.record(z.string(), z.string()),
	platform: z.string(),
	architecture: z.string(),
	faces: z.array(z.enum(faceNames)).describe('Protocols that the agent speaks.'),
	/** Who the key stands for, and what it may ask for; "*" is every capability of the policy. */
	you: z.strictObject({ name: z.string(), roles: z.array(z.enum(roles)), capabilities: z.array(z.string()) }),
	capabilities: z
		.array(
			z.strictObject({
				name: z.string(),
				requiresApproval: z.boolean(),
				programs: z
					.array(z.string())
					.describe('What the policy knows for it; what follows a name is judged job by job.'),
			}),
		)
		.describe('What the policy has rules for, of what this key may ask for.'),
	limits: z.record(z.string(), z.int()).describe('The limits of the agent; the policy may allow less.'),
});

export const approvalListSchema = z.strictObject({ approvals: z.array(approvalSchema) });

export const errorSchema = z.strictObject({ error: problemSchema });

export { approvalSchema, auditStatusSchema, jobEventSchema, jobViewSchema };
