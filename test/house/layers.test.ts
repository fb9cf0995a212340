/** Imports only go down: contract <- core <- device <- the faces (nodes, command line). */
import { isBuiltin } from 'node:module';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSources, type Source } from './helpers/sources.ts';

interface Room {
	readonly folder: string;
	/** Beside itself: folders and files of ours, packages, and Node's modules ("node:*" for all that no rule reserves). */
	readonly imports: readonly string[];
}

const parsers = ['acorn', '@sveltejs/acorn-typescript', 'py-ast', 'unbash', 'yaml', 'zod'];

/** The deepest folder that holds a file is its room. */
const rooms: readonly Room[] = [
	{ folder: 'src/contract', imports: ['zod'] },
	{ folder: 'src/core/checker', imports: ['src/contract', ...parsers] },
	{
		folder: 'src/core/policy',
		// The checker resolves what a shell would run; the kill list and the readers of programs look at its trees and facts.
		imports: ['src/contract', 'src/core/checker', 'src/core/runner/profile.ts', 're2js', 'node:crypto', ...parsers],
	},
	{ folder: 'src/core/secrets', imports: ['src/contract'] },
	{ folder: 'src/core/host', imports: ['src/contract', 'execa', 'node:*', 'node:child_process'] },
	{
		folder: 'src/core/sandbox',
		imports: ['src/contract', 'src/core/host', 'src/core/text.ts', 'file-type', 'mime', 'tar-stream', 'zod', 'node:*'],
	},
	{
		folder: 'src/core/network',
		imports: [
			...['src/contract', 'src/core/sandbox/backend.ts', 'src/core/secrets/redact.ts', '@peculiar/asn1-schema'],
			...['src/core/queue.ts', '@peculiar/asn1-x509', 'dns-packet', 'read-tls-client-hello', 'node:*'],
		],
	},
	{
		folder: 'src/core/runner',
		imports: ['src/contract', 'src/core/host', 'src/core/sandbox', 'src/core/text.ts', 'zod', 'node:*'],
	},
	{
		folder: 'src/core/packages',
		imports: [
			...['src/contract', 'src/core/host', 'src/core/sandbox', 'src/core/network', 'tar-stream', 'zod', 'node:*'],
		],
	},
	{ folder: 'src/core/sessions', imports: ['src/contract', 'src/core/fetch.ts', 's3mini', 'zod', 'node:*'] },
	{ folder: 'src/core/audit', imports: ['src/contract', 'src/core/host', 'zod', 'node:*'] },
	{ folder: 'src/core', imports: ['src/contract', 'zod', 'node:*'] },
	{ folder: 'src/device/wire', imports: ['src/contract', 'zod', 'node:crypto'] },
	{ folder: 'src/device/client', imports: ['src/contract', 'src/device/wire', 'undici', 'ws', 'zod', 'node:*'] },
	{
		folder: 'src/device/agent',
		imports: [
			...['src/contract', 'src/device/wire', 'src/core'],
			...['fastify', 'ws', 'jose', 'prom-client', 'pino', 're2js'],
			...['selfsigned', 'yaml', 'zod', 'node:*'],
			// Texts that the build puts into the bundle.
			...['policies', 'packaging'],
		],
	},
	{ folder: 'src/cli', imports: ['src/contract', 'src/core', 'src/device', 'package.json', 'yaml', 'zod', 'node:*'] },
	{
		folder: 'nodes',
		imports: [
			...['src/contract', 'src/core/compose.ts', 'src/core/result.ts', 'src/core/text.ts', 'src/core/secrets'],
			...[
				'src/core/network/rules.ts',
				'src/device/client',
				'n8n-workflow',
				'@langchain/core/tools',
				'zod/v3',
				'node:*',
			],
		],
	},
	{ folder: 'credentials', imports: ['src/contract', 'src/device/client', 'n8n-workflow'] },
];

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

function roomOf(path: string): Room {
	const found = rooms.filter(({ folder }) => isWithin(path, folder)).sort((a, b) => b.folder.length - a.folder.length);
	if (!found[0]) throw new Error(`${path} lies in no room`);
	return found[0];
}

/** Modules that "node:*" does not open. */
const reserved = ['node:child_process', 'node:cluster'];

function isAllowed(imported: string, room: Room): boolean {
	if (isBuiltin(imported)) {
		if (room.imports.includes(imported)) return true;
		return imported.startsWith('node:') && room.imports.includes('node:*') && !reserved.includes(imported);
	}
	if (!imported.endsWith('.ts')) return room.imports.some((allowed) => isWithin(imported, allowed));
	if (room.folder === 'src/core' && isWithin(imported, 'src/core')) return true;
	return roomOf(imported) === room || room.imports.some((allowed) => isWithin(imported, allowed));
}

const sources = readSources();

const strangers = sources.flatMap(({ path, imports }) =>
	imports.filter((imported) => !isAllowed(imported, roomOf(path))).map((imported) => `${path} imports ${imported}`),
);

/** Two neighbours may know each other's types, because some shapes hold each other; every other import ties files together. */
const tyingImports = ({ path, imports, typeImports }: Source): string[] =>
	imports.filter((imported) => !typeImports.includes(imported) || dirname(imported) !== dirname(path));

/** Follows all imports from a file and notes each way that comes back to a file it came through. */
function circlesFrom(
	path: string,
	way: readonly string[],
	byPath: ReadonlyMap<string, Source>,
	done: Set<string>,
): string[] {
	if (way.includes(path)) return [[...way.slice(way.indexOf(path)), path].join(' -> ')];
	if (done.has(path)) return [];
	const source = byPath.get(path);
	const circles = (source ? tyingImports(source) : []).flatMap((next) =>
		circlesFrom(next, [...way, path], byPath, done),
	);
	done.add(path);
	return circles;
}

function findCircles(): string[] {
	const byPath = new Map(sources.map((source) => [source.path, source]));
	const done = new Set<string>();
	return sources.flatMap(({ path }) => circlesFrom(path, [], byPath, done));
}

describe('the house', () => {
	it('was read: the test sees files in every floor', () => {
		const seen = ['src/contract', 'src/core', 'src/cli', 'nodes'];
		expect(seen.filter((folder) => !sources.some(({ path }) => isWithin(path, folder)))).toEqual([]);
		expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(sources.length);
	});

	it('imports only what the table allows', () => {
		expect(strangers).toEqual([]);
	});

	it('has no circle of imports, and none of types between folders', () => {
		expect(findCircles()).toEqual([]);
	});

	it('has one door to other processes', () => {
		const starters = ['node:child_process', 'node:cluster', 'execa'];
		const doors = sources.filter(({ imports }) => imports.some((imported) => starters.includes(imported)));
		expect(doors.map(({ path }) => path)).toEqual(['src/core/host/process.ts']);
	});

	it('says in the first line of every file what the file is', () => {
		const silent = sources.filter(({ text }) => !/^\/\*\*\s+(\* )?\S/.test(text));
		expect(silent.map(({ path }) => path)).toEqual([]);
	});
});

describe('a file that calls itself pure', () => {
	const effects = /^node:(?!path$|util$|os$|crypto$|buffer$)|^execa$|^src\/core\/host\//;
	const pure = sources.filter(({ text }) => /^\/\*\*[^/]*\bPure\.\s*\*\//.test(text));

	it('is there', () => {
		expect(pure.map(({ path }) => path)).toContain('src/core/sandbox/verdict.ts');
	});

	it('touches neither files nor processes nor the network', () => {
		const touching = pure.filter(({ path, imports }) => {
			const isPartOfHost = isWithin(path, 'src/core/host');
			return imports.some((imported) => effects.test(imported) && !(isPartOfHost && imported.endsWith('.ts')));
		});
		expect(touching.map(({ path }) => path)).toEqual([]);
	});
});
