import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { faceNames } from '../../../../src/contract/device-job.ts';
import { readConfig } from '../../../../src/device/agent/config.ts';
import { type InitOptions, initAgent } from '../../../../src/device/agent/init.ts';
import { readKey } from '../../../../src/device/agent/key-files.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

const options = (more: Partial<InitOptions> = {}): InitOptions => ({
	dir: join(tempFolder(), 'agent'),
	faces: faceNames,
	listen: '127.0.0.1',
	hosts: ['box.example'],
	portBase: 20_000 + Math.floor(Math.random() * 30_000),
	program: ['/usr/bin/node', '/opt/secure code/main.js'],
	...more,
});

/** Every file and folder below, with its mode. */
function tree(dir: string, prefix = ''): Record<string, string> {
	return Object.fromEntries(
		readdirSync(dir).flatMap((name) => {
			const found = lstatSync(join(dir, name));
			const mode = (found.mode & 0o777).toString(8);
			const below = found.isDirectory() ? Object.entries(tree(join(dir, name), `${prefix}${name}/`)) : [];
			return [[prefix + name, mode] as const, ...below];
		}),
	);
}

describe('a new agent', () => {
	it('has everything that it needs, and nothing of it can be read by others but what is public', async () => {
		const given = options();
		await initAgent(given);
		expect([(lstatSync(given.dir).mode & 0o777).toString(8), tree(given.dir)]).toEqual([
			'700',
			{
				'config.yaml': '600',
				'policy.yaml': '600',
				keys: '700',
				'keys/agent3-1.sha256': '600',
				'keys/device-1.sha256': '600',
				'keys/device.key': '600',
				'keys/device.pub': '644',
				'keys/native-1.pub.pem': '600',
				'keys/ogent-1.secret': '600',
				'keys/quickcmd-1.secret': '600',
				run: '700',
				state: '700',
				tls: '700',
				'tls/cert.pem': '644',
				'tls/key.pem': '600',
				units: '700',
				'units/secure-code-agent-exec.service': '644',
				'units/secure-code-agent.service': '644',
			},
		]);
	});

	it('is one that the agent reads without a word of warning, on loopback only', async () => {
		const given = options();
		await initAgent(given);
		const { config, warnings } = readConfig(given.dir);
		const keys = config.keys.map((entry) => readKey(given.dir, entry));
		expect([warnings, keys.flatMap((key) => key.warnings)]).toEqual([[], []]);
		expect(config.listeners.map(({ faces, host, tls }) => [faces, host, tls !== undefined])).toEqual([
			[['agent3'], '127.0.0.1', false],
			[['ogent'], '127.0.0.1', false],
			[['quickcmd'], '127.0.0.1', true],
			[['device'], '127.0.0.1', false],
			[['native'], '127.0.0.1', true],
		]);
		expect(config.keys.map(({ roles }) => roles)).toEqual(Array(5).fill(['executor']));
	});

	it('prints exactly what each client needs', async () => {
		const given = options();
		const { faces } = (await initAgent(given)).result;
		const ports = readConfig(given.dir).config.listeners.map(({ port }) => port);
		expect(faces).toEqual({
			agent3: { url: `http://127.0.0.1:${ports[0]}`, token: expect.stringMatching(/^[\w-]{43}$/) },
			ogent: { url: `http://127.0.0.1:${ports[1]}`, token: expect.stringMatching(/^ey[\w-]+\.ey[\w-]+\.[\w-]+$/) },
			quickcmd: {
				url: `https://127.0.0.1:${ports[2]}`,
				secret: expect.stringMatching(/^[0-9a-f]{64}$/),
				ca: expect.stringMatching(/^-----BEGIN CERTIFICATE-----\n/),
			},
			device: { url: `http://127.0.0.1:${ports[3]}`, token: expect.stringMatching(/^[\w-]{43}$/) },
			native: { url: `https://127.0.0.1:${ports[4]}`, key: expect.any(String), ca: faces.quickcmd?.ca },
		});
	});

	it('keeps digests of tokens and public keys, never the tokens and private keys of clients', async () => {
		const given = options();
		const { agent3, native } = (await initAgent(given)).result.faces;
		const kept = (name: string) => readFileSync(join(given.dir, 'keys', name), 'utf8').trim();
		const jwk = JSON.parse(native?.key ?? '');
		const publicPem = createPublicKey(createPrivateKey({ key: jwk, format: 'jwk' }));
		expect([kept('agent3-1.sha256'), kept('native-1.pub.pem'), jwk.kid]).toEqual([
			createHash('sha256')
				.update(agent3?.token ?? '')
				.digest('hex'),
			publicPem.export({ type: 'spki', format: 'pem' }).toString().trim(),
			'native-1',
		]);
	});

	it('gives Ogent a JWT of 90 days that may run agents, signed with HS256 and the secret of the file', async () => {
		const given = options();
		const { ogent } = (await initAgent(given)).result.faces;
		const secret = readFileSync(join(given.dir, 'keys', 'ogent-1.secret'), 'utf8').trim();
		const { payload, protectedHeader } = await jwtVerify(ogent?.token ?? '', Buffer.from(secret));
		const { iat = 0, exp = 0, nbf, iss, sub, jti, ...rest } = payload;
		expect([protectedHeader.alg, exp - iat, nbf, iss, sub, typeof jti, rest]).toEqual([
			'HS256',
			90 * 86_400,
			iat,
			'secure-code-agent',
			'ogent-1',
			'string',
			{ roles: ['operator'], permissions: ['run agents'] },
		]);
	});

	it('has a certificate for this machine and the names that were asked for', async () => {
		const { result, fingerprint } = await initAgent(options({ hosts: ['box.example', '10.42.0.7'] }));
		const cert = new X509Certificate(result.faces.native?.ca ?? '');
		const names = (cert.subjectAltName ?? '').split(', ').sort();
		const expected = [
			'DNS:localhost',
			`DNS:${hostname()}`,
			'DNS:box.example',
			'IP Address:10.42.0.7',
			'IP Address:127.0.0.1',
			'IP Address:0:0:0:0:0:0:0:1',
		];
		expect([names, cert.publicKey.asymmetricKeyDetails, cert.fingerprint256, cert.verify(cert.publicKey)]).toEqual([
			[...new Set(expected)].sort(),
			{ namedCurve: 'prime256v1' },
			fingerprint,
			true,
		]);
		expect(cert.validToDate.getTime() - Date.now()).toBeLessThan(398 * 86_400_000);
	});

	it('speaks only what was asked for', async () => {
		const given = options({ faces: ['native'] });
		const { result } = await initAgent(given);
		const { config } = readConfig(given.dir);
		expect([Object.keys(result.faces), config.listeners.length, config.keys.length, config.quickcmd]).toEqual([
			['native'],
			1,
			1,
			expect.objectContaining({ allowedControllers: [] }),
		]);
	});

	it('takes the next port where one is in use', async () => {
		const server = createServer().listen(0, '127.0.0.1');
		await once(server, 'listening');
		const { port } = server.address() as { port: number };
		const given = options({ faces: ['agent3', 'ogent'], portBase: port });
		await initAgent(given);
		server.close();
		const ports = readConfig(given.dir).config.listeners.map((listener) => listener.port);
		expect([ports.includes(port), new Set(ports).size]).toEqual([false, 2]);
	});
});

describe('init', () => {
	it('overwrites nothing, not even a file that is no agent', async () => {
		const dir = join(tempFolder(), 'agent');
		mkdirSync(dir);
		writeFileSync(join(dir, 'mine'), 'mine');
		await expect(initAgent(options({ dir }))).rejects.toThrow('is not empty, and nothing is overwritten');
		expect(readdirSync(dir)).toEqual(['mine']);
	});

	it('fills a folder that is empty, and closes it for others', async () => {
		const dir = join(tempFolder(), 'agent');
		mkdirSync(dir, { mode: 0o755 });
		await initAgent(options({ dir }));
		expect((lstatSync(dir).mode & 0o777).toString(8)).toBe('700');
	});

	it('leaves nothing behind when it cannot finish', async () => {
		const parent = tempFolder();
		const file = join(parent, 'file');
		writeFileSync(file, '');
		await expect(initAgent(options({ dir: join(file, 'agent') }))).rejects.toThrow('could not be filled');
		expect(readdirSync(parent)).toEqual(['file']);
	});
});

describe('an agent that follows one of QuickCMD', () => {
	it('has its secret for each of its controllers, its port, its certificate, its limits and its policy', async () => {
		const secret = '0b39d2ab57a5fe9a6cbe37e4c1a8a5b2d7d7a01fd8d2a4c8b0e7c3f9a6b1d2e4';
		const folder = tempFolder();
		const certFile = join(folder, 'agent-cert.pem');
		writeFileSync(certFile, 'CERTIFICATE');
		const settings = {
			...{ port: 8444, tls: { certFile, keyFile: join(folder, 'agent-key.pem') }, secret },
			...{ controllers: ['controller-1', 'https://quickcmd.example.com'], concurrentJobs: 5 },
		};
		const given = options({
			...{ faces: ['quickcmd'], portBase: undefined, quickcmd: { settings, policy: 'version: 1\n' } },
		});
		const { result } = await initAgent(given);
		expect(result.faces).toEqual({ quickcmd: { url: 'https://127.0.0.1:8444', secret, ca: 'CERTIFICATE' } });
		const { config } = readConfig(given.dir);
		expect(config.listeners).toEqual([{ faces: ['quickcmd'], host: '127.0.0.1', port: 8444, tls: settings.tls }]);
		expect([config.quickcmd.allowedControllers, config.limits.concurrentJobs]).toEqual([settings.controllers, 5]);
		expect(config.keys.map(({ id, principal }) => [id, principal])).toEqual([
			['quickcmd-1', 'controller-1'],
			['quickcmd-2', 'https://quickcmd.example.com'],
		]);
		expect(config.keys.map((entry) => String(readKey(given.dir, entry).material))).toEqual([secret, secret]);
		expect(readFileSync(join(given.dir, 'policy.yaml'), 'utf8')).toBe('version: 1\n');
	});
});
