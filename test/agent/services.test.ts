/** The scripts that make services of an agent, for real in a folder of their own; then both sides run as the units say. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
	chmodSync,
	chownSync,
	copyFileSync,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../helpers/clinging.ts';
import { type Installation, identities, install } from '../helpers/jail.ts';

const [asRoot] = identities;
const skipped = asRoot?.skipped ?? null;
const data = '/var/lib/secure-code-agent';
const execData = '/var/lib/secure-code-exec';
const backups = '/var/backups/secure-code-agent';
const unitFolder = '/etc/systemd/system';
const units = ['secure-code-agent-exec.service', 'secure-code-agent.service'] as const;
const soonMs = 30_000;

let at: Installation;
let root: string;

const script = (name: string, ...args: readonly string[]): string =>
	execFileSync(join(at.folder, 'dist', 'packaging', `${name}.sh`), ['--root', root, ...args], {
		encoding: 'utf8',
		env: { PATH: at.env.PATH },
	});

const withNode = (name: string, ...args: readonly string[]): string => script(name, '--node', at.node, ...args);

interface Account {
	readonly uid: number;
	readonly gid: number;
}

function account(user: string): Account {
	const line = readFileSync(join(root, 'etc/passwd'), 'utf8')
		.split('\n')
		.find((one) => one.startsWith(`${user}:`));
	const [, , uid, gid] = (line ?? expect.fail(`there is no user ${user}`)).split(':');
	return { uid: Number(uid), gid: Number(gid) };
}

/** Everything below a path, with owner and mode; what Node.js keeps of compiled code is left out. */
function below(path: string): string[] {
	const names = readdirSync(join(root, path), { recursive: true, encoding: 'utf8' }).sort();
	return ['', ...names]
		.filter((name) => !/^run\/code/.test(name))
		.map((name) => {
			const { uid, gid, mode } = lstatSync(join(root, path, name));
			return `${name === '' ? '.' : name} ${uid}:${gid} ${(mode & 0o7777).toString(8)}`;
		});
}

const contents = (path: string): string[] =>
	readdirSync(join(root, path), { recursive: true, encoding: 'utf8', withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
		.filter((file) => !file.includes('/run/code/'))
		.sort()
		.map((file) => `${relative(root, file)}\n${readFileSync(file, 'latin1')}`);

const unit = (name: string): string => readFileSync(join(root, unitFolder, name), 'utf8');

beforeAll(async () => {
	if (skipped !== null) return;
	at = await install({ name: 'root', uid: 0, skipped: null });
	copyFileSync('package.json', join(at.folder, 'package.json'));
	root = join(at.folder, 'root');
	mkdirSync(root);
});

afterAll(() => {
	if (skipped === null) rmSync(at.folder, { recursive: true, force: true });
});

describe.skipIf(skipped !== null)(`installing${skipped === null ? '' : ` (${skipped})`}`, () => {
	let shown: string;
	beforeAll(() => {
		shown = withNode('install', '--', '--faces', 'native,device', '--device-id', 'web-1');
	});

	it('makes two users that cannot log in, and shows the keys of the new agent', () => {
		const lines = readFileSync(join(root, 'etc/passwd'), 'utf8').trim().split('\n');
		expect(lines.map((line) => line.replace(/:\d+:\d+:/, ':N:N:'))).toEqual([
			`secure-code-agent:x:N:N::${data}:/usr/sbin/nologin`,
			`secure-code-exec:x:N:N::${execData}:/usr/sbin/nologin`,
		]);
		expect(shown).toMatch(/^ {2}token: \S{40,}$/m);
		expect(shown).not.toContain(root + data);
	});

	it('gives each side what it needs and nothing of the other', () => {
		const [front, exec] = [account('secure-code-agent'), account('secure-code-exec')];
		const own = `${front.uid}:${front.gid}`;
		expect(below(data)).toEqual([
			`. ${own} 700`,
			`config.yaml ${own} 600`,
			`keys ${own} 700`,
			`keys/device-1.sha256 ${own} 600`,
			`keys/device.key ${own} 600`,
			`keys/device.pub ${own} 644`,
			`keys/native-1.pub.pem ${own} 600`,
			`policy.yaml ${own} 600`,
			`run ${own} 700`,
			`state ${own} 700`,
			`tls ${own} 700`,
			`tls/cert.pem ${own} 644`,
			`tls/key.pem ${own} 600`,
		]);
		expect(below(execData)).toEqual([`. ${exec.uid}:${front.gid} 700`]);
		expect(below(unitFolder)).toEqual(['. 0:0 755', ...units.map((name) => `${name} 0:0 644`)]);
	});

	it('writes units for the place and the program, and lets commands run on the exec side', () => {
		expect(unit(units[1])).toContain(`\nExecStart=${at.node} ${at.main} agent serve --dir ${data}\n`);
		expect(unit(units[0])).toContain(`\nLoadCredential=policy.yaml:${data}/policy.yaml\n`);
		expect(unit(units[0]) + unit(units[1])).not.toMatch(/@[A-Z_]+@|secure-code-units/);
		const config = readFileSync(join(root, data, 'config.yaml'), 'utf8');
		expect(config.match(/^runner:\n {2}socket: .*$/m)?.[0]).toBe('runner:\n  socket: /run/secure-code-agent/exec.sock');
	});

	it('changes nothing when it is done again', () => {
		const before = [contents('/etc'), contents(data)];
		const again = withNode('install');
		expect([contents('/etc'), contents(data)]).toEqual(before);
		expect(again).not.toMatch(/token|private key/);
	});

	it('makes an agent whose commands run on the exec side, both started as the units say', async () => {
		const [front, exec] = [account('secure-code-agent'), account('secure-code-exec')];
		const sides: ChildProcess[] = [];
		const runFolder = join(root, 'run/secure-code-agent');
		mkdirSync(runFolder, { recursive: true });
		chownSync(runFolder, exec.uid, front.gid);
		chmodSync(runFolder, 0o750);
		// systemd's credential: a copy for the exec side alone.
		const credentials = join(root, 'run/credentials');
		mkdirSync(credentials);
		chmodSync(credentials, 0o755);
		copyFileSync(join(root, data, 'policy.yaml'), join(credentials, 'policy.yaml'));
		chmodSync(join(credentials, 'policy.yaml'), 0o400);
		chownSync(join(credentials, 'policy.yaml'), exec.uid, exec.gid);
		const config = join(root, data, 'config.yaml');
		const text = readFileSync(config, 'utf8');
		writeFileSync(config, text.replace('/run/secure-code-agent', runFolder));
		const start = async (name: string, { uid }: Account): Promise<void> => {
			const line = /^ExecStart=(.*)$/m.exec(unit(name))?.[1] ?? '';
			const [command = '', ...args] = line
				.replaceAll(data, root + data)
				.replaceAll('%S', join(root, 'var/lib'))
				.replaceAll('%t', join(root, 'run'))
				.replaceAll('%d', credentials)
				.split(' ');
			const env = { ...at.env, HOME: '/', TMPDIR: '/tmp', SECURE_CODE_HOME: join(root, execData) };
			const child = spawn(command, args, { uid, gid: front.gid, env, cwd: '/' });
			sides.push(child);
			let said = '';
			for (const stream of [child.stdout, child.stderr])
				stream.on('data', (piece) => {
					said += piece;
				});
			await until(() => said.includes('"ready"') || child.exitCode !== null, soonMs);
			expect(said).toContain('"ready"');
		};
		try {
			await start(units[0], exec);
			await start(units[1], front);
			const args = [at.main, 'agent', 'doctor', '--dir', root + data, '--json'];
			const doctor = spawn(at.node, args, { uid: front.uid, gid: front.gid, env: { ...at.env, HOME: '/' }, cwd: '/' });
			let answer = '';
			for await (const piece of doctor.stdout) answer += piece;
			const { steps } = JSON.parse(answer) as { steps: { name: string; status: string; detail: string }[] };
			expect(steps.filter(({ status }) => status === 'failed')).toEqual([]);
			expect(steps.find(({ name }) => name === 'profile read-only: keys and audit')?.status).toBe('ok');
		} finally {
			for (const side of sides.reverse()) {
				side.kill('SIGTERM');
				if (side.exitCode === null && side.signalCode === null) await once(side, 'exit');
			}
			writeFileSync(config, text);
			rmSync(join(root, 'run'), { recursive: true });
		}
	});
});

describe.skipIf(skipped !== null)('upgrading', () => {
	it('keeps a copy for root alone, renews the units, leaves the agent as it is and says how to go back', () => {
		const before = below(data);
		writeFileSync(join(root, unitFolder, units[1]), '# n8n-nodes-secure-code 0.0.1\n[Service]\n');
		const said = withNode('upgrade');
		const [archive = '', ...more] = readdirSync(join(root, backups));
		expect(more).toEqual([]);
		expect(below(backups)).toEqual(['. 0:0 700', `${archive} 0:0 600`]);
		expect(unit(units[1])).toContain(`agent serve --dir ${data}`);
		expect(below(data)).toEqual(before);
		expect(said).toContain('npm install -g n8n-nodes-secure-code@0.0.1');
		const held = execFileSync('tar', ['-tzf', join(root, backups, archive)], { encoding: 'utf8' }).split('\n');
		const wanted = ['config.yaml', 'policy.yaml', 'keys/device.key', 'tls/key.pem', 'state/agent.db', 'run/'];
		expect(wanted.filter((name) => !held.includes(join(data, name).slice(1)))).toEqual([]);
		expect(units.filter((name) => !held.includes(join(unitFolder, name).slice(1)))).toEqual([]);
	});

	it('can be taken back with the copy', () => {
		const before = [below(data), contents(data)];
		const [archive = ''] = readdirSync(join(root, backups));
		rmSync(join(root, data), { recursive: true });
		execFileSync('tar', ['-C', root, '-xpzf', join(root, backups, archive)]);
		expect([below(data), contents(data)]).toEqual(before);
		expect(unit(units[1])).toBe('# n8n-nodes-secure-code 0.0.1\n[Service]\n');
	});

	it('makes a copy of its own each time', () => {
		withNode('upgrade');
		withNode('upgrade');
		expect(readdirSync(join(root, backups))).toHaveLength(3);
	});
});

describe.skipIf(skipped !== null)('uninstalling', () => {
	it('removes the units and keeps the data and whom they belong to, also the second time', () => {
		const before = [below(data), below(execData), below(backups)];
		for (const _ of [1, 2]) script('uninstall');
		expect(below(unitFolder)).toEqual(['. 0:0 755']);
		expect([below(data), below(execData), below(backups)]).toEqual(before);
		expect(account('secure-code-agent').uid).toBeGreaterThan(0);
	});

	it('can be followed by another install, which finds the data', () => {
		expect(withNode('install')).toContain(`The agent in ${data} is there already`);
		expect(unit(units[1])).toContain('ExecStart=');
	});

	it('leaves nothing with --purge, also the second time', () => {
		for (const _ of [1, 2]) script('uninstall', '--purge');
		const left = [data, execData, backups, ...units.map((name) => join(unitFolder, name))];
		expect(left.filter((path) => existsSync(join(root, path)))).toEqual([]);
		const accounts = ['passwd', 'group', 'shadow', 'gshadow'].map((file) =>
			readFileSync(join(root, 'etc', file), 'utf8'),
		);
		expect(accounts).toEqual(['', '', '', '']);
	});
});
