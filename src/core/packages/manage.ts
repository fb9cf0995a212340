/** Adds packages to a bundle of this host and takes them away: build, switch over, clear away. */
import { KnownError } from '../../contract/error.ts';
import { languageLabels } from '../../contract/language.ts';
import type { Backend, OutputStream } from '../sandbox/backend.ts';
import { buildPackages, removeUnusedSets, type Workshop } from './build.ts';
import {
	type Bundle,
	emptyBundle,
	type PackageLanguage,
	readBundle,
	readBundles,
	requireBundleName,
	writeBundle,
} from './bundle.ts';
import { readNames, stillPinned, unknownNames, withoutPackages, withPackages } from './names.ts';
import type { Kept, Wish } from './recipes.ts';
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

async function build(order: PackageOrder, wish: Wish): Promise<Bundle> {
	const before = readBundle(order.home, order.bundle);
	const { language, bundle } = order;
	const part = wish.names.length === 0 ? null : await buildPackages(await workshopFor(order), language, bundle, wish);
	return switchTo(order, before, { ...before, [language]: part });
}

/** @param typed names that may change where they come with a version */
function keptOf(part: Bundle[PackageLanguage], typed: readonly string[]): { keep?: Kept } {
	if (part === null) return {};
	return { keep: { pins: stillPinned(part.lock, typed), lockFile: 'lockFile' in part ? part.lockFile : undefined } };
}

/**
 * What the bundle has already stays as it is, unless all is to be chosen anew. A failure leaves the bundle as it was.
 * @param typed may be empty to have all chosen anew
 */
export async function addPackages(order: PackageOrder, typed: readonly string[], isUpgrade = false): Promise<Bundle> {
	requireBundleName(order.bundle);
	const names = readNames(typed, order.language);
	const part = readBundle(order.home, order.bundle)[order.language];
	if (typed.length === 0 && part === null) throw usage(`the bundle "${order.bundle}" has no packages to choose anew`);
	const kept = isUpgrade ? {} : keptOf(part, names);
	return build(order, { names: withPackages(part?.names ?? [], names), ...kept });
}

const usage = (details: string): KnownError => new KnownError('USAGE', { details });

function requireBundle(home: string, name: string): Bundle {
	requireBundleName(name);
	const bundles = readBundles([home]);
	const found = bundles[name];
	if (found) return found;
	const others = Object.keys(bundles).join(', ');
	throw usage(`there is no bundle "${name}" here; ${others === '' ? 'there is none at all' : `there are: ${others}`}`);
}

/** What is left stays as it is, and nothing stays that only the removed ones needed. */
export async function removePackages(order: PackageOrder, typed: readonly string[]): Promise<Bundle> {
	const part = requireBundle(order.home, order.bundle)[order.language];
	const old = part?.names ?? [];
	const removed = readNames(typed, order.language);
	const unknown = unknownNames(old, removed);
	if (unknown.length > 0) {
		const has = old.length === 0 ? `nothing for ${languageLabels[order.language]}` : old.join(' ');
		throw usage(`the bundle "${order.bundle}" was not made of ${unknown.join(', ')}; it has ${has}`);
	}
	return build(order, { names: withoutPackages(old, removed), ...keptOf(part, []) });
}

/** Builds exactly what another host has, file by file of the same hash. */
export async function addLocked(order: PackageOrder, lock: Bundle): Promise<Bundle> {
	requireBundleName(order.bundle);
	return build(order, { names: lock[order.language]?.names ?? [], lock });
}

export async function removeBundle(home: string, name: string): Promise<void> {
	requireBundle(home, name);
	await writeBundle(home, name, emptyBundle);
}
