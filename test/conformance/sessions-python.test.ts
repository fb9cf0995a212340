/** What Python knows at the end of a program is there for the next one of its session; what is not is named. */
import { describe, expect, test } from 'vitest';
import { asEachIdentity, type Jail, printed } from '../helpers/jail.ts';

/** The calls of one session, one after the other, and what each printed. */
async function calls(jail: Jail, session: string, ...programs: readonly string[]): Promise<string[]> {
	const outputs: string[] = [];
	for (const program of programs) outputs.push(printed(await jail.python(program, { session })));
	return outputs;
}

const unkept = (names: string) => `secure-code: not kept for the next call, because they cannot be stored: ${names}\n`;

asEachIdentity(
	(jail) => {
		describe.concurrent('a session of Python', () => {
			test('keeps a variable called data, unless the job has just given it', async () => {
				const session = 'data';
				await calls(jail, session, 'data = [1]', 'data.append(2)');
				const given = await jail.python('print(data)', { session, data: { given: true } });
				expect(printed(given)).toBe("{'given': True}\n");
				expect(await calls(jail, session, "print('data' in globals())")).toEqual(['False\n']);
				await jail.python('data = [len(data)]', { session, data: [0, 0, 0] });
				expect(await calls(jail, session, 'print(data)')).toEqual(['[3]\n']);
			});

			test('runs nothing again but what defines something, however the lines are written', async () => {
				const first = `
import math; print("hello"); open("/work/log.txt", "a").write("x")
def area(r): return math.pi * r * r
class Loud: print("body")
def shown(x=print("default")): return x
import sys; a = 1; sys.exit(0)`;
				const later = 'print(open("/work/log.txt").read(), round(area(1), 2), a, Loud.__name__, shown())';
				expect(await calls(jail, 'lines', first, later, later)).toEqual([
					'hello\nbody\ndefault\n',
					'x 3.14 1 Loud None\n',
					'x 3.14 1 Loud None\n',
				]);
			});

			test('keeps functions whatever they need and in whatever order it was said, and none that was deleted', async () => {
				const outputs = await calls(
					jail,
					'order',
					`
import math
LIMIT = 3
def clip(x, top=LIMIT): return min(x, top)
def circle(r, unit=math.pi): return r * unit
def gone(): return 1
class Base: pass
class Child(Base): top = LIMIT
`,
					'import math\ndel gone',
					'print(clip(9), round(circle(1), 2), Child.top, "gone" in globals())',
				);
				expect(outputs).toEqual(['', '', '3 3.14 3 False\n']);
			});

			test('keeps what is made of its own types, decorated, recursive and annotated', async () => {
				const first = `
from __future__ import annotations
import asyncio, contextlib, dataclasses, enum, functools
from collections import namedtuple
from math import *
if __name__ == "__main__":
    @dataclasses.dataclass
    class Row:
        x: int
        tags: list = dataclasses.field(default_factory=list)
class Mode(enum.Enum):
    ON = 1
class Outer:
    class Inner:
        k = 5
Pair = namedtuple('Pair', 'a b')
handlers = []
def register(f):
    handlers.append(f)
    return f
@register
def handler(): return 'handled'
def loud(f):
    def wrapper(*args): return str(f(*args)) + '!'
    return wrapper
@loud
def say(x: Unknown) -> Nothing: return x
@functools.lru_cache(maxsize=None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
@contextlib.contextmanager
def inside(): yield 'in'
def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)
async def later(): return 'later'
count = 0
def bump():
    global count
    count += 1
bump()
rows, mode, inner, pair = [Row(1)], Mode.ON, Outer.Inner(), Pair(1, 2)
`;
				const second = `
bump()
print(rows[0], Row(2).tags, mode is Mode.ON, inner.k, pair.b, handlers == [handler], handler(), say(1), fib(30))
with inside() as word: print(word, even(10), asyncio.run(later()), count, floor(2.5))
`;
				expect(await calls(jail, 'types', first, second, 'bump(); print(count, rows, pair)')).toEqual([
					'',
					'Row(x=1, tags=[]) [] True 5 2 True handled 1! 832040\nin True later 2 2\n',
					'3 [Row(x=1, tags=[])] Pair(a=1, b=2)\n',
				]);
			});

			test('keeps lambdas, guarded imports and definitions, and names what it cannot keep once', async () => {
				const session = 'named';
				const first = `
try: import statistics as st
except ImportError: st = None
import xml.etree.ElementTree
if True:
    def guarded(): return 'guarded'
square = lambda x: x * x
ops = {'add': lambda a, b: a + b}
lines = (line for line in 'ab')
def closing(n):
    def inner(): return n
    return inner
made = closing(4)
exec('class Ghost: pass')
ghosts = [Ghost()]
`;
				const one = await jail.python(first, { session });
				expect([one.stdout, one.stderr]).toEqual(['', unkept('Ghost, ghosts, lines, made, ops')]);
				const second = 'print(st.mean([1, 3]), xml.etree.ElementTree.Element("a").tag, guarded(), square(3))';
				expect(await calls(jail, session, second, second)).toEqual(['2 a guarded 9\n', '2 a guarded 9\n']);
			});

			test('hands objects of a class over to the same class written again', async () => {
				const written = 'class Point:\n    def __init__(self, x): self.x = x\n';
				const first = `${written}points = [Point(3)]`;
				const second = `${written}    def twice(self): return self.x * 2`;
				expect(await calls(jail, 'again', first, second, 'print(points[0].twice())')).toEqual(['', '', '6\n']);
			});

			test('has room for a variable of more than half its quota, in every call', async () => {
				const session = 'large';
				const limits = { memoryBytes: 256 * 1024 * 1024 };
				await jail.python('big = bytes(36_000_000)', { session, limits });
				for (const n of [1, 2, 3]) {
					const add = `big = bytes([${n}]) + big[1:]; import os; print(big[0], sorted(os.listdir("/work")))`;
					const result = await jail.python(add, { session, limits });
					expect(printed(result)).toBe(`${n} ['.secure-code-state', 'out']\n`);
				}
				const more = await jail.python('more = bytes(36_000_000)', { session, limits });
				expect([more.status, more.problem, more.stderr]).toEqual([
					'succeeded',
					null,
					expect.stringMatching(
						/^secure-code: the variables could not be kept: OSError: they need 72\d+ bytes and \d+ are free in \/work, so they are as they were before\n$/,
					),
				]);
				const after = 'import os; print(big[0], "more" in globals(), sorted(os.listdir("/work")))';
				expect(printed(await jail.python(after, { session, limits }))).toBe("3 False ['.secure-code-state', 'out']\n");
			});

			test('is not spoiled by what ends the interpreter when it comes back', async () => {
				const session = 'trap';
				const first = `
import sys
class Trap:
    def __reduce__(self): return sys.exit, (3,)
trap, kept = Trap(), 5`;
				await jail.python(first, { session });
				const second = await jail.python('print(kept)', { session });
				expect([second.status, second.stdout, second.stderr]).toEqual([
					'succeeded',
					'5\n',
					'secure-code: something of the session could not be restored: trap (SystemExit: 3)\n',
				]);
				expect(await calls(jail, session, 'print(kept)')).toEqual(['5\n']);
			});

			test('has its variables still when a program went without a goodbye', async () => {
				await calls(jail, 'goodbye', 'x = 1', 'x = 2; import os; os._exit(0)');
				expect(await calls(jail, 'goodbye', 'print(x)')).toEqual(['1\n']);
			});

			test('is the same in a box that waited and in one that did not', async () => {
				const program = 'def f(): return data\ndata = [1]\nprint(f())';
				for (const warm of [true, false]) {
					const session = `warm ${warm}`;
					expect(printed(await jail.python(program, { session, warm }))).toBe('[1]\n');
					expect(printed(await jail.python('print(f(), data)', { session, warm }))).toBe('[1] [1]\n');
				}
			});
		});
	},
	{ concurrency: 6 },
);
