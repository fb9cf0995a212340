import { realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultLimits, limits } from '../../../../../src/contract/limits.ts';
import { findNode } from '../../../../../src/core/sandbox/runtimes/javascript.ts';
import type { StartWish } from '../../../../../src/core/sandbox/runtimes/runtime.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

function fakeNode(version: string): string {
	const path = join(tempFolder(), 'node');
	writeFileSync(path, `#!/bin/sh\necho '"${version}"'\n`, { mode: 0o755 });
	return path;
}

const launchOf = async (
	dialect: 'javascript' | 'typescript',
	memoryBytes = defaultLimits.memoryBytes,
	wishes: StartWish[] = [],
) => {
	const runtime = await findNode({ SECURE_CODE_NODE: fakeNode('24.1.0') });
	return runtime?.launch({ code: 'x', dialect, limits: { ...defaultLimits, memoryBytes }, wishes });
};

describe('findNode', () => {
	it('takes the Node.js that runs us, which is there', async () => {
		const path = realpathSync(process.execPath);
		expect(await findNode({})).toMatchObject({ hostProgram: path, hostFiles: { '/usr/bin/node': path } });
	});

	it('takes an older one when the setting names it', async () => {
		const path = fakeNode('20.20.2');
		expect(await findNode({ SECURE_CODE_NODE: path })).toMatchObject({ hostProgram: path, version: '20.20.2' });
	});

	it('finds nothing when the setting points nowhere', async () => {
		expect(await findNode({ SECURE_CODE_NODE: '/does/not/exist' })).toBeUndefined();
	});
});

describe('a JavaScript program', () => {
	it('is started with a heap under the memory limit, and its address space is not limited', async () => {
		expect(await launchOf('javascript')).toEqual({
			argv: ['/usr/bin/node', '--disable-proto=delete', '--max-old-space-size=72', '/code/main.js'],
			env: {},
			files: [{ path: '/code/main.js', content: 'x' }],
			limitAddressSpace: false,
			waiting: {
				argv: [
					...['/usr/bin/node', '--disable-proto=delete', '--max-old-space-size=72'],
					...['--require', '/opt/secure-code/wait.cjs', '/code/main.js'],
				],
				env: { SECURE_CODE_WAIT: 'javascript' },
			},
		});
	});

	it('has its types stripped when it is TypeScript', async () => {
		const launch = await launchOf('typescript');
		expect(launch?.argv.slice(3)).toEqual([
			'--experimental-transform-types',
			'--disable-warning=ExperimentalWarning',
			'/code/main.ts',
		]);
		expect(launch?.files).toEqual([{ path: '/code/main.ts', content: 'x' }]);
	});

	it('finds its data in a variable when it has some', async () => {
		const launch = await launchOf('javascript', defaultLimits.memoryBytes, ['data', 'figures']);
		expect(launch?.argv.slice(3)).toEqual(['--require', '/opt/secure-code/data.cjs', '/code/main.js']);
	});

	it('waits with the same flags, and with its data loaded only when the job is there', async () => {
		const launch = await launchOf('typescript', defaultLimits.memoryBytes, ['data']);
		expect(launch?.waiting).toEqual({
			argv: [
				...['/usr/bin/node', '--disable-proto=delete', '--max-old-space-size=72'],
				...['--experimental-transform-types', '--disable-warning=ExperimentalWarning'],
				...['--require', '/opt/secure-code/wait.cjs', '--require', '/opt/secure-code/data.cjs', '/code/main.ts'],
			],
			env: { SECURE_CODE_WAIT: 'typescript' },
		});
	});

	it('keeps a heap that Node.js can start with, however small the limit', async () => {
		expect((await launchOf('javascript', limits.memoryBytes.floor))?.argv).toContain('--max-old-space-size=16');
	});
});
