/** Serves the page of an approver: plain files, no state, no cookies; all it does it does through the native API. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';

const files = {
	'/': ['index.html', 'text/html; charset=utf-8'],
	'/page/style.css': ['style.css', 'text/css; charset=utf-8'],
	'/page/app.js': ['app.js', 'text/javascript; charset=utf-8'],
	'/page/api.js': ['api.js', 'text/javascript; charset=utf-8'],
	'/page/approvals.js': ['approvals.js', 'text/javascript; charset=utf-8'],
	'/page/jobs.js': ['jobs.js', 'text/javascript; charset=utf-8'],
	'/page/view.js': ['view.js', 'text/javascript; charset=utf-8'],
} as const satisfies Record<string, readonly [file: string, type: string]>;

export const pageRoutes = Object.keys(files).map((path) => `GET ${path}`);

/** Nothing from elsewhere, nothing inline, and no other page may frame it: a click on "Approve" is always a click on this page. */
const headers = {
	'content-security-policy':
		"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
	'x-content-type-options': 'nosniff',
	'x-frame-options': 'DENY',
	'referrer-policy': 'no-referrer',
	'cross-origin-opener-policy': 'same-origin',
	'cross-origin-resource-policy': 'same-origin',
	'cache-control': 'no-store',
};

/** Beside the sources, and beside the bundle that is made of them. */
const folder = join(import.meta.dirname, 'page');

export function servePage(app: FastifyInstance): void {
	for (const [path, [file, type]] of Object.entries(files)) {
		const text = readFileSync(join(folder, file), 'utf8');
		app.get(path, (_request, reply) => reply.headers(headers).type(type).send(text));
	}
}
