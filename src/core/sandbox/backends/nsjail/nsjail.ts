/** The nsjail backend: stands on the ground of this host, once found, and runs jobs in jails. */
import { KnownError } from '../../../../contract/error.ts';
import type { Backend, BoxIo, BoxOutcome, BoxSpec, Probe, ProbeStep, Tier } from '../../backend.ts';
import type { Image } from '../../image.ts';
import { findGround, type Ground } from './ground.ts';
import { runJail } from './jail.ts';

export class NsjailBackend implements Backend {
	readonly name = 'nsjail';
	#ground: Promise<Ground> | undefined;

	/** The interpreters of the jail; laying them out is part of finding ground. */
	async image(): Promise<Image> {
		return (await this.#stand()).image;
	}

	async run(spec: BoxSpec, io: BoxIo): Promise<BoxOutcome & { readonly tier: Tier }> {
		const ground = await this.#stand();
		return { ...(await runJail(ground, spec, io)), tier: ground.tier };
	}

	/** Looks anew, whatever was found before. */
	async probe(): Promise<Probe> {
		const steps: ProbeStep[] = [];
		try {
			const { tier } = await findGround(steps);
			return { backend: this.name, tier, steps };
		} catch (error) {
			if (!KnownError.is(error)) throw error;
			return { backend: this.name, tier: null, steps };
		}
	}

	/** Found once and kept; a failure is not kept, so that a repaired host works without a restart. */
	#stand(): Promise<Ground> {
		this.#ground ??= findGround([]).catch((error: unknown) => {
			this.#ground = undefined;
			throw error;
		});
		return this.#ground;
	}
}
