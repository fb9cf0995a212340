import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../../src/core/audit/chain.ts';
import { verifyAudit } from '../../../../src/core/audit/verify.ts';
import { Refusals, type RefusedRequest } from '../../../../src/device/agent/refusals.ts';
import { query } from '../../../helpers/audit.ts';
import { person } from '../../../helpers/desk.ts';
import { agentFolder, openTestStore } from '../../../helpers/store.ts';

const argsHash = sha256('["ls"]');
const refused: RefusedRequest = {
	...{ face: 'device', requestId: 'r-1', capability: 'fs.write', argsHash, code: 'unknown_capability' },
};

describe('a request that was refused before it was a job', () => {
	it('has a row in the chain of device_agent, whose hash its sender gets, and one in the audit', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		const hash = await new Refusals(store, () => 0).record(person('ann'), refused);
		const row = { request_id: 'r-1', capability: 'fs.write', args_hash: argsHash, exit_code: null, this_hash: hash };
		expect(query(dir, 'SELECT * FROM audit_log')).toEqual([expect.objectContaining(row)]);
		expect(query(dir, 'SELECT event, jobId, requestId, principal, keyId FROM audit')).toEqual([
			{ event: 'job.denied', jobId: null, requestId: 'r-1', principal: 'ann', keyId: 'key-of-ann' },
		]);
		store.close();
		expect(await verifyAudit({ dir })).toMatchObject({ status: 'intact' });
	});

	it('is on record as often as others may need it, and a flood of one sender is not', async () => {
		let now = 0;
		const store = openTestStore(agentFolder());
		const refusals = new Refusals(store, () => now);
		const many = (name: string) =>
			Promise.all(Array.from({ length: 100 }, () => refusals.record(person(name), refused)));
		const kept = async (name: string) => (await many(name)).filter((hash) => hash !== null).length;
		expect([await kept('ann'), await kept('bob')]).toEqual([60, 60]);
		now = 60_000;
		expect(await kept('ann')).toBe(60);
	});

	it('stays refused when it cannot be written down', async () => {
		const store = { change: () => Promise.reject(new Error('the disk is full')) };
		expect(await new Refusals(store, () => 0).record(person('ann'), refused)).toBe(null);
	});
});
