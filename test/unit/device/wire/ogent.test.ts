import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	decodeOgentAllowed,
	decodeOgentExecution,
	decodeOgentRefused,
	decodeOgentSubmit,
	decodeOgentValidation,
	encodeOgentAllowed,
	encodeOgentExecution,
	encodeOgentRefused,
	encodeOgentRun,
	encodeOgentSubmit,
	encodeOgentValidation,
	isOgentExecutionId,
	type OgentExecution,
	type OgentSubmit,
	ogentDialects,
	ogentGatewayPath,
	ogentRefused,
} from '../../../../src/device/wire/ogent.ts';

const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const decode = (value: unknown) => decodeOgentSubmit(bytes(value));

const full: OgentSubmit = {
	command: "echo 'é😀' | grep é",
	executionId: 'unique-execution-id',
	timeoutSeconds: 10,
	allowedPaths: ['/tmp', '/home'],
	memoryMegabytes: 256,
	networkAccess: false,
};

describe('a submit of Ogent', () => {
	it.each([full, { command: 'ls' }, { command: '' }])('%j comes out as it went in', (submit: OgentSubmit) => {
		expect(decode(encodeOgentSubmit(submit))).toEqual({ submit });
	});

	it('is on the wire what the clients of the original send', () => {
		expect(JSON.parse(encodeOgentSubmit(full))).toEqual({
			...{ command: "echo 'é😀' | grep é", executionId: 'unique-execution-id', timeout: 10 },
			...{ allowed_paths: ['/tmp', '/home'], memory_limit: 256, network_access: false },
		});
		expect(JSON.parse(encodeOgentSubmit({ command: 'ls' }))).toEqual({ command: 'ls' });
	});

	it('may spell the id as the tests of the original do, and leave out with null', () => {
		const body = { command: 'ls', execution_id: 'a', timeout: null, allowed_paths: null, memory_limit: null };
		expect(decode({ ...body, network_access: null, executionId: null })).toEqual({
			submit: { command: 'ls', executionId: 'a' },
		});
	});

	it.each(['{"command":"ls","cwd":"/","user":{"id":1}}', '{"command":"ls","Timeout":1,"__proto__":{"timeout":1}}'])(
		'may carry what the protocol does not know, which says nothing: %s',
		(body) => {
			expect(decode(body)).toEqual({ submit: { command: 'ls' } });
		},
	);

	it.each([{}, [], [{ command: 'ls' }], 'null', '"ls"', { cmd: 'ls' }])('without a command is refused: %j', (body) => {
		expect(decode(body)).toEqual({ refused: ogentRefused(400, 'Command is required') });
	});

	it.each([null, 7, ['ls'], { a: 1 }, true])('with a command that is no text is refused: %j', (command) => {
		expect(decode({ command })).toEqual({ refused: ogentRefused(400, 'Command must be a string') });
	});

	it.each([
		'',
		'{"command":"ls"',
		'{"command":"ls","command":"id"}',
		{ command: 'a\udc00' },
		...['..', '.', 'a/b', 'a b', '', 'ä', 'x'.repeat(129), 7].map((executionId) => ({ command: 'ls', executionId })),
		{ command: 'ls', executionId: 'a', execution_id: 'b' },
		...[0, -1, '10', [], true].map((timeout) => ({ command: 'ls', timeout })),
		...[0, -1, '256'].map((memory_limit) => ({ command: 'ls', memory_limit })),
		...['/tmp', [''], [7], ['tmp'], ['/a\0'], ['/a\ud800']].map((allowed_paths) => ({ command: 'ls', allowed_paths })),
		...['no', 0].map((network_access) => ({ command: 'ls', network_access })),
	])('is refused when something in it does not fit: %j', (body) => {
		expect(decode(body)).toEqual({ refused: ogentRefused(400, 'Invalid request', expect.any(String) as never) });
	});

	it('is read or refused, whatever the bytes', () => {
		fc.assert(
			fc.property(fc.oneof(fc.json(), fc.uint8Array()), (body) => {
				expect(decodeOgentSubmit(typeof body === 'string' ? bytes(body) : body)).toHaveProperty('refused');
			}),
		);
	});
});

const execution: OgentExecution = {
	kind: 'execution',
	executionId: 'e-1',
	status: 'failed',
	message: 'm',
	command: 'ls',
	output: 'o',
	error: 'e',
	exitCode: 2,
	startTime: '2026-01-02T03:04:05.000Z',
	endTime: '2026-01-02T03:04:06.000Z',
	elapsedSeconds: 1,
	isTruncated: false,
};
const unknown = { message: null, command: null, output: null, error: null, exitCode: null, isTruncated: null };
const unstarted = { startTime: null, endTime: null, elapsedSeconds: null };
const bare: OgentExecution = { kind: 'execution', executionId: 'e-1', status: 'queued', ...unknown, ...unstarted };

describe('an execution of Ogent', () => {
	it.each([execution, bare])('comes out as it went in', (given) => {
		expect(decodeOgentExecution(200, bytes(encodeOgentExecution(given)))).toEqual(given);
		expect(decodeOgentExecution(201, bytes(encodeOgentRun(given, 7)))).toEqual(given);
	});

	it('says on the wire what it knows, and nothing else', () => {
		expect(encodeOgentExecution(execution)).toEqual({
			...{ executionId: 'e-1', execution_id: 'e-1', status: 'failed', message: 'm', command: 'ls' },
			...{ output: 'o', error: 'e', exitCode: 2, truncated: false, elapsedTime: 1 },
			...{ startTime: '2026-01-02T03:04:05.000Z', endTime: '2026-01-02T03:04:06.000Z' },
		});
		expect(encodeOgentExecution(bare)).toEqual({ executionId: 'e-1', execution_id: 'e-1', status: 'queued' });
	});

	it('gives the LangChain client the names it reads', () => {
		const { stdout, stderr, exit_code, duration_ms } = encodeOgentRun(execution, 7);
		expect({ stdout, stderr, exit_code, duration_ms }).toEqual({
			stdout: 'o',
			stderr: 'e',
			exit_code: 2,
			duration_ms: 7,
		});
	});

	const from = (text: string, httpStatus = 200) => decodeOgentExecution(httpStatus, Buffer.from(text));

	it('is understood from originals', () => {
		expect(from('{"executionId":"e-1","message":"Command scheduled for execution","status":"queued"}')).toEqual({
			...bare,
			message: 'Command scheduled for execution',
		});
		expect(
			from('{"elapsedTime":3,"executionId":"e-1","startTime":"2026-01-02T03:04:05.1","status":"running"}'),
		).toEqual({
			...{ ...bare, status: 'running', startTime: '2026-01-02T03:04:05.1', elapsedSeconds: 3 },
		});
		expect(from('{"error":"","executionId":"e-1","output":"","status":"completed"}')).toEqual({
			...{ ...bare, status: 'completed', output: '', error: '' },
		});
	});

	it.each([
		['canceled', 'cancelled'],
		['cancelled', 'cancelled'],
		['scheduled', 'queued'],
		['pending', 'queued'],
	])('may be called %s for %s', (word, status) => {
		expect(from(JSON.stringify({ execution_id: 'e-1', status: word }))).toEqual({ ...bare, status });
	});

	it.each(['<html>', '{}', '[]', '{"status":"queued"}', '{"executionId":"e","status":"odd"}', '{"executionId":"e"}'])(
		'is not what %s says',
		(text) => {
			expect(from(text)).toBe(undefined);
		},
	);

	it.each([
		[404, '{"error":"Execution not found"}', 'Execution not found'],
		[401, '{"message":"Unauthenticated."}', 'Unauthenticated.'],
		[415, '<!doctype html>', 'HTTP status 415'],
		[500, '', 'HTTP status 500'],
	])('is a refusal with the status %i', (httpStatus, text, error) => {
		expect(from(text, httpStatus)).toEqual(ogentRefused(httpStatus, error));
	});
});

describe('the smaller answers of Ogent', () => {
	it('come out as they went in', () => {
		expect(decodeOgentAllowed(bytes(encodeOgentAllowed(['ls', 'cat'])))).toEqual(['ls', 'cat']);
		const validation = { isValid: false, reason: 'why' };
		expect(decodeOgentValidation(bytes(encodeOgentValidation(validation)))).toEqual(validation);
		const refused = ogentRefused(403, 'Command not allowed', 'why');
		expect(decodeOgentRefused(403, encodeOgentRefused(refused))).toEqual(refused);
	});

	it('are on the wire what the clients of the original read', () => {
		expect(encodeOgentAllowed(['ls'])).toEqual({ allowed_commands: ['ls'] });
		expect(encodeOgentValidation({ isValid: true, reason: '' })).toEqual({
			...{ is_valid: true, reason: '', valid: true, message: '' },
		});
		expect(encodeOgentRefused(ogentRefused(401, 'Token is missing'))).toEqual({ error: 'Token is missing' });
	});

	it.each(['<html>', '[]', '{}', '{"allowed_commands":"ls","is_valid":"yes"}'])('are not what %s says', (text) => {
		expect([decodeOgentAllowed(bytes(text)), decodeOgentValidation(bytes(text))]).toEqual([undefined, undefined]);
	});
});

describe('the paths of Ogent', () => {
	it('are also served as the gateway calls them', () => {
		const paths = Object.values(ogentDialects).flatMap(({ submit, execution }) => [submit, execution]);
		expect([...new Set(paths.map(ogentGatewayPath))]).toEqual([
			'/commands/execute',
			'/commands/execution/:id',
			'/commands/commands',
			'/commands/commands/:id',
			'/commands/commands/execute',
		]);
	});

	it.each([
		['unique-execution-id', true],
		['a.b:c_d-0', true],
		['..', false],
		['...', false],
		['allowed', false],
		['allowed-1', true],
		['a/b', false],
		['', false],
	])('take %j as an id: %s', (id, is) => {
		expect(isOgentExecutionId(id)).toBe(is);
	});
});
