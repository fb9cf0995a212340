/** Adds packages to a bundle of this host and takes them away: build, switch over, clear away. */
import type { Backend, OutputStream } from '../sandbox/backend.ts';
import { buildPackages, removeUnusedSets, type Workshop } from './build.ts';
import {
	type Bundle,
	emptyBundle,
	type PackageLanguage,
	readBundle,
	requireBundleName,
	writeBundle,
} from './bundle.ts';
import { readNames, withoutPackages, withPackages } from './names.ts';
import { findNpm, findPip } from './registry.ts';

export interface PackageOrder {
	readonly backend: Backend;
	readonly home: string;
	readonly bundle: string;
	readonly language: PackageLanguage;
	/** Version of the interpreter in the jail. */
	readonly version: string;
	/** Hosts beside those that the client's own settings name. */
	readonly hosts: readonly string[];
	readonly onOutput: (stream: OutputStream, chunk: Buffer) => void;
	readonly signal: AbortSignal;
}

/** Programs that may have pip; the first of the system, since it is kept up to date. */
const pythons = ['/usr/bin/python3', '/usr/local/bin/python3', 'python3'];

async function workshopFor(order: PackageOrder): Promise<Workshop> {
	return { ...order, client: order.language === 'python' ? await findPip(pythons) : await findNpm() };
}

/** Switches over to what was built; the set that was used until now stays for programs that still run. */
async function switchTo(order: PackageOrder, before: Bundle, bundle: Bundle): Promise<Bundle> {
	await writeBundle(order.home, order.bundle, bundle);
	const used = [before, bundle].flatMap(({ python, javascript }) => [python?.set, javascript?.set]);
	await removeUnusedSets(
		order.home,
		order.bundle,
		used.filter((set) => set !== undefined),
	);
	return bundle;
}

async function build(order: PackageOrder, names: readonly string[], lock?: Bundle): Promise<Bundle> {
	const before = readBundle(order.home, order.bundle);
	const { language } = order;
	const wish = { names, ...(lock ? { lock } : {}) };
	const part = names.length === 0 ? null : await buildPackages(await workshopFor(order), language, order.bundle, wish);
	return switchTo(order, before, { ...before, [language]: part });
}

/** A failure leaves the bundle as it was. */
export async function addPackages(order: PackageOrder, typed: readonly string[]): Promise<Bundle> {
	requireBundleName(order.bundle);
	const names = readNames(typed, order.language);
	const old = readBundle(order.home, order.bundle)[order.language]?.names ?? [];
	return build(order, withPackages(old, names));
}

/** What is left is chosen anew, so that nothing stays that only the removed ones needed. */
export async function removePackages(order: PackageOrder, typed: readonly string[]): Promise<Bundle> {
	requireBundleName(order.bundle);
	const old = readBundle(order.home, order.bundle)[order.language]?.names ?? [];
	return build(order, withoutPackages(old, readNames(typed, order.language)));
}

/** Builds exactly what another host has, file by file of the same hash. */
export async function addLocked(order: PackageOrder, lock: Bundle): Promise<Bundle> {
	requireBundleName(order.bundle);
	return build(order, lock[order.language]?.names ?? [], lock);
}

export async function removeBundle(home: string, name: string): Promise<void> {
	requireBundleName(name);
	await writeBundle(home, name, emptyBundle);
}
