import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const project = join(import.meta.dirname, '..', '..', '..', '..');
const script = join(project, 'scripts', 'n8n', 'bring-n8n.mjs');
const n8nNode = join(project, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');

/** Notes how it was called, takes a moment, and leaves a sqlite3 that opens every database. */
const fakeNpm = `#!/usr/bin/env bash
echo "$PWD $*" >>"$NPM_CALLS"
sleep 0.3
[[ -z $NPM_FAILS ]] || exit 1
mkdir -p node_modules/sqlite3
echo 'exports.Database = class { get(_query, done) { done(null); } };' >node_modules/sqlite3/index.js
`;

let cache: string;
let folder: string;
beforeEach(() => {
	cache = mkdtempSync(join(tmpdir(), 'bring-n8n-'));
	folder = join(cache, 'n8n-nodes-secure-code', 'n8n-2.40.2');
	mkdirSync(join(cache, 'bin'));
	writeFileSync(join(cache, 'bin', 'npm'), fakeNpm);
	chmodSync(join(cache, 'bin', 'npm'), 0o755);
	writeFileSync(join(cache, 'calls'), '');
});
afterEach(() => rmSync(cache, { recursive: true }));

async function bring(npmFails = ''): Promise<unknown> {
	const env = {
		...process.env,
		PATH: `${join(cache, 'bin')}:${process.env.PATH}`,
		XDG_CACHE_HOME: cache,
		NPM_CALLS: join(cache, 'calls'),
		NPM_FAILS: npmFails,
	};
	return JSON.parse((await promisify(execFile)(process.execPath, [script], { env })).stdout);
}

const calls = (): string[] => readFileSync(join(cache, 'calls'), 'utf8').trim().split('\n');
const install =
	'install n8n@2.40.2 --before=2026-10-01 --ignore-scripts --no-audit --no-fund --omit=dev --loglevel=error';
const rebuild = 'rebuild sqlite3 --ignore-scripts=false --foreground-scripts=false';

describe('Bringing n8n', () => {
	test('installs the pinned version into the cache folder, once', async () => {
		expect([await bring(), await bring()]).toEqual([
			{ folder, node: n8nNode },
			{ folder, node: n8nNode },
		]);
		expect(calls()).toEqual([`${folder} ${install}`, `${folder} ${rebuild}`]);
	});

	test('installs once when two runs start at the same time', async () => {
		const place = { folder, node: n8nNode };
		expect(await Promise.all([bring(), bring()])).toEqual([place, place]);
		expect(calls()).toEqual([`${folder} ${install}`, `${folder} ${rebuild}`]);
	});

	test('starts over after an install that did not end', async () => {
		await expect(bring('yes')).rejects.toThrow('npm could not install n8n 2.40.2');
		writeFileSync(join(folder, 'left-behind'), '');
		await bring();
		expect(calls()).toEqual([`${folder} ${install}`, `${folder} ${install}`, `${folder} ${rebuild}`]);
		expect(existsSync(join(folder, 'left-behind'))).toBe(false);
	});
});
