import { describe, expect, it } from 'vitest';
import {
	allowedImports,
	describeFlags,
	jobFlags,
	language,
	list,
	network,
	programFlags,
	requestDefaults,
	secrets,
	text,
	texts,
} from '../../../src/cli/flags.ts';
import { jobRequestSchema } from '../../../src/contract/job.ts';
import { limits } from '../../../src/contract/limits.ts';

const MiB = 1024 * 1024;

describe('secrets', () => {
	it('reads names, and the hosts that some are bound to', () => {
		expect(secrets({ secret: ['KEY', 'TOKEN@api.example.com, *.example.org:8443'] })).toEqual([
			{ name: 'KEY' },
			{ name: 'TOKEN', hosts: ['api.example.com', '*.example.org:8443'] },
		]);
		expect(requestDefaults({ secret: ['KEY', 'TOKEN@a.example'] }).secrets).toEqual(['KEY', 'TOKEN']);
	});

	it.each(['KEY@', 'KEY@ ,', 'KEY@a.example@b.example'])('refuses %s', (typed) => {
		expect(() => secrets({ secret: [typed] })).toThrow(`--secret ${typed}: write NAME or NAME@host1,host2`);
	});
});

describe('requestDefaults', () => {
	it('is closed when nothing was typed', () => {
		expect(requestDefaults({})).toEqual({
			...{ language: 'auto', network: 'none', limits: {}, secrets: [], check: true, warm: true },
		});
	});

	it('reads everything that can be typed into a request that is valid', () => {
		const defaults = requestDefaults({
			language: 'python',
			network: 'a.com, *.b.com',
			timeout: '1.5',
			memory: '256',
			secret: ['KEY', 'OTHER'],
			'allow-imports': 'math,json',
			'no-check': true,
			'no-warm': true,
			backend: 'nsjail',
		});
		expect(defaults).toEqual({
			language: 'python',
			network: ['a.com', '*.b.com'],
			limits: { timeoutMs: 1_500, memoryBytes: 256 * MiB },
			secrets: ['KEY', 'OTHER'],
			allowedImports: ['math', 'json'],
			check: false,
			warm: false,
		});
		expect(jobRequestSchema.safeParse({ ...defaults, code: '' }).success).toBe(true);
	});

	const { timeoutMs, memoryBytes } = limits;

	it.each([
		['timeout', `${timeoutMs.floor / 1000}`, { timeoutMs: timeoutMs.floor }],
		['timeout', `${timeoutMs.ceiling / 1000}`, { timeoutMs: timeoutMs.ceiling }],
		['memory', `${memoryBytes.floor / MiB}`, { memoryBytes: memoryBytes.floor }],
		['memory', `${memoryBytes.ceiling / MiB}`, { memoryBytes: memoryBytes.ceiling }],
	])('takes --%s %s', (flag, typed, expected) => {
		expect(requestDefaults({ [flag]: typed }).limits).toEqual(expected);
	});

	it.each([
		['timeout', '0.9'],
		['timeout', '301'],
		['timeout', '-1'],
		['timeout', '30s'],
		['timeout', ''],
		['timeout', '1e2'],
		['memory', '15'],
		['memory', '1025'],
		['memory', 'Infinity'],
	])('refuses --%s %j and names the bounds', (flag, typed) => {
		const [floor, ceiling] = flag === 'timeout' ? [1, 300] : [16, 1024];
		expect(() => requestDefaults({ [flag]: typed })).toThrow(
			`--${flag} ${typed}: must be a number from ${floor} to ${ceiling}`,
		);
	});

	it('refuses a backend that does not exist', () => {
		expect(() => requestDefaults({ backend: 'docker' })).toThrow('--backend docker: must be auto or nsjail');
	});
});

describe('language', () => {
	it('refuses what is none', () => {
		expect(() => language({ language: 'ruby' })).toThrow(
			'--language ruby: must be one of auto, python, javascript, bash',
		);
	});
});

describe('network', () => {
	it.each([
		[undefined, 'none'],
		['none', 'none'],
		['full', 'full'],
		['', []],
		['a.com:8443,b.com', ['a.com:8443', 'b.com']],
	])('reads %j as %j', (typed, expected) => {
		expect(network(typed)).toEqual(expected);
	});
});

describe('allowedImports', () => {
	it('keeps "not typed" apart from "typed and empty"', () => {
		expect([allowedImports({}), allowedImports({ 'allow-imports': '' })]).toEqual([undefined, []]);
	});

	it('tells a request about an empty list, too', () => {
		expect(requestDefaults({ 'allow-imports': '' }).allowedImports).toEqual([]);
	});
});

it('reads a list with blanks and empty places', () => {
	expect(list(' a, b ,,c,')).toEqual(['a', 'b', 'c']);
});

it('takes a value for text or texts only when it is that', () => {
	const values = { one: 'a', many: ['b', 'c'], mixed: ['d', true], on: true };
	expect([text(values, 'one'), text(values, 'on'), text(values, 'many'), texts(values, 'many')]).toEqual([
		'a',
		undefined,
		undefined,
		['b', 'c'],
	]);
	expect([texts(values, 'mixed'), texts(values, 'one'), texts(values, 'none')]).toEqual([['d'], [], []]);
});

describe('describeFlags', () => {
	it('prints one line for each flag, in columns', () => {
		const flags = {
			file: { type: 'string', short: 'f', value: 'IN', help: 'show this file' },
			json: { type: 'boolean', help: 'print JSON' },
		} as const;
		expect(describeFlags(flags)).toBe(
			'  -f, --file IN              show this file\n      --json                 print JSON',
		);
	});

	it('names default and bounds from the limits table', () => {
		const { floor, ceiling, default: usual } = limits.timeoutMs;
		expect(jobFlags.timeout.help).toBe(`seconds, ${floor / 1000} to ${ceiling / 1000} (default ${usual / 1000})`);
	});

	it('gives no letter to two flags', () => {
		const letters = Object.values({ ...jobFlags, ...programFlags }).flatMap((flag) =>
			'short' in flag ? [flag.short] : [],
		);
		expect(new Set(letters).size).toBe(letters.length);
	});
});
