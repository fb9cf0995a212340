/** No program costs more to be checked than its length may cost, in time or in memory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Language } from '../../../../src/contract/language.ts';
import { check } from '../../../../src/core/checker/check.ts';
import { factsIn } from '../../../../src/core/checker/commands.ts';
import { detect } from '../../../../src/core/checker/detect.ts';
import { parse } from '../../../../src/core/checker/languages/parse.ts';
import { checkOptionsSchema } from '../../../../src/core/checker/options.ts';
import type { Value, Values } from '../../../../src/core/checker/values/value.ts';
import { spend, TooMuchWork, withinWork } from '../../../../src/core/checker/values/work.ts';

const inline = 4_000;
const long = 16_000;

/** As many times the line, after the head, as fit. */
const lines = (length: number, head: string, line: string): string =>
	head + line.repeat((length - head.length) / line.length);
const nested = (length: number, open: string, middle: string, close: string): string => {
	const times = (length - middle.length) / (open.length + close.length);
	return open.repeat(times) + middle + close.repeat(times);
};
const half = (text: string): string => text.repeat(1_900 / text.length);

/** What every line of a program does to what the line before it made. */
const hurting: Record<Language, Record<string, (length: number) => string>> = {
	python: {
		'a list that doubles': (n) => lines(n, 'a=["x"]\n', 'a=a+a\n'),
		'a list that doubles by spreading': (n) => lines(n, 'a=["x"]\n', 'a=[*a,*a]\n'),
		'a list inside a list, twice': (n) => lines(n, 'a=["x"]\n', 'a=[a,a];"".join(a)\n'),
		'a dictionary inside a dictionary, twice': (n) => lines(n, 'a={"x":1}\n', 'a={"p":a,"q":a,**a}\n'),
		'a tuple in a format': (n) => lines(n, 'a=("x",)\n', 'a=("%s %s" % (a, a), *a)\n'),
		'a text that doubles in a format': (n) => lines(n, 'a="x"\n', 'a="{}{}".format(a,a)\n'),
		'blanks before a sign, stripped': (n) => lines(n, `a="${half(' ')}x"\n`, 'a.rstrip()\n'),
		'signs before a sign, stripped': (n) => lines(n, `a="${half('b')}x"\n`, 'a.strip("b")\n'),
		'a text joined by itself': (n) => lines(n, `a="${half('a')}"\n`, 'a.join(a)\n'),
		'a text in place of its letters': (n) => lines(n, `a="${half('a')}"\n`, 'a.replace("a",a)\n'),
		'zeros before a number': (n) => lines(n, 'a="x"\n', 'a.zfill(500000000)\n'),
		'the zeros of a field': (n) => lines(n, `a="%${half('0')}"\n`, 'a % 1\n'),
		'letters as arguments': (n) => lines(n, `a="${half('a')}"\n`, 'f(*a,*a,*a)\n'),
		'attributes in a format': (n) => lines(n, `a="${half('{a.b}')}"\n`, 'a.format(1)\n'),
		'functions that call one another twice': (n) =>
			lines(n, 'def f(a):\n return a\n', 'def g(a):\n return f(a)+f(a+"x")\nf=g\n'),
		'classes with two bases each': (n) =>
			lines(n, 'class A:pass\nclass B:pass\n', 'class C(A,B):pass\nclass D(A,B):pass\nA=C;B=D;A.zz\n'),
		'partial calls of partial calls': (n) =>
			lines(
				n,
				'import functools\nf=g=print\n',
				'f=functools.partial(f if x else g,1)\ng=functools.partial(g if x else f,1)\nf(1)\n',
			),
		'defaults inside defaults': (n) => nested(n, '(lambda x=', 'x', ':x)'),
		'names that every branch may change': (n) =>
			Array.from({ length: n / 16 }, (_, i) => `a${i}=1\n`).join('') + 'if a:pass\n'.repeat(n / 20),
		'columns of a line beyond ASCII': (n) => `a=["é",${'x,'.repeat(n / 2)}]`,
		'formats inside formats': (n) => `f"${nested(n, '{x:', '1', '}')}"`,
		'commands that start commands': (n) => lines(n, `import os\na="${half('echo a;')}"\n`, 'os.system(a + x)\n'),
	},
	javascript: {
		'a list that doubles': (n) => lines(n, 'a=["x"]\n', 'a=a.concat(a)\n'),
		'a list that doubles by spreading': (n) => lines(n, 'a=["x"]\n', 'a=[...a,...a]\n'),
		'a list that takes itself in': (n) => lines(n, 'a=["x"]\n', 'a.push(...a)\n'),
		'a list inside a list, made flat': (n) => lines(n, 'a=["x"]\n', 'a=[a,a].flat()\n'),
		'an object inside an object, twice': (n) => lines(n, 'a={x:1}\n', 'a={p:a,q:a,...a}\n'),
		'a template that doubles': (n) => lines(n, 'a="x"\n', 'a=`${a}${a}`\n'),
		'a text in place of its letters': (n) => lines(n, `a="${half('a')}"\n`, 'a.replaceAll("a",a)\n'),
		'a text split and joined by itself': (n) => lines(n, `a="${half('a')}"\n`, 'a.split("").join(a)\n'),
		'a text repeated': (n) => lines(n, `a="${half('a')}"\n`, 'a.repeat(1000)\n'),
		'callbacks inside callbacks': (n) => `a=[1,2,3,4,5,6,7,8,9];${nested(n, 'a.map(b=>', '1', ')')}`,
		'objects merged into each other': (n) =>
			lines(n, 'o={a:1};p={b:1}\n', 'o=Object.assign({},o,p);p=Object.assign({},p,o);o.zz\n'),
		'the name of a module with many parts': (n) => lines(n, `a="${half('a/')}"\n`, 'require(a)\n'),
	},
	bash: {
		'a variable that doubles': (n) => lines(n, 'a=x\n', 'a=$a$a\n'),
		'an array that doubles': (n) => lines(n, 'a=(x)\n', 'a=(${a[@]} ${a[@]})\n'),
		'an array that grows by itself': (n) => lines(n, 'a=(x)\n', 'a+=(${a[@]})\n'),
		'words that double': (n) => lines(n, 'a="x y"\n', 'a="$a $a"\necho $a\n'),
		'words for every command': (n) => lines(n, `a="${half('x ')}"\n`, 'rm $a $a $a $a\n'),
		'an alias of many words': (n) => lines(n, `alias a="${half('x ')}"\n`, 'a b\n'),
		'ranges of letters': (n) => lines(n, `a=${half('a-z')}\n`, 'echo $a | tr $a $a\n'),
		'a pattern for every beginning': (n) => lines(n, `a=${'x'.repeat(1_000)}\n`, 'b=${a%x*x*y}\n'),
		'a pattern for every place': (n) => lines(n, `a=${'x'.repeat(1_000)}\n`, 'b=${a//x*x*y/$a}\n'),
		'a text in place of its letters': (n) => lines(n, `a=${'x'.repeat(1_000)}\n`, 'b=${a//x/$a}\n'),
		'a format for every word': (n) => lines(n, `a="${half('%s ')}"\n`, 'printf "$a" $a $a\n'),
		'braces inside braces': (n) => `echo ${nested(n, '{a,', 'b', '}')}`,
		'braces after braces': (n) => lines(n, 'echo ', '{a,b}'),
		pipes: (n) => lines(n, 'a', '|a'),
		'folders inside folders': (n) => lines(n, '', 'cd a\n'),
		'processes that are looked for': (n) => lines(n, '', 'kill $x\n'),
		'programs that make programs': (n) => lines(n, `a="${half('echo x;')}"\n`, 'eval "$a"\n'),
	},
};

const table = Object.entries(hurting).flatMap(([language, programs]) =>
	Object.entries(programs).map(([name, made]) => [language as Language, name, made] as const),
);

describe('a program made to cost much', () => {
	it.each(table)('is answered before anybody notices, or soon where it is long: in %s, %s', (language, _, made) => {
		const options = checkOptionsSchema.parse({ language, maxCodeLength: 2 * long, allowSubprocess: true });
		for (const [length, seconds] of [
			[inline, 2],
			[long, 10],
		] as const) {
			const started = performance.now();
			const report = check(made(length), options);
			const took = (performance.now() - started) / 1_000;
			const broken = report.findings.filter(({ ruleId }) => ruleId === 'INTERNAL');
			expect({ length, broken, isSlow: took > seconds }).toEqual({ length, broken: [], isSlow: false });
		}
	});

	it('is refused as a whole, so that nothing can hide behind what is costly', () => {
		const code = `a="${half('a')}"\n${'f(*a,*a,*a)\n'.repeat(150)}import os; os.system("id")`;
		const { verdict, findings } = check(code, checkOptionsSchema.parse({ language: 'python' }));
		expect({ verdict, found: findings.map(({ ruleId, message }) => [ruleId, message]) }).toEqual({
			verdict: 'forbidden',
			found: [['PY-DEPTH', 'the program costs too much to be checked.']],
		});
	});
});

/** The greatest numbers of elements and characters in what a program leaves behind. */
function sizesIn(values: Values, seen = new Set<Value>()): { items: number; characters: number } {
	const sizes = values.map((value) => {
		if (seen.has(value)) return { items: 0, characters: 0 };
		seen.add(value);
		if (value.kind === 'text' || value.kind === 'path') return { items: 0, characters: value.text.length };
		if (value.kind !== 'list') return { items: 0, characters: 0 };
		const inside = [...value.items, value.rest].map((item) => sizesIn(item, seen));
		return greatest([{ items: value.items.length, characters: 0 }, ...inside]);
	});
	return greatest(sizes);
}

const greatest = (sizes: readonly { items: number; characters: number }[]) => ({
	items: Math.max(0, ...sizes.map(({ items }) => items)),
	characters: Math.max(0, ...sizes.map(({ characters }) => characters)),
});

const growing: Record<'python' | 'javascript', readonly string[]> = {
	python: [
		'a=a+a',
		'a=[*a,*a]',
		'a=[a,a]',
		'a.extend(a)',
		'a=list(a)',
		'a=tuple(a)+tuple(a)',
		'a="".join(a)',
		'a=a.join(a)',
		'a=a*9',
		'a=f"{a}{a}"',
		'a="%s%s"%(a,a)',
		'a="{0}{0}".format(a)',
		'a=a.replace("x",a)',
		'a=a.split("x")',
		'a=list(reversed(a))',
		'a=[b+b for b in a]',
		'a=list(zip(a,a))',
		'b,*a=a',
	],
	javascript: [
		'a=a.concat(a)',
		'a=a+a',
		'a=[...a,...a]',
		'a=[a,a].flat()',
		'a.push(...a)',
		'a=a.join(a)',
		'a=a.split("")',
		'a=a.repeat(9)',
		'a=a.padStart(999,a)',
		'a=a.replaceAll("x",a)',
		'a=Array.from(a)',
		'a=a.map(b=>b+b)',
		'[b,...a]=a',
		'a=Object.entries(a)',
	],
};

describe('what the checker knows of a program', () => {
	it('holds no list and no text that is longer than it may be, whatever the program makes of them', () => {
		const program = fc.constantFrom('python' as const, 'javascript' as const).chain((language) =>
			fc.record({
				language: fc.constant(language),
				start: fc.constantFrom('a="x"', 'a=["x"]', 'a=["x","y"]'),
				steps: fc.array(fc.constantFrom(...growing[language]), { minLength: 1, maxLength: 40 }),
			}),
		);
		fc.assert(
			fc.property(program, ({ language, start, steps }) => {
				const facts = factsIn(language, [start, ...steps, 'open(a)'].join('\n')) ?? [];
				const { items, characters } = greatest(
					facts.flatMap((fact) => (fact.kind === 'call' ? fact.args.map((arg) => sizesIn(arg)) : [])),
				);
				return items <= 1_024 && characters <= 4_097;
			}),
			{ numRuns: 400, seed: 7 },
		);
	});

	it('keeps an element beyond the known ones in mind, also counted from the end', () => {
		const many = Array.from({ length: 1_500 }, () => '"path"').join(',');
		const code = `import os\na=[${many},"system"]\ngetattr(os, a[-1])("id")`;
		const { findings } = check(code, checkOptionsSchema.parse({ language: 'python' }));
		expect(findings.map(({ ruleId }) => ruleId)).toContain('PY-EXEC');
	});
});

describe('a text that is no program', () => {
	it.each([
		['types that may be comparisons', 'javascript', `let z:number=1;${'a<b<c>(d<'.repeat(40)}`],
		['comparisons without an end', 'javascript', `let z:number=1;${'a<'.repeat(2_000)}`],
		['formats inside formats', 'python', `f"${'{x:'.repeat(20_000)}1${'}'.repeat(20_000)}"`],
	] as const)('is not read to its end where the parser would read it in ever more ways: %s', (_, language, text) => {
		const started = performance.now();
		const { problem } = parse(language, text);
		const isSlow = performance.now() - started > 5_000;
		expect({ isDepth: problem?.isDepth, isSlow }).toEqual({ isDepth: true, isSlow: false });
	});

	it('has its language guessed at once, however many blanks it holds', () => {
		const started = performance.now();
		detect(`) function${' '.repeat(15_000)})`);
		expect(performance.now() - started).toBeLessThan(5_000);
	});
});

describe('the share of a program', () => {
	it('grows with its length, and ends with an error', () => {
		const shareOf = (length: number): number => {
			let spent = 0;
			try {
				withinWork(length, () => {
					for (; ; spent += 1_000) spend(1_000);
				});
			} catch (error) {
				if (!(error instanceof TooMuchWork)) throw error;
			}
			return spent;
		};
		expect([0, 4_000, 64_000].map(shareOf)).toEqual([1_500_000, 3_100_000, 27_100_000]);
	});

	it('is one for a program and all programs inside it', () => {
		const inner = () => withinWork(64_000, () => spend(1_000_000));
		expect(() =>
			withinWork(0, () => {
				inner();
				inner();
			}),
		).toThrow(TooMuchWork);
		expect(() => withinWork(0, inner)).not.toThrow();
	});
});
