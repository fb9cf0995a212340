/** Who sends a call over the agent's own socket: whoever may open its file, and that is the user of the agent alone. */
import { randomUUID } from 'node:crypto';
import { KnownError } from '../../../contract/error.ts';
import type { Principal } from '../../../contract/principal.ts';
import { jobBodySchema } from '../../wire/native.ts';
import { decodeBody } from '../../wire/native-codec.ts';
import type { Asked, Caller, NativeAuth, SubmittedJob } from './native-auth.ts';

export class LocalAuth implements NativeAuth {
	readonly #principal: Principal;

	constructor(principal: Principal) {
		this.#principal = principal;
	}

	async caller(): Promise<Caller> {
		return { principal: this.#principal, isGood: () => true };
	}

	/** Nothing is signed here: the body is the job, as in "explain". */
	async job({ body }: Asked): Promise<SubmittedJob> {
		const decoded = decodeBody(jobBodySchema, body);
		if (!decoded.ok) throw new KnownError('REQUEST_INVALID', { details: decoded.why });
		const submission = { face: 'native', clientId: `local:${randomUUID()}`, draft: decoded.value.job } as const;
		return { principal: this.#principal, submission };
	}
}
