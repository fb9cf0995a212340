import { describe, expect, it } from 'vitest';
import { AuthFailures } from '../../../../src/device/agent/auth-failures.ts';

describe('failed proofs', () => {
	it('are written one by one while they are few', () => {
		const failures = new AuthFailures();
		expect([
			failures.count('agent3', 'wrong token', '10.0.0.1', 1000),
			failures.count('native', 'stale', null, 2000),
		]).toEqual([
			[{ event: 'auth.failure', face: 'agent3', detail: { reason: 'wrong token', peer: '10.0.0.1' } }],
			[{ event: 'auth.failure', face: 'native', detail: { reason: 'stale', peer: null } }],
		]);
	});

	it('become one line a minute with their number when they flood', () => {
		const failures = new AuthFailures();
		const written = Array.from({ length: 10_000 }, (_, index) => failures.count('agent3', 'wrong token', null, index));
		const first = written.flat().length;
		expect([first, failures.count('agent3', 'wrong token', null, 61_000)[0]]).toEqual([
			20,
			{ event: 'auth.failure', detail: { suppressed: { 'agent3: wrong token': 9980 } } },
		]);
	});

	it('are summed up at the end, once', () => {
		const failures = new AuthFailures();
		for (let count = 0; count < 25; count++) failures.count('ogent', 'bad', null, 0);
		expect([failures.flush(1000), failures.flush(60_000), failures.flush(120_000)]).toEqual([
			[],
			[{ event: 'auth.failure', detail: { suppressed: { 'ogent: bad': 5 } } }],
			[],
		]);
	});

	it('bring no words of a stranger into the audit', () => {
		const [line] = new AuthFailures().count('agent3', 'Token <script>', null, 0);
		expect(line?.detail).toEqual({ reason: 'other', peer: null });
	});
});
