/** The chain of the audit: golden values that no change may move, because audits that were written stay as they are. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../../src/contract/audit.ts';
import { auditRecordSchema } from '../../../../src/contract/audit.ts';
import { deviceHashOf, genesis, recordFor, sealedFields, sealOf, sha256 } from '../../../../src/core/audit/chain.ts';

const place = { seq: 1, at: '2026-05-24T10:00:00.000Z', prev: genesis };

describe('a line of the audit', () => {
	it('is sealed with all its fields, in the order in which the shape has them', () => {
		expect([...sealedFields, 'seal']).toEqual(Object.keys(auditRecordSchema.shape));
		const entry: AuditEntry = {
			event: 'job.end',
			jobId: 'job-1',
			exitCode: 0,
			stdoutBytes: 12,
			principal: 'álice "a"\n',
		};
		const record = recordFor(entry, place, '{"a":1}');
		const text =
			'{"seq":1,"at":"2026-05-24T10:00:00.000Z","event":"job.end","jobId":"job-1","requestId":null,"face":null,' +
			'"principal":"álice \\"a\\"\\n","keyId":null,"capability":null,"decision":null,"rule":null,"approvalId":null,' +
			'"policyHash":null,"commandDigest":null,"status":null,"exitCode":0,"stdoutBytes":12,"stderrBytes":null,"backend":null,' +
			`"detailHash":"${createHash('sha256').update('{"a":1}').digest('hex')}","prev":"${genesis}"}`;
		expect(record.seal).toBe(createHash('sha256').update(text).digest('hex'));
		expect(record.seal).toBe('909a2f15b16e08a9d3c05006b5d3bc4bc0e063d2a756138e2d615d9d731c2203');
	});

	it('does not depend on the order in which its fields were put in', () => {
		const { seal, ...record } = recordFor({ event: 'agent.start' }, place, null);
		expect(sealOf(Object.fromEntries(Object.entries(record).reverse()) as typeof record)).toBe(seal);
	});

	it('holds only what a database gives back: no NUL, no half characters, nothing without end, whole numbers', () => {
		const record = recordFor(
			{ event: 'job.end', jobId: `a\0b\ud800c`, principal: 'x'.repeat(5000), exitCode: 1.5, stdoutBytes: Number.NaN },
			place,
			null,
		);
		expect(record).toMatchObject({
			jobId: 'a\ufffdb\ufffdc',
			principal: 'x'.repeat(1000),
			exitCode: null,
			stdoutBytes: null,
		});
		expect(auditRecordSchema.parse(record)).toEqual(record);
	});
});

describe("device_agent's own chain", () => {
	const hashOf = (args: string[]) => sha256(JSON.stringify(args));

	it('has the hashes that the program itself makes', () => {
		const first = deviceHashOf({
			...{ ts: '2026-05-24T10:00:00.000Z', request_id: 'r-1', capability: 'shell.exec' },
			...{ args_hash: hashOf(['ls', '-la']), exit_code: 0, prev_hash: genesis },
		});
		const second = deviceHashOf({
			...{ ts: '2026-05-24T10:00:01.000Z', request_id: 'r-2', capability: 'shell.eval' },
			...{ args_hash: hashOf(['git status', '/repo', 'bash']), exit_code: 0, prev_hash: first },
		});
		expect([first, second]).toEqual([
			'f9d50b4a93f7e5b508e780c2548349e0e4f5ee1386c8670c85499b80e40059a0',
			'1c99fd2976e8b1895b25d529bf1197e99a6aa03a4a0974939a5171660dfbb0d2',
		]);
	});
});
