import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../../../../src/contract/limits.ts';
import { isRoot } from '../../../../../src/core/host/folders.ts';
import { findPython } from '../../../../../src/core/sandbox/runtimes/python.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

interface Facts {
	readonly executable: string;
	readonly prefix: string;
	readonly version: string;
	readonly stdlib: string;
	readonly site: string;
}

/** A script that answers as a Python of these facts would. */
function fakePython(folder: string, facts: Partial<Facts> | string): string {
	const path = join(folder, 'python3');
	const stdlib = join(folder, 'stdlib');
	mkdirSync(stdlib);
	writeFileSync(join(stdlib, 'os.py'), '', { mode: 0o644 });
	const answer = typeof facts === 'string' ? facts : JSON.stringify({ version: '3.12.1', stdlib, ...facts });
	writeFileSync(path, `#!/bin/sh\ncat <<'E'\n${answer}\nE\n`, { mode: 0o755 });
	return path;
}

const siteTexts = (folder: string) => ({
	[`${folder}/secure-code.pth`]: [
		'/opt/packages/python',
		'import sys; sys.stdout is not None and sys.stdout.reconfigure(line_buffering=True)',
		"import os, sys; 'SECURE_CODE_WAIT' in os.environ and (__import__('secure_code_wait'), sys.modules.pop('secure_code_wait'))",
		"import os; 'SECURE_CODE_START' in os.environ and __import__('secure_code_start')\n",
	].join('\n'),
	...Object.fromEntries(
		['wait', 'start', 'figures', 'state', 'definitions'].map((name) => [
			`${folder}/secure_code_${name}.py`,
			readFileSync(join('src/core/sandbox/runtimes/python', `secure_code_${name}.py`), 'utf8'),
		]),
	),
});

const shared = { language: 'python', version: '3.12.1', launch: expect.any(Function) };

describe('findPython', () => {
	it('shows the library of a Python of the system and not the packages of the host', async () => {
		const folder = tempFolder();
		const site = '/usr/local/lib/python3.12/dist-packages';
		const path = fakePython(folder, { executable: '/usr/bin/python3.12', prefix: '/usr', site });
		expect(await findPython({ SECURE_CODE_PYTHON: path })).toEqual({
			...shared,
			lack: null,
			hostProgram: '/usr/bin/python3.12',
			hostFiles: { '/usr/bin/python3': '/usr/bin/python3.12' },
			texts: siteTexts(site),
			links: { '/usr/bin/python': '/usr/bin/python3' },
			hostFolders: [join(folder, 'stdlib')],
			overlays: {},
		});
	});

	it('lays a site folder of ours over the one of a Python in /usr/local, as in the images of Docker', async () => {
		const site = '/usr/local/lib/python3.12/site-packages';
		const path = fakePython(tempFolder(), { executable: '/usr/local/bin/python3.12', prefix: '/usr/local', site });
		expect(await findPython({ SECURE_CODE_PYTHON: path })).toEqual({
			...shared,
			lack: null,
			hostProgram: '/usr/local/bin/python3.12',
			hostFiles: { '/usr/local/bin/python3': '/usr/local/bin/python3.12' },
			texts: siteTexts('/opt/secure-code/python-site'),
			links: { '/usr/bin/python3': '/usr/local/bin/python3', '/usr/bin/python': '/usr/local/bin/python3' },
			hostFolders: ['/usr/local/lib'],
			overlays: { [site]: '/opt/secure-code/python-site' },
		});
	});

	it('shows the whole place of a Python that was built by hand', async () => {
		const executable = '/srv/python/bin/python3.12';
		const site = '/srv/python/lib/python3.12/site-packages';
		const path = fakePython(tempFolder(), { executable, prefix: '/srv/python', site });
		expect(await findPython({ SECURE_CODE_PYTHON: path })).toEqual({
			...shared,
			lack: null,
			hostProgram: executable,
			hostFiles: {},
			texts: siteTexts('/opt/secure-code/python-site'),
			links: { '/usr/bin/python3': executable, '/usr/bin/python': executable },
			hostFolders: ['/srv/python'],
			overlays: { [site]: '/opt/secure-code/python-site' },
		});
	});

	it('starts a program isolated from user, environment and its own folder', async () => {
		const path = fakePython(tempFolder(), { executable: '/usr/bin/python3.12', prefix: '/usr', site: '/usr/lib/site' });
		const runtime = await findPython({ SECURE_CODE_PYTHON: path });
		const program = { code: 'print(1)', dialect: 'javascript', limits: defaultLimits } as const;
		expect(runtime?.launch({ ...program, wishes: [] })).toEqual({
			argv: ['/usr/bin/python3', '-I', '-B', '-X', 'utf8', '/code/main.py'],
			env: { MPLBACKEND: 'Agg', MPLCONFIGDIR: '/tmp' },
			files: [{ path: '/code/main.py', content: 'print(1)' }],
			limitAddressSpace: true,
			waiting: {
				argv: ['/usr/bin/python3', '-I', '-B', '-X', 'utf8', '/code/main.py'],
				env: { MPLBACKEND: 'Agg', MPLCONFIGDIR: '/tmp', SECURE_CODE_WAIT: '1' },
			},
		});
		const wishing = runtime?.launch({ ...program, wishes: ['data', 'figures'] });
		expect(wishing?.env).toEqual({ MPLBACKEND: 'Agg', MPLCONFIGDIR: '/tmp', SECURE_CODE_START: 'data,figures' });
		expect(wishing?.waiting?.env).toEqual({ MPLBACKEND: 'Agg', MPLCONFIGDIR: '/tmp', SECURE_CODE_WAIT: '1' });
	});

	it('finds nothing when the setting names a program that is no Python', async () => {
		expect(await findPython({ SECURE_CODE_PYTHON: fakePython(tempFolder(), 'Usage: python') })).toBeUndefined();
	});

	it('finds nothing when the setting points nowhere', async () => {
		expect(await findPython({ SECURE_CODE_PYTHON: '/does/not/exist' })).toBeUndefined();
	});

	it.runIf(isRoot())("does not take one that a jail's user cannot read", async () => {
		const folder = tempFolder();
		const path = fakePython(folder, { executable: '/usr/bin/python3.12', prefix: '/usr', site: '/usr/lib/site' });
		chmodSync(folder, 0o700);
		expect(await findPython({ SECURE_CODE_PYTHON: path })).toBeUndefined();
	});
});
