/** What ordinary programs do must simply work in the jail. */
import { describe, expect, test } from 'vitest';
import { limits } from '../../src/contract/limits.ts';
import { asEachIdentity, printed, tierOf } from '../helpers/jail.ts';

asEachIdentity((jail) => {
	test('a result says how, where and in which language the program ran', async () => {
		const result = await jail.python('print(sum(range(10)))');
		expect(result).toEqual({
			id: expect.any(Number),
			status: 'succeeded',
			exitCode: 0,
			signal: null,
			problem: null,
			stdout: '45\n',
			stderr: '',
			truncated: { stdout: false, stderr: false },
			durationMs: expect.any(Number),
			cpuMs: expect.any(Number),
			peakMemoryBytes: expect.any(Number),
			queuedMs: expect.any(Number),
			language: 'python',
			backend: 'nsjail',
			tier: tierOf(jail.identity),
			start: 'cold',
			findings: [],
			files: [],
		});
		expect(result.durationMs).toBeGreaterThan(0);
		expect(result.cpuMs).toBeGreaterThan(0);
		expect(result.peakMemoryBytes).toBeGreaterThan(1024 * 1024);
	});

	describe.concurrent('Python', () => {
		test('runs threads, a thread pool and a process pool', async () => {
			const code = `
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pool, Queue, Process

def square(n):
    return n * n

if __name__ == '__main__':
    seen = []
    threads = [threading.Thread(target=seen.append, args=(n,)) for n in range(5)]
    for one in threads: one.start()
    for one in threads: one.join()
    with ThreadPoolExecutor(4) as pool: squares = list(pool.map(square, range(5)))
    with Pool(2) as pool: cubes = pool.map(square, range(5))
    queue = Queue()
    child = Process(target=queue.put, args=('from a process',))
    child.start()
    print(sorted(seen), squares, cubes, queue.get())
    child.join()
`;
			expect(printed(await jail.python(code))).toBe(
				'[0, 1, 2, 3, 4] [0, 1, 4, 9, 16] [0, 1, 4, 9, 16] from a process\n',
			);
		});

		test('starts other programs', async () => {
			const code = `
import subprocess
print(subprocess.run(['bash', '-c', 'echo $((6 * 7)); exit 3'], capture_output=True, text=True))
print(subprocess.check_output('echo piped | tr a-z A-Z', shell=True, text=True), end='')
`;
			expect(printed(await jail.python(code))).toBe(
				"CompletedProcess(args=['bash', '-c', 'echo $((6 * 7)); exit 3'], returncode=3, stdout='42\\n', stderr='')\nPIPED\n",
			);
		});

		test('writes and reads its folders, a database and temporary files', async () => {
			const code = `
import os, pathlib, sqlite3, tempfile
pathlib.Path('notes.txt').write_text('kept')
with tempfile.NamedTemporaryFile() as file: print(os.path.dirname(file.name))
base = sqlite3.connect('/work/data.db')
base.execute('create table t (n)'); base.execute('insert into t values (7)'); base.commit()
print(os.getcwd(), pathlib.Path('/work/notes.txt').read_text(), base.execute('select n from t').fetchone())
`;
			expect(printed(await jail.python(code))).toBe('/tmp\n/work kept (7,)\n');
		});

		test('works with dates, time zones and Unicode', async () => {
			const code = `
from datetime import datetime
from zoneinfo import ZoneInfo
print(datetime(2026, 7, 1, 12, tzinfo=ZoneInfo('Europe/Madrid')).isoformat(), 'ñandú 🦤')
`;
			expect(printed(await jail.python(code))).toBe('2026-07-01T12:00:00+02:00 ñandú 🦤\n');
		});

		test('reads its standard input to the end, and finds it empty when there is none', async () => {
			const code = 'import sys\nprint(repr(sys.stdin.read()))';
			const answers = await Promise.all([jail.python(code, { stdin: 'uno\ndos ñ\n' }), jail.python(code)]);
			expect(answers.map(printed)).toEqual(["'uno\\ndos ñ\\n'\n", "''\n"]);
		});

		test('handles a signal it sends to itself', async () => {
			const code = `
import os, signal
signal.signal(signal.SIGTERM, lambda *_: print('caught'))
os.kill(os.getpid(), signal.SIGTERM)
print('went on')
`;
			expect(printed(await jail.python(code))).toBe('caught\nwent on\n');
		});
	});

	describe.concurrent('JavaScript', () => {
		test('requires and imports modules and awaits at the top level', async () => {
			const [common, module] = await Promise.all([
				jail.javascript("const { basename } = require('node:path'); console.log(basename('/a/b.txt'));"),
				jail.javascript(
					"import { basename } from 'node:path';\nconst { sep } = await import('node:path');\nconsole.log(basename('/a/b.txt'), sep);",
				),
			]);
			expect([printed(common), printed(module)]).toEqual(['b.txt\n', 'b.txt /\n']);
		});

		test('runs TypeScript with types, interfaces and enums', async () => {
			const code = `
interface Point { readonly x: number; y?: number }
enum Side { Left = 'L', Right = 'R' }
const move = <T extends Point>(point: T, side: Side): number => point.x + (side === Side.Left ? -1 : 1);
console.log(move({ x: 41 } as Point, Side.Right), Object.values(Side).join());
`;
			expect(printed(await jail.javascript(code))).toBe('42 L,R\n');
		});

		test('runs worker threads and child processes', async () => {
			const code = `
const { Worker, isMainThread, parentPort } = require('node:worker_threads');
const { execFileSync } = require('node:child_process');
if (isMainThread) {
	new Worker(__filename).on('message', (n) => console.log('worker', n, execFileSync('echo', ['child']).toString().trim()));
} else {
	parentPort.postMessage(42);
}
`;
			expect(printed(await jail.javascript(code))).toBe('worker 42 child\n');
		});

		test('fetches from a server that it runs itself', async () => {
			const code = `
import { createServer } from 'node:http';
const server = createServer((request, response) => response.end('hello ' + request.url)).listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const response = await fetch(\`http://localhost:\${server.address().port}/you\`);
console.log(response.status, await response.text());
server.close();
`;
			expect(printed(await jail.javascript(code))).toBe('200 hello /you\n');
		});

		test('compiles WebAssembly and tells its memory use', async () => {
			const code = `
const bytes = Uint8Array.from([0,97,115,109,1,0,0,0,1,7,1,96,2,127,127,1,127,3,2,1,0,7,7,1,3,97,100,100,0,0,10,9,1,7,0,32,0,32,1,106,11]);
const { instance } = await WebAssembly.instantiate(bytes);
console.log(instance.exports.add(40, 2), process.memoryUsage().rss > 1e6);
`;
			expect(printed(await jail.javascript(code))).toBe('42 true\n');
		});
	});

	describe.concurrent('Bash', () => {
		test('has process substitution, here-documents, arrays and pipes', async () => {
			const code = `
set -euo pipefail
diff <(printf '1\\n2\\n') <(printf '1\\n3\\n') || true
cat <<-END
	here $((6 * 7))
	END
words=(a b c); echo "\${#words[@]} \${words[-1]}"
printf '3\\n1\\n2\\n' | sort | paste -sd,
tee >(wc -c) < /code/main.sh > /dev/null; sleep 0.1
`;
			const result = printed(await jail.bash(code));
			expect(result).toBe(`2c2\n< 2\n---\n> 3\nhere 42\n3 c\n1,2,3\n${Buffer.byteLength(code)}\n`);
		});

		test('writes to /dev/stdout and /dev/stderr and reads /dev/stdin', async () => {
			const result = await jail.bash('cat /dev/stdin > /dev/stdout; echo bad > /dev/stderr; echo also >&2', {
				stdin: 'in\n',
			});
			expect({ stdout: result.stdout, stderr: result.stderr }).toEqual({ stdout: 'in\n', stderr: 'bad\nalso\n' });
		});

		test('runs the other languages and the usual programs', async () => {
			const code = `
python3 -c 'print(1)'; node -e 'console.log(2)'
echo '{"a": 3}' > x.json; grep -o '[0-9]' x.json; awk '{print $2}' <<< 'x 4'; sed s/x/5/ <<< x
tar -czf x.tgz x.json && tar -tzf x.tgz; date -u -d @0 +%Y; find /work -name x.json
`;
			expect(printed(await jail.bash(code))).toBe('1\n2\n3\n4\n5\nx.json\n1970\n/work/x.json\n');
		});
	});

	describe.concurrent('commands and variables', () => {
		test.each(['python', 'javascript', 'bash'] as const)('%s runs with the least of everything', async (language) => {
			const least = Object.fromEntries(Object.entries(limits).map(([name, { floor }]) => [name, floor]));
			const code = { python: 'print("ok")', javascript: 'console.log("ok")', bash: 'echo ok' }[language];
			expect(printed(await jail.run({ language, code, limits: { ...least, timeoutMs: 10_000 } }))).toBe('ok\n');
		});

		test('a command is looked up as a shell would, and no shell reads its words', async () => {
			const answers = await Promise.all([
				jail.run({ argv: ['/usr/bin/printf', '%s|', 'a b', '$HOME', '*'] }),
				jail.run({ argv: ['printf', '%s|', '-n', 'x=y'] }),
			]);
			expect(answers.map(printed)).toEqual(['a b|$HOME|*|', '-n|x=y|']);
		});

		test('variables of the job arrive whole', async () => {
			const value = 'a "b" \\ $x\n\tñ';
			const result = await jail.python('import os; print(ascii(os.environ["VALUE"]))', { env: { VALUE: value } });
			expect(printed(result)).toBe(`'a "b" \\\\ $x\\n\\t\\xf1'\n`);
		});

		test('a program of the greatest length runs', async () => {
			const line = 'x = 1\n';
			const code = `${line.repeat(33_000)}print(x)`;
			expect(printed(await jail.python(code, { limits: { codeCharacters: 200_000 } }))).toBe('1\n');
		});
	});
});
