import { describe, expect, it } from 'vitest';
import { jobRequestSchema } from '../../../src/contract/job.ts';
import { defaultLimits } from '../../../src/contract/limits.ts';

const isAccepted = (input: unknown): boolean => jobRequestSchema.safeParse(input).success;

describe('a request', () => {
	it('needs nothing but a program; the rest is closed by default', () => {
		expect(jobRequestSchema.parse({ code: 'print(1)' })).toEqual({
			code: 'print(1)',
			language: 'auto',
			limits: defaultLimits,
			network: 'none',
			secrets: [],
			env: {},
			files: [],
			bundle: 'default',
			warm: true,
			preload: [],
			check: true,
			checkPolicy: {
				allowSubprocess: false,
				allowWorkers: false,
				writableRoots: ['/work', '/tmp'],
				readDeny: [],
				severities: {},
				warnOnly: false,
				onSyntaxError: 'block',
			},
			labels: {},
		});
	});

	it.each([
		{},
		{ code: 'a', script: 'b' },
		{ code: 'a', argv: ['b'] },
		{ argv: [] },
		{ code: 1 },
		{ code: 'a', network: 'some' },
		{ code: 'a', env: { 'A B': 'c' } },
		{ code: 'a', env: { A: 'b\0LD_PRELOAD=c' } },
		{ argv: ['ls', 'a\0b'] },
		{ code: 'a', env: { A: 1 } },
		{ code: 'a', language: 'ruby' },
		{ code: 'a', privileged: true },
	])('is refused when it is %j', (input) => {
		expect(isAccepted(input)).toBe(false);
	});
});

it.each([{ env: { SECURE_CODE_WAIT: '1' } }, { secrets: ['SECURE_CODE_START'] }])(
	'a request with names that are ours is refused, and told why: %j',
	(more) => {
		const { error } = jobRequestSchema.safeParse({ code: '', ...more });
		expect(error?.issues.map(({ message }) => message)).toEqual([
			'names of variables and secrets cannot begin with SECURE_CODE_',
		]);
	},
);

describe('a file of a request', () => {
	const withFile = (file: unknown) => isAccepted({ code: '', files: [file] });

	it.each(['a.csv', '..a', 'ein Name mit ümlaut', 'new\nline'])('may be called %j', (name) => {
		expect(withFile({ name, base64: '' })).toBe(true);
	});

	it.each(['', '.', '..', 'a/b', '/etc/passwd', 'a\0b', 'x'.repeat(256)])('may not be called %j', (name) => {
		expect(withFile({ name, base64: '' })).toBe(false);
	});

	it('comes from one place: a path or bytes', () => {
		const files = [{ path: '/a' }, { base64: 'YQ==' }, {}, { path: '/a', base64: 'YQ==' }, { base64: 'not base64!' }];
		expect(files.map((file) => withFile({ name: 'a', ...file }))).toEqual([true, true, false, false, false]);
	});
});
