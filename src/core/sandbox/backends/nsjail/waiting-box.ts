/** A jail whose interpreter has started and waits: it takes one job, and is gone after it. */
import { linkSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { heldBytes, treeBytes } from '../../../host/processes.ts';
import { type BoxIo, type BoxOutcome, type BoxSpec, inputFolder } from '../../backend.ts';
import { memoryFolders } from '../../image.ts';
import { addressSpaceBytes, MiB, roomyLimits, wholeMiB } from './config.ts';
import type { ProcessLimits } from './control.ts';
import {
	countsOwnProcesses,
	type Footing,
	groupLimits,
	type JailSite,
	type StandingJail,
	standJail,
	startNsjail,
	takeSite,
} from './jail.ts';
import { nsjailBytes } from './nsjail-process.ts';

const stdinName = 'stdin';
const inputName = 'in';

export class WaitingBox {
	readonly #footing: Footing;
	readonly #jail: StandingJail;
	/** Files of the host that are filled when the job arrives, by their path in the box. */
	readonly #later: Readonly<Record<string, string>>;
	readonly madeAt = performance.now();
	/** True when the box waits, false when it never will. */
	readonly isReady: Promise<boolean>;

	/** @param spec of a job of the same kind; its job-bound parts are not looked at */
	constructor(footing: Footing, spec: BoxSpec) {
		this.#footing = footing;
		let later: Readonly<Record<string, string>> = {};
		const site = takeSite(footing, { ...spec, limits: roomyLimits(spec.limits) });
		this.#jail = standJail(site, () => {
			later = reserveFiles(spec, site);
			const stdinPath = site.folder.writeForAll(stdinName, '');
			return startNsjail(footing, spec, site, { stdinPath, later });
		});
		this.#later = later;
		this.isReady = this.#jail.run.untilWaiting();
	}

	/** Whether it can still be given a job. */
	get isWaiting(): boolean {
		return this.#jail.run.isWaiting;
	}

	/** Memory that the box holds while it waits, with its part of what it shares with others. */
	get bytes(): number {
		return Math.max(treeBytes(this.#jail.run.nsjailPid), this.#ownBytes);
	}

	/** What would be free without it. */
	get #ownBytes(): number {
		const { run, site } = this.#jail;
		const held = site.cgroup?.memoryBytes() ?? heldBytes(run.initPid, memoryFolders, Number.POSITIVE_INFINITY);
		return held + nsjailBytes;
	}

	/**
	 * Gives the box its job.
	 * @returns undefined when the box ended before it had begun
	 * @throws at once, before anything of the job has run, when the box cannot take it
	 */
	take(spec: BoxSpec, io: BoxIo): Promise<BoxOutcome | undefined> {
		const { run, site } = this.#jail;
		if (site.cgroup) site.cgroup.limit(groupLimits(spec));
		else if (this.#ownBytes > spec.limits.memoryBytes) throw new Error('the box holds more already');
		if (io.stdin !== undefined) site.folder.fillFor(site.user.outsideGroup, stdinName, io.stdin);
		for (const { path, content } of spec.files) writeFileSync(this.#later[path] ?? '', content);
		for (const { path, hostPath } of spec.binds) if (path === inputFolder) linkFiles(hostPath, this.#later[path] ?? '');
		run.begin({ spec, io, limits: limitsOf(this.#footing, spec) });
		return run.outcome().then((outcome) => (run.hasBegun || outcome.stopped ? outcome : undefined));
	}

	/** Resolves when nothing of it is left. */
	get isGone(): Promise<unknown> {
		return this.#jail.isGone;
	}

	dismiss(): void {
		this.#jail.run.dismiss();
	}
}

function limitsOf(footing: Footing, spec: BoxSpec): ProcessLimits {
	const { openFiles, fileBytes, processes } = spec.limits;
	return {
		openFiles,
		fileBytes: wholeMiB(fileBytes) * MiB,
		processes: countsOwnProcesses(footing, spec) ? processes + 1 : undefined,
		addressSpaceBytes: addressSpaceBytes(spec, footing.cgroups !== undefined),
	};
}

/** The files that a job brings are shown from the beginning, and empty; they look as nsjail makes them for a cold start. */
function reserveFiles({ files, binds }: BoxSpec, { folder, user }: JailSite): Record<string, string> {
	const reserved = files.map(({ path }, index) => [
		path,
		folder.reserveOwn(user.outsideUser, user.outsideGroup, `file-${index}`),
	]);
	const hasInputs = binds.some(({ path }) => path === inputFolder);
	return Object.fromEntries([...reserved, ...(hasInputs ? [[inputFolder, folder.reserveFolder(inputName)]] : [])]);
}

/** Both folders lie with the temporary files, so nothing is copied. */
function linkFiles(from: string, to: string): void {
	for (const name of readdirSync(from)) linkSync(join(from, name), join(to, name));
}
