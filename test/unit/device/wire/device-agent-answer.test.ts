import { describe, expect, it } from 'vitest';
import {
	type DeviceAgentAnswer,
	type DeviceAgentRun,
	decodeDeviceAgentAnswer,
	decodeDeviceAgentCapabilities,
	decodeDeviceAgentHealth,
	deviceAgentFailed,
	encodeDeviceAgentAnswer,
	encodeDeviceAgentCapabilities,
	encodeDeviceAgentHealth,
} from '../../../../src/device/wire/device-agent-answer.ts';

const run: DeviceAgentRun = {
	...{ type: 'run', stdout: 'o', stderr: 'e', exitCode: 3, isTruncated: false, durationMs: 12 },
	...{ shell: null, cwd: null, page: null },
};
const runBody = { stdout: 'o', stderr: 'e', exit_code: 3, truncated: false, duration_ms: 12, encoding: 'utf8-lossy' };
const about = { requestId: 'r-1', auditHash: 'ab12' };
const container = { id: 'a1', name: 'web', image: 'nginx:1', state: 'running', status: 'Up 2 hours' };

const done = { kind: 'done', ...about } as const;
const ok = { ok: true, request_id: 'r-1', audit_hash: 'ab12' };

const answers: readonly (readonly [string, DeviceAgentAnswer, number, object])[] = [
	['of shell.exec', { ...done, result: run }, 200, { ...ok, result: runBody }],
	[
		'of shell.eval',
		{ ...done, result: { ...run, shell: 'bash', cwd: '/repo' } },
		200,
		{ ...ok, result: { ...runBody, shell: 'bash', cwd: '/repo' } },
	],
	[
		'of fs.read',
		{ ...done, result: { ...run, page: { offset: 5, nextOffset: 6, isEnd: true } } },
		200,
		{ ...ok, result: { ...runBody, offset: 5, next_offset: 6, eof: true } },
	],
	[
		'of docker.container.list',
		{ ...done, result: { type: 'containers', containers: [container] } },
		200,
		{ ...ok, result: [container] },
	],
	[
		'of docker.container.logs',
		{ ...done, result: { type: 'logs', stdout: 'o', stderr: 'e', isTruncated: true } },
		200,
		{ ...ok, result: { stdout: 'o', stderr: 'e', truncated: true, encoding: 'utf8-lossy' } },
	],
	[
		'that waits for approval',
		deviceAgentFailed('approval_required', 'ask somebody', { ...about, approvalId: 'apr-1' }),
		202,
		{
			...{ ok: false, error: 'approval_required', message: 'ask somebody', request_id: 'r-1' },
			...{ approval_id: 'apr-1', audit_hash: 'ab12' },
		},
	],
	[
		'of a command that ran out of time',
		deviceAgentFailed('timeout', 'too long', { ...about, result: run }),
		200,
		{ ok: false, error: 'timeout', message: 'too long', request_id: 'r-1', result: runBody, audit_hash: 'ab12' },
	],
	[
		'to a stranger',
		deviceAgentFailed('bad_signature', 'who are you'),
		401,
		{ ok: false, error: 'bad_signature', message: 'who are you', request_id: null, audit_hash: null },
	],
];

describe('an answer of device_agent', () => {
	it.each(answers)('%s is on the wire what it says, and comes out as it went in', (_, answer, httpStatus, body) => {
		const encoded = encodeDeviceAgentAnswer(answer);
		expect(encoded).toEqual({ httpStatus, body });
		expect(decodeDeviceAgentAnswer(httpStatus, Buffer.from(JSON.stringify(encoded.body)))).toEqual(answer);
	});

	const from = (httpStatus: number, text: string) => decodeDeviceAgentAnswer(httpStatus, Buffer.from(text));

	it('is understood from an original, whatever its result looks like', () => {
		expect(from(200, '{"ok":true,"result":{"lines":["a"]},"audit_hash":"ff"}')).toEqual({
			...{ kind: 'done', requestId: null, auditHash: 'ff', result: { type: 'raw', raw: { lines: ['a'] } } },
		});
		expect(from(200, '{"ok":true,"result":"text"}')).toEqual({
			...{ kind: 'done', requestId: null, auditHash: null, result: { type: 'raw', raw: 'text' } },
		});
		expect(from(200, '{"ok":true,"result":{"stdout":"x","exit_code":0}}')).toMatchObject({
			result: { ...run, stdout: 'x', stderr: '', exitCode: 0, durationMs: null },
		});
		expect(from(403, '{"ok":false,"error":"approval_required"}')).toEqual({
			...deviceAgentFailed('approval_required', 'approval_required'),
			httpStatus: 403,
		});
	});

	it.each(['', '<html>', '[]', '{}', '{"ok":1}', '{"ok":false}', '{"ok":true,"ok":false,"error":"x"}'])(
		'that is %j is none',
		(text) => {
			expect(from(200, text)).toBe(undefined);
		},
	);
});

describe('the health of device_agent', () => {
	const health = { isOk: true, deviceId: 'home-wsl', version: '0.2.0' };

	it('is in the bytes of the original, and comes out as it went in', () => {
		const text = JSON.stringify(encodeDeviceAgentHealth(health));
		expect(text).toBe('{"ok":true,"device_id":"home-wsl","version":"0.2.0"}');
		expect(decodeDeviceAgentHealth(Buffer.from(text))).toEqual(health);
	});

	it('is nothing else', () => {
		expect(['', '{}', '{"status":"ok"}'].map((text) => decodeDeviceAgentHealth(Buffer.from(text)))).toEqual(
			Array(3).fill(undefined),
		);
	});
});

describe('the capabilities of device_agent', () => {
	const list = [
		{ name: 'shell.exec', binariesAllowed: ['ls', 'cat'], requiresApproval: false },
		{ name: 'shell.eval', binariesAllowed: null, requiresApproval: true },
	];

	it('are in the words of the manifest, and come out as they went in', () => {
		const body = encodeDeviceAgentCapabilities({ deviceId: 'home-wsl', version: '0.2.0' }, list);
		expect(body).toEqual({
			...{ ok: true, device_id: 'home-wsl', version: '0.2.0' },
			capabilities: [
				{ name: 'shell.exec', binaries_allowed: ['ls', 'cat'], requires_approval: false },
				{ name: 'shell.eval', requires_approval: true },
			],
		});
		expect(decodeDeviceAgentCapabilities(Buffer.from(JSON.stringify(body)))).toEqual(list);
	});

	it('are understood as a bare list, too, and are nothing else', () => {
		const read = (text: string) => decodeDeviceAgentCapabilities(Buffer.from(text));
		expect(read('[{"name":"shell.exec"}]')).toEqual([
			{ name: 'shell.exec', binariesAllowed: null, requiresApproval: false },
		]);
		expect(['', '{}', '["shell.exec"]'].map(read)).toEqual(Array(3).fill(undefined));
	});
});
