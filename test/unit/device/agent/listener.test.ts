import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../../../src/contract/agent-config.ts';
import { KnownError } from '../../../../src/contract/error.ts';
import type { Face, FaceParts } from '../../../../src/device/agent/face.ts';
import { type Listener, openListener } from '../../../../src/device/agent/listener.ts';
import type { AgentLog } from '../../../../src/device/agent/log.ts';
import { ask, talk } from '../../../helpers/plain-client.ts';

const open: Listener[] = [];
afterEach(async () => {
	for (const listener of open.splice(0)) {
		listener.destroy();
		await listener.close();
	}
});

const logged: string[] = [];
const note = (_fields: object, message: string) => void logged.push(message);
const log: AgentLog = { debug: note, info: note, warn: note, error: note, close: async () => {} };

interface Options {
	readonly limits?: object;
	readonly metricsFrom?: readonly string[];
	readonly port?: number;
}

async function listen(faces: readonly Face[], options: Options = {}): Promise<string> {
	const config = agentConfigSchema.parse({
		version: 1,
		device: { id: 'box' },
		listeners: [{ faces: faces.map(({ name }) => name), port: options.port ?? 0 }],
		...(options.limits && { limits: options.limits }),
		...(options.metricsFrom && { metrics: { from: options.metricsFrom } }),
	});
	const parts = { config, version: '1.2.3', dir: '/', log, metrics: async () => 'figures\n' } as unknown as FaceParts;
	const [listener] = config.listeners;
	if (!listener) throw new Error('no listener');
	const opened = await openListener({ listener, faces, face: parts, log });
	open.push(opened);
	return opened.url;
}

const face = (name: Face['name'], more: Partial<Face> = {}): Face => ({
	name,
	routes: [`GET /${name}`, `POST /${name}/:id`],
	register: (app) => {
		app.get(`/${name}`, async () => ({ name }));
		app.post(`/${name}/:id`, async () => ({ name }));
		return undefined;
	},
	...more,
});

const failing = (error: unknown): Face =>
	face('agent3', {
		register: (app) => {
			app.get('/agent3', async () => {
				throw error;
			});
			return undefined;
		},
	});

describe('a listener', () => {
	it('answers /health and /metrics itself where no face does', async () => {
		const url = await listen([face('agent3')]);
		const [health, metrics] = [await ask(`${url}/health`), await ask(`${url}/metrics`)];
		expect([health.json, metrics.text, metrics.headers['content-type']]).toEqual([
			{ status: 'ok', version: '1.2.3' },
			'figures\n',
			'text/plain; version=0.0.4; charset=utf-8',
		]);
	});

	it('leaves both to a face that answers them', async () => {
		const own = face('quickcmd', {
			routes: ['ANY /health', 'GET /metrics'],
			register: (app) => {
				app.get('/health', async () => 'mine');
				app.get('/metrics', async () => 'mine, too');
				return undefined;
			},
		});
		const url = await listen([own]);
		expect([(await ask(`${url}/health`)).text, (await ask(`${url}/metrics`)).text]).toEqual(['mine', 'mine, too']);
	});

	it('shows its figures to nobody outside of the networks that may read them', async () => {
		const url = await listen([face('agent3')], { metricsFrom: ['10.0.0.0/8'] });
		const { status, text } = await ask(`${url}/metrics`);
		expect([status, text.includes('figures')]).toEqual([404, false]);
	});

	it('says in JSON what is not there, and which methods are', async () => {
		const url = await listen([face('agent3'), face('ogent')]);
		const missing = await ask(`${url}/nowhere`);
		const wrong = await ask(`${url}/ogent/7`, { method: 'PUT' });
		expect([missing.status, missing.json, wrong.status, wrong.headers.allow]).toEqual([
			404,
			{ error: expect.objectContaining({ code: 'REQUEST_INVALID' }) },
			405,
			'POST',
		]);
	});

	it('lets a face that is alone say it in its own words, and none of several', async () => {
		const own = (name: Face['name']) =>
			face(name, {
				register: (app) => {
					app.setNotFoundHandler((_request, reply) => reply.code(404).send('in my words'));
					return undefined;
				},
			});
		const alone = await ask(`${await listen([own('agent3')])}/nowhere`);
		const together = await ask(`${await listen([own('agent3'), own('ogent')])}/nowhere`);
		expect([alone.text, (together.json as { error?: unknown }).error !== undefined]).toEqual(['in my words', true]);
	});

	it('refuses faces that answer the same address before it opens anything', async () => {
		await expect(
			listen([face('agent3', { routes: ['GET /x'] }), face('ogent', { routes: ['ANY /x'] })]),
		).rejects.toThrow('cannot share the listener 127.0.0.1:0');
	});

	it('says when its address is taken', async () => {
		const url = await listen([face('agent3')]);
		await expect(listen([face('ogent')], { port: Number(new URL(url).port) })).rejects.toThrow('is in use');
	});
});

describe('a failure', () => {
	it('that is known has its status and its words', async () => {
		const error = new KnownError('RATE_LIMITED', { details: 'too much', seconds: 7 });
		const { status, json, headers } = await ask(`${await listen([failing(error)])}/agent3`);
		expect([status, headers['retry-after'], json]).toEqual([429, '7', { error: error.problem }]);
	});

	it('that is a bug tells an id, never what happened', async () => {
		const { status, text } = await ask(`${await listen([failing(new Error('secret of /etc/agent'))])}/agent3`);
		expect([status, /\(id [0-9a-f]{8}\)/.test(text), /secret|\bat /.test(text)]).toEqual([500, true, false]);
		expect(logged).toContain('a request failed');
	});

	it('of a body that is too long, or no JSON, is the fault of the client', async () => {
		const url = await listen([face('agent3')], { limits: { bodyBytes: 1024 } });
		const headers = { 'content-type': 'application/json' };
		const post = async (body: string, more: object = {}) =>
			(await ask(`${url}/agent3/1`, { method: 'POST', headers: { ...headers, ...more }, body })).status;
		expect([
			await post(`"${'x'.repeat(2000)}"`),
			await post('{'),
			await post('<a/>', { 'content-type': 'text/xml' }),
		]).toEqual([413, 400, 400]);
	});
});

describe('a connection', () => {
	it('to which no face upgrades is answered as any other', async () => {
		const url = await listen([face('agent3')]);
		const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
		const heard = await talk(url, `GET /nowhere HTTP/1.1\r\nHost: a\r\n${upgrade}Connection: close\r\n\r\n`);
		expect(heard).toMatch(/^HTTP\/1\.1 404 /);
	});

	it('goes to the face whose upgrade takes it, and is refused when none does', async () => {
		const taking = face('native', {
			register: () => ({
				upgrade: (request, socket) => {
					if (request.url !== '/mine') return false;
					socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n');
					return true;
				},
			}),
		});
		const url = await listen([taking]);
		const heard = (path: string) =>
			talk(url, `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
		expect([(await heard('/mine')).slice(0, 12), (await heard('/other')).slice(0, 12)]).toEqual([
			'HTTP/1.1 101',
			'HTTP/1.1 404',
		]);
	});

	it('too many of one address is closed', async () => {
		const { port } = new URL(await listen([face('agent3')], { limits: { connectionsPerPeer: 3 } }));
		const sockets = await Promise.all(
			Array.from({ length: 5 }, async () => {
				const socket = connect(Number(port), '127.0.0.1');
				socket.on('error', () => {});
				await once(socket, 'connect');
				return socket;
			}),
		);
		await expect.poll(() => sockets.filter((socket) => !socket.destroyed).length).toBe(3);
		for (const socket of sockets) socket.destroy();
	});
});
