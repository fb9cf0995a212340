/** One interface to devices of five protocols. What a protocol cannot do is said in the result, never invented. */
import type { Approval, ApprovalAnswer } from '../../contract/approval.ts';
import type { FaceName } from '../../contract/device-job.ts';
import type { PolicyDecision } from '../../contract/policy.ts';
import type { RemoteCommand, RemoteOutput, RemoteResult } from '../../contract/remote.ts';
import type { Endpoint } from './http.ts';

/** How a device is reached and what proves who we are; made from a credential. */
export type DeviceAccess = Endpoint & DeviceProof;

export type DeviceProof =
	| { readonly protocol: 'agent3'; readonly token: string }
	| {
			readonly protocol: 'ogent';
			/** A token, or a login at the service that gives one. */
			readonly token?: string | undefined;
			readonly login?: { readonly url: string; readonly user: string; readonly password: string } | undefined;
			/** Socket.IO or push address that knows the whole output of the original; absent: only what GET tells. */
			readonly dialect: 'service' | 'documents' | 'langchain';
			/** Appends a marker and the exit code to each command of an original that tells none. */
			readonly marksExit: boolean;
	  }
	| {
			readonly protocol: 'quickcmd';
			readonly secret: string;
			readonly controllerId: string;
			readonly origin?: string | undefined;
	  }
	| {
			readonly protocol: 'device';
			readonly token?: string | undefined;
			/** PEM of a private Ed25519 key, and its id. */
			readonly key?: string | undefined;
			readonly keyId?: string | undefined;
	  }
	/** The private key as JWK text, as "agent init" prints it; or a token for reading and approving. */
	| { readonly protocol: 'native'; readonly key?: string | undefined; readonly token?: string | undefined };

/** What a protocol can do; shown to the author, and said where it is missed. */
export interface Abilities {
	readonly argv: boolean;
	readonly cancel: boolean;
	readonly streams: boolean;
	readonly exitCode: boolean;
	readonly pages: boolean;
	readonly search: boolean;
	readonly validates: boolean;
	readonly approvals: boolean;
	/** Submit and ask later; otherwise a call lasts as long as the command. */
	readonly later: boolean;
	readonly idempotent: boolean;
}

export interface Watch {
	/** Live output, where the protocol streams. */
	readonly onOutput?: ((stream: 'stdout' | 'stderr', text: string) => void) | undefined;
	/** Aborting cancels the job on the device, also when the connection is gone by then: the cancel is sent over a new one. */
	readonly signal?: AbortSignal | undefined;
}

export type ReadRequest = { readonly stream: 'stdout' | 'stderr' } & (
	| { readonly how: 'page'; readonly offset: number; readonly limit: number }
	| { readonly how: 'tail'; readonly lines: number }
	| { readonly how: 'search'; readonly pattern: string; readonly most: number }
);

export interface DeviceHealth {
	readonly device: string;
	readonly isHealthy: boolean;
	readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Failures of a command are results. A KnownError is thrown where an operator must act (AUTH_REQUIRED, AGENT_UNREACHABLE,
 * CONFIG_INVALID) and where a protocol has no such operation (JOB_UNSUPPORTED).
 */
export interface DeviceClient {
	readonly protocol: FaceName;
	readonly abilities: Abilities;
	/** Submits and waits until the job is over, or waits for approval. The device's limit is the one that counts. */
	run(command: RemoteCommand, watch?: Watch): Promise<RemoteResult>;
	/** Hands the job in and comes back at once. */
	submit(command: RemoteCommand): Promise<RemoteResult>;
	status(jobId: string): Promise<RemoteResult>;
	/** Until the job is over or waits for approval, at most so long. */
	wait(jobId: string, ms: number, watch?: Watch): Promise<RemoteResult>;
	read(jobId: string, request: ReadRequest): Promise<RemoteOutput>;
	/** Resolves with how the job ended. */
	cancel(jobId: string): Promise<RemoteResult>;
	capabilities(): Promise<Readonly<Record<string, unknown>>>;
	health(): Promise<DeviceHealth>;
	/** Decides without running. */
	validate(command: RemoteCommand): Promise<PolicyDecision | { readonly decision: string; readonly why: string }>;
	approvals(): Promise<readonly Approval[]>;
	approval(approvalId: string): Promise<Approval>;
	answer(approvalId: string, answer: ApprovalAnswer): Promise<Approval>;
	close(): Promise<void>;
}
