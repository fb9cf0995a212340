/** The nsjail backend: stands on the ground of this host, once found, and runs jobs in jails. */
import { availableParallelism } from 'node:os';
import { KnownError } from '../../../../contract/error.ts';
import { isShortOfMemory } from '../../../host/memory.ts';
import type { Backend, BackendOutcome, BoxIo, BoxOutcome, BoxSpec, Probe, ProbeStep, Start } from '../../backend.ts';
import type { Image } from '../../image.ts';
import { Pool } from '../../pool/pool.ts';
import type { WarmSettings } from '../../pool/settings.ts';
import { profileOf } from './box-profile.ts';
import { longestWaitMs } from './config.ts';
import { findGround, type Ground } from './ground.ts';
import { runJail } from './jail.ts';
import { WaitingBox } from './waiting-box.ts';

type BoxPool = Pool<BoxSpec, WaitingBox>;

function poolOn(ground: Ground, settings: WarmSettings): BoxPool {
	return new Pool<BoxSpec, WaitingBox>({
		...settings,
		profileOf,
		make: (spec) => new WaitingBox(ground, spec),
		longestWaitMs: longestWaitMs / 2,
		isPressed: isShortOfMemory,
		processors: availableParallelism(),
		now: () => performance.now(),
	});
}

export class NsjailBackend implements Backend {
	readonly name = 'nsjail';
	readonly #warm: WarmSettings | undefined;
	#ground: Promise<Ground> | undefined;
	#pool: BoxPool | undefined;

	/** @param warm what boxes may wait; absent: none */
	constructor(warm?: WarmSettings) {
		this.#warm = warm;
	}

	/** The interpreters of the jail; laying them out is part of finding ground. */
	async image(): Promise<Image> {
		return (await this.#stand()).image;
	}

	async run(spec: BoxSpec, io: BoxIo): Promise<BackendOutcome> {
		const ground = await this.#stand();
		const { outcome, start } = await this.#start(ground, spec, io);
		return { ...outcome, tier: ground.tier, start };
	}

	async settle(): Promise<void> {
		await this.#pool?.settle();
	}

	async close(): Promise<void> {
		await this.#pool?.close();
	}

	async #start(ground: Ground, spec: BoxSpec, io: BoxIo): Promise<{ outcome: BoxOutcome; start: Start }> {
		if (!this.#warm || !spec.waiting) return { outcome: await runJail(ground, spec, io), start: 'cold' };
		this.#pool ??= poolOn(ground, this.#warm);
		try {
			return await runInPool(this.#pool, ground, spec, io);
		} finally {
			this.#pool.done();
		}
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

/** A box that cannot take the job has not run anything of it, so the job starts cold. */
async function runInPool(pool: BoxPool, ground: Ground, spec: BoxSpec, io: BoxIo) {
	const box = await pool.take(spec);
	try {
		if (box) return { outcome: await box.take(spec, io), start: 'warm' as const };
	} catch {
		box?.dismiss();
	}
	return { outcome: await runJail(ground, spec, io), start: 'cold' as const };
}
