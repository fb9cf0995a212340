/** A program cannot tell whether its interpreter waited for it: everything it sees, and everything seen of it, is the same. */
import { describe, expect, test } from 'vitest';
import type { JobRequestInput } from '../../src/contract/job.ts';
import { asEachIdentity } from '../helpers/jail.ts';
import { type Run, runBothWays, runWarm } from '../helpers/warm.ts';

type Case = [name: string, code: string, more: JobRequestInput];
type Row = readonly [name: string, code: string, more?: JobRequestInput];

const casesOf = (rows: readonly Row[]): Case[] => rows.map(([name, code, more = {}]) => [name, code, more]);

const MiB = 1024 * 1024;
const bigInput = 'línea de texto\n'.repeat(70_000);
const bigValue = 'v'.repeat(65_536 - 8);

const python: Row[] = [
	['prints', 'print(sum(range(10))); import sys; print("to stderr", file=sys.stderr)'],
	['prints every kind of character', 'print("ñ 日本 🙂 \\x00 \\x7f"); print("é".encode(), ascii("ñ"))'],
	['knows its name and place', 'import os, sys\nprint(__name__, __file__, sys.argv, os.getcwd(), sys.executable)'],
	['starts with these globals', 'print(sorted((k, str(v)) for k, v in globals().items()))'],
	[
		'finds the interpreter as it starts',
		`import sys
print(sys.flags, sys.orig_argv, sys.path, sys.meta_path, sys.warnoptions, sys._xoptions, sys.dont_write_bytecode)
print(sys.getrecursionlimit(), sys.getswitchinterval(), sys.gettrace(), sys.excepthook is sys.__excepthook__)
print(sys.stdout.encoding, sys.stdout.line_buffering, sys.stdin.encoding, sys.stderr.encoding, sys.stdout.errors)
print(sorted(sys.path_importer_cache), sys.path_hooks)`,
	],
	['has these modules', 'import sys\nprint(sorted(sys.modules))'],
	['has the modules of its data only', 'import sys\nprint(data, sorted(sys.modules))', { data: { a: [1, 'ñ'] } }],
	['has one thread', 'import threading\nprint(threading.enumerate(), threading.main_thread().is_alive())'],
	['has these warnings', 'import warnings\nprint(warnings.filters)\nwarnings.warn("careful")'],
	['collects garbage', 'import gc\nprint(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.garbage)'],
	[
		'sees its locale and time zone',
		'import locale, time\nprint(locale.getlocale(), locale.getpreferredencoding(), time.tzname)',
	],
	[
		'has these signals',
		`import signal
print([(s.name, str(signal.getsignal(s))) for s in sorted(signal.valid_signals()) if hasattr(s, 'name')])
print(signal.pthread_sigmask(signal.SIG_BLOCK, []), signal.getitimer(signal.ITIMER_REAL))`,
	],
	[
		'has these limits and rights',
		`import os, resource
print([(n, resource.getrlimit(getattr(resource, n))) for n in sorted(dir(resource)) if n.startswith('RLIMIT_')])
print(os.nice(0), os.umask(0o22), os.getuid(), os.getgid(), os.getgroups(), os.getppid(), os.getsid(0) > 0)`,
	],
	[
		'looks like this to the kernel',
		`keep = ('Name', 'Umask', 'State', 'Pid', 'PPid', 'TracerPid', 'Uid', 'Gid', 'Groups', 'Threads', 'SigPnd', 'ShdPnd', 'SigBlk', 'SigIgn', 'SigCgt', 'CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp', 'Seccomp_filters')
print([l for l in open('/proc/self/status').read().split('\\n') if l.split(':')[0] in keep])
print(open('/proc/self/cmdline').read(), open('/proc/self/comm').read(), open('/proc/self/oom_score_adj').read())`,
	],
	[
		'has these descriptors open',
		`import os, re
for fd in sorted(map(int, os.listdir('/proc/self/fd'))):
    try: print(fd, re.sub(r'\\d+', 'N', os.readlink(f'/proc/self/fd/{fd}')), os.get_inheritable(fd))
    except OSError as e: print(fd, e.strerror)`,
	],
	[
		'passes these descriptors on',
		'import subprocess\nprint(subprocess.run(["ls", "/proc/self/fd"], close_fds=False, capture_output=True, text=True).stdout)',
	],
	[
		'finds these folders',
		'import os\nfor d in ("/", "/work", "/work/out", "/tmp", "/dev/shm", "/code", "/opt/secure-code", "/dev"): print(d, sorted(os.listdir(d)))',
	],
	['sees these processes', 'import os\nprint(sorted(n for n in os.listdir("/proc") if n.isdigit()), os.getpid())'],
	['has this environment', 'import os\nprint(dict(sorted(os.environ.items())))\nprint(sorted(os.environb.items()))'],
	['has its environment in this order', 'import os\nprint(list(os.environ))', { env: { ZED: '1', ALPHA: '2' } }],
	[
		'gives this environment to its children',
		'import subprocess\nprint(subprocess.check_output(["/usr/bin/env"], text=True))',
		{ env: { GREETING: 'say "hi"\n  twice', EMPTY: '', HOME: '/tmp' } },
	],
	[
		'gives this environment to C',
		'import ctypes\nc = ctypes.CDLL(None); c.getenv.restype = ctypes.c_char_p\nprint([c.getenv(n) for n in (b"A", b"HOME", b"MPLBACKEND", b"SECURE_CODE_WAIT", b"SECURE_CODE_PRELOAD")])',
		{ env: { A: 'b=c=d' } },
	],
	[
		'reads stdin',
		'import sys\nprint(sys.stdin.readline()); print(repr(sys.stdin.read()))',
		{ stdin: 'one\ntwo\n\u00f1' },
	],
	['reads nothing from stdin', 'import sys\nprint(repr(sys.stdin.read()), input())'],
	[
		'reads a megabyte from stdin',
		'import sys, hashlib\nd = sys.stdin.buffer.read(); print(len(d), hashlib.sha256(d).hexdigest())',
		{ stdin: bigInput },
	],
	[
		'reads stdin in a child',
		'import subprocess\nprint(subprocess.run(["cat"], capture_output=True, text=True).stdout)',
		{ stdin: 'for the child' },
	],
	[
		'cannot write to its stdin',
		'import os\nfor p in ("/proc/self/fd/0", "/opt/secure-code/stdin"):\n  for f in (os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_TRUNC):\n    try: os.open(p, f); print("opened")\n    except OSError: print("refused")',
		{ stdin: 'x' },
	],
	[
		'cannot change its code',
		'import os\nfor act in (lambda: os.chmod("/code/main.py", 0o777), lambda: os.unlink("/code/main.py"), lambda: open("/code/x", "w")):\n  try: act(); print("done")\n  except OSError as e: print(e)\nprint(open("/code/main.py").read()[:20])',
	],
	...[undefined, 'some'].map(
		(stdin): Row => [
			`sees whose its files are, with ${stdin} as its stdin`,
			'import os\nfor f in ("/code/main.py", "/work/in/data.json", "/etc/resolv.conf", 0):\n  s = os.stat(f); print(f, oct(s.st_mode), s.st_uid, s.st_gid, s.st_size)',
			{ ...(stdin && { stdin }), data: [1], network: ['example.com'] },
		],
	),
	[
		'takes a large environment',
		'import os, hashlib, subprocess\nprint(len(os.environ["BIG"]), hashlib.md5(os.environb[b"BIG"]).hexdigest(), subprocess.check_output("echo -n $BIG | wc -c", shell=True))',
		{ env: { BIG: bigValue, BIGGER: bigValue } },
	],
	[
		'takes many variables',
		'import os\nprint(len(os.environ), sum(map(len, os.environ.values())))',
		{ env: Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`V${n}`, `${n}`.repeat(9)])) },
	],
	[
		'ends with a traceback',
		'def f(n):\n    return 1 / n\n\ntry:\n    f(0)\nexcept Exception as e:\n    raise ValueError("ñ no") from e',
	],
	['ends with an error of syntax', 'print("not seen")\nif True\n  pass'],
	['ends with an error of indentation', 'def f():\nreturn 1'],
	['misses a module', 'import not_there_at_all'],
	['cannot import what lies beside it', 'import main'],
	...['0', '3', '263', '-1', 'None', '"bye"', '[1, 2]', 'True'].map(
		(value): Row => [`exits with ${value}`, `import sys\nsys.exit(${value})`],
	),
	['ends at once', 'import os, atexit\natexit.register(print, "not seen")\nprint("lost", end="")\nos._exit(9)'],
	['is interrupted', 'raise KeyboardInterrupt'],
	...['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGSEGV', 'SIGUSR1', 'SIGHUP', 'SIGPIPE', 'SIGABRT'].map(
		(name): Row => [
			`kills itself with ${name}`,
			`import os, signal\nprint("before", flush=True)\nos.kill(os.getpid(), signal.${name})\nprint("after")`,
		],
	),
	[
		'runs its exit handlers',
		'import atexit, sys, threading\nfor n in (1, 2): atexit.register(print, "handler", n)\nthreading._register_atexit(print, "threads")\nclass D:\n  def __del__(self): print("deleted")\nd = D()\nsys.exit(4)',
	],
	['prints what is left in the buffer', 'import sys\nsys.stdout.write("no newline"); sys.stderr.write("nor here")'],
	[
		'fails in a thread',
		'import threading\ndef f(): raise RuntimeError("in a thread")\nt = threading.Thread(target=f, name="worker"); t.start(); t.join(); print("alive")',
	],
	['overflows the stack of calls', 'def f(): return f()\ntry: f()\nexcept RecursionError as e: print(e)'],
	[
		'uses threads',
		'from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(8) as p: print(list(p.map(lambda n: n * n, range(20))))',
	],
	...['fork', 'spawn', 'forkserver'].map(
		(way): Row => [
			`uses processes by ${way}`,
			`import multiprocessing as m, os, sys
def f(n): return n * n, sorted(k for k in os.environ if 'SECURE' in k), 'secure_code_wait' in sys.modules
if __name__ == '__main__':
    m.set_start_method('${way}')
    with m.Pool(2) as p: print(p.map(f, range(4)))
    q = m.Queue(); c = m.Process(target=q.put, args=(7,)); c.start(); print(q.get()); c.join(); print(c.exitcode)`,
		],
	),
	[
		'starts programs',
		'import subprocess, sys\nprint(subprocess.run([sys.executable, "-c", "import sys, os; print(sys.flags.isolated, sorted(os.environ))"], capture_output=True, text=True))\nprint(subprocess.run("echo $0; exit 3", shell=True))',
	],
	['becomes another program', 'import os\nos.execv("/usr/bin/env", ["env"])'],
	[
		'finds its inputs',
		'import os\nprint(sorted(os.listdir("/work/in")), open("/work/in/a.txt").read(), open("/work/in/ñ b").read(), data)\nfor act in (lambda: open("/work/in/new", "w"), lambda: open("/work/in/a.txt", "a"), lambda: os.unlink("/work/in/a.txt")):\n  try: act()\n  except OSError as e: print(e)\nprint([(n, oct(os.stat("/work/in/" + n).st_mode)) for n in sorted(os.listdir("/work/in"))], oct(os.stat("/work/in").st_mode))',
		{
			files: [
				{ name: 'a.txt', base64: 'aGk=' },
				{ name: 'ñ b', base64: 'w7E=' },
			],
			data: [1],
		},
	],
	[
		'leaves files',
		'import os\nopen("/work/out/a.txt", "w").write("hello"); os.mkdir("/work/out/d"); open("/work/out/d/b.bin", "wb").write(bytes(range(256)))',
	],
	['leaves an empty file', 'open("/work/out/.hidden", "w")'],
	['leaves an empty folder', 'import os\nos.mkdir("/work/out/empty")'],
	[
		'leaves a file in a folder that it locks',
		'import os\nopen("/work/out/a", "w").write("x"); os.chmod("/work/out", 0)',
	],
	[
		'leaves a link in the place of the folder',
		'import os\nos.rmdir("/work/out"); os.mkdir("/work/o"); open("/work/o/a", "w").write("x"); os.symlink("/work/o", "/work/out")',
	],
	['leaves a file in the place of the folder', 'import os\nos.rmdir("/work/out"); open("/work/out", "w").write("x")'],
	['leaves nothing in the place of the folder', 'import os\nos.rmdir("/work/out")'],
	[
		'puts another folder in its place',
		'import os\nos.rename("/work/out", "/work/o"); open("/work/o/a", "w").write("x"); os.mkdir("/work/out")',
	],
	[
		'leaves what cannot be taken over',
		'import os\nos.mkfifo("/work/out/pipe"); os.symlink("/etc/passwd", "/work/out/link")',
	],
	[
		'writes files while its children live',
		'import subprocess\nsubprocess.Popen("sleep 0.1; echo late > /work/out/late; sleep 60", shell=True)\nopen("/work/out/early", "w").write("x")\nimport time; time.sleep(0.5)',
	],
	['prints a megabyte and more', 'for n in range(40000): print("line", n, "x" * 40)'],
	[
		'measures time',
		'import time\na = time.monotonic(); time.sleep(0.2); print(0.15 < time.monotonic() - a < 5, abs(time.time() - __import__("datetime").datetime.now().timestamp()) < 5)',
	],
	[
		'may not look at the first process',
		'import os\nfor p in ("/proc/1/fd", "/proc/1/environ", "/proc/1/mem", "/proc/1/maps", "/proc/1/exe", "/proc/1/root"):\n  try: print(p, os.listdir(p) if p.endswith("fd") else os.readlink(p) if p[-3:] in ("exe", "oot") else open(p, "rb").read(10))\n  except OSError as e: print(e)',
	],
	[
		'may not limit the first process',
		'import resource\nfor pid in (1,):\n  try: print(resource.prlimit(pid, resource.RLIMIT_NOFILE, (0, 0)))\n  except OSError as e: print(e.strerror)\nprint("still here")',
	],
];

const javascript: Row[] = [
	['prints', 'console.log(45); console.error("to stderr"); process.stdout.write("no newline")'],
	['prints every kind of character', 'console.log("ñ 日本 🙂 \\0", Buffer.from("é"))'],
	[
		'knows its name and place',
		'console.log(require.main === module, __filename, __dirname, process.argv, process.argv0, process.cwd(), process.title, process.execPath)',
	],
	[
		'finds the interpreter as it starts',
		'console.log(process.execArgv, process.env.NODE_OPTIONS, process.version, process._preload_modules, process.features.typescript, process.report.directory)',
	],
	[
		'has an empty cache of modules',
		'console.log(Object.keys(require.cache), module.children.length, module.paths, module.parent, module.loaded, module.id, Object.keys(require("module")._pathCache))',
	],
	['starts with these globals', 'console.log(Object.getOwnPropertyNames(globalThis).sort().join())'],
	[
		'listens to nothing',
		'console.log(process.eventNames(), process.stdout.eventNames(), process.stderr.eventNames(), process.getActiveResourcesInfo(), process._getActiveHandles().length)',
	],
	[
		'has these streams',
		'const t = (s) => [s.constructor.name, s.fd, s.isTTY, s.writableHighWaterMark, s.writableLength, s._type]; console.log(t(process.stdout), t(process.stderr), process.stdin.constructor.name, process.stdin.fd)',
	],
	[
		'has this environment',
		'console.log(JSON.stringify(Object.fromEntries(Object.entries(process.env).sort()), null, 1), "SECURE_CODE_WAIT" in process.env)',
		{ env: { A: 'b=c', EMPTY: '', GREETING: 'say "hi"\n' } },
	],
	['has its environment in this order', 'console.log(Object.keys(process.env))', { env: { ZED: '1', ALPHA: '2' } }],
	[
		'gives this environment to its children',
		'console.log(require("child_process").execFileSync("/usr/bin/env").toString())',
		{ env: { A: 'b' } },
	],
	[
		'sees its locale and time zone',
		'console.log(new Date(0).toString(), Intl.DateTimeFormat().resolvedOptions(), (1234.5).toLocaleString("de"))',
	],
	[
		'has these descriptors open',
		'void process.stdout; void process.stderr; const fs = require("fs"); const kinds = []; for (const fd of fs.readdirSync("/proc/self/fd").map(Number).sort((a, b) => a - b)) { try { const l = fs.readlinkSync("/proc/self/fd/" + fd); kinds.push(l.replace(/\\d+/g, "N")); } catch (e) { kinds.push(e.code); } } console.log(kinds.sort());',
	],
	[
		'passes these descriptors on',
		'console.log(require("child_process").execFileSync("/usr/bin/ls", ["/proc/self/fd"]).toString())',
	],
	[
		'finds these folders',
		'const fs = require("fs"); for (const d of ["/", "/work", "/tmp", "/dev/shm", "/code", "/opt/secure-code"]) console.log(d, fs.readdirSync(d))',
	],
	[
		'has these limits and rights',
		'console.log(require("child_process").execSync("ulimit -a; grep -E \'^(Cap|Sig|Seccomp|NoNew)\' /proc/self/status; umask").toString(), process.umask(), process.getuid(), process.getgroups(), os.constants.signals.SIGTERM)'.replace(
			'os.',
			'require("os").',
		),
	],
	['reads stdin at once', 'console.log(require("fs").readFileSync(0, "utf8"))', { stdin: 'one\ntwo ñ' }],
	[
		'reads stdin bit by bit',
		'let n = 0; process.stdin.on("data", (d) => { n += d.length; }).on("end", () => console.log(n))',
		{ stdin: bigInput },
	],
	['reads nothing from stdin', 'process.stdin.resume().on("data", console.log).on("end", () => console.log("end"))'],
	[
		'takes a large environment',
		'console.log(process.env.BIG.length, process.env.BIGGER === process.env.BIG)',
		{ env: { BIG: bigValue, BIGGER: bigValue } },
	],
	['ends with an error', 'function f() { throw new TypeError("ñ no", { cause: new Error("why") }); }\nf();'],
	['ends with something that is no error', 'throw { a: 1 }'],
	['ends with an error of syntax', 'console.log("not seen");\nlet a = ;'],
	['ends with a rejection', 'console.log(1); Promise.reject(new Error("nobody cares"));'],
	['ends with a rejection of nothing', 'Promise.reject(undefined)'],
	['misses a module', 'require("not-there-at-all")'],
	['warns', 'process.emitWarning("careful", "MyWarning", "W1"); new Buffer(1); process.binding("fs")'],
	...['0', '3', '300', '-1', 'undefined', '"5"'].map((value): Row => [`exits with ${value}`, `process.exit(${value})`]),
	['sets the exit code', 'process.exitCode = 7; setTimeout(() => console.log("later"), 20)'],
	[
		'runs its exit handlers',
		'process.on("exit", (c) => console.log("exit", c)); process.on("beforeExit", () => console.log("before")); queueMicrotask(() => console.log("micro")); process.nextTick(() => console.log("tick")); setImmediate(() => console.log("immediate")); console.log("main")',
	],
	['never settles', 'await_ = new Promise(() => {}); console.log("pending")'],
	...['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGUSR2', 'SIGHUP', 'SIGSEGV'].map(
		(name): Row => [
			`kills itself with ${name}`,
			`console.log("before"); process.kill(process.pid, "${name}"); setTimeout(() => console.log("after"), 5000)`,
		],
	),
	[
		'catches signals',
		'process.on("SIGTERM", (s, n) => { console.log(s, n); process.exit(3); }); process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 5000)',
	],
	['aborts', 'process.abort()'],
	[
		'keeps timers in order',
		'const t = performance.now(); setTimeout(() => console.log("b", performance.now() - t > 195), 200); setTimeout(() => console.log("a", performance.now() - t > 45), 50); setInterval(function () { console.log("i"); clearInterval(this); }, 100)',
	],
	[
		'uses threads',
		'const { Worker, isMainThread } = require("worker_threads"); const w = new Worker("const { parentPort } = require(\'worker_threads\'); parentPort.postMessage([process.execArgv, process.argv, Object.keys(require.cache), Object.keys(process.env).sort(), process._preload_modules])", { eval: true }); w.on("message", (m) => console.log(JSON.stringify(m))).on("exit", (c) => console.log("exit", c))',
	],
	[
		'uses threads of its own file',
		'const { Worker, isMainThread, workerData } = require("worker_threads"); if (isMainThread) new Worker(__filename, { workerData: 5 }).on("exit", (c) => console.log(c)); else { console.log(workerData, Object.keys(require.cache), require.main === module, module.parent, process.execArgv); process.exit(4); }',
	],
	[
		'forks',
		'const c = require("child_process"); if (process.send) { process.send({ argv: process.argv, exec: process.execArgv, cache: Object.keys(require.cache), env: Object.keys(process.env).sort() }); process.disconnect(); } else c.fork(__filename, ["child"]).on("message", (m) => console.log(JSON.stringify(m))).on("exit", (n) => console.log(n))',
	],
	[
		'starts programs',
		'const c = require("child_process"); console.log(c.spawnSync(process.execPath, ["-p", "process.execArgv.length + process.argv.length"]).stdout.toString(), c.spawnSync("sh", ["-c", "exit 3"]).status)',
	],
	[
		'uses a cluster',
		'const c = require("cluster"); if (c.isPrimary) { c.fork().on("exit", (n) => console.log("worker", n)); } else { console.log("in worker", process.execArgv); process.exit(2); }',
	],
	[
		'imports',
		'import fs, { readFileSync } from "node:fs";\nimport { createRequire } from "node:module";\nconsole.log(fs.readFileSync === readFileSync, import.meta.url, import.meta.filename, import.meta.dirname, import.meta.main, typeof require, this);\nconst r = createRequire(import.meta.url); console.log(Object.keys(r.cache));',
	],
	[
		'awaits at the top',
		'const { setTimeout: sleep } = await import("node:timers/promises"); await sleep(20); console.log("done", await Promise.all([1, 2]));',
	],
	['fails at the top of a module', 'import "node:fs";\nawait Promise.reject(new Error("top"));'],
	['never settles at the top', 'import "node:fs";\nawait new Promise(() => {});'],
	['misses an import', 'import x from "not-there";'],
	['asks for a name that is not there', 'import { nothing } from "node:fs";'],
	[
		'imports a module that it wrote',
		'const fs = await import("node:fs"); fs.writeFileSync("/work/m.mjs", "export default 6 * 7"); console.log((await import("/work/m.mjs")).default)',
	],
	['finds its data', 'console.log(data, Object.keys(require.cache), process.execArgv)', { data: { a: [1] } }],
	['leaves files', 'require("fs").writeFileSync("/work/out/a.json", "[1]")'],
	['prints a megabyte and more', 'console.log("x".repeat(2e6))'],
	['writes three megabytes to a descriptor', 'require("fs").writeFileSync(1, "x".repeat(3e6))'],
	[
		'is told how much of three megabytes was written',
		'const fs = require("fs"); fs.writeSync(2, String(fs.writeSync(1, "x".repeat(3e6))))',
	],
	[
		'uses crypto and zlib',
		'const c = require("crypto"), z = require("zlib"); console.log(c.createHash("sha256").update("a").digest("hex"), z.gunzipSync(z.gzipSync("b")).toString(), c.randomBytes(8).length)',
	],
	[
		'runs WebAssembly',
		'console.log(new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])) instanceof WebAssembly.Module)',
	],
	['cannot change prototypes', 'console.log({}.__proto__, "__proto__" in {})'],
	['runs out of heap', 'const a = []; for (;;) a.push(new Array(1e5).fill(a.length))'],
];

const typescript: Row[] = [
	[
		'strips types',
		'interface A { b: number }\nconst a: A = { b: 45 };\nconsole.log(a.b satisfies number, process.execArgv, __filename, Object.keys(require.cache));',
	],
	[
		'transforms enums and namespaces',
		'enum A { B = 3, C }\nnamespace N { export const d = 5 }\nconsole.log(A.C, N.d, A[3]);',
	],
	[
		'ends with an error at its place',
		'type T = string;\n\nfunction f(a: T): never { throw new Error(a); }\nf("here");',
	],
	[
		'imports and awaits',
		'import { readFileSync as r } from "node:fs";\nconst n: number = await Promise.resolve(4);\nconsole.log(n, typeof r, import.meta.filename);',
	],
	['ends with an error of syntax', 'const a: number = = 5;'],
];

const bash: Row[] = [
	['prints', 'echo "ñ 🙂"; echo err >&2; printf "no newline"'],
	[
		'knows its name and place',
		'echo "$0 $# [$*] $- $? $! [$_] $BASH_SOURCE $LINENO $SECONDS $SHLVL $PWD [$OLDPWD] $PPID $$ $BASHPID"',
	],
	[
		'has these variables',
		'declare -p | grep -vE "^declare -[-a-zA-Z]+ (BASHPID|RANDOM|SRANDOM|EPOCH(SECONDS|REALTIME)|_|SECONDS|PIPESTATUS|BASH_ARGC)(=|$)"',
	],
	[
		'has these variables in a list',
		'set | grep -vE "^(BASHPID|RANDOM|SRANDOM|EPOCH(SECONDS|REALTIME)|SECONDS|PIPESTATUS|BASH_ARGC)="',
	],
	['exports these variables', 'export -p; echo; /usr/bin/env | sort; /usr/bin/env'],
	[
		'exports what its job says',
		'export -p; /usr/bin/env -0 | sort -z | tr "\\0" ";"',
		{ env: { A: 'b=c', EMPTY: '', GREETING: 'say "hi"\n  $HOME `id` \\ twice', ZED: '*' } },
	],
	[
		'has these options',
		'shopt; set -o; umask; ulimit -a; alias; trap -p; jobs; hash; complete; bind -l 2>&1 | head -1; declare -F; enable -a | sort',
	],
	[
		'has these signals',
		'grep -E "^(Sig|Cap|Seccomp|NoNew|Threads|Name|Pid|PPid|Uid|Groups)" /proc/self/status; cat /proc/$$/cmdline | tr "\\0" " "; cat /proc/$$/comm; grep -E "^Sig" /proc/$$/status',
	],
	[
		'has these descriptors open',
		'ls /proc/self/fd; for f in /proc/$$/fd/*; do echo "$f $(readlink $f | sed "s/[0-9][0-9]*/N/g; s/ (deleted)//")"; done',
	],
	['finds these folders', 'ls -A / /work /work/out /tmp /dev/shm /code /opt/secure-code'],
	['sees these processes', 'echo /proc/[0-9]*'],
	['reads stdin', 'read a; echo "[$a]"; cat', { stdin: 'one\ntwo\n' }],
	['reads a megabyte from stdin', 'wc; md5sum < /dev/null', { stdin: bigInput }],
	['reads nothing from stdin', 'read a; echo "$? [$a]"; cat'],
	['takes a large environment', 'echo ${#BIG} ${#BIGGER}; env | wc -c', { env: { BIG: bigValue, BIGGER: bigValue } }],
	[
		'takes variables that change how it reads',
		'a="b c"; for w in $a; do echo "$w"; done; echo *.nothing; read -t 1 x; echo $?',
		{
			env: {
				TMOUT: '3',
				FIGNORE: 'x',
				COLUMNS: '20',
				LINES: '9',
				CDPATH: '/work',
				EXECIGNORE: 'z',
				HISTSIZE: '5',
				PROMPT_COMMAND: 'echo no',

				TIMEFORMAT: '%R',
				TERM: 'xterm',
			},
		},
	],
	['ends where a command fails', 'set -e\necho one\nfalse\necho two'],
	['ends with an error of syntax', 'echo one\nif true\nthen (\n'],
	['misses a command', 'not_there_at_all; echo $?; ./nope; echo $?'],
	['misses a variable', 'set -u\necho "$NOPE"'],
	['shows what it does', 'set -x\necho a\nf() { echo $1; }; f b'],
	...['0', '3', '300', '-1', 'x'].map((value): Row => [`exits with ${value}`, `exit ${value}`]),
	...['TERM', 'KILL', 'INT', 'USR1', 'HUP', 'SEGV'].map(
		(name): Row => [`kills itself with ${name}`, `echo before; kill -${name} $$; echo after`],
	),
	[
		'runs its traps',
		'trap "echo bye \\$?" EXIT; trap "echo term; exit 5" TERM; trap "echo err" ERR; false; kill -TERM $$; sleep 5',
	],
	[
		'uses functions, lists and subshells',
		'f() { local -a a=("$@"); echo "${a[@]: -1} ${FUNCNAME[*]} ${BASH_LINENO[*]}"; caller; }; f 1 2 3; (exit 4); echo $? $BASH_SUBSHELL; declare -A m=([a]=1); echo ${m[a]} ${!m[@]}',
	],
	[
		'uses jobs',
		'sleep 0.1 & wait $!; echo $?; coproc cat; echo x >&${COPROC[1]}; read -u ${COPROC[0]} y; echo $y; kill $COPROC_PID; true',
	],
	['uses process substitution and here documents', 'diff <(echo a) <(echo b); cat <<E\n$HOME\nE\ncat <<< "x"'],
	[
		'starts Bash, Python and itself',
		'bash -c "export -p; echo \\$- \\$SHLVL"; sh -c "echo \\$0"; echo "$BASH" "${BASH_ARGV[*]}" "${BASH_ARGV0}" "${BASH_VERSINFO[0]}"',
	],
	['becomes another program', 'exec env'],
	['leaves files', 'echo a > /work/out/a; mkdir /work/out/d; echo b > /work/out/d/b'],
	[
		'finds its inputs',
		'ls -l /work/in | tr -s " " | cut -d" " -f1,5,9; cat /work/in/a.txt; cat /work/in/data.json',
		{ files: [{ name: 'a.txt', base64: 'aGk=' }], data: 'x' },
	],
	[
		'sources files',
		'echo "echo sourced \\$BASH_SOURCE \\$LINENO" > /tmp/s; . /tmp/s; source /tmp/s; eval "echo \\$LINENO"',
	],
	['cannot change its code', 'chmod 777 /code/main.sh; rm /code/main.sh; ls /code'],
];

const languages = { python, javascript, bash } as const;

asEachIdentity(
	(jail) => {
		const run: Run = (job) => jail.run(job);

		describe.each(Object.keys(languages) as (keyof typeof languages)[])('a program in %s', (language) => {
			test.each(casesOf(languages[language]))('%s', async (_name, code, more) => {
				const { warm, cold } = await runBothWays(run, { language, code, ...more });
				expect(warm).toEqual(cold);
			});
		});

		describe('a program in TypeScript', () => {
			test.each(casesOf(typescript))('%s', async (_name, code) => {
				const { warm, cold } = await runBothWays(run, { language: 'javascript', code });
				expect(warm).toEqual(cold);
			});
		});

		describe('the limits of a job are put on the box that waits', () => {
			const ordinary = { language: 'python', code: 'print(1)' } as const;
			const many =
				'import os\nn = 0\ntry:\n  while n < 400: os.open("/dev/null", os.O_RDONLY); n += 1\nexcept OSError as e: print(e.strerror)\nprint(n)';
			const large =
				'import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nf = open("/tmp/f", "wb", buffering=0); n = 0\ntry:\n  while n < 80: n += f.write(b"x" * 65536) / 65536\nexcept OSError as e: print(e.strerror)\nprint(n)';
			const forks =
				'import os, time\nn = 0\ntry:\n  while n < 80:\n    if os.fork() == 0: time.sleep(20); os._exit(0)\n    n += 1\nexcept OSError as e: print(e.strerror)\nprint(n)';
			const hungry = 'a = bytearray(90 * 1024 * 1024)\nfor i in range(0, len(a), 4096): a[i] = 1\nprint(len(a))';
			test.each([
				['open files', many, { openFiles: 32 }],
				['open files, more than usual', many, { openFiles: 300 }],
				['bytes of a file', large, { fileBytes: 2 * MiB }],
				['bytes of a file that are no whole number of MiB', large, { fileBytes: 1.5 * MiB }],
				['processes', forks, { processes: 16 }],
				['processes, more than usual', forks, { processes: 70 }],
				['memory that is not enough', hungry, { memoryBytes: 48 * MiB }],
				['memory that is enough', hungry, { memoryBytes: 256 * MiB }],
				['time', 'print("start", flush=True)\nwhile True: pass', { timeoutMs: 1_000 }],
				['output', 'print("x" * 100000)', { outputBytes: 4_096 }],
				[
					'room in /work',
					'n = 0\ntry:\n  f = open("/work/f", "wb", buffering=0)\n  while n < 100: n += f.write(b"x" * 65536) / 65536\nexcept OSError as e: print(e.strerror)\nprint(n)',
					{ workBytes: MiB },
				],
			])('%s', async (_name, code, limits) => {
				await runWarm(run, ordinary);
				const { warm, cold } = await runBothWays(run, { language: 'python', code, limits });
				expect(warm).toEqual(cold);
			});

			test('and are put back for the next', async () => {
				const counted = async (limits: object) =>
					(await runWarm(run, { language: 'python', code: many, limits })).stdout;
				expect([await counted({ openFiles: 32 }), await counted({})]).toEqual([
					await (await run({ language: 'python', code: many, limits: { openFiles: 32 }, warm: false })).stdout,
					await (await run({ language: 'python', code: many, warm: false })).stdout,
				]);
			});
		});

		test('a job that brings a variable which a shell reads at its start, or makes itself, starts cold', async () => {
			const code = 'echo "[$UID] [$SECONDS] [$OPTIND] [$SHLVL] [$PWD] [$FUNCNAME]"';
			const env = { UID: '5', SECONDS: '8', OPTIND: '3', SHLVL: '7', PWD: '/tmp', FUNCNAME: 'f' };
			for (let n = 0; n < 3; n++) expect((await run({ language: 'bash', code, env })).start).toBe('cold');
		});

		test('a module that reads a variable of the job while it is imported finds it, although it was to be imported ahead', async () => {
			const code = 'import sysconfig\nprint(sysconfig._PROJECT_BASE)';
			const more = { env: { _PYTHON_PROJECT_BASE: '/work' }, preload: ['sysconfig'] };
			const { warm, cold } = await runBothWays(run, { language: 'python', code, ...more });
			expect([warm, cold.stdout]).toEqual([cold, '/work\n']);
		});

		describe('one job and the next', () => {
			test('see nothing of each other: files, variables, processes', async () => {
				const leave =
					'import os, subprocess\nfor d in ("/work", "/work/out", "/tmp", "/dev/shm"): open(d + "/of-the-first", "w").write("x")\nsubprocess.Popen(["sleep", "600"], start_new_session=True)\nos.environ["LEFT"] = "y"\nprint(os.environ["OWN"])';
				const look =
					'import os\nprint([sorted(os.listdir(d)) for d in ("/work", "/work/out", "/tmp", "/dev/shm")], os.environ.get("OWN"), os.environ.get("LEFT"), len([n for n in os.listdir("/proc") if n.isdigit()]))';
				await runWarm(run, { language: 'python', code: leave, env: { OWN: 'mine' } });
				expect((await runWarm(run, { language: 'python', code: look })).stdout).toBe(
					"[['out'], [], [], []] None None 2\n",
				);
			});

			const marks = {
				python:
					'import os\nprint(sum((os.listdir(d) for d in ("/tmp", "/dev/shm", "/work/out")), []))\nfor d in ("/tmp", "/dev/shm", "/work/out"): open(d + "/mark", "w")',
				javascript:
					'const fs = require("fs"); const all = ["/tmp", "/dev/shm", "/work/out"]; console.log(all.flatMap((d) => fs.readdirSync(d))); for (const d of all) fs.writeFileSync(d + "/mark", "")',
				bash: 'echo "[$(ls /tmp /dev/shm /work/out | grep mark)]"; touch /tmp/mark /dev/shm/mark /work/out/mark',
			} as const;
			test.each(['python', 'javascript', 'bash'] as const)('have a box each: %s', async (language) => {
				const texts: string[] = [];
				for (let n = 0; n < 5; n++) texts.push((await runWarm(run, { language, code: marks[language] })).stdout);
				expect(texts).toEqual(Array(5).fill('[]\n'));
			});

			test('that come at once have a box each', async () => {
				const code =
					'import os, time\ntime.sleep(1)\nprint(os.readlink("/proc/self/ns/pid"), sorted(os.listdir("/tmp")))\nopen("/tmp/x", "w")';
				const results = await Promise.all(Array.from({ length: 4 }, () => run({ language: 'python', code })));
				expect(results.map(({ status }) => status)).toEqual(Array(4).fill('succeeded'));
				expect(new Set(results.map(({ stdout }) => stdout.split(' ')[0])).size).toBe(4);
				expect(new Set(results.map(({ stdout }) => stdout.split(' ')[1]))).toEqual(new Set(['[]\n']));
			});
		});

		describe('a network', () => {
			const refused = { network: ['example.com'], limits: { timeoutMs: 20_000 } };
			test.each([
				[
					'python',
					'import socket, os, re\nfor h in ("not-allowed.test", "127.0.0.1"):\n  try: print(socket.create_connection((h, 80), timeout=5))\n  except OSError as e: print(h, e)\nprint(open("/etc/resolv.conf").read(), sorted(os.environ))',
				],
				[
					'javascript',
					'const net = require("net"); for (const h of ["not-allowed.test"]) net.connect(80, h).on("error", (e) => console.log(e.message)); console.log(Object.keys(process.env).sort(), require("tls").getCACertificates("extra").length)',
				],
				[
					'bash',
					'curl --silent --show-error --max-time 5 http://not-allowed.test/; echo $?; cat /etc/resolv.conf; env | sort',
				],
			] as const)('is refused in the same words: %s', async (language, code) => {
				const { warm, cold } = await runBothWays(run, { language, code, ...refused });
				expect(warm).toEqual(cold);
			});
		});
	},
	{ withFiles: true, concurrency: 4 },
);
