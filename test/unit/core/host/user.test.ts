import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { userName } from '../../../../src/core/host/user.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

it('is the name of the user', () => {
	expect(userName()).toBe(userInfo().username);
});

it('is the number of a user that has no name', ({ skip }) => {
	if (process.getuid?.() !== 0) return skip('only root can become another user');
	const folder = tempFolder();
	for (const [from, name] of [
		[process.execPath, 'node'],
		[join(import.meta.dirname, '../../../../src/core/host/user.ts'), 'user.mts'],
	] as const)
		copyFileSync(from, join(folder, name));
	for (const name of ['node', 'user.mts']) chmodSync(join(folder, name), 0o755);
	const script = `import(${JSON.stringify(join(folder, 'user.mts'))}).then(({ userName }) => console.log(userName()))`;
	const printed = execFileSync(join(folder, 'node'), ['-e', script], { uid: 54_321, cwd: '/', encoding: 'utf8' });
	expect(printed.trim()).toBe('54321');
});
