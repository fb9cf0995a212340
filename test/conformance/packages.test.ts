/** Bundles of packages, built in a jail from the registries of this machine and seen by programs. */
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asEachIdentity, ended, finish, type Jail, printed, start, succeeded } from '../helpers/jail.ts';

const cli = (jail: Jail, ...args: string[]) => finish(start(jail.at, args));

/** The registry's client is set up by the environment of a person. */
const passedOn = /^(PIP_|npm_config_|NODE_EXTRA_CA_CERTS|https?_proxy)/i;
const clientEnv = Object.fromEntries(
	Object.entries(process.env).filter((entry): entry is [string, string] => passedOn.test(entry[0])),
);
const packages = (jail: Jail, ...args: string[]) => finish(start(jail.at, ['packages', ...args], { env: clientEnv }));

const bundleFolder = (jail: Jail, name: string) => join(jail.at.env.SECURE_CODE_HOME ?? '', 'packages', name);
const bundleOf = (jail: Jail, name: string) =>
	JSON.parse(readFileSync(join(bundleFolder(jail, name), 'bundle.json'), 'utf8'));

/** Goes on to wherever it is asked for, for who has the password. */
async function startProxy(password: string): Promise<{ url: string; asked: string[] }> {
	const asked: string[] = [];
	const proof = `Basic ${Buffer.from(password).toString('base64')}`;
	const server = createServer();
	server.on('connect', (request, socket) => {
		socket.on('error', () => {});
		if (request.headers['proxy-authorization'] !== proof)
			return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
		const { hostname, port } = new URL(`http://${request.url}`);
		asked.push(hostname);
		const outer = connect(Number(port || 80), hostname, () => {
			socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
			outer.pipe(socket).pipe(outer);
		});
		outer.on('error', () => socket.destroy());
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	return { url: `http://${password}@127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

asEachIdentity((jail) => {
	describe('packages', () => {
		test('are added for both languages, and locked by the hash of each', async () => {
			expect((await packages(jail, 'add', '--bundle', 'own', 'six==1.16.0')).exitCode).toBe(0);
			const added = await packages(jail, 'add', '-b', 'own', '-l', 'javascript', 'ms@2.1.2');
			expect(added.stdout).toMatch(
				/^own\n {2}Python 3\.\d+\.\d+: six==1\.16\.0 \(1 packages\)\n {2}JavaScript \S+: ms@2\.1\.2 \(1 packages\)\n$/,
			);
			const { python, javascript } = bundleOf(jail, 'own');
			expect([python.lock, python.modules, javascript.modules]).toEqual([
				[{ name: 'six', version: '1.16.0', hash: expect.stringMatching(/^[0-9a-f]{64}$/) }],
				['six'],
				['ms'],
			]);
			expect(javascript.lock).toEqual([{ name: 'ms', version: '2.1.2', hash: expect.stringMatching(/^sha512-/) }]);
		});

		test('are found by the programs that choose them, read-only, and by no others', async () => {
			const code = `
import six
print(six.__version__)
for path in ('/opt/packages/python/six.py', '/opt/packages/python/new.py'):
    try: open(path, 'a'); print('ALLOWED')
    except OSError as error: print(error.strerror)
`;
			expect(printed(await jail.python(code, { bundle: 'own' }))).toMatch(
				/^1\.16\.0\n(Permission denied|Read-only file system)\nRead-only file system\n$/,
			);
			expect(printed(await jail.javascript("console.log(require('ms')('1s'))", { bundle: 'own' }))).toBe('1000\n');
			expect(printed(await jail.javascript("import ms from 'ms'; console.log(ms('2s'))", { bundle: 'own' }))).toBe(
				'2000\n',
			);
			for (const bundle of ['none', 'default']) {
				const { status, stdout } = await jail.python('import six\nprint(1)', { bundle });
				expect([status, stdout]).toEqual(['failed', '']);
			}
		});

		test('widen the list of imports that an author gives', async () => {
			const allowed = (code: string, bundle: string) =>
				jail.run({ language: 'python', code, bundle, allowedImports: ['math'], check: true });
			expect(ended(await allowed('import math, six', 'own'))).toEqual(succeeded);
			expect((await allowed('import six', 'none')).problem?.code).toBe('CHECKER_FORBIDDEN');
			expect((await allowed('import json', 'own')).problem?.code).toBe('CHECKER_FORBIDDEN');
		});

		test('that a program misses are named with what would bring them', async () => {
			const missed = async (code: string, language: 'python' | 'javascript') =>
				(await jail.run({ language, code, bundle: 'none' })).problem?.message;
			expect(await missed('import six', 'python')).toContain('The bundle "own" has it');
			expect(await missed('import yaml', 'python')).toContain('secure-code packages add pyyaml.');
			expect(await missed("require('ms')", 'javascript')).toContain('The bundle "own" has it');
			expect(await missed("import 'lodash'", 'javascript')).toContain(
				'secure-code packages add --language javascript lodash.',
			);
			expect(await missed("import 'left-pad'", 'javascript')).toContain('is often called "left-pad"');
			expect(await missed('import json.foo', 'python')).toContain('"json" is there, but it has no such part');
			const own = await jail.run({ language: 'javascript', code: "require('ms/nope')", bundle: 'own' });
			expect(own.problem?.code).toBe('MODULE_PART_MISSING');
		});

		test('of a bundle that is not there are for the operator', async () => {
			const ran = await cli(jail, 'run', '--no-check', '--bundle', 'elsewhere', '-l', 'bash', '-');
			expect([ran.exitCode, ran.stderr]).toEqual([
				78,
				expect.stringContaining('no bundle of packages called "elsewhere"'),
			]);
		});

		test('are the same on another machine that has the lock, and nothing else is taken for them', async () => {
			const lock = join(jail.at.folder, 'data', 'lock.json');
			writeFileSync(lock, (await packages(jail, 'list', '--bundle', 'own', '--json')).stdout);
			expect((await packages(jail, 'add', '--bundle', 'twin', '--lock', lock)).exitCode).toBe(0);
			expect(bundleOf(jail, 'twin')).toEqual(bundleOf(jail, 'own'));

			const bent = JSON.parse(readFileSync(lock, 'utf8'));
			bent.python.lock[0].hash = '0'.repeat(64);
			writeFileSync(lock, JSON.stringify({ python: bent.python }));
			const refused = await packages(jail, 'add', '--bundle', 'bent', '--lock', lock);
			expect([refused.exitCode, existsSync(join(bundleFolder(jail, 'bent'), 'bundle.json'))]).toEqual([78, false]);
			expect(refused.stderr).toContain('THESE PACKAGES DO NOT MATCH THE HASHES');
		});

		test('that cannot be had leave the bundle as it was', async () => {
			const before = bundleOf(jail, 'own');
			const failed = await packages(jail, 'add', '--bundle', 'own', 'six==0.0.0.1');
			expect([failed.exitCode, bundleOf(jail, 'own')]).toEqual([78, before]);
			expect(readdirSync(bundleFolder(jail, 'own')).filter((name) => name.startsWith('draft'))).toEqual([]);
		});

		test('are built where only the registries can be reached', async () => {
			const env = { ...clientEnv, PIP_INDEX_URL: 'https://registry.invalid/simple' };
			const failed = await finish(start(jail.at, ['packages', 'add', '--bundle', 'far', 'six'], { env }));
			expect([failed.exitCode, failed.stderr]).toEqual([
				78,
				expect.stringContaining('pip could not reach registry.invalid (the name leads nowhere)'),
			]);
		});

		test('come through the proxy of this machine, whose password nobody else sees', async () => {
			const { url, asked } = await startProxy('ann:hunter2');
			const through = (...args: string[]) =>
				finish(
					start(jail.at, ['packages', 'add', '--bundle', 'far', ...args], { env: { ...clientEnv, HTTPS_PROXY: url } }),
				);
			const [python, javascript] = [await through('six==1.16.0'), await through('-l', 'javascript', 'ms@2.1.2')];
			expect([python.exitCode, javascript.exitCode, asked.length > 1]).toEqual([0, 0, true]);
			expect(JSON.stringify([bundleOf(jail, 'far'), python, javascript])).not.toContain('hunter2');
			const env = { ...clientEnv, HTTPS_PROXY: url.replace('hunter2', 'hunter3') };
			const refused = await finish(start(jail.at, ['packages', 'add', '--bundle', 'other', 'six'], { env }));
			expect([refused.exitCode, refused.stderr]).toEqual([
				78,
				expect.stringMatching(/pip could not reach \S+ \(the proxy wants other credentials\)/),
			]);
			const socks = { ...clientEnv, HTTPS_PROXY: 'socks5://ann:hunter2@127.0.0.1:1080' };
			const unsupported = await finish(start(jail.at, ['packages', 'add', '--bundle', 'other', 'six'], { env: socks }));
			expect([unsupported.exitCode, unsupported.stderr.includes('hunter2'), unsupported.stderr]).toEqual([
				...[78, false],
				expect.stringContaining('through proxies of HTTP and HTTPS, not of socks5'),
			]);
		}, 120_000);

		test('keep their version when others are added or taken away, unless all are to be chosen anew', async () => {
			const versions = () => {
				const { python, javascript } = bundleOf(jail, 'kept');
				return [...python.lock, ...javascript.lock].map(({ name, version }) => `${name} ${version}`);
			};
			const change = async (...args: string[]) => {
				const { exitCode, stderr } = await packages(jail, ...args, '--bundle', 'kept');
				expect([exitCode, exitCode === 0 ? '' : stderr]).toEqual([0, '']);
				return versions();
			};
			await packages(jail, 'add', '--bundle', 'kept', 'six==1.16.0', 'toml == 0.10.1');
			await packages(jail, 'add', '--bundle', 'kept', '-l', 'javascript', 'ms@2.1.2');
			// As they are after they were asked for without a version.
			const path = join(bundleFolder(jail, 'kept'), 'bundle.json');
			writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/"(six|toml|ms)[=@][^"]+"/g, '"$1"'));
			const old = ['six 1.16.0', 'toml 0.10.1', 'ms 2.1.2'];
			expect(await change('add', 'iniconfig==2.0.0')).toEqual(['iniconfig 2.0.0', ...old]);
			expect(await change('add', '-l', 'javascript', 'isarray@2.0.5')).toEqual([
				'iniconfig 2.0.0',
				...old.slice(0, 2),
				'isarray 2.0.5',
				'ms 2.1.2',
			]);
			expect(await change('remove', 'iniconfig')).toEqual([...old.slice(0, 2), 'isarray 2.0.5', 'ms 2.1.2']);
			expect(await change('add', 'toml==0.10.2')).toEqual(['six 1.16.0', 'toml 0.10.2', 'isarray 2.0.5', 'ms 2.1.2']);
			expect(await change('add', '--upgrade')).toEqual([
				expect.not.stringContaining('six 1.16.0'),
				...['toml 0.10.2', 'isarray 2.0.5', 'ms 2.1.2'],
			]);
			expect((await change('add', '--upgrade', '-l', 'javascript')).at(-1)).not.toBe('ms 2.1.2');
		}, 240_000);

		test('that are not there cannot be taken away', async () => {
			const refused = async (...args: string[]) => {
				const { exitCode, stderr } = await packages(jail, 'remove', ...args);
				return [exitCode, stderr.split('\n')[0]];
			};
			expect([
				await refused('--bundle', 'own', 'pandas'),
				await refused('--bundle', 'none-such', 'six'),
				await refused('--bundle', 'none-such', '--all'),
			]).toEqual([
				[64, expect.stringContaining('the bundle "own" was not made of pandas; it has six==1.16.0')],
				[64, expect.stringContaining('there is no bundle "none-such" here; there are: ')],
				[64, expect.stringContaining('there is no bundle "none-such" here; there are: ')],
			]);
		});

		test('that were made for another Python are refused, with what would mend them', async () => {
			const path = join(bundleFolder(jail, 'twin'), 'bundle.json');
			const right = readFileSync(path, 'utf8');
			writeFileSync(path, right.replace(/"version": "3\.\d+\.\d+"/, '"version": "3.1.0"'));
			const code = ['run', '--no-check', '--bundle', 'twin', '-l', 'python', '-'];
			const ran = await finish(start(jail.at, code), 'import six');
			writeFileSync(path, right);
			expect([ran.exitCode, ran.stdout, ran.stderr]).toEqual([
				...[78, ''],
				expect.stringMatching(
					/bundle "twin" were made for Python 3\.1 and Python 3\.\d+ runs here.*packages add --upgrade --bundle twin/s,
				),
			]);
		});

		test('are taken away one by one, and as a whole', async () => {
			const less = await packages(jail, 'remove', '--bundle', 'twin', '-l', 'javascript', 'ms');
			expect([less.exitCode, bundleOf(jail, 'twin').javascript, bundleOf(jail, 'twin').python.names]).toEqual([
				0,
				null,
				['six==1.16.0'],
			]);
			expect((await packages(jail, 'remove', '--bundle', 'twin', '--all')).exitCode).toBe(0);
			expect(existsSync(bundleFolder(jail, 'twin'))).toBe(false);
		});
	});
});
