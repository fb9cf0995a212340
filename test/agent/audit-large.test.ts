/** An audit of a hundred thousand rows is verified in the memory that a small one takes. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { agentFolder, openTestStore } from '../helpers/store.ts';

const script = `
import { verifyAudit } from './src/core/audit/verify.ts';
console.log(JSON.stringify(await verifyAudit({ dir: process.argv[1] })));
`;

it('verifies 100 000 rows in 32 MiB', async () => {
	const dir = agentFolder();
	const store = openTestStore(dir);
	const entry = { event: 'auth.failure', face: 'native', principal: 'mallory', detail: { peer: '127.0.0.1' } } as const;
	for (let n = 0; n < 100; n++) await store.change(() => {}, ...Array.from({ length: 1000 }, () => entry));
	const { rows, seal } = store.status();
	const flags = ['--max-old-space-size=32', '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', '--input-type=module'];
	const said = execFileSync(process.execPath, [...flags, '-e', script, dir], { encoding: 'utf8' });
	expect(JSON.parse(said)).toEqual({
		status: 'intact',
		rows,
		checkpoints: rows - 100_000,
		seal,
		firstBad: null,
		problem: null,
	});
});
