import { describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../../../../src/contract/agent-config.ts';
import type { Principal } from '../../../../../src/contract/principal.ts';
import { QuickCmdReads } from '../../../../../src/device/agent/faces/quickcmd-reads.ts';
import { TestKeys, tokenKey } from '../../../../helpers/face.ts';
import { MemoryJobs } from '../../../../helpers/memory-jobs.ts';

const config = agentConfigSchema.parse({
	...{ version: 1, device: { id: 'device-1' }, listeners: [{ faces: ['quickcmd'], port: 0 }] },
});
const hmacKey = {
	...{ id: 'k1', kind: 'hmac' as const, material: Buffer.from('a-secret-of-controller-1-0123456') },
	principal: { name: 'controller-1', roles: ['executor' as const], capabilities: ['*'], keyId: 'k1' },
};
const reader = (keyId: string): Principal => ({ name: 'x', roles: ['viewer'], capabilities: [], keyId, peer: null });

describe('a reader of QuickCMD who stays for long', () => {
	it('may stay as long as its key is good, and a peer as long as it likes', () => {
		const jobs = new MemoryJobs(() => {});
		const mayStay = (keys: TestKeys) => {
			const reads = new QuickCmdReads({ config, jobs, keys });
			return [reads.isStillKnown('peer'), ...['k1', 'key-reader', 'k2'].map((id) => reads.isStillKnown(reader(id)))];
		};
		expect(mayStay(new TestKeys([hmacKey, tokenKey('t', 'reader')]))).toEqual([true, true, true, false]);
		expect(mayStay(new TestKeys([]))).toEqual([true, false, false, false]);
	});
});
