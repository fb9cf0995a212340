/** The configuration of a device agent: one YAML file, read once; what is not known in it is refused. */
import { z } from 'zod';
import { faceNames } from './device-job.ts';
import { roles } from './principal.ts';

const MiB = 1024 * 1024;

const tlsSchema = z.strictObject({
	certFile: z.string(),
	keyFile: z.string(),
	/** Present: clients must show a certificate of this authority. */
	clientAuthorityFile: z.string().optional(),
});

/** A listener owns its /health and /metrics, so faces whose routes collide need listeners of their own. */
const listenerSchema = z.strictObject({
	faces: z.array(z.enum(faceNames)).min(1),
	/** Address to listen on; nothing but loopback without a word of the operator. */
	host: z.string().default('127.0.0.1'),
	port: z.int().min(0).max(65535),
	tls: tlsSchema.optional(),
});

/** A key and who it stands for. The value lies in a file of its own that only the front can read. */
const keySchema = z.strictObject({
	id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
	face: z.enum(faceNames),
	/** token: bearer. jwt-hs256: signs JWTs. hmac: QuickCMD. ed25519: public key that verifies (device_agent, native). */
	kind: z.enum(['token', 'jwt-hs256', 'hmac', 'ed25519']),
	principal: z.string().min(1).max(200),
	roles: z.array(z.enum(roles)).default(['executor']),
	/** Absent: every capability of the policy. []: none. */
	capabilities: z.array(z.string()).optional(),
	file: z.string().describe('Below the folder of the agent; holds the secret, or for tokens its SHA-256.'),
	/** Unix ms; an old key stays good until then while clients change over. */
	notAfter: z.int().optional(),
	isRevoked: z.boolean().default(false),
});
export type KeyEntry = z.infer<typeof keySchema>;

export const agentConfigSchema = z.strictObject({
	version: z.literal(1),
	device: z.strictObject({
		id: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
		labels: z.record(z.string(), z.string()).default({}),
	}),
	listeners: z.array(listenerSchema).min(1),
	keys: z.array(keySchema).default([]),
	policyFile: z.string().default('policy.yaml'),
	/** in-process, or the socket of the exec unit, which runs jobs as another user. */
	runner: z.union([z.literal('in-process'), z.strictObject({ socket: z.string() })]).default('in-process'),
	limits: z
		.strictObject({
			bodyBytes: z
				.int()
				.min(1024)
				.max(16 * MiB)
				.default(256 * 1024),
			concurrentJobs: z.int().min(1).max(256).default(4),
			/** Room for several principals who send as much as they may, so that one alone never fills it. */
			queueLength: z.int().min(0).max(10_000).default(1000),
			/** Of one principal: requests that may come at once, and per minute in the long run. */
			burst: z.int().min(1).default(500),
			requestsPerMinute: z.int().min(1).default(6000),
			jobsPerDay: z.int().min(1).default(100_000),
			/** Of one principal at the same time. */
			concurrentPerPrincipal: z.int().min(1).default(128),
			/** The same command of one principal in a minute: a model that loops is stopped. */
			identicalPerMinute: z.int().min(1).default(600),
			/** Open at the same time on one listener, and of one address. */
			connections: z.int().min(1).default(512),
			connectionsPerPeer: z.int().min(1).default(256),
			timeoutMs: z.int().min(1000).max(3_600_000).default(300_000),
			/** What a job may print before it is ended, and the most that is kept of it; policy and request may keep less. */
			outputBytes: z
				.int()
				.min(1024)
				.max(1024 * MiB)
				.default(64 * MiB),
			memoryBytes: z
				.int()
				.min(16 * MiB)
				.default(512 * MiB),
			processes: z.int().min(16).max(4096).default(128),
			/** All stored output of one principal. */
			storeBytes: z
				.int()
				.min(MiB)
				.default(1024 * MiB),
		})
		.prefault({}),
	approvals: z
		.strictObject({
			expiryMs: z.int().min(1000).max(86_400_000).default(900_000),
			pendingPerPrincipal: z.int().min(1).default(20),
			/** How many people must say yes. */
			needed: z.int().min(1).max(5).default(1),
			/** A line for each request and each answer, for tools that read device_agent's queue. */
			mirrorFile: z.string().optional(),
		})
		.prefault({}),
	audit: z
		.strictObject({
			checkpointRows: z.int().min(1).default(1000),
			checkpointMs: z.int().min(1000).default(60_000),
			/** Store the command itself beside its digest. */
			keepCommands: z.boolean().default(true),
		})
		.prefault({}),
	retention: z
		.strictObject({
			/** Output that nobody read for so long, and output at all. */
			idleMs: z.int().min(60_000).default(3_600_000),
			hardMs: z.int().min(60_000).default(86_400_000),
		})
		.prefault({}),
	/** Lines of the log are JSON on stdout. */
	log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
	/** Networks, as CIDR, whose peers may read the agent's own /metrics; an empty list means nobody. */
	metrics: z.strictObject({ from: z.array(z.string()).default(['127.0.0.0/8', '::1/128']) }).prefault({}),
	/** How long running jobs may go on when the agent is told to stop; then they are cancelled. */
	stop: z.strictObject({ graceMs: z.int().min(0).max(600_000).default(10_000) }).prefault({}),
	/** Settings of single faces. */
	ogent: z
		.strictObject({
			pushUrl: z.url().optional(),
			pushTokenFile: z.string().optional(),
			authUrl: z.url().optional(),
			permission: z.string().default('run agents'),
			/** Names for this agent, beside the id of the device, that a JWT with an audience may carry. */
			audiences: z.array(z.string().min(1)).default([]),
			/** Who may make JWTs, by their "iss". Absent: whoever has the secret; an empty list means nobody. */
			issuers: z.array(z.string().min(1)).optional(),
			maxExecutionSeconds: z.int().min(1).max(3600).default(3600),
		})
		.prefault({}),
	quickcmd: z
		.strictObject({
			allowedControllers: z.array(z.string()).default([]),
			reads: z.enum(['same-peer', 'auth']).default('same-peer'),
			requireBinding: z.boolean().default(false),
			maxAgeSeconds: z.int().default(300),
			maxTtlSeconds: z.int().default(3600),
		})
		.prefault({}),
	deviceAgent: z
		.strictObject({
			/** Networks whose peers need no key, as CIDR; an empty list means nobody. */
			unsignedFrom: z.array(z.string()).default([]),
			manifestFile: z.string().optional(),
			manifestKeyFile: z.string().optional(),
		})
		.prefault({}),
});
export type AgentConfig = z.infer<typeof agentConfigSchema>;
