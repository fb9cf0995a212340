/** The first process of a jail and the keeper of a direct command are kept as binaries; this proves which source they were made of. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../helpers/temp-folder.ts';

const folders = { init: 'src/core/sandbox/init', keeper: 'src/core/runner/keeper' } as const;

const compilers = {
	x64: process.env.CC_X64 ?? 'x86_64-linux-gnu-gcc',
	arm64: process.env.CC_ARM64 ?? 'aarch64-linux-gnu-gcc',
} as const;

/** What a compiler writes into what it makes; undefined when it is not installed. */
function versionOf(compiler: string): string | undefined {
	try {
		const line = execFileSync(compiler, ['--version'], { encoding: 'utf8' }).split('\n')[0];
		return /\(.*$/.exec(line ?? '')?.[0];
	} catch {
		return undefined;
	}
}

const machines = { x64: 62, arm64: 183 };

const binaries = (['init', 'keeper'] as const).flatMap((name) =>
	(['x64', 'arm64'] as const).map((architecture) => ({ name, architecture, folder: folders[name] })),
);

describe.each(binaries)('$name-$architecture', ({ name, architecture, folder }) => {
	const binary = readFileSync(join(folder, `${name}-${architecture}`));

	it('carries the hash of the source that lies beside it', () => {
		const hash = createHash('sha256')
			.update(readFileSync(join(folder, `${name}.c`)))
			.digest('hex');
		expect(/source-sha256=(\w+)/.exec(binary.toString('latin1'))?.[1]).toBe(hash);
	});

	it('is a static program for its machine', () => {
		expect([binary.subarray(0, 4).toString('latin1'), binary.readUInt16LE(18)]).toEqual([
			'\u007fELF',
			machines[architecture],
		]);
		expect(binary.includes('ld-linux')).toBe(false);
	});

	it('is made again byte for byte by the same compiler', ({ skip }) => {
		const compiler = compilers[architecture];
		const version = versionOf(compiler);
		if (version === undefined) return skip(`${compiler} is not installed`);
		if (!binary.includes(`GCC: ${version}`)) return skip(`${compiler} is ${version}, not the one that made the binary`);
		const place = tempFolder();
		for (const file of [`${name}.c`, 'build.sh']) copyFileSync(join(folder, file), join(place, file));
		// The other binary is made with the same compiler, so that one compiler is enough for one test.
		execFileSync('sh', ['build.sh'], { cwd: place, env: { ...process.env, CC_X64: compiler, CC_ARM64: compiler } });
		expect(readFileSync(join(place, `${name}-${architecture}`)).equals(binary)).toBe(true);
	});
});
