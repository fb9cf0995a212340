/** Secrets that nobody named are masked by their shape, and what is none stays as it is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maskShapes, maskShapesIn, maskShapesWithin } from '../../../../src/core/secrets/shapes.ts';

const key = ['-----BEGIN RSA PRIVATE KEY-----', 'MIIEowIBAAKCAQEA7', 'c2VjcmV0', '-----END RSA PRIVATE KEY-----'].join(
	'\n',
);
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl-_';

describe('a secret by its shape', () => {
	it.each([
		['password=hunter2', 'password=[REDACTED]'],
		['DB_PASSWORD=hunter2 make', 'DB_PASSWORD=[REDACTED] make'],
		['export API_KEY="a b c" X=1', 'export API_KEY="[REDACTED]" X=1'],
		["mysql --password='a b' -h x", "mysql --password='[REDACTED]' -h x"],
		['tool --token abc123 --verbose', 'tool --token [REDACTED] --verbose'],
		['{"client_secret": "abc", "id": 1}', '{"client_secret": "[REDACTED]", "id": 1}'],
		['"{\\"password\\":\\"abc\\"}"', '"{\\"password\\":\\"[REDACTED]"}"'],
		['aws_secret_access_key = wJalrXUtnFEMI/K7MDENG', 'aws_secret_access_key = [REDACTED]'],
		['secret: abc\nnext: line', 'secret: [REDACTED]\nnext: line'],
		['curl -H "Authorization: Bearer abc.def-123"', 'curl -H "Authorization: Bearer [REDACTED]"'],
		['Authorization: Basic YWxpY2U6cGFzcw==', 'Authorization: Basic [REDACTED]'],
		['bearer abcdefgh12345678', 'bearer [REDACTED]'],
		['id AKIAIOSFODNN7EXAMPLE end', 'id [REDACTED] end'],
		['postgres://alice:s3cr3t@db:5432/x', 'postgres://alice:[REDACTED]@db:5432/x'],
		['redis://:s3cr3t@cache/0', 'redis://:[REDACTED]@cache/0'],
		['curl -u alice:s3cr3t https://x', 'curl -u alice:[REDACTED] https://x'],
		['ghp_0123456789abcdefghijABCDEFGHIJ012345', '[REDACTED]'],
		['sk-proj-0123456789abcdefghij', '[REDACTED]'],
		[`token was ${jwt}!`, 'token was [REDACTED]!'],
		[`before\n${key}\nafter`, 'before\n[REDACTED]\nafter'],
		[`cut ${key.slice(0, 60)}`, 'cut [REDACTED]'],
	])('in %j is masked', (text, masked) => {
		expect(maskShapes(text)).toBe(masked);
	});

	it('is masked wherever it stands in a value, also as a word of its own', () => {
		const argv = ['tool', '--token', 'abc', '-v', 'DB_PASSWORD=hunter2', '--token', '--next'];
		const masked = ['tool', '--token', '[REDACTED]', '-v', 'DB_PASSWORD=[REDACTED]', '--token', '[REDACTED]'];
		expect(
			maskShapesWithin({ command: { mode: 'argv', argv }, n: 1, none: null, list: [{ text: 'password=x' }] }),
		).toEqual({
			...{ command: { mode: 'argv', argv: masked }, n: 1, none: null },
			list: [{ text: 'password=[REDACTED]' }],
		});
	});

	it('is masked in bytes that are no text, which stay as they are', () => {
		const bytes = Buffer.concat([
			Buffer.from([0xff, 0x00, 0xc3]),
			Buffer.from(' password=hunter2 '),
			Buffer.from([0x80]),
		]);
		const masked = Buffer.concat([
			Buffer.from([0xff, 0x00, 0xc3]),
			Buffer.from(' password=[REDACTED] '),
			Buffer.from([0x80]),
		]);
		expect(maskShapesIn(bytes)).toEqual(masked);
	});
});

describe('what is no secret', () => {
	it.each([
		'ls -la /tmp',
		'git status --porcelain',
		'the secretary opened a tokenizer',
		'https://example.com:8080/path?x=1',
		'user@host:/path',
		'-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
		'eyJ is how JSON begins in base64',
		'basic idea, bearer bonds',
		'',
	])('%j stays', (text) => {
		expect(maskShapes(text)).toBe(text);
	});

	it('stays around every secret', () => {
		fc.assert(
			fc.property(fc.stringMatching(/^[a-z .\n]{0,40}$/), fc.stringMatching(/^[a-z .\n]{0,40}$/), (before, after) => {
				expect(maskShapes(`${before}\nDB_PASSWORD=hunter2\n${after}`)).toBe(
					`${before}\nDB_PASSWORD=[REDACTED]\n${after}`,
				);
			}),
		);
	});
});

describe('a text that was made to take long', () => {
	const many = (part: string) => part.repeat(Math.ceil(1_000_000 / part.length));

	it.each([
		'a-',
		'a.',
		'token',
		'token-',
		'token="',
		"token='",
		'token = ',
		'--token ',
		'eyJ',
		'eyJ-',
		'eyJa.',
		'eyJa.eyJ-',
		'://',
		'://a:b',
		' -u a:',
		'Bearer ',
		'-----BEGIN ',
		'-----BEGIN PRIVATE KEY-----',
		'AKIA',
		'sk-',
		'password:',
		'"password":"',
		'\\"password\\":\\"',
	])('out of %j is done', (part) => {
		expect(maskShapes(many(part)).length).toBeGreaterThan(0);
	});
});
