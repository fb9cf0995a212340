/** What a face is: one protocol on a listener. It decodes, hands on to the one pipeline, and encodes what comes back. */
import type { KeyObject } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { AgentConfig, KeyEntry } from '../../contract/agent-config.ts';
import type { AuditStatus } from '../../contract/audit.ts';
import type { FaceName } from '../../contract/device-job.ts';
import type { Principal } from '../../contract/principal.ts';
import type { Approvals, Jobs } from './ports.ts';
import type { RefusedRequest } from './refusals.ts';

/** A key that is good now: not revoked, not past its time. */
export interface LiveKey {
	readonly id: string;
	readonly kind: KeyEntry['kind'];
	/** The secret's bytes, or the public key. */
	readonly material: Buffer | KeyObject;
	/** Who it stands for, but for the peer. */
	readonly principal: Omit<Principal, 'peer'>;
}

export interface Keyring {
	/** Compares digests in constant time; undefined when no token of the face fits. */
	byToken(face: FaceName, token: string): LiveKey | undefined;
	candidates(face: FaceName, kind: KeyEntry['kind']): readonly LiveKey[];
	/** Counts and records a failed proof; the answer to the peer is uniform whatever the reason. */
	refused(face: FaceName, reason: string, peer: string | null): void;
}

/** Lines of the log are JSON; no command, output or secret is in them. */
export interface Log {
	info(fields: Record<string, unknown>, message: string): void;
	warn(fields: Record<string, unknown>, message: string): void;
	error(fields: Record<string, unknown>, message: string): void;
}

/** One entry of the policy, as those may see it who may use it. */
export interface CapabilityFacts {
	readonly name: string;
	/** What it allows is asked about. */
	readonly requiresApproval: boolean;
}

/** Jobs since the agent started. */
export interface JobCounts {
	readonly total: number;
	readonly running: number;
	readonly completed: number;
	readonly failed: number;
}

export interface FaceParts {
	readonly config: AgentConfig;
	readonly version: string;
	/** Folder of the agent, for files that the configuration names. */
	readonly dir: string;
	readonly jobs: Jobs;
	readonly approvals: Approvals;
	readonly keys: Keyring;
	/** Names of the programs that the policy of now knows for a capability; what follows a name is judged job by job. */
	programs(capability: string): readonly string[];
	/** What the policy of now has rules for. */
	capabilities(): readonly CapabilityFacts[];
	/** Registers a public key for a one-time token; the key is good when it resolves. Throws AUTH_REQUIRED. */
	enroll(token: string, publicKey: string): Promise<{ readonly keyId: string; readonly principal: string }>;
	readonly log: Log;
	/** Text of the agent's own metrics (Prometheus). */
	metrics(): Promise<string>;
	/** How the audit stands, cheap enough to be asked every second. */
	auditStatus(): Promise<AuditStatus>;
	/** Puts a request on record that was refused before it became a job. @returns the hash of its line; null: there are too many */
	recordRefusal(principal: Principal, refused: RefusedRequest): Promise<string | null>;
	/** Counts that QuickCMD shows under its own names. */
	counts(): JobCounts;
	/** Aborted when the agent stops; pushes and streams end then. */
	readonly stopping: AbortSignal;
}

/** An upgrade to WebSocket that a face takes; false when the path is not its own. */
export type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

export interface Face {
	readonly name: FaceName;
	/** "METHOD /path" of all its routes; two faces with a route in common cannot share a listener. */
	readonly routes: readonly string[];
	register(app: FastifyInstance, parts: FaceParts): { readonly upgrade?: Upgrade } | undefined;
}
