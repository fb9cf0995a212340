/** Asks the authentication service of Ogent who a token belongs to: for a short time, from a short memory, and no answer is a no. */
import { createHash } from 'node:crypto';
import { bodyWithin, fetchOverHttp } from '../../../core/fetch.ts';
import { decodeOgentUser, type OgentUser } from '../../wire/ogent-auth.ts';

/** invalid: the service says no. unvouched: it answers, but with no yes. failed: it said nothing that could be understood in time. */
export type RemoteAnswer = OgentUser | 'invalid' | 'unvouched' | 'failed';

const askMs = 3000;
/** A yes and a no are believed for so long. */
const memoryMs = { yes: 30_000, no: 5_000 };
const mostRemembered = 1000;
/** Questions at the same time; strangers with ever new tokens must not make a flood of them. */
const mostAsked = 32;
/** Of them for one address, so that a stranger with slow tokens takes no turn away from everybody else. */
const mostAskedFor = 8;
const answerBytes = 256 * 1024;

export class RemoteUsers {
	readonly #url: string;
	readonly #now: () => number;
	readonly #known = new Map<string, { readonly answer: OgentUser | 'invalid'; readonly until: number }>();
	readonly #asking = new Map<string, Promise<RemoteAnswer>>();
	/** Questions under way, by the address that they are for. */
	readonly #askingFor = new Map<string, number>();

	constructor(authUrl: string, now: () => number = Date.now) {
		this.#url = `${authUrl.replace(/\/+$/, '')}/user`;
		this.#now = now;
	}

	/** Never rejects. @param peer address of the caller */
	async userOf(token: string, peer: string | null): Promise<RemoteAnswer> {
		const id = createHash('sha256').update(token).digest('hex');
		const known = this.#known.get(id);
		if (known && this.#now() < known.until) return known.answer;
		const asking = this.#asking.get(id);
		if (asking) return asking;
		const from = peer ?? '';
		const many = this.#askingFor.get(from) ?? 0;
		if (this.#asking.size >= mostAsked || many >= mostAskedFor) return 'failed';
		this.#askingFor.set(from, many + 1);
		const asked = this.#ask(token).finally(() => {
			this.#asking.delete(id);
			this.#answered(from);
		});
		this.#asking.set(id, asked);
		return this.#remember(id, await asked);
	}

	#answered(peer: string): void {
		const left = (this.#askingFor.get(peer) ?? 1) - 1;
		if (left > 0) this.#askingFor.set(peer, left);
		else this.#askingFor.delete(peer);
	}

	#remember(id: string, answer: RemoteAnswer): RemoteAnswer {
		if (answer === 'failed' || answer === 'unvouched') return answer;
		const [oldest] = this.#known.keys();
		if (this.#known.size >= mostRemembered && oldest !== undefined) this.#known.delete(oldest);
		this.#known.delete(id);
		this.#known.set(id, { answer, until: this.#now() + (answer === 'invalid' ? memoryMs.no : memoryMs.yes) });
		return answer;
	}

	async #ask(token: string): Promise<RemoteAnswer> {
		try {
			const response = await fetchOverHttp(this.#url, {
				headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
				signal: AbortSignal.timeout(askMs),
			});
			const body = await bodyWithin(response, answerBytes);
			if (response.status === 401 || response.status === 403) return 'invalid';
			if (response.status !== 200) return 'unvouched';
			return (body && decodeOgentUser(body)) || 'failed';
		} catch {
			return 'failed';
		}
	}
}
