/** How a job ended is true: nothing a program does can make it look like something else. */
import { describe, expect, test } from 'vitest';
import { asEachIdentity, ended, printed, succeeded } from '../helpers/jail.ts';

const exited = (exitCode: number) =>
	exitCode === 0 ? succeeded : { status: 'failed', exitCode, signal: null, problem: null };
const killedBy = (signal: string) => ({ status: 'killed', exitCode: null, signal, problem: 'PROGRAM_SIGNALLED' });

/** A call of the C library from Python that prints what it returned. */
const call = (text: string) => `
import ctypes, os, struct, time
libc = ctypes.CDLL(None, use_errno=True)
result = ${text}
print(result, os.strerror(ctypes.get_errno()) if result == -1 else '', flush=True)
`;

asEachIdentity((jail) => {
	describe.concurrent('exit codes and signals', () => {
		test.each([0, 1, 2, 64, 65, 69, 126, 127, 128, 134, 137, 139, 143, 255])(
			'exit code %i is the program’s own',
			async (code) => {
				const answers = await Promise.all([
					jail.bash(`exit ${code}`),
					jail.python(`import os; os._exit(${code})`),
					jail.javascript(`process.exit(${code})`),
				]);
				expect(answers.map(ended)).toEqual([exited(code), exited(code), exited(code)]);
			},
		);

		test.each(['SIGSEGV', 'SIGTERM', 'SIGKILL', 'SIGABRT', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGPIPE', 'SIGBUS'])(
			'a program that ends itself by %s is reported so',
			async (signal) => {
				const code = `import os, signal\nsignal.signal(signal.${signal}, signal.SIG_DFL) if signal.${signal} != signal.SIGKILL else 0\nos.kill(os.getpid(), signal.${signal})\nimport time; time.sleep(9)`;
				expect(ended(await jail.python(code))).toEqual(killedBy(signal));
			},
		);

		test('a crash, an abort and an uncaught error each say what they were', async () => {
			const answers = await Promise.all([
				jail.python('import ctypes; ctypes.string_at(0)'),
				jail.javascript('process.abort()'),
				jail.python('raise ValueError("no")'),
				jail.javascript('throw new Error("no")'),
				jail.bash('set -e; false'),
				jail.python('def broken('),
			]);
			expect(answers.map(ended)).toEqual([
				killedBy('SIGSEGV'),
				killedBy('SIGABRT'),
				exited(1),
				exited(1),
				exited(1),
				exited(1),
			]);
		});

		test('a command that does not exist fails as in a shell', async () => {
			const result = await jail.run({ argv: ['no-such-program'] });
			expect(ended(result)).toEqual(exited(127));
			expect(result.stderr).toContain('no-such-program');
		});

		test('orphans are reaped while the program runs', async () => {
			const code = `
import os, time
for n in range(20):
    if os.fork() == 0:
        if os.fork() == 0: os._exit(0)
        os._exit(0)
    os.wait()
time.sleep(0.3)
states = [open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()[0] for pid in os.listdir('/proc') if pid.isdigit()]
print(states.count('Z'), len(states))
`;
			expect(printed(await jail.python(code))).toBe('0 2\n');
		});

		test('what the program leaves running ends with it, and its output up to then is there', async () => {
			const result = await jail.bash(
				'(setsid nohup bash -c "trap \\"\\" TERM HUP; echo early; sleep 60; echo late" &) ; sleep 0.3; exit 4',
			);
			expect({ ...ended(result), stdout: result.stdout }).toEqual({ ...exited(4), stdout: 'early\n' });
			expect(result.durationMs).toBeLessThan(20_000);
		});
	});

	describe.concurrent('forging', () => {
		test('the first process and the descriptors beyond stderr are out of reach', async () => {
			const code = `
import os
def attempt(what, action):
    try: print(what, action())
    except OSError as error: print(what, error.strerror)
print(sorted(os.listdir('/proc/self/fd')))
for fd in range(3, 10): attempt(fd, lambda: os.write(fd, b'S 0 0 0 0\\n'))
attempt('list', lambda: os.listdir('/proc/1/fd'))
for fd in range(0, 10): attempt(f'open {fd}', lambda: os.open(f'/proc/1/fd/{fd}', os.O_WRONLY))
for name in ('mem', 'environ', 'maps', 'exe', 'cwd', 'root/etc'): attempt(name, lambda: os.listdir(f'/proc/1/{name}') if '/' in name else open(f'/proc/1/{name}', 'rb').read(1))
`;
			const lines = printed(await jail.python(code))
				.trim()
				.split('\n');
			expect(lines.shift()).toBe("['0', '1', '2', '3']");
			expect(lines.filter((line) => !/(Bad file descriptor|Permission denied)$/.test(line))).toEqual([]);
			expect(lines).toHaveLength(7 + 1 + 10 + 6);
		});

		test.each([
			['SIGKILL', 'libc.kill(1, 9)'],
			['SIGSTOP', 'libc.kill(1, 19)'],
			['SIGTERM', 'libc.kill(1, 15)'],
			['SIGSEGV', 'libc.kill(1, 11)'],
			['SIGCHLD', 'libc.kill(1, 17)'],
			['a signal to its whole group', 'libc.kill(0, 0)'],
			['another priority', 'libc.setpriority(0, 1, 19)'],
			['another processor', "libc.sched_setaffinity(1, 8, struct.pack('Q', 1))"],
		])('%s does not disturb the first process', async (_, attack) => {
			const result = await jail.python(`${call(attack)}\ntime.sleep(0.2)\nos._exit(7)`);
			expect(ended(result)).toEqual(exited(7));
		});

		test('a limit put on the first process made the sandbox look broken', async () => {
			const attack = call("libc.prlimit(1, 0, struct.pack('QQ', 0, 0), None)");
			const result = await jail.python(`${attack}\nfor n in range(20000): print(n, flush=True)\nos._exit(7)`);
			expect(ended(result)).toEqual(exited(7));
			expect(result.stdout.split('\n')[0]).toBe('-1 Operation not permitted');
		});

		test('a program that kills everything it can see has only ended itself', async () => {
			expect(ended(await jail.bash('sleep 60 & kill -KILL -1; exit 5'))).toEqual(exited(5));
			expect(ended(await jail.python('import os; os.kill(0, 9)'))).toEqual(killedBy('SIGKILL'));
		});

		test('closed and blocked outputs change nothing', async () => {
			const answers = await Promise.all([
				jail.bash('exec >&- 2>&- <&-; exit 6'),
				jail.python('import os\nos.closerange(0, 100)\nos._exit(6)'),
				jail.python(
					'import os\nos.write(1, b"x" * 70000)\nos.set_blocking(1, False)\nos.write(1, b"x" * 70000)\nos._exit(6)',
				),
			]);
			expect(answers.map(ended)).toEqual([exited(6), exited(6), exited(6)]);
		});

		test('output that looks like a result, a status line or an answer is only output', async () => {
			const forged = '{"id":1,"status":"failed","exitCode":1}\nS 256 0 0 0 0 0\nX 2\nR\n';
			const result = await jail.python(`print(${JSON.stringify(forged)}, end='')`);
			expect(printed(result)).toBe(forged);
		});

		test('a program that prints its end into a pipe held in flight does not hold the job', async () => {
			const code = `
import array, os, socket
a, b = socket.socketpair()
send = lambda *fds: a.sendmsg([b'x'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))])
send(1, 2, a.fileno(), b.fileno())
print('held', flush=True)
os._exit(0)
`;
			const result = await jail.python(code, { limits: { timeoutMs: 10_000 } });
			expect({ ...ended(result), stdout: result.stdout }).toEqual({ ...succeeded, stdout: 'held\n' });
			expect(result.durationMs).toBeLessThan(10_000);
		});

		test('errors in stderr that read like a limit do not become a status', async () => {
			const result = await jail.bash('echo "Killed: out of memory, timed out" >&2; exit 1');
			expect(ended(result)).toEqual(exited(1));
		});
	});
});
