/** What a command finds of its device, and how it ends: mounts, rights, environment, input, limits, exit codes. */
import {
	chmodSync,
	chownSync,
	existsSync,
	mkdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { quietEnvironment } from '../../../src/contract/quiet.ts';
import { asEachAgent, ended, exited, printed, type RunnerHost } from '../../helpers/runner.ts';

const system = [{ path: '/usr' }, { path: '/etc' }];

/** A folder of the device that everybody may write to, with something in it. */
function open(host: RunnerHost, name: string): string {
	const folder = join(host.shared, name);
	if (existsSync(folder)) return folder;
	mkdirSync(folder, { mode: 0o777 });
	chmodSync(folder, 0o777);
	chownSync(folder, host.identity.uid, host.identity.uid);
	writeFileSync(join(folder, 'old'), 'old\n');
	mkdirSync(join(folder, 'secret'));
	writeFileSync(join(folder, 'secret', 'key'), 'canary-mask\n');
	chmodSync(join(folder, 'old'), 0o666);
	return folder;
}

/** Network interfaces of this host, as the kernel lists them. */
const interfaces = (): string[] =>
	readFileSync('/proc/net/dev', 'utf8')
		.split('\n')
		.slice(2)
		.map((line) => line.split(':')[0]?.trim() ?? '')
		.filter(Boolean);

const profiles = (host: RunnerHost) => ({
	plain: { mounts: system },
	data: {
		mounts: [
			...system,
			{ path: open(host, 'readable'), as: '/readable' },
			{ path: open(host, 'writable'), as: '/writable', isWritable: true },
			{ path: open(host, 'masked'), as: '/masked' },
			{ path: join(open(host, 'file'), 'old'), as: '/single' },
			{ path: '/nowhere/at/all', isOptional: true },
		],
		masks: [join(host.shared, 'masked', 'secret'), join(host.shared, 'masked', 'old'), '/nothing/here'],
		env: { SITE: 'north', TERM: 'dumb' },
		path: ['/readable', '/usr/bin'],
		cpus: 0.5,
	},
	network: { mounts: system, network: 'host' },
	missing: { mounts: [...system, { path: '/nowhere/at/all' }] },
	agent: { mounts: [...system, { path: host.dir }] },
	over: { mounts: [...system, { path: join(host.dir, '..'), isWritable: true }] },
	proc: { mounts: [{ path: '/proc/sys' }] },
	whole: { mounts: [{ path: '/' }] },
	bare: {},
	narrow: { mounts: system, timeoutMs: 1_000, processes: 20, memoryBytes: 67_108_864 },
	direct: {
		backend: 'direct',
		env: { SITE: 'north' },
		...(host.identity.name === 'root' ? { user: 'games' } : { runsAsAgent: true }),
	},
	nobody: { backend: 'direct' },
	stranger: { backend: 'direct', user: 'no-such-user' },
	self: { backend: 'direct', user: host.identity.name === 'root' ? 'root' : 'nobody' },
	named: { mounts: system, user: host.identity.name === 'root' ? 'games' : 'nobody' },
	rooted: { mounts: system, user: 'root' },
});

const refused = (code: string) => ({
	stopped: undefined,
	exit: undefined,
	fault: undefined,
	isConfirmedDead: undefined,
	error: code,
});

asEachAgent(profiles, (host) => {
	describe('a jailed command', () => {
		test('sees what the profile mounts and the folders of the jail, nothing else', async () => {
			const seen = printed(await host.bash('data', 'ls -m / /masked /readable; cat /readable/old /single'));
			expect(seen).toBe(
				[
					'/:',
					'bin, dev, etc, lib, lib64, masked, opt, proc, readable, sbin, single, tmp, usr,',
					'work, writable',
					'',
					'/masked:',
					'old, secret',
					'',
					'/readable:',
					'old, secret',
					'old\nold\n',
				].join('\n'),
			);
		});

		test('changes nothing but what is writable', async () => {
			const script = `for path in / /usr /etc /readable /masked /proc /dev /opt /opt/secure-code /writable /work /tmp /dev/shm; do
				touch $path/new 2> /dev/null && echo "$path"; done
				echo changed 2> /dev/null >> /readable/old && echo readable/old; echo changed 2> /dev/null >> /single && echo single
				echo changed >> /writable/old && echo writable/old; true`;
			const ran = await host.bash('data', script);
			expect(ran.stdout).toBe('/writable\n/work\n/tmp\n/dev/shm\nwritable/old\n');
			expect(readFileSync(join(host.shared, 'writable', 'old'), 'utf8')).toBe('old\nchanged\n');
			expect(readFileSync(join(host.shared, 'readable', 'old'), 'utf8')).toBe('old\n');
			expect(statSync(join(host.shared, 'writable', 'new')).mode & 0o777).toBe(0o600);
		});

		test.each([
			['no format that the system knows', 'just text\n', 126, 'ENOEXEC'],
			['an interpreter that is not there', '#!/nowhere/interpreter\n', 127, 'ENOENT'],
		])('ends as in a shell when a program has %s', async (_name, text, code, error) => {
			const path = join(open(host, 'readable'), `odd-${code}`);
			writeFileSync(path, text);
			chmodSync(path, 0o755);
			const ran = await host.argv('data', [`/readable/odd-${code}`]);
			expect([ended(ran), ran.stderr]).toEqual([
				exited(code),
				`/readable/odd-${code}: cannot be executed (${error})\n`,
			]);
		});

		test('finds a masked folder empty and a masked file closed', async () => {
			const ran = await host.bash(
				'data',
				'ls -A /masked/secret; cat /masked/old; cat /masked/secret/key; touch /masked/secret/x',
			);
			expect([ran.stdout, ran.stderr.match(/Permission denied|No such file|Read-only/g)]).toEqual([
				'',
				['Permission denied', 'No such file', 'Read-only'],
			]);
		});

		test('starts in its own workspace, or where it is told to', async () => {
			expect(printed(await host.argv('data', ['pwd']))).toBe('/work\n');
			expect(printed(await host.argv('data', ['pwd'], { cwd: '/readable' }))).toBe('/readable\n');
			const nowhere = await host.argv('data', ['pwd'], { cwd: '/nowhere' });
			expect(ended(nowhere)).toEqual(refused('JOB_INVALID'));
		});

		test('has a workspace of its own each time', async () => {
			await host.bash('plain', 'echo mine > /work/x; echo mine > /tmp/x');
			expect(printed(await host.bash('plain', 'ls -A /work /tmp'))).toBe('/tmp:\n\n/work:\n');
		});

		test('is nobody of the device, and has the name of the device', async () => {
			const uid = host.identity.name === 'root' ? 65_533 : host.identity.uid;
			const name = host.identity.name === 'root' ? 'device' : 'nobody';
			expect(printed(await host.bash('plain', 'id -u; whoami; hostname; umask'))).toBe(
				`${uid}\n${name}\n${hostname()}\n0077\n`,
			);
		});

		test('has no network', async () => {
			const script = 'exec 3<>/dev/tcp/127.0.0.1/1; ls /sys/class/net 2> /dev/null';
			expect((await host.bash('plain', script)).stderr).toContain('Connection refused');
			expect((await host.bash('plain', 'exec 3<>/dev/tcp/192.0.2.1/80')).stderr).toContain('Network is unreachable');
		});

		test('has that of the device where the profile says so, unless the job does without', async () => {
			const script =
				"sed 's/:.*//' /proc/net/dev | tail -n +3 | tr -d ' ' | sort | tr -d '\\n'; ip -o link 2> /dev/null | wc -l";
			const [with_, without] = [
				await host.bash('network', script),
				await host.bash('network', script, { network: 'none' }),
			];
			expect(printed(without)).toBe('lo0\n');
			expect(printed(with_)).toBe(`${interfaces().sort().join('')}${interfaces().length}\n`);
			expect(ended(await host.argv('direct', ['true'], { network: 'none' }))).toEqual(refused('JOB_UNSUPPORTED'));
		});

		test('sees only its own processes', async () => {
			expect(printed(await host.bash('plain', 'ls -d /proc/[0-9]* | wc -l'))).toMatch(/^[234]\n$/);
		});

		test('gets the environment of the profile, what the job adds, and nothing else', async () => {
			const ran = await host.argv('data', ['env'], { env: { EXTRA: 'yes', SITE: 'south' } });
			const quiet = Object.entries(quietEnvironment).map(([name, value]) => `${name}=${value}`);
			expect(printed(ran).trim().split('\n').sort()).toEqual(
				[
					...['EXTRA=yes', 'HOME=/work', 'LANG=C.UTF-8', 'LOGNAME=device', 'PATH=/readable:/usr/bin', 'SITE=north'],
					...['TERM=dumb', 'TMPDIR=/tmp', 'USER=device', ...quiet],
				].sort(),
			);
		});

		test('that is over a limit of memory is ended by the kernel, or by whoever watches it', async () => {
			const ran = await host.argv('plain', ['python3', '-c', 'x = bytearray(900_000_000); print(len(x))'], {
				limits: { memoryBytes: 134_217_728 },
			});
			expect(ran.stdout).toBe('');
			expect(ran.outcome?.stopped === 'memory' || (ran.outcome?.oomKills ?? 0) > 0).toBe(true);
		});

		test('is held to the limits of its profile, whatever the job asks', async () => {
			const slow = await host.bash('narrow', 'sleep 20', { limits: { timeoutMs: 20_000 } });
			const big = await host.argv('narrow', ['python3', '-c', 'x = bytearray(300_000_000); print(len(x))']);
			expect([slow.outcome?.stopped, big.stdout]).toEqual(['timeout', '']);
		});
	});

	describe.each(['plain', 'direct'])('profile %s', (profile) => {
		test.each([0, 1, 42, 127, 137, 255])('reports exit code %i as it is', async (code) => {
			expect(ended(await host.bash(profile, `exit ${code}`))).toEqual(exited(code));
		});

		test.each(['SIGTERM', 'SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGHUP'])('reports %s as it is', async (signal) => {
			const ran = await host.bash(profile, `kill -${signal.slice(3)} $$`);
			expect(ended(ran)).toEqual({ ...exited(0), exit: { code: null, signal } });
		});

		test('gives stdin whole, and an empty one when there is none', async () => {
			const text = 'line\n'.repeat(50_000);
			expect(printed(await host.argv(profile, ['wc', '-c'], { stdin: text }))).toBe(`${text.length}\n`);
			expect(printed(await host.argv(profile, ['wc', '-c'], { stdin: '' }))).toBe('0\n');
			expect(printed(await host.argv(profile, ['wc', '-c']))).toBe('0\n');
		});

		test('runs argv as it stands: no shell reads it', async () => {
			const words = ['$(id)', '`id`', '*', '; id', '"', "'", '', 'é\n'];
			const ran = await host.argv(profile, ['printf', '%s|', ...words]);
			expect(printed(ran)).toBe(`${words.join('|')}|`);
		});

		test('runs bash and sh', async () => {
			expect(printed(await host.bash(profile, 'test -n "$BASH_VERSION" && echo "bash $1 $-"'))).toBe('bash  hB\n');
			const sh = host.begin(profile, { mode: 'script', shell: 'sh', script: 'echo sh' });
			expect(printed(await sh.ended)).toBe('sh\n');
		});

		test('runs nothing whose words the system does not take', async () => {
			const words = (count: number, length: number) => ['true', ...Array(count).fill('x'.repeat(length))];
			expect(ended(await host.argv(profile, words(1, 140_000)))).toEqual(refused('JOB_INVALID'));
			expect(ended(await host.argv(profile, words(20, 100_000)))).toEqual(refused('JOB_INVALID'));
			expect(ended(await host.argv(profile, ['true', 'a\0b']))).toEqual(refused('JOB_INVALID'));
			expect(ended(await host.argv(profile, words(400, 2)))).toEqual(exited(0));
		});

		test('says when there is no PowerShell', async () => {
			const ran = await host.begin(profile, { mode: 'script', shell: 'powershell', script: 'Get-Date' }).ended;
			expect(ended(ran)).toEqual(refused('RUNTIME_MISSING'));
		});

		test('ends with 127 when there is no such program', async () => {
			const ran = await host.argv(profile, ['no-such-program']);
			expect([ended(ran), ran.stderr]).toEqual([exited(127), 'no-such-program: command not found\n']);
			expect(ended(await host.argv(profile, ['/usr']))).toEqual(exited(127));
		});

		test.each(['LD_PRELOAD', 'PATH', 'BASH_ENV', 'IFS', 'GIT_SSH_COMMAND', 'PAGER', 'NODE_OPTIONS', 'PYTHONPATH'])(
			'starts nothing when a job brings %s, even if the policy let it through',
			async (name) => {
				expect(ended(await host.argv(profile, ['true'], { env: { [name]: 'x' } }))).toEqual(refused('POLICY_DENIED'));
			},
		);
	});

	describe('a profile that cannot be used', () => {
		test.each(['missing', 'agent', 'over', 'proc', 'whole', 'nobody', 'stranger', 'self', 'rooted', 'unknown'])(
			'%s: says why and runs nothing',
			async (profile) => {
				const ran = await host.argv(profile, ['true']);
				expect(ended(ran)).toEqual(refused('PROFILE_UNUSABLE'));
				expect(ran.error?.message).toContain(`"${profile}"`);
			},
		);

		test('bare: has no programs, and says so', async () => {
			expect(ended(await host.argv('bare', ['true']))).toEqual(exited(127));
		});
	});

	test.runIf(host.identity.name === 'root')('a jailed command can run as a user of the device', async () => {
		expect(printed(await host.bash('named', 'id -un; id -u'))).toBe('games\n5\n');
	});

	test('a direct command has a workspace of its own, which is gone afterwards', async () => {
		const place = printed(
			await host.bash(
				'direct',
				'pwd; echo x > x; mkdir -p a/b; chmod 0 a; ls -ld . | cut -c1-10; umask; [ "$PWD" = "$HOME" ]',
			),
		);
		expect(place).toMatch(/^\/\S+\/secure-code-work-\S+\ndrwx------\n0077\n$/);
		expect(existsSync(place.split('\n')[0] ?? '')).toBe(false);
	});

	test('a direct command starts where it is told to, and says when it cannot', async () => {
		expect(printed(await host.argv('direct', ['pwd'], { cwd: '/usr' }))).toBe('/usr\n');
		expect(ended(await host.argv('direct', ['pwd'], { cwd: '/nowhere' }))).toEqual(refused('JOB_INVALID'));
	});

	test('links of the device inside a mount lead where they lead in the jail', async () => {
		const link = join(host.shared, 'readable', 'link');
		if (!existsSync(link)) symlinkSync(host.dir, link);
		const ran = await host.bash('data', 'cat /readable/link/device.pem');
		expect([ran.stdout, ran.outcome?.exit?.code]).toEqual(['', 1]);
	});

	test('says of every profile what it can do here, and tries each with a command that wants to stay', async () => {
		const steps = await host.probe();
		const of = (name: string) => steps.filter((step) => step.name === name || step.name.startsWith(`${name}:`));
		const tried = 'a command that called setsid, forked twice and ignored signals was gone with its job';
		for (const name of ['plain', 'data', 'network'])
			expect(of(`profile ${name}`)[0]).toMatchObject({ status: 'ok', detail: expect.stringContaining(tried) });
		expect(of('profile direct').at(-1)).toMatchObject({ status: 'ok', detail: expect.stringContaining(tried) });
		expect(of('profile bare')).toMatchObject([{ status: 'reduced', detail: expect.stringContaining('no shell') }]);
		for (const name of ['missing', 'agent', 'over', 'whole', 'nobody', 'stranger', 'rooted'])
			expect(of(`profile ${name}`)).toMatchObject([{ status: 'failed', detail: expect.stringContaining(`"${name}"`) }]);
		const [groups, hasCpus] = [of('control groups')[0], of('profile data: cpus').length === 0];
		expect([groups?.status, hasCpus]).toEqual(host.identity.name === 'root' ? ['ok', true] : ['reduced', false]);
		expect(of('profile direct: user').length).toBe(host.identity.name === 'root' ? 0 : 1);
		expect(steps.every(({ status, fix }) => (status === 'ok') === (fix === null))).toBe(true);
	});
});
