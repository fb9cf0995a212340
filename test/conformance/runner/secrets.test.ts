/** A command of a device cannot read what the agent holds: environment, open files, memory, keys, audit. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asEachAgent, canaries, printed, type RunnerHost } from '../../helpers/runner.ts';

const system = [{ path: '/usr' }, { path: '/etc' }];

const profiles = (host: RunnerHost) => ({
	/** Everything around the folder of the agent, and the processes of the device where it may be had. */
	around: {
		mounts: [...system, { path: host.at.folder }, { path: '/run' }, { path: '/var' }, { path: '/sys' }],
		showsProcesses: true,
	},
	network: { mounts: system, network: 'host', showsProcesses: true },
	lent: { backend: 'direct', runsAsAgent: true },
	...(host.identity.name === 'root' && { direct: { backend: 'direct', user: 'games' } }),
});

/** Reads whatever can be read of a process through /proc, and says which of it worked. */
const probe = (pid: number | string) => `
for what in environ mem maps auxv cmdline; do head -c 1 /proc/${pid}/$what > /dev/null 2>&1 && echo $what; done
for what in root cwd exe; do readlink /proc/${pid}/$what > /dev/null 2>&1 && echo $what; done
ls /proc/${pid}/root/ > /dev/null 2>&1 && echo into-root
ls /proc/${pid}/fd > /dev/null 2>&1 && echo fd
ls /proc/${pid}/map_files > /dev/null 2>&1 && echo map_files
true`;

/** What a command can read of the agent that holds one of the secrets. */
const search = ({ dir, pid }: RunnerHost) => `
cat ${dir}/* /proc/${pid}/environ /proc/${pid}/cmdline 2> /dev/null | grep -ao 'canary-[a-z]*-[0-9a-f]*' | sort -u
true`;

asEachAgent(profiles, (host) => {
	const names = host.identity.name === 'root' ? ['around', 'network', 'direct'] : ['around', 'network'];

	describe.each(names)('profile %s', (profile) => {
		test('sees of the agent at most how it was started', async () => {
			const seen = printed(await host.bash(profile, probe(host.pid))).split('\n');
			expect(seen.filter((what) => what !== '' && what !== 'cmdline')).toEqual([]);
		});

		test('finds no secret of the agent, wherever it looks', async () => {
			expect(printed(await host.bash(profile, search(host)))).toBe('');
		});

		test('can neither enter nor change the folder of the agent', async () => {
			const script = `cd ${host.dir} 2> /dev/null && ls -A; cat ${host.dir}/device.pem ${host.dir}/agent.db 2> /dev/null
				touch ${host.dir}/x 2> /dev/null && echo written; mv ${host.dir} ${host.dir}.old 2> /dev/null && echo moved; true`;
			expect(printed(await host.bash(profile, script))).toBe('');
		});

		test('gets nothing of the environment of the agent', async () => {
			const names = printed(await host.argv(profile, ['env']))
				.split('\n')
				.map((line) => line.split('=')[0]);
			expect(names.filter((name) => /AGENT|N8N|SECURE_CODE_(HOME|NSJAIL)/.test(name ?? ''))).toEqual([]);
		});

		test('cannot signal or trace the agent', async () => {
			const script = `kill -0 ${host.pid} 2> /dev/null && echo signalled; kill -9 ${host.pid} 2> /dev/null && echo killed; true`;
			expect(printed(await host.bash(profile, script))).toBe('');
		});

		test('reads no password hashes', async () => {
			const script = 'cat /etc/shadow /etc/gshadow /etc/shadow- /etc/sudoers 2> /dev/null; true';
			expect(printed(await host.bash(profile, script))).toBe('');
		});
	});

	test('the hidden folder is covered even where its parent is shown, and it is the canary that would be read', async () => {
		const script = `ls -A ${host.dir}; ls ${join(host.dir, '..')}`;
		expect(printed(await host.bash('around', script))).toBe('agent\n');
		expect(canaries.key).toMatch(/^canary/);
	});

	test.runIf(host.identity.name === 'root')(
		'processes of the device are shown where each job has a user of its own',
		async () => {
			const seen = printed(
				await host.bash('around', `test -d /proc/${host.pid} && tr '\\0' ' ' < /proc/${host.pid}/cmdline`),
			);
			expect(seen).toContain('runner-host.js');
		},
	);

	test.runIf(host.identity.name !== 'root')(
		'processes of the device stay hidden where jobs run as the agent itself',
		async () => {
			expect(
				printed(await host.bash('around', `test -d /proc/${host.pid} && echo shown; ls -d /proc/[0-9]* | wc -l`)),
			).not.toContain('shown');
		},
	);

	test('no other job of the same agent is seen: not its processes, its files or its input', async () => {
		const secret = 'canary-job-00ff';
		const other = host.begin(
			'around',
			{ mode: 'script', shell: 'bash', script: `: ${secret}; cat > /work/x; sleep 30` },
			{ stdin: secret, env: { WORD: secret } },
		);
		await other.started;
		const script = `{ cat /work/* /tmp/*/* ${host.at.env.TMPDIR}/*/* /proc/*/environ /opt/secure-code/stdin; } 2> /dev/null | grep -ao '${secret}' | sort -u; true`;
		const seen = await host.bash('around', script.replace(secret, 'canary-job-0[0]ff'));
		other.cancel();
		await other.ended;
		expect(printed(seen)).toBe('');
	});

	test('a socket of the device cannot be reached, whatever folder shows it', async () => {
		const script = `import socket
for make in (lambda: socket.socket(socket.AF_UNIX), lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)):
    try:
        make()
        print('made')
    except PermissionError as error:
        print(error.errno)
a, b = socket.socketpair()
a.send(b'x'); print(b.recv(1))`;
		expect(printed(await host.argv('around', ['python3', '-c', script]))).toBe("1\n1\nb'x'\n");
	});

	test('no setuid program gives a command more', async () => {
		const script =
			'grep -h NoNewPrivs /proc/self/status; grep -h CapEff /proc/self/status; su -c id 2> /dev/null; true';
		expect(printed(await host.bash('around', script))).toBe('NoNewPrivs:\t1\nCapEff:\t0000000000000000\n');
	});

	describe.runIf(process.getuid?.() === 0)('what is mounted inside a mount (skipped unless root can mount)', () => {
		/** Mounted for one test alone. */
		const mount = (...words: string[]) => {
			const point = words.at(-1) ?? '';
			mkdirSync(point, { recursive: true });
			execFileSync('mount', words);
			onTestFinished(() => void execFileSync('umount', [point]));
		};

		test('is read-only, too, although a bind of the folder alone would leave it writable', async () => {
			const inner = join(host.shared, 'disk');
			mount('-t', 'tmpfs', '-o', 'mode=1777', 'none', inner);
			mount('-t', 'tmpfs', '-o', 'mode=1777', 'none', join(inner, 'deeper'));
			const script = `for at in ${inner} ${inner}/deeper; do touch $at/x 2> /dev/null && echo "$at"; done; ls -d ${inner}/deeper`;
			expect(printed(await host.bash('around', script))).toBe(`${inner}/deeper\n`);
		});

		test('hides the folder of the agent there as well', async () => {
			const again = join(host.shared, 'again');
			mount('--bind', host.dir, again);
			const whole = join(host.shared, 'whole');
			mount('--bind', join(host.dir, '..'), whole);
			const script = `cat ${again}/device.pem ${whole}/agent/device.pem 2> /dev/null; ls -A ${again} ${whole}/agent 2> /dev/null`;
			const ran = await host.bash('around', script);
			expect(ran.stdout.replaceAll(host.shared, '')).toBe('/again:\n\n/whole/agent:\n');
		});
	});

	test('the same search finds all of it where a profile lends the own user of the agent, so a profile must say so', async () => {
		const seen = printed(await host.bash('lent', search(host)));
		expect(seen.split('\n').filter((word) => Object.values(canaries).includes(word))).toEqual(
			Object.values(canaries).sort(),
		);
	});
});
