import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	type Agent3Answer,
	type Agent3Request,
	agent3Refused,
	decodeAgent3Answer,
	decodeAgent3Request,
	encodeAgent3Answer,
	encodeAgent3Request,
} from '../../../../src/device/wire/agent3.ts';

const session = '0b0d5c0e-8a3e-4f0f-9d3b-1f6a3f2f9a11';
const decode = (body: unknown) => decodeAgent3Request(Buffer.from(JSON.stringify(body)));
const refusal = (error: string, reason: unknown = null) => ({
	refused: { kind: 'refused', httpStatus: 400, error, reason },
});

const requests: readonly Agent3Request[] = [
	{ op: 'shell', cmd: 'ls -l /' },
	{ op: 'shell', cmd: 'printf \'%s\' "é😀" \u0000' },
	{ op: 'read_session', session, offset: 0, limit: 92_160 },
	{ op: 'read_session', session: 'abc123', offset: 5, limit: 0 },
	{ op: 'close_session', session },
];

describe('a request of Agent3', () => {
	it.each(requests)('$op comes out as it went in', (request) => {
		expect(decodeAgent3Request(Buffer.from(encodeAgent3Request(request)))).toEqual({ request });
	});

	it('is on the wire what the original takes', () => {
		expect(requests.map((request) => JSON.parse(encodeAgent3Request(request)))).toEqual([
			{ op: 'shell', args: { cmd: 'ls -l /' } },
			{ op: 'shell', args: { cmd: 'printf \'%s\' "é😀" \u0000' } },
			{ op: 'read_session', args: { session, offset: 0, limit: 92_160 } },
			{ op: 'read_session', args: { session: 'abc123', offset: 5, limit: 0 } },
			{ op: 'close_session', args: { session } },
		]);
	});

	it('reads from the start and 92160 characters when it does not say where and how many', () => {
		expect(decode({ op: 'read_session', args: { session } })).toEqual({
			request: { op: 'read_session', session, offset: 0, limit: 92_160 },
		});
	});

	it.each([
		{ op: 'shell', args: { cmd: 'id', session: '', offset: 0, limit: 90_000 } },
		{ op: 'shell', args: { cmd: 'id', session: null, offset: 'x' } },
		{ op: 'shell', args: { cmd: 'id', cwd: '/' } },
		{ op: 'shell', args: { cmd: 'id' }, timeout: 3, OP: 'eval' },
	])('may carry what its operation does not read, which says nothing: %j', (body) => {
		expect(decode(body)).toEqual({ request: { op: 'shell', cmd: 'id' } });
	});

	it.each([
		[{ op: 'shell', args: { cmd: '' } }, refusal('Missing cmd')],
		[{ op: 'shell', args: { cmd: null } }, refusal('Missing cmd')],
		[{ op: 'shell', args: { cmd: 0 } }, refusal('Missing cmd')],
		[{ op: 'shell', args: { cmd: false } }, refusal('Missing cmd')],
		[{ op: 'shell', args: {} }, refusal('Missing cmd')],
		[{ op: 'shell' }, refusal('Missing cmd')],
		[{ op: 'read_session', args: {} }, refusal('Missing session')],
		[{ op: 'read_session' }, refusal('Missing session')],
		[{ op: 'close_session', args: { session: '' } }, refusal('Missing session')],
		[{ op: 'eval', args: { cmd: 'id' } }, refusal('Invalid op', expect.any(String))],
		[{ args: { cmd: 'id' } }, refusal('Invalid op', expect.any(String))],
		[{ op: ['shell'], args: { cmd: 'id' } }, refusal('Invalid op', expect.any(String))],
		[{}, refusal('Invalid op', expect.any(String))],
		[{ op: 'eval', args: null }, refusal('Invalid op', expect.any(String))],
		[JSON.parse('{"__proto__":{"op":"shell","args":{"cmd":"id"}}}'), refusal('Invalid op', expect.any(String))],
	])('%j is refused in the words of the original', (body, answer) => {
		expect(decode(body)).toEqual(answer);
	});

	it.each([
		null,
		[],
		'shell',
		[{ op: 'shell', args: { cmd: 'id' } }],
		{ op: 'shell', args: null },
		{ op: 'shell', args: [] },
		{ op: 'shell', args: 'id' },
		{ op: 'shell', args: { cmd: ['id'] } },
		{ op: 'shell', args: { cmd: 7 } },
		{ op: 'shell', args: { cmd: true } },
		{ op: 'shell', args: { cmd: 'a\ud800' } },
		{ op: 'read_session', args: { session: 7 } },
		{ op: 'read_session', args: { session, limit: -1 } },
		...[1.5, '0', '', null, true, [0], 2 ** 53, 1e300].flatMap((number) => [
			{ op: 'read_session', args: { session, offset: number } },
			{ op: 'read_session', args: { session, limit: number } },
		]),
	])('%j is invalid', (body) => {
		expect(decode(body)).toEqual(refusal('Invalid request', expect.any(String)));
	});

	it.each(['', '{', '{"op":"shell","op":"shell","args":{"cmd":"id"}}', '\xff'])(
		'%j is invalid, too, and nothing that is read as two things',
		(text) => {
			expect(decodeAgent3Request(Buffer.from(text, 'latin1'))).toEqual(refusal('Invalid request', expect.any(String)));
		},
	);

	it('is read or refused, whatever the bytes', () => {
		fc.assert(
			fc.property(fc.oneof(fc.json(), fc.uint8Array()), (body) => {
				const bytes = typeof body === 'string' ? Buffer.from(body) : body;
				expect(decodeAgent3Request(bytes)).toEqual(expect.objectContaining({ refused: expect.anything() }));
			}),
		);
	});
});

const result = { stdout: 'o', stderr: 'e', exitCode: -9 };
const extras = { isTruncated: false, totalCharacters: 1 };

const answers: readonly (readonly [Agent3Request['op'], Agent3Answer, object])[] = [
	[
		'shell',
		{ kind: 'shell', ...result, session, status: 'done', ...extras },
		{ stdout: 'o', stderr: 'e', exit_code: -9, session, status: 'done', truncated: false, total_chars: 1 },
	],
	[
		'read_session',
		{ kind: 'page', ...result, status: 'done', ...extras, nextOffset: 1, isEnd: true },
		{
			...{ stdout: 'o', stderr: 'e', exit_code: -9, status: 'done' },
			...{ truncated: false, total_chars: 1, next_offset: 1, eof: true },
		},
	],
	['close_session', { kind: 'closed' }, { status: 'closed' }],
	['shell', agent3Refused(403, 'Command not allowed', 'why'), { error: 'Command not allowed', reason: 'why' }],
	['read_session', agent3Refused(404, 'Session not found'), { error: 'Session not found' }],
];

describe('an answer of Agent3', () => {
	it.each(answers)('to %s is on the wire what it says, and comes out as it went in', (op, answer, body) => {
		const encoded = encodeAgent3Answer(answer);
		expect(encoded.body).toEqual(body);
		expect(decodeAgent3Answer(op, encoded.httpStatus, Buffer.from(JSON.stringify(encoded.body)))).toEqual(answer);
	});

	const from = (op: Agent3Request['op'], httpStatus: number, text: string) =>
		decodeAgent3Answer(op, httpStatus, Buffer.from(text));

	it('is understood from an original, which says less', () => {
		const shell = `{"exit_code":0,"session":"${session}","status":"done","stderr":"","stdout":"x"}`;
		expect(from('shell', 200, shell)).toEqual({
			...{ kind: 'shell', stdout: 'x', stderr: '', exitCode: 0, session, status: 'done' },
			...{ isTruncated: null, totalCharacters: null },
		});
		expect(from('read_session', 200, '{"exit_code":124,"stderr":"Timeout","stdout":""}')).toEqual({
			...{ kind: 'page', stdout: '', stderr: 'Timeout', exitCode: 124, status: null },
			...{ isTruncated: null, totalCharacters: null, nextOffset: null, isEnd: null },
		});
		expect(from('shell', 403, '{"error":"Unauthorized"}\n')).toEqual(agent3Refused(403, 'Unauthorized'));
	});

	it.each([400, 405, 500])('that is a page of HTML (%i) is a refusal without words', (httpStatus) => {
		expect(from('shell', httpStatus, '<!doctype html>')).toEqual(
			agent3Refused(httpStatus, `HTTP status ${httpStatus}`),
		);
	});

	it.each(['<html>', '[]', '{}', '{"status":"done"}', '{"stdout":1,"stderr":"","exit_code":0}'])(
		'that is %s is none',
		(text) => {
			expect((['shell', 'read_session', 'close_session'] as const).map((op) => from(op, 200, text))).toEqual([
				undefined,
				undefined,
				undefined,
			]);
		},
	);
});
