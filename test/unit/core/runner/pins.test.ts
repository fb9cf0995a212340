import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { checkPins } from '../../../../src/core/runner/pins.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const sha256 = createHash('sha256').update('content').digest('hex');

function program(content: string): string {
	const path = join(tempFolder(), 'tool');
	writeFileSync(path, content);
	return path;
}

it('lets a plan without pins pass, and one whose programs are what they were', async () => {
	await expect(checkPins({})).resolves.toBeUndefined();
	await expect(checkPins({ pins: [{ path: program('content'), sha256 }] })).resolves.toBeUndefined();
});

it('refuses a program with another content, and one that is gone', async () => {
	const other = { path: program('changed'), sha256 };
	const gone = { path: `${program('content')}-gone`, sha256 };
	await expect(checkPins({ pins: [other] })).rejects.toMatchObject({ code: 'POLICY_DENIED' });
	await expect(checkPins({ pins: [gone] })).rejects.toMatchObject({ code: 'POLICY_DENIED' });
});
