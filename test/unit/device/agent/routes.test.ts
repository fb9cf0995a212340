import { describe, expect, it } from 'vitest';
import type { FaceName } from '../../../../src/contract/device-job.ts';
import { methodsOf, owns, refuseCollisions } from '../../../../src/device/agent/routes.ts';

const face = (name: FaceName, ...routes: string[]) => ({ name, routes });

describe('faces on one listener', () => {
	it.each([
		[['GET /health'], ['GET /health'], 'GET /health'],
		[['ANY /health'], ['GET /health'], 'ANY /health'],
		[['GET /jobs/:id'], ['GET /jobs/:name'], 'GET /jobs/:id'],
	])('collide when %j and %j are theirs', (ours, theirs, route) => {
		expect(() => refuseCollisions([face('agent3', ...ours), face('ogent', ...theirs)], '127.0.0.1:1')).toThrow(
			`the faces agent3 and ogent cannot share the listener 127.0.0.1:1, both answer ${route}; give each its own`,
		);
	});

	it('live together when their methods or paths differ', () => {
		expect(() =>
			refuseCollisions(
				[face('agent3', 'POST /'), face('ogent', 'GET /', 'GET /api/:id'), face('native', 'GET /v2/:id')],
				'',
			),
		).not.toThrow();
	});
});

describe('methodsOf', () => {
	const faces = [face('ogent', 'GET /api/execution/:id', 'POST /api/execution/:id/cancel', 'GET /files/*', 'GET /a.b')];

	it.each([
		['/api/execution/7', ['GET']],
		['/api/execution/7?x=/cancel', ['GET']],
		['/api/execution/7/cancel', ['POST']],
		['/api/execution/', []],
		['/api/execution/7/8', []],
		['/files/a/b', ['GET']],
		['/a.b', ['GET']],
		['/aXb', []],
		['/', []],
	])('of %s are %j', (url, methods) => {
		expect(methodsOf(faces, url)).toEqual(methods);
	});
});

it('knows who owns a path', () => {
	const faces = [face('quickcmd', 'ANY /health'), face('native', 'POST /metrics')];
	expect([owns(faces, 'GET', '/health'), owns(faces, 'GET', '/metrics')]).toEqual([true, false]);
});
