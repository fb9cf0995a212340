import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { programFor } from '../../../../scripts/n8n/stand-in-program.ts';

const interpreters = { python: ['python3', '-I', '-c'], javascript: ['node', '-e'], bash: ['bash', '-c'] } as const;

function outputFor(message: string): string {
	const { language, code } = programFor(message);
	const [command, ...flags] = interpreters[language];
	return execFileSync(command, [...flags, code], { encoding: 'utf8' });
}

describe('The program that the stand-in writes', () => {
	test.each([
		['What is the square root of 256?', '16.0\n'],
		['Calcula la raíz cuadrada de 256', '16.0\n'],
		['Calcula la raiz cuadrada de 007', '2.6457513110645907\n'],
		['List the first 5 prime numbers', '2 3 5 7 11\n'],
		['Dame los primeros 6 números primos', '2 3 5 7 11 13\n'],
		['What is the factorial of 20?', '2432902008176640000\n'],
		['What is the average of 10, 20 and 33?', '21\n'],
		['¿Cuál es la mediana de 5, 1 y 3?', '3\n'],
		['Suma 1.5 y 2.5', '4.0\n'],
		['How much is (3 + 4) * 12?', '84\n'],
		['Was ist 2**10 - 24?', '1000\n'],
	])('answers "%s"', (message, output) => {
		expect(outputFor(message)).toBe(output);
	});

	test('reports about a text for which it has no recipe', () => {
		expect(outputFor('Hello "big" World')).toBe(
			'The message has 17 characters and 3 words.\nLongest word: Hello\nBackwards: dlroW "gib" olleH\n',
		);
	});

	test.each([
		['```js\nconsole.log(1)\n```', { language: 'javascript', code: 'console.log(1)\n' }],
		['Run this:\n```bash\necho "a b"\necho c\n```\nplease', { language: 'bash', code: 'echo "a b"\necho c\n' }],
		['```\nprint(1)\n```', { language: 'python', code: 'print(1)\n' }],
	])('is the block in the message when there is one: %j', (message, program) => {
		expect(programFor(message)).toEqual(program);
	});
});
