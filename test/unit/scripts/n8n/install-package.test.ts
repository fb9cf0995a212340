import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const script = join(import.meta.dirname, '..', '..', '..', '..', 'scripts', 'n8n', 'install-package.mjs');
let folder: string;
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'install-package-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const nodes = (...path: string[]) => join(folder, 'user', '.n8n', 'nodes', ...path);
const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'));

/** A packed package whose only file besides its manifest is named after its version. */
function tarball(name: string, version: string): string {
	const content = join(folder, 'package');
	rmSync(content, { recursive: true, force: true });
	mkdirSync(content);
	writeFileSync(join(content, 'package.json'), JSON.stringify({ name, version }));
	writeFileSync(join(content, `${version}.js`), '');
	const file = join(folder, `${version}.tgz`);
	execFileSync('tar', ['-czf', file, '-C', folder, 'package']);
	return file;
}

function install(version: string): string {
	mkdirSync(join(folder, 'user'), { recursive: true });
	const file = tarball('n8n-nodes-ours', version);
	return execFileSync(process.execPath, [script, file, join(folder, 'user')], { encoding: 'utf8', stdio: 'pipe' });
}

describe('Installing the package into an n8n', () => {
	test('puts it where n8n looks, and says where', () => {
		expect(install('1.0.0')).toBe(`${nodes('node_modules', 'n8n-nodes-ours')}\n`);
		expect(readdirSync(nodes('node_modules', 'n8n-nodes-ours')).sort()).toEqual(['1.0.0.js', 'package.json']);
		expect(readJson(nodes('package.json'))).toEqual({
			name: 'installed-nodes',
			private: true,
			dependencies: { 'n8n-nodes-ours': '1.0.0' },
		});
	});

	test('replaces an older version whole', () => {
		install('1.0.0');
		install('2.0.0');
		expect(readdirSync(nodes('node_modules', 'n8n-nodes-ours')).sort()).toEqual(['2.0.0.js', 'package.json']);
		expect(readJson(nodes('package.json')).dependencies).toEqual({ 'n8n-nodes-ours': '2.0.0' });
	});

	test.skipIf(process.getuid?.() !== 0)('gives what root installs to the owner of the folder', () => {
		mkdirSync(join(folder, 'user'));
		chownSync(join(folder, 'user'), 1234, 1235);
		install('1.0.0');
		const paths = [
			join(folder, 'user', '.n8n'),
			nodes('package.json'),
			nodes('node_modules', 'n8n-nodes-ours', '1.0.0.js'),
		];
		expect(paths.map((path) => [statSync(path).uid, statSync(path).gid])).toEqual(paths.map(() => [1234, 1235]));
	});

	test('leaves other packages alone, also those that no list names', () => {
		mkdirSync(nodes('node_modules', 'n8n-nodes-unlisted'), { recursive: true });
		writeFileSync(nodes('package.json'), '{"name":"installed-nodes","dependencies":{"n8n-nodes-other":"3.0.0"}}');
		install('1.0.0');
		expect(readdirSync(nodes()).sort()).toEqual(['node_modules', 'package.json']);
		expect(readdirSync(nodes('node_modules')).sort()).toEqual(['n8n-nodes-ours', 'n8n-nodes-unlisted']);
		expect(readJson(nodes('package.json')).dependencies).toEqual({
			'n8n-nodes-other': '3.0.0',
			'n8n-nodes-ours': '1.0.0',
		});
	});
});
