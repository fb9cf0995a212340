/** The nsjail backend: stands on the ground of this host, once found, and runs jobs in jails. */
import { availableParallelism } from 'node:os';
import { KnownError } from '../../../../contract/error.ts';
import type { Backend, BackendOutcome, BoxIo, BoxOutcome, BoxSpec, Probe, ProbeStep, Start } from '../../backend.ts';
import type { Image } from '../../image.ts';
import { Pool } from '../../pool/pool.ts';
import type { WarmSettings } from '../../pool/settings.ts';
import { kindOf, withoutJob } from './box-kind.ts';
import { longestWaitMs } from './config.ts';
import { findGround, type Ground } from './ground.ts';
import { runJail } from './jail.ts';
import { pressureNotice } from './pressure.ts';
import { ReadyNsjail } from './ready-nsjail.ts';
import { WaitingBox } from './waiting-box.ts';
import { warmStep } from './warm-step.ts';

const MiB = 1024 * 1024;

/** What was started ahead of jobs: boxes with interpreters that wait, and nsjails without a box for whatever else comes. */
interface Ahead {
	readonly boxes: Pool<BoxSpec, WaitingBox>;
	readonly nsjails: Pool<BoxSpec, ReadyNsjail>;
}

interface Started {
	readonly outcome: BoxOutcome;
	readonly start: Start;
}

function startAhead(ground: Ground, settings: WarmSettings): Ahead {
	const common = {
		longestWaitMs: longestWaitMs / 2,
		isPressed: pressureNotice(),
		processors: availableParallelism(),
		now: () => performance.now(),
	};
	const boxes = {
		...common,
		...settings,
		kindOf,
		make: (spec: BoxSpec) => new WaitingBox(ground, spec),
		assumedBytes: 24 * MiB,
	};
	const few = { budgetBytes: 16 * MiB, calmBytes: 2 * MiB };
	const nsjails = {
		...common,
		...few,
		kindOf: () => 'nsjail',
		make: () => new ReadyNsjail(ground),
		assumedBytes: MiB,
	};
	return { boxes: new Pool(boxes), nsjails: new Pool(nsjails) };
}

export class NsjailBackend implements Backend {
	readonly name = 'nsjail';
	readonly #warm: WarmSettings | undefined;
	#ground: Promise<Ground> | undefined;
	#ahead: Ahead | undefined;

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
		await Promise.all([this.#ahead?.boxes.settle(), this.#ahead?.nsjails.settle()]);
	}

	async close(): Promise<void> {
		await Promise.all([this.#ahead?.boxes.close(), this.#ahead?.nsjails.close()]);
	}

	async #start(ground: Ground, spec: BoxSpec, io: BoxIo): Promise<Started> {
		if (!this.#warm) return { outcome: await runJail(ground, spec, io), start: 'cold' };
		this.#ahead ??= startAhead(ground, this.#warm);
		// Whatever job keeps a processor busy, none of them makes anything beside it.
		const pools = Object.values(this.#ahead);
		for (const pool of pools) pool.begin();
		try {
			return await startWith(this.#ahead, ground, spec, io);
		} finally {
			for (const pool of pools) pool.done();
		}
	}

	/** Looks anew, whatever was found before. */
	async probe(): Promise<Probe> {
		const steps: ProbeStep[] = [];
		try {
			const ground = await findGround(steps);
			const { tier } = ground;
			steps.push(await warmStep(ground, this.#warm));
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

async function startWith({ boxes, nsjails }: Ahead, ground: Ground, spec: BoxSpec, io: BoxIo): Promise<Started> {
	const warm = spec.waiting ? await takeFrom(boxes, spec, io) : undefined;
	if (warm) return { outcome: warm, start: 'warm' };
	const cold = spec.device ? undefined : await takeFrom(nsjails, spec, io);
	return { outcome: cold ?? (await runJail(ground, spec, io)), start: 'cold' };
}

/**
 * Runs the job in what was started ahead. What cannot take the job has not run anything of it.
 * @returns undefined when there was nothing that could
 */
async function takeFrom(
	pool: Pool<BoxSpec, WaitingBox> | Pool<BoxSpec, ReadyNsjail>,
	spec: BoxSpec,
	io: BoxIo,
): Promise<BoxOutcome | undefined> {
	const taken = await pool.take(withoutJob(spec), io.signal);
	return taken && attempt(taken, spec, io);
}

function attempt(
	taken: WaitingBox | ReadyNsjail,
	spec: BoxSpec,
	io: BoxIo,
): Promise<BoxOutcome | undefined> | undefined {
	try {
		return taken.take(spec, io);
	} catch {
		taken.dismiss();
		return undefined;
	}
}
