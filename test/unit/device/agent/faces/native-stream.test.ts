import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Face } from '../../../../../src/device/agent/face.ts';
import { mountNative, nativeFace } from '../../../../../src/device/agent/faces/native.ts';
import { NetworkAuth } from '../../../../../src/device/agent/faces/native-auth.ts';
import type { Pace } from '../../../../../src/device/agent/faces/native-stream.ts';
import { type Act, goodEnd, untilStopped } from '../../../../helpers/desk.ts';
import { type HandClient, type Message, until } from '../../../../helpers/native-client.ts';
import { nativeAgent, uptime } from '../../../../helpers/native-face.ts';

/** The native face at the pace of a test, which hears when the agent is done with a stream. */
const paced = (pace: Pace, onClosed: () => void = () => {}): Face => ({
	...nativeFace,
	register(app, parts) {
		app.addHook('onRequest', async ({ url }, reply) => {
			if (url.endsWith('/events')) reply.raw.once('close', onClosed);
		});
		return mountNative(app, parts, new NetworkAuth(parts), pace);
	},
});

/** Prints in pieces that are told one by one. */
const talking: Act = async (_job, io) => {
	for (const word of ['one ', 'two ', 'three']) {
		io.onOutput('stdout', Buffer.from(word));
		await sleep(30);
	}
	io.onOutput('stderr', Buffer.from([0xff, 0x0a]));
	return goodEnd;
};

async function all(client: HandClient, jobId: string, after = 0, events: Message['event'][] = []) {
	for await (const { id, event } of client.events(jobId, after)) {
		expect(id).toBe(String(event.seq));
		events.push(event);
	}
	return events;
}

const textOf = (events: readonly { type: string; stream?: string; base64?: string }[], stream: string): string =>
	Buffer.concat(
		events.filter((event) => event.stream === stream).map(({ base64 = '' }) => Buffer.from(base64, 'base64')),
	).toString('latin1');

describe('watching a job', () => {
	it('tells its whole story in numbered events, live and late, over both wires, to everybody', async () => {
		const { ann, vic } = await nativeAgent({ act: talking });
		const { jobId } = (await ann.submit(uptime)).json;
		const live = await Promise.all([all(ann, jobId), all(vic, jobId), ann.messages(jobId), vic.messages(jobId)]);
		const [first] = live;
		expect(first.map(({ seq }) => seq)).toEqual(first.map((_, index) => index + 1));
		expect(first.filter(({ type }) => type === 'state').map(({ state }) => state)).toEqual([
			...['queued', 'running', 'ended'],
		]);
		expect([textOf(first, 'stdout'), textOf(first, 'stderr')]).toEqual(['one two three', '\xff\n']);
		expect(first.at(-1)).toMatchObject({ type: 'end', job: { jobId, state: 'ended' } });
		expect(live.slice(1)).toEqual([first, ...[1, 2].map(() => ({ events: first, code: 1000, reason: '' }))]);
		expect([await all(ann, jobId), (await ann.messages(jobId)).events]).toEqual([first, first]);
	});

	it('goes on from every number over both wires without a gap and without a repetition', async () => {
		const { ann } = await nativeAgent({ act: talking });
		const { jobId } = (await ann.submit(uptime)).json;
		const events = await all(ann, jobId);
		for (let after = 0; after <= events.length; after++) {
			expect(await all(ann, jobId, after)).toEqual(events.slice(after));
			expect(await ann.messages(jobId, `?after=${after}`)).toEqual({
				...{ events: events.slice(after), code: 1000, reason: '' },
			});
		}
	});

	it('goes on while the job runs, wherever the reader was cut off', async () => {
		const { ann } = await nativeAgent({ act: talking });
		const { jobId } = (await ann.submit(uptime)).json;
		const events = [];
		for (let isOver = false; !isOver; ) {
			for await (const { event } of ann.events(jobId, events.length)) {
				events.push(event);
				isOver = event.type === 'end';
				break;
			}
		}
		expect(events).toEqual(await all(ann, jobId));
	});

	it('that is over and was seen to its end tells a browser not to come back', async () => {
		const { ann } = await nativeAgent({ act: talking });
		const { jobId } = (await ann.submit(uptime)).json;
		const { length } = await all(ann, jobId);
		const response = await ann.openEvents(jobId, { 'last-event-id': String(length) });
		expect([response.statusCode, await response.toArray()]).toEqual([204, []]);
	});

	it('prefers the number of the query, and takes none that is no number', async () => {
		const { ann } = await nativeAgent({ act: talking });
		const { jobId } = (await ann.submit(uptime)).json;
		const { length } = await all(ann, jobId);
		const both = await ann.openEvents(jobId, { 'last-event-id': '0' }, `?after=${length}`);
		const strange = await ann.openEvents(jobId, { 'last-event-id': 'x' });
		const worse = await ann.openEvents(jobId, {}, '?after=-1');
		for (const response of [both, strange, worse]) response.resume();
		expect([both.statusCode, strange.statusCode, worse.statusCode]).toEqual([204, 400, 400]);
	});

	it('says that it is there while nothing happens', async () => {
		const { ann } = await nativeAgent({ act: untilStopped, face: paced({ heartbeatMs: 200, stallMs: 5_000 }) });
		const { jobId } = (await ann.submit(uptime)).json;
		const response = await ann.openEvents(jobId);
		let text = '';
		for await (const chunk of response.setEncoding('utf8')) {
			text += chunk;
			if (text.split(': still here\n\n').length > 3) break;
		}
		expect([response.headers['content-type'], response.headers['cache-control']]).toEqual([
			...['text/event-stream', 'no-store'],
		]);
		const ws = ann.socket(jobId);
		await once(ws, 'open');
		await sleep(500);
		expect(ws.readyState).toBe(ws.OPEN);
		ws.close();
	});
});

describe('a stream that goes on', () => {
	it('ends when the agent stops', async () => {
		const { ann, stop } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const [seen, heard]: Message['event'][][] = [[], []];
		const events = all(ann, jobId, 0, seen);
		const messages = ann.messages(jobId, '', heard);
		await until(() => seen?.length === 2 && heard?.length === 2);
		const stopped = stop();
		expect((await events).map(({ state }) => state)).toEqual(['queued', 'running']);
		expect(await messages).toMatchObject({ code: 1001, reason: 'the agent is stopping' });
		await stopped;
	});

	it('ends soon after its key was revoked', async () => {
		const agent = await nativeAgent({ act: untilStopped, face: paced({ heartbeatMs: 30, stallMs: 5_000 }) });
		const { jobId } = (await agent.ann.submit(uptime)).json;
		const seen: Message['event'][][] = [[], [], []];
		const streams = [
			all(agent.ann, jobId, 0, seen[0]),
			all(agent.vic, jobId, 0, seen[1]),
			agent.ann.messages(jobId, '', seen[2]),
		] as const;
		await until(() => seen.every(({ length }) => length === 2));
		agent.keys.revoke('ann-1');
		agent.keys.revoke('key-vic');
		const [signed, token, messages] = await Promise.all(streams);
		expect([signed.length, token.length, messages.code, messages.reason]).toEqual([
			...[2, 2, 1008, 'the key is not good any more'],
		]);
	});

	it('is cut when its reader takes nothing, and can be gone on with', async () => {
		const bytes = 32 * 1024 * 1024;
		const loud: Act = async (_job, io) => {
			for (let left = bytes; left > 0; left -= 65_536) {
				io.onOutput('stdout', Buffer.alloc(65_536, 'x'));
				await sleep(0);
			}
			return goodEnd;
		};
		let isCut = () => {};
		const cut = new Promise<void>((resolve) => {
			isCut = resolve;
		});
		const { ann } = await nativeAgent({ act: loud, face: paced({ heartbeatMs: 5_000, stallMs: 200 }, () => isCut()) });
		const { jobId } = (await ann.submit(uptime)).json;
		const slow = await ann.openEvents(jobId);
		await cut;
		let text = '';
		try {
			for await (const chunk of slow.setEncoding('utf8')) text += chunk;
		} catch {
			// The connection was cut, as it should be.
		}
		const seen = Number([...text.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1] ?? 1);
		expect(text.length).toBeLessThan(bytes);
		const rest: Message['event'][] = [];
		// At this pace a reader that has to wait for its processor may be cut off again.
		while (rest.at(-1)?.type !== 'end') await all(ann, jobId, seen - 1 + rest.length, rest).catch(() => {});
		expect(rest.map(({ seq }) => seq)).toEqual(rest.map((_, index) => seen + index));
	}, 60_000);

	it('holds nobody up', async () => {
		const { ann, vic } = await nativeAgent({ act: talking });
		const { jobId } = (await ann.submit(uptime)).json;
		const idle = await Promise.all([ann.openEvents(jobId), ann.openEvents(jobId)]);
		expect((await all(vic, jobId)).at(-1).type).toBe('end');
		for (const response of idle) response.destroy();
	});

	it('is one of 64 of a principal at most, and a place is free again when one has ended', async () => {
		const { ann, vic } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const open = await Promise.all(Array.from({ length: 64 }, () => ann.openEvents(jobId)));
		const more = await ann.get(`/v2/jobs/${jobId}/events`);
		const socket = await ann.messages(jobId).catch(() => 'refused');
		const others = await vic.openEvents(jobId);
		expect([more.status, more.json.error.code, socket, others.statusCode]).toEqual([
			...[429, 'RATE_LIMITED', expect.anything(), 200],
		]);
		open[0]?.destroy();
		await until(async () => {
			const again = await ann.openEvents(jobId);
			again.destroy();
			return again.statusCode === 200;
		});
		for (const response of [...open, others]) response.destroy();
	});
});

/** What a server answers to bytes that are no request of a library. */
async function raw(url: string, text: string): Promise<string> {
	const { hostname, port } = new URL(url);
	const socket = connect(Number(port), hostname);
	socket.write(text);
	let answer = '';
	for await (const chunk of socket.setEncoding('latin1')) answer += chunk;
	return answer;
}

describe('a WebSocket', () => {
	it.each([
		['a text', 'hello', 1008],
		['bytes', new Uint8Array(10), 1008],
		['too much', 'x'.repeat(2000), 1009],
	])('is closed when its reader sends %s', async (_, data, code) => {
		const { ann } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const ws = ann.socket(jobId);
		await once(ws, 'open');
		ws.send(data as never);
		const [closed] = (await once(ws, 'close')) as [{ code: number }];
		expect(closed.code).toBe(code);
	});

	const upgrade = (path: string, authorization: string, more = 'Sec-WebSocket-Version: 13') =>
		`GET ${path} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${authorization === '' ? '' : `Authorization: ${authorization}\r\n`}${more}\r\n\r\n`;

	it.each([
		['without a proof', () => '', '', 401, 'AUTH_REQUIRED'],
		['with the proof of another address', (ann: HandClient) => ann.bearer('GET', '/v2/jobs'), '', 401, 'AUTH_REQUIRED'],
		[
			'with a strange query',
			(ann: HandClient, path: string) => ann.bearer('GET', path),
			'?after=x',
			400,
			'REQUEST_INVALID',
		],
		[
			'with a query twice',
			(ann: HandClient, path: string) => ann.bearer('GET', path),
			'?after=1&after=2',
			400,
			'REQUEST_INVALID',
		],
	])('is refused in the one shape %s', async (_, proof, query, status, code) => {
		const { ann, url } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const path = `/v2/jobs/${jobId}/events${query}`;
		const answer = await raw(url, upgrade(path, proof(ann, path)));
		expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
		expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').error.code).toBe(code);
	});

	it('is refused for a job that is none, and for one of others', async () => {
		const { ann, eve, url } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const paths = ['/v2/jobs/none/events', `/v2/jobs/${jobId}/events`];
		const answers = await Promise.all(paths.map((path) => raw(url, upgrade(path, eve.bearer('GET', path)))));
		expect(answers.map((answer) => answer.split(' ')[1])).toEqual(['404', '404']);
	});

	it.each([
		['of an old version', 'Sec-WebSocket-Version: 1'],
		['without a version', 'X-A: b'],
	])('is refused for a handshake %s', async (_, more) => {
		const { ann, url } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const path = `/v2/jobs/${jobId}/events`;
		const answer = await raw(url, upgrade(path, ann.bearer('GET', path), more));
		expect([answer.split(' ')[1], JSON.parse(answer.split('\r\n\r\n')[1] ?? '').error.code]).toEqual([
			...['400', 'REQUEST_INVALID'],
		]);
	});

	it('leaves nothing open after a hundred that ended in every way', async () => {
		const { ann, desk, url } = await nativeAgent({ act: untilStopped });
		const { jobId } = (await ann.submit(uptime)).json;
		const path = `/v2/jobs/${jobId}/events`;
		const { hostname, port } = new URL(url);
		for (let round = 0; round < 100; round++) {
			const socket = connect(Number(port), hostname);
			const proof = ann.bearer('GET', path);
			socket.write(
				round % 2 ? upgrade(path, proof) : `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: ${proof}\r\n\r\n`,
			);
			await sleep(round % 5);
			socket.destroy();
		}
		for (let round = 0; round < 25; round++) {
			const sockets = await Promise.all(
				[1, 2].map(async () => {
					const ws = ann.socket(jobId);
					await once(ws, 'open');
					return ws;
				}),
			);
			const responses = await Promise.all([ann.openEvents(jobId), ann.openEvents(jobId)]);
			for (const ws of sockets) ws.close();
			for (const response of responses) response.destroy();
		}
		await until(async () => {
			const fresh = await Promise.all(Array.from({ length: 64 }, () => ann.openEvents(jobId)));
			for (const response of fresh) response.destroy();
			return fresh.every(({ statusCode }) => statusCode === 200);
		});
		await desk.jobs.stop(0);
	});
});
