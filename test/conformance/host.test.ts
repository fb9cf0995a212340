/** Nothing of the host and nothing of other jobs is to be seen, changed or reached from a jail. */
import { hostname, userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { asEachIdentity, canary, printed } from '../helpers/jail.ts';

/** Everything a program can read by walking, as one text of paths; links are not followed. */
const everyPath = 'find / -path /proc -prune -o -print 2>/dev/null';

asEachIdentity((jail) => {
	describe.concurrent('what is shown', () => {
		test('the tree is the one we wrote', async () => {
			const code =
				'cd /; ls -d * etc/* opt/secure-code/* dev/* code/* work/* tmp/* home root mnt media srv sys run var boot 2>/dev/null | sort';
			const shown = printed(await jail.bash(code))
				.trim()
				.split('\n');
			const optional = [
				'etc/ld.so.cache',
				'etc/protocols',
				'etc/services',
				'etc/ssl',
				'lib64',
				'opt/secure-code/python-site',
			];
			expect(shown.filter((path) => !optional.includes(path))).toEqual(
				[
					...['bin', 'code', 'dev', 'etc', 'lib', 'opt', 'proc', 'sbin', 'tmp', 'usr', 'work'],
					// A bundle of npm packages is mounted on it; without one it is empty.
					...['main.js', 'main.py', 'main.sh', 'main.ts', 'node_modules'].map((name) => `code/${name}`),
					'work/out',
					...['fd', 'full', 'null', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'urandom', 'zero'].map(
						(name) => `dev/${name}`,
					),
					...['group', 'hosts', 'nsswitch.conf', 'passwd', 'resolv.conf'].map((name) => `etc/${name}`),
					...['authority.pem', 'data.cjs', 'init', 'session.tar', 'stdin', 'wait.cjs', 'wait.sh'].map(
						(name) => `opt/secure-code/${name}`,
					),
				].sort(),
			);
		});

		test('users, host name and addresses are the jail’s own', async () => {
			const text = printed(
				await jail.bash('cat /etc/passwd /etc/group /etc/hosts /etc/resolv.conf; uname -n; id; hostname'),
			);
			expect(text).toBe(
				`root:x:0:0:root:/:/usr/bin/false
sandbox:x:1000:1000::/work:/usr/bin/bash
root:x:0:
sandbox:x:1000:
127.0.0.1 localhost sandbox
::1 localhost
sandbox
uid=1000(sandbox) gid=1000(sandbox) groups=1000(sandbox)
sandbox
`,
			);
			expect(text).not.toContain(hostname());
		});

		test.each([
			'/etc/shadow',
			'/etc/hostname',
			'/etc/machine-id',
			'/root',
			'/home',
			'/var',
			'/run/docker.sock',
			'/var/run/docker.sock',
			'/sys/kernel',
			'/proc/sys',
			'/proc/meminfo',
			'/proc/cmdline',
			'/proc/kcore',
			'/proc/keys',
			'/dev/tty',
			'/dev/ptmx',
			'/dev/mem',
			'/dev/kmsg',
			'/dev/fuse',
			'/dev/net/tun',
			'/dev/kvm',
			'/dev/vsock',
			userInfo().homedir,
			process.execPath,
			import.meta.filename,
		])('%s is not there', async (path) => {
			const code = `[ -e '${path}' ] || [ -L '${path}' ] && ls -ld '${path}'; cat '${path}' 2>/dev/null`;
			expect((await jail.bash(code)).stdout).toBe('');
		});

		test('the environment holds nothing of ours', async () => {
			const [python, bash, first] = await Promise.all([
				jail.python('import os\nfor item in sorted(os.environ.items()): print(*item)'),
				jail.run({ argv: ['env'] }),
				jail.bash(
					`{ tr '\\0' '\\n' < /proc/1/environ; tr '\\0' '\\n' < /proc/self/environ; cat /proc/*/cmdline; } 2>/dev/null | grep -c "[${canary[0]}]${canary.slice(1)}"; true`,
				),
			]);
			const ours = {
				HOME: '/work',
				LANG: 'C.UTF-8',
				LOGNAME: 'sandbox',
				PATH: '/usr/local/bin:/usr/bin:/bin',
				TMPDIR: '/tmp',
				TZ: 'UTC',
				USER: 'sandbox',
			};
			const text = (variables: object, between: string) =>
				Object.entries(variables)
					.map((pair) => pair.join(between))
					.sort()
					.join('\n');
			expect(printed(python).trim()).toBe(text({ ...ours, MPLBACKEND: 'Agg', MPLCONFIGDIR: '/tmp' }, ' '));
			expect(printed(bash).trim().split('\n').sort().join('\n')).toBe(text(ours, '='));
			expect(printed(first)).toBe('0\n');
		});

		test('the configuration of the jail and the folder of the run are nowhere', async () => {
			const code = `${everyPath} | grep -E 'jail.cfg|secure-code-|nsjail'; true`;
			expect(printed(await jail.bash(code))).toBe('');
		});

		test('only its own processes are to be seen', async () => {
			const code =
				'import os\nprint([open(f"/proc/{p}/comm").read().strip() for p in sorted(os.listdir("/proc")) if p.isdigit()])';
			expect(printed(await jail.python(code))).toBe("['init', 'python3']\n");
		});

		test('the first process has no path to the host behind it', async () => {
			const code = `
import os
for pid in ('1', 'self', str(os.getppid())):
    for link in ('root', 'cwd'):
        try: print(pid, link, os.readlink(f'/proc/{pid}/{link}'), sorted(os.listdir(f'/proc/{pid}/{link}/../../..'))[:2])
        except OSError as error: print(pid, link, error.strerror)
`;
			expect(printed(await jail.python(code))).toBe(
				`1 root Permission denied
1 cwd Permission denied
self root / ['bin', 'code']
self cwd /work ['bin', 'code']
1 root Permission denied
1 cwd Permission denied
`,
			);
		});
	});

	describe.concurrent('what cannot be changed', () => {
		test('everything but /work, /tmp and /dev/shm is read-only', async () => {
			const code = `
find / -type d -writable -not -path '/proc/*' 2>/dev/null | sort; find /usr /opt /etc /code -type f -writable
for path in /x /usr/bin/x /usr/lib/x /etc/x /code/x /opt/secure-code/x /dev/x /proc/x; do touch $path 2>/dev/null && echo "$path WRITTEN"; done
for path in /etc/passwd /usr/bin/bash /opt/secure-code/init /code/main.sh /code/main.py /opt/secure-code/stdin; do
	{ echo x >> $path; chmod 777 $path; rm -f $path; mv $path /tmp/x; ln -f $path /work/x; } 2>/dev/null && echo "$path CHANGED"
done
ls /code/main.sh > /dev/null
`;
			expect(printed(await jail.bash(code))).toBe('/dev/shm\n/tmp\n/work\n/work/out\n');
		});

		test('a job without root wrote to its stdin file on the host, beyond every limit', async () => {
			const code = `
import os
for what in ('os.fchmod(0, 0o666)', 'os.write(0, b"x")', 'os.ftruncate(0, 0)', 'os.open("/proc/self/fd/0", os.O_RDWR)', 'os.open("/dev/stdin", os.O_RDWR)'):
    try: eval(what); print(what, 'ALLOWED')
    except OSError as error: pass
print(os.readlink('/proc/self/fd/0'), open('/dev/stdin').read())
`;
			expect(printed(await jail.python(code, { stdin: 'kept' }))).toBe('/opt/secure-code/stdin kept\n');
		});
	});

	describe.concurrent('network', () => {
		test('there is no way out, and loopback works', async () => {
			const code = `
import socket, threading
for family, address in ((socket.AF_INET, ('1.1.1.1', 53)), (socket.AF_INET, ('169.254.169.254', 80)), (socket.AF_INET, ('10.0.0.1', 80)), (socket.AF_INET6, ('2606:4700:4700::1111', 53))):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        one = socket.socket(family, kind)
        one.settimeout(2)
        try: one.connect(address); print(address, 'REACHED')
        except OSError as error: print(error.strerror)
try: print(socket.getaddrinfo('example.com', 80))
except OSError as error: print('no name')
server = socket.create_server(('localhost', 0))
client = socket.create_connection(('localhost', server.getsockname()[1]))
server.accept()[0].sendall(b'loopback')
print(client.recv(99).decode())
`;
			expect(printed(await jail.python(code))).toBe(`${'Network is unreachable\n'.repeat(8)}no name\nloopback\n`);
		});

		test('sockets of the host without a file are not to be seen', async () => {
			const code =
				'cat /proc/self/net/unix | tail -n +2; cat /proc/self/net/tcp /proc/self/net/tcp6 | grep -v local_address; true';
			expect(printed(await jail.bash(code))).toBe('');
		});
	});

	describe('other jobs', () => {
		test('the next job finds nothing of the one before', async () => {
			const leave = `
import os, socket, subprocess, sys
for folder in ('/work', '/tmp', '/dev/shm'): open(folder + '/left', 'w').write('${canary}')
subprocess.Popen(['setsid', 'nohup', 'sleep', '60'])
server = socket.create_server(('localhost', 4242))
abstract = socket.socket(socket.AF_UNIX); abstract.bind('\\0left'); abstract.listen()
import ctypes
libc = ctypes.CDLL(None)
print(libc.shmget(0x1234, 4096, 0o1666), libc.semget(0x1234, 1, 0o1666) >= 0, libc.mq_open(b'/left', 0o102, 0o666, None) >= 0)
`;
			const look = `
import ctypes, os, socket
libc = ctypes.CDLL(None)
print([os.listdir(folder) for folder in ('/work', '/tmp', '/dev/shm')], *os.listdir('/work/out'), sorted(p for p in os.listdir('/proc') if p.isdigit()))
print(libc.shmget(0x1234, 4096, 0o666), libc.semget(0x1234, 1, 0o666), libc.mq_open(b'/left', 0, 0, None))
for address in (('localhost', 4242), '\\0left'):
    try: socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET).connect(address); print('REACHED')
    except OSError as error: print(error.strerror)
`;
			await jail.python(leave);
			expect(printed(await jail.python(look))).toBe(
				"[['out'], [], []] ['1', '2']\n-1 -1 -1\nConnection refused\nConnection refused\n",
			);
		});

		test('jobs at the same time see neither files nor processes nor sockets of each other', async () => {
			const code = `
import os, socket, time
open('/tmp/here', 'x'); open('/work/here', 'x'); open('/dev/shm/here', 'x')
server = socket.create_server(('localhost', 4243))
abstract = socket.socket(socket.AF_UNIX); abstract.bind('\\0here')
time.sleep(0.7)
print(len([p for p in os.listdir('/proc') if p.isdigit()]), os.listdir('/tmp'), os.getpid())
for pid in range(3, 40000):
    try: os.kill(pid, 9); print('KILLED', pid)
    except OSError: pass
`;
			const answers = await Promise.all(Array.from({ length: 4 }, () => jail.python(code)));
			expect(answers.map(printed)).toEqual(Array(4).fill("2 ['here'] 2\n"));
		});

		test('fifty jobs at once each get their own result', async () => {
			const answers = await Promise.all(
				Array.from({ length: 50 }, (_, n) =>
					[
						() => jail.python(`print(${n}); raise SystemExit(${n % 7})`),
						() => jail.javascript(`console.log(${n}); process.exitCode = ${n % 7}`),
						() => jail.bash(`echo ${n}; exit ${n % 7}`),
					][n % 3]?.(),
				),
			);
			expect(answers.map((one) => [one?.status, one?.exitCode, one?.stdout])).toEqual(
				answers.map((_, n) => [n % 7 === 0 ? 'succeeded' : 'failed', n % 7, `${n}\n`]),
			);
		});
	});
});
