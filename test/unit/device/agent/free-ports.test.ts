import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { freePort } from '../../../../src/device/agent/free-ports.ts';

it('passes over ports that are in use or given away already', async () => {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as { port: number };
	const found = await freePort('127.0.0.1', port, new Set([port + 1]));
	server.close();
	expect(found).toBeGreaterThan(port + 1);
});

it('gives up at the last port', async () => {
	await expect(freePort('127.0.0.1', 65_535, new Set([65_535]))).rejects.toThrow('no port from 65535 on is free');
});
