/** What is asked of every job before the policy: may this key submit, does it hold the capability, is the request new, is it not too much. */
import { KnownError } from '../../contract/error.ts';
import { holds, may, type Principal } from '../../contract/principal.ts';
import { commandDigest } from './freeze.ts';
import type { Rates, Store, Submission } from './ports.ts';

export interface AdmissionParts {
	readonly store: Store;
	readonly rates: Rates;
	/** Jobs of a principal that are not over. */
	runningJobs(principal: string): number;
	now(): number;
}

const dayMs = 86_400_000;

/** Throws why not; otherwise the job goes on to the policy. */
export function admit(parts: AdmissionParts, principal: Principal, submission: Submission): void {
	refuseRights(principal, submission.draft.capability);
	refuseReplay(parts, principal, submission);
	refuseFlood(parts, principal, submission);
	useNonce(parts, principal, submission);
}

function refuseRights(principal: Principal, capability: string): void {
	if (!may(principal, 'submit'))
		throw new KnownError('AUTH_FORBIDDEN', { details: 'it has not the role of an executor' });
	if (!holds(principal, capability))
		throw new KnownError('AUTH_FORBIDDEN', { details: `it was not granted the capability ${capability}` });
}

/** An id that a client chose stands for one job for ever, which the store guards once more when it writes. */
function refuseReplay({ store }: AdmissionParts, principal: Principal, submission: Submission): void {
	const { face, clientId, freshness } = submission;
	if (clientId !== undefined && store.jobByClientId(principal.name, face, clientId))
		throw new KnownError('REQUEST_REPLAYED', { details: 'its id was used' });
	if (freshness && store.wasSeen(scopeOf(principal, submission), freshness.nonce)) throw nonceUsed();
}

/**
 * Only what is let in uses its nonce up, so that a sender who was told to wait may send the same signed bytes again. Repetitions are
 * refused before they are counted, so that nobody who listened can use up the rate of the sender. Nothing waits in between.
 */
function useNonce({ store }: AdmissionParts, principal: Principal, submission: Submission): void {
	const { freshness } = submission;
	if (freshness && !store.firstTime(scopeOf(principal, submission), freshness.nonce, freshness.expiresAt))
		throw nonceUsed();
}

const scopeOf = (principal: Principal, { face }: Submission): string => `${face}:${principal.keyId ?? principal.name}`;

const nonceUsed = (): KnownError => new KnownError('REQUEST_REPLAYED', { details: 'its nonce was used' });

function refuseFlood(parts: AdmissionParts, { name }: Principal, { draft }: Submission): void {
	const now = parts.now();
	const refused = parts.rates.admit({
		principal: name,
		commandDigest: commandDigest(draft.command),
		runningJobs: parts.runningJobs(name),
		jobsToday: parts.store.jobsSince(name, now - (now % dayMs)),
		now,
	});
	if (refused) throw new KnownError('RATE_LIMITED', refused);
}
