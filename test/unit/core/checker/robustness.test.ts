import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { languages } from '../../../../src/contract/language.ts';
import { check } from '../../../../src/core/checker/check.ts';
import { checkOptionsSchema } from '../../../../src/core/checker/options.ts';
import { bashEvasions } from '../../../fixtures/checker/bash.evasions.ts';
import { javaScriptEvasions } from '../../../fixtures/checker/javascript.evasions.ts';
import { pythonEvasions } from '../../../fixtures/checker/python.evasions.ts';

const numbered = (count: number, line: (i: number) => string): string =>
	Array.from({ length: count }, (_, i) => line(i)).join('\n');

const pathological: Record<string, string> = {
	'5 000 open brackets': '('.repeat(5000) + ')'.repeat(5000),
	'a chain of 5 000 attributes': `x${'.a'.repeat(5000)}`,
	'a chain of 5 000 calls': `x${'()'.repeat(5000)}`,
	'a sum of 5 000 texts': `'a'${"+'a'".repeat(5000)}`,
	'a megabyte in one string': `x = "${'a'.repeat(1_000_000)}"`,
	'20 000 substitutions': `echo ${'$(echo a) '.repeat(20_000)}`,
	'3 000 nested substitutions': `echo ${'$(echo '.repeat(3000)}${')'.repeat(3000)}`,
	'a text that doubles 3 000 times': `x = "a"\n${'x = x + x\n'.repeat(3000)}`,
	'a shell variable that doubles 2 000 times': `a=x\n${'a=$a$a\n'.repeat(2000)}rm $a`,
	'1 500 functions that call each other': numbered(1500, (i) => `def f${i}(a):\n  return f${(i + 1) % 1500}(a + "x")`),
	'60 nested comprehensions': `x = ${'['.repeat(60)}y${' for y in [1,2,3,4,5,6,7,8]]'.repeat(60)}`,
	'40 nested callbacks over lists': `const a = [1,2,3,4,5,6,7,8,9];\n${'a.map(b => '.repeat(40)}1${')'.repeat(40)}.join("")`,
	'500 nested templates': `\`${'${'.repeat(500)}1${'}'.repeat(500)}\``,
	'3 000 else-ifs': `if (a) {}${' else if (a) {}'.repeat(3000)}`,
	'twelve nested shells': Array.from({ length: 12 }).reduce<string>(
		(inner) => `bash -c ${JSON.stringify(inner)}`,
		'true',
	),
	'products of braces': `echo ${'{a,b}'.repeat(16)}`,
	'3 000 pipes': `cat x${' | cat'.repeat(3000)}`,
	'100 000 quotes': '"'.repeat(100_001),
	'a star for a command': '*'.repeat(50_000),
	'100 000 blank lines': '\n'.repeat(100_000),
	'NUL characters': '\0'.repeat(10_000),
};

const roomy = checkOptionsSchema.parse({ maxCodeLength: 2_000_000 });

describe('a program made to hurt the checker', () => {
	it.each(Object.entries(pathological))('is answered in bounded time: %s', (_, code) => {
		const started = performance.now();
		const report = check(code, roomy);
		const seconds = (performance.now() - started) / 1000;
		expect({ internal: report.findings.filter(({ ruleId }) => ruleId === 'INTERNAL'), isSlow: seconds > 5 }).toEqual({
			internal: [],
			isSlow: false,
		});
	});
});

const tokens = (code: string): string[] => code.match(/\w+|\s+|[^\w\s]/gu) ?? [];
const programs = [...pythonEvasions, ...javaScriptEvasions, ...bashEvasions].map(({ code }) => code);
const anyLanguage = fc.constantFrom('auto' as const, ...languages);

const isInternal = (code: string, language: 'auto' | (typeof languages)[number]): boolean =>
	check(code, checkOptionsSchema.parse({ language })).findings.some(({ ruleId }) => ruleId === 'INTERNAL');

describe('a program that is no program', () => {
	it('is answered without a failure of the checker when tokens are missing', () => {
		const mutilated = fc.tuple(
			fc.constantFrom(...programs),
			fc.array(fc.nat(), { minLength: 1, maxLength: 4 }),
			anyLanguage,
		);
		fc.assert(
			fc.property(mutilated, ([code, holes, language]) => {
				const kept = tokens(code);
				for (const hole of holes) kept.splice(hole % Math.max(1, kept.length), 1);
				return !isInternal(kept.join(''), language);
			}),
			{ numRuns: 1500, seed: 7 },
		);
	});

	it('is answered without a failure of the checker when it is random text', () => {
		const noise = fc.oneof(
			fc.string({ unit: 'binary', maxLength: 200 }),
			fc.string({ unit: fc.constantFrom(...'(){}[]<>|&;$`"\'\\=:.,*/#! \nab1'), maxLength: 120 }),
		);
		fc.assert(
			fc.property(noise, anyLanguage, (code, language) => !isInternal(code, language)),
			{ numRuns: 3000, seed: 7 },
		);
	});

	it('is answered without a failure when its names are those that every object has', () => {
		const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];
		const failing = names.flatMap((name) => [
			`import ${name}\n${name}.${name}("${name}")["${name}"]`,
			`const o = {}; o.${name}('${name}'); ${name}; require('${name}')`,
			`${name} ${name}; $${name}; ${name}() { ${name}; }`,
		]);
		expect(failing.filter((code) => languages.some((language) => isInternal(code, language)))).toEqual([]);
	});
});
