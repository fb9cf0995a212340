import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, createServer as createPlain, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Outside } from '../../../../src/core/network/outside.ts';
import { connectThrough, type HttpProxy } from '../../../../src/core/network/proxy.ts';
import { networkRules } from '../../../../src/core/network/rules.ts';

const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

/** Leads every name to one server, as a proxy does that knows names of its own. */
async function proxyTo(port: number, answer?: string) {
	const asked: { url: string | undefined; proof: string | undefined }[] = [];
	const server = createServer();
	server.on('connect', (request, socket) => {
		asked.push({ url: request.url, proof: request.headers['proxy-authorization'] });
		socket.on('error', () => {});
		if (answer !== undefined) return void socket.end(answer);
		const outer = connect(port, '127.0.0.1', () => {
			socket.write('HTTP/1.1 200 Connection established\r\nvia: test\r\n\r\n');
			outer.pipe(socket).pipe(outer);
		});
		outer.on('error', () => {});
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	const proxy: HttpProxy = { host: '127.0.0.1', port: portOf(server), isSecure: false, authorization: 'Basic dTpw' };
	return { proxy, asked };
}

async function greeting(words: string): Promise<number> {
	const server = createPlain((socket) => socket.on('error', () => {}).end(words));
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => void server.close());
	return portOf(server);
}

const kept = new Set<Socket>();
const keep = (socket: Socket) => {
	kept.add(socket);
	onTestFinished(() => void socket.destroy());
};
const target = { name: 'index.example', port: 443 };

const textOf = async (socket: Socket): Promise<string> => {
	let text = '';
	for await (const chunk of socket.resume()) text += chunk;
	return text;
};

describe('a way through a proxy', () => {
	it('asks for the name with the credentials of the operator, and loses nothing of what comes first', async () => {
		const { proxy, asked } = await proxyTo(await greeting('220 hello\r\n'));
		expect(await textOf(await connectThrough(proxy, target, keep))).toBe('220 hello\r\n');
		expect(asked).toEqual([{ url: 'index.example:443', proof: 'Basic dTpw' }]);
	});

	it.each([
		[
			'wants other credentials',
			'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n',
			'the proxy wants other credentials',
		],
		['refuses', 'HTTP/1.1 403 Forbidden\r\n\r\n', 'the proxy answered with 403'],
		['hangs up', '', 'the proxy does not answer'],
		['is none', 'SSH-2.0-OpenSSH\r\n\r\n', 'the proxy answered with 0'],
		['talks and talks', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(10_000)}`, 'the proxy answered with'],
	])('that %s is refused in words without its password', async (_what, answer, words) => {
		const { proxy } = await proxyTo(0, answer);
		const asked = connectThrough(proxy, target, keep).then(
			(socket) => {
				socket.destroy();
				return 'the proxy answered with 200';
			},
			(error: Error) => error.message,
		);
		expect(await asked).toContain(words);
	});

	it('that is not there is no way', async () => {
		const proxy = { host: '127.0.0.1', port: 1, isSecure: false, authorization: null };
		await expect(connectThrough(proxy, target, keep)).rejects.toThrow('the proxy does not answer');
	});
});

describe('the way to the outside', () => {
	it('asks the proxy where there is one, without looking the name up, and goes by itself elsewhere', async () => {
		const { proxy, asked } = await proxyTo(await greeting('through'));
		const outside = new Outside(networkRules(['index.invalid', 'local.invalid']), keep, (name) =>
			name === 'index.invalid' ? proxy : undefined,
		);
		expect(await textOf(await outside.connect('index.invalid', 443))).toBe('through');
		await expect(outside.connect('local.invalid', 443)).rejects.toThrow('the name leads nowhere');
		expect(asked.map(({ url }) => url)).toEqual(['index.invalid:443']);
	});
});
