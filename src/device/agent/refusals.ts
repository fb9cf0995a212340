/** Requests that were refused before there was a job, on their way into the audit: a flood of one sender writes only a few lines a minute. */
import type { AuditEntry } from '../../contract/audit.ts';
import type { FaceName } from '../../contract/device-job.ts';
import type { Principal } from '../../contract/principal.ts';
import type { Store } from './ports.ts';
import { RateLimits } from './rates.ts';

export interface RefusedRequest {
	readonly face: FaceName;
	readonly requestId: string;
	readonly capability: string;
	/** SHA-256 of the compact JSON of its arguments, hex. */
	readonly argsHash: string;
	/** A word of the protocol. */
	readonly code: string;
}

const linesPerMinute = 60;
/** Of one principal. Apart from what its jobs may take, so that nobody who repeats its requests takes that away. */
const limits = {
	...{ burst: linesPerMinute, requestsPerMinute: linesPerMinute, identicalPerMinute: linesPerMinute },
	...{ jobsPerDay: Number.POSITIVE_INFINITY, concurrentPerPrincipal: Number.POSITIVE_INFINITY },
};

const entryFor = (principal: Principal, refused: RefusedRequest): AuditEntry => ({
	event: 'job.denied',
	requestId: refused.requestId,
	face: refused.face,
	principal: principal.name,
	keyId: principal.keyId ?? undefined,
	capability: refused.capability,
	decision: 'deny',
	commandDigest: refused.argsHash,
	detail: { code: refused.code, peer: principal.peer },
});

export class Refusals {
	readonly #store: Pick<Store, 'change'>;
	readonly #now: () => number;
	readonly #rates = new RateLimits(limits);

	constructor(store: Pick<Store, 'change'>, now: () => number) {
		this.#store = store;
		this.#now = now;
	}

	/** @returns the hash by which the sender finds the line; null when there is none, which changes nothing about the refusal */
	async record(principal: Principal, refused: RefusedRequest): Promise<string | null> {
		const sender = { principal: principal.name, commandDigest: refused.argsHash };
		const tooMany = this.#rates.admit({ ...sender, runningJobs: 0, jobsToday: 0, now: this.#now() });
		if (tooMany) return null;
		return this.#store.change(() => {}, entryFor(principal, refused)).catch(() => null);
	}
}
