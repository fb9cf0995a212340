import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { profileSchema } from '../../../../../src/core/runner/profile.ts';
import { groupSteps, parseGroups, pathSteps } from '../../../../../src/device/agent/doctor/host.ts';
import { tempFolder } from '../../../../helpers/temp-folder.ts';

describe('groups', () => {
	it('are read with their members', () => {
		expect(parseGroups('root:x:0:\ndocker:x:998:ann,bob\n')).toEqual([
			{ name: 'root', members: [] },
			{ name: 'docker', members: ['ann', 'bob'] },
		]);
	});

	it('that are as good as root are named, with the way out', () => {
		expect(groupSteps('docker:x:998:ann,bob\nusers:x:100:bob\n', ['bob'])).toEqual([
			{
				name: 'groups',
				status: 'reduced',
				detail: 'bob is in the group docker, which is as good as root',
				fix: 'gpasswd -d bob docker',
			},
		]);
	});

	it('are well when no user of the agent is in one', () => {
		expect(groupSteps('docker:x:998:ann\n', ['bob']).map(({ status }) => status)).toEqual(['ok']);
	});
});

describe('a search path', () => {
	const profiles = (path: string) => ({ default: profileSchema.parse({ path: [path, '/does/not/exist'] }) });

	it('is well when only root and we can write to it', () => {
		const dir = tempFolder();
		expect(pathSteps(profiles(dir)).map(({ status }) => status)).toEqual(['ok']);
	});

	it('fails when others can put programs there', () => {
		const dir = join(tempFolder(), 'bin');
		mkdirSync(dir);
		chmodSync(dir, 0o777);
		expect(pathSteps(profiles(dir))).toEqual([
			{
				name: 'search path',
				status: 'failed',
				detail: `${dir} can be changed by other users`,
				fix: `chmod go-w ${dir}`,
			},
		]);
	});
});
