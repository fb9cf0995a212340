import { describe, expect, it } from 'vitest';
import { nativePath, nativeRoutes } from '../../../../src/device/wire/native-routes.ts';

const query = (text: string) => nativeRoutes.listJobs.query.safeParse(Object.fromEntries(new URLSearchParams(text)));

describe('the routes', () => {
	it('are each there once', () => {
		const routes = Object.values(nativeRoutes).map(({ method, path }) => `${method} ${path}`);
		expect(new Set(routes).size).toBe(routes.length);
	});

	it('make the address of a call, with every character of its parts intact', () => {
		expect(nativePath('getHealth')).toBe('/v2/health');
		expect(
			nativePath('searchOutput', { jobId: 'a-1', stream: 'stdout' }, { pattern: 'a b&c=é', limit: 5, x: undefined }),
		).toBe('/v2/jobs/a-1/output/stdout/grep?pattern=a+b%26c%3D%C3%A9&limit=5');
		expect(nativePath('getJob', { jobId: '../x' })).toBe('/v2/jobs/..%2Fx');
	});
});

describe('a query', () => {
	it('has defaults', () => {
		expect(query('').data).toEqual({ limit: 50 });
	});

	it('takes numbers as digits', () => {
		expect(query('limit=7&state=ended&before=abc').data).toEqual({ limit: 7, state: 'ended', before: 'abc' });
	});

	it.each(['limit=0', 'limit=201', 'limit=1e1', 'limit=-1', 'limit=', 'limit=+1', 'limit=0x1', 'limit=1.0'])(
		'refuses %s',
		(text) => {
			expect(query(text).success).toBe(false);
		},
	);

	it.each(['colour=red', 'state=over', 'before=../x'])('refuses %s, too', (text) => {
		expect(query(text).success).toBe(false);
	});
});
