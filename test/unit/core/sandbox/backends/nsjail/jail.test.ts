import { expect, test } from 'vitest';
import { defaultLimits } from '../../../../../../src/contract/limits.ts';
import { type Footing, takeSite } from '../../../../../../src/core/sandbox/backends/nsjail/jail.ts';
import { tempFolder } from '../../../../../helpers/temp-folder.ts';

test('a site that is given back before a jail was started on it keeps no task list open', () => {
	const did: string[] = [];
	const cgroups = {
		prepareToAdd: () => {},
		create: () => ({ closeTaskLists: () => did.push('closed'), remove: () => did.push('removed') }),
	} as unknown as Footing['cgroups'];
	const footing = { cgroups, firstUser: undefined } as unknown as Footing;
	takeSite(footing, { limits: defaultLimits }, tempFolder()).giveBack(true);
	expect(did).toEqual(['closed', 'removed']);
});
