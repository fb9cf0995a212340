/** Failed proofs on their way into the audit: each counts, but a flood of them writes only a few lines a minute. */
import type { AuditEntry } from '../../contract/audit.ts';
import type { FaceName } from '../../contract/device-job.ts';

/** Lines that are written at once in a minute; what comes after is one line with a count at its end. */
const linesPerMinute = 20;
const minuteMs = 60_000;
/** Reasons come from faces; what does not look like one is not let into the audit. */
const reasonPattern = /^[a-z][a-z0-9 _-]{0,39}$/;

export const reasonOf = (reason: string): string => (reasonPattern.test(reason) ? reason : 'other');

interface Minute {
	readonly endsAt: number;
	written: number;
	/** By face and reason, what was not written for itself. */
	readonly more: Map<string, number>;
}

/** Decides which failures are written; touches no clock and no disk. */
export class AuthFailures {
	#minute: Minute = { endsAt: 0, written: 0, more: new Map() };

	/** @returns the lines to write now: perhaps the sum of the minute that is over, perhaps this failure itself */
	count(face: FaceName, reason: string, peer: string | null, now: number): AuditEntry[] {
		const sum = this.flush(now);
		const known = reasonOf(reason);
		if (this.#minute.written < linesPerMinute) {
			this.#minute.written++;
			return [...sum, { event: 'auth.failure', face, detail: { reason: known, peer } }];
		}
		const key = `${face}: ${known}`;
		this.#minute.more.set(key, (this.#minute.more.get(key) ?? 0) + 1);
		return sum;
	}

	/** The sum of the minute that is over, if there is one. */
	flush(now: number): AuditEntry[] {
		if (now < this.#minute.endsAt) return [];
		const { more } = this.#minute;
		this.#minute = { endsAt: now + minuteMs, written: 0, more: new Map() };
		return more.size === 0 ? [] : [{ event: 'auth.failure', detail: { suppressed: Object.fromEntries(more) } }];
	}
}
