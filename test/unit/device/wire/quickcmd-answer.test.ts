import { describe, expect, it } from 'vitest';
import {
	decodeQuickCmdAccepted,
	decodeQuickCmdFrame,
	decodeQuickCmdJob,
	encodeQuickCmdAccepted,
	encodeQuickCmdFrame,
	encodeQuickCmdHealth,
	encodeQuickCmdJob,
	encodeQuickCmdMetrics,
	encodeQuickCmdRefused,
	goTime,
	type QuickCmdFrame,
	type QuickCmdJob,
	type QuickCmdResult,
	quickCmdRefusals,
	quickCmdRefused,
	quickCmdText,
} from '../../../../src/device/wire/quickcmd-answer.ts';

const startedAt = Date.UTC(2025, 0, 7, 10, 0, 0, 120);
const result: QuickCmdResult = {
	...{ status: 'completed', sandboxId: 'abc123', exitCode: 0, stdout: '<a> & b\n', stderr: '' },
	...{ startedAt, endedAt: startedAt + 5000, durationMs: 5000, error: null, snapshot: null, isTruncated: null },
};
const job: QuickCmdJob = { kind: 'job', jobId: 'job-1', status: 'completed', result, message: null };
const json = (body: string, httpStatus = 200) => ({ httpStatus, contentType: 'application/json', body });

describe('a time of Go', () => {
	it.each([
		[null, '0001-01-01T00:00:00Z'],
		[Date.UTC(2025, 0, 7, 10, 0, 0, 0), '2025-01-07T10:00:00Z'],
		[Date.UTC(2025, 0, 7, 10, 0, 0, 120), '2025-01-07T10:00:00.12Z'],
		[Date.UTC(2025, 0, 7, 10, 0, 30, 7), '2025-01-07T10:00:30.007Z'],
		[Date.UTC(2025, 0, 7, 10, 20, 0, 0), '2025-01-07T10:20:00Z'],
	])('of %s is %s', (ms, written) => {
		expect(goTime(ms)).toBe(written);
	});
});

describe('an answer of QuickCMD', () => {
	it('accepts in the bytes of the original', () => {
		const accepted = { kind: 'accepted', jobId: 'job-1', status: 'pending', message: null } as const;
		const encoded = encodeQuickCmdAccepted(accepted);
		expect(encoded).toEqual(json('{"job_id":"job-1","status":"pending"}\n', 202));
		expect(decodeQuickCmdAccepted(202, Buffer.from(encoded.body))).toEqual(accepted);
	});

	it('says that nothing is known of the result yet', () => {
		const running = { ...job, status: 'running', result: null } as const;
		const encoded = encodeQuickCmdJob(running);
		expect(encoded).toEqual(json('{"job_id":"job-1","result":null,"status":"running"}\n'));
		expect(decodeQuickCmdJob(200, Buffer.from(encoded.body))).toEqual(running);
	});

	it('says what a job waits for beside what the original says', () => {
		const message = 'approval required: apr-1';
		const waiting = { ...job, status: 'pending', result: null, message } as const;
		const encoded = encodeQuickCmdJob(waiting);
		expect(encoded.body).toBe(`{"job_id":"job-1","message":"${message}","result":null,"status":"pending"}\n`);
		expect(decodeQuickCmdJob(200, Buffer.from(encoded.body))).toEqual(waiting);
		const accepted = { kind: 'accepted', jobId: 'job-1', status: 'pending', message } as const;
		expect(decodeQuickCmdAccepted(202, Buffer.from(encodeQuickCmdAccepted(accepted).body))).toEqual(accepted);
	});

	it('tells the result in the order of the original, and comes out as it went in', () => {
		const encoded = encodeQuickCmdJob(job);
		expect(encoded.body).toBe(
			'{"job_id":"job-1","result":{"job_id":"job-1","status":"completed","sandbox_id":"abc123","exit_code":0,' +
				'"stdout":"\\u003ca\\u003e \\u0026 b\\n","stderr":"","start_time":"2025-01-07T10:00:00.12Z",' +
				'"end_time":"2025-01-07T10:00:05.12Z","duration_ms":5000},"status":"completed"}\n',
		);
		expect(decodeQuickCmdJob(200, Buffer.from(encoded.body))).toEqual(job);
	});

	it('tells of a job that was refused, with the time that never was', () => {
		const refused: QuickCmdJob = {
			...{ kind: 'job', jobId: 'job-1', status: 'failed', message: null },
			result: {
				...{ ...result, status: 'failed', exitCode: 126, stdout: '', endedAt: null, durationMs: 0 },
				...{ error: 'no', snapshot: '{}', isTruncated: true },
			},
		};
		const encoded = encodeQuickCmdJob(refused);
		expect(encoded.body).toContain(
			'"end_time":"0001-01-01T00:00:00Z","duration_ms":0,"error":"no","snapshot":"{}","truncated":true},"status":"failed"}',
		);
		expect(decodeQuickCmdJob(200, Buffer.from(encoded.body))).toEqual(refused);
	});

	it('is understood from an original: nanoseconds, a zone, a word that it never sends', () => {
		const times = { start_time: '2025-01-07T11:00:00.120456789+01:00', end_time: '0001-01-01T00:00:00Z' };
		const original = {
			...{ job_id: 'job-1', status: 'rejected', sandbox_id: '', exit_code: 1, stdout: '', stderr: '', duration_ms: 0 },
			...times,
		};
		const body = JSON.stringify({ job_id: 'job-1', status: 'rejected', result: original });
		expect(decodeQuickCmdJob(200, Buffer.from(body))).toEqual({
			...{ kind: 'job', jobId: 'job-1', status: 'failed', message: null },
			result: {
				...{ status: 'failed', sandboxId: '', exitCode: 1, stdout: '', stderr: '', startedAt, endedAt: null },
				...{ durationMs: 0, error: null, snapshot: null, isTruncated: null },
			},
		});
	});

	it('refuses in the bytes of the original', () => {
		const { invalidJson, invalidSignature, expired, tooOld, controllerNotAllowed, insufficientScopes } =
			quickCmdRefusals;
		const refused = [invalidJson('x'), invalidSignature(), expired(), tooOld(), controllerNotAllowed()];
		expect([...refused, insufficientScopes()].map(encodeQuickCmdRefused)).toEqual([
			json('{"details":"x","error":"Invalid JSON payload"}\n', 400),
			json('{"details":"INVALID_SIGNATURE: Invalid job signature","error":"Invalid signature"}\n', 401),
			json('{"details":"JOB_EXPIRED: Job has expired (TTL exceeded)","error":"Job expired or too old"}\n', 401),
			json(
				'{"details":"JOB_TOO_OLD: Job timestamp too old (possible replay attack)","error":"Job expired or too old"}\n',
				401,
			),
			json('{"error":"Controller not allowed"}\n', 403),
			json(
				'{"details":"INSUFFICIENT_SCOPES: Insufficient scopes for job execution","error":"Insufficient scopes"}\n',
				403,
			),
		]);
	});

	it('refuses in plain text where the original does', () => {
		const { notFound, methodNotAllowed } = quickCmdRefusals;
		expect([notFound(), methodNotAllowed()].map(encodeQuickCmdRefused)).toEqual([
			quickCmdText(404, 'Job not found'),
			quickCmdText(405, 'Method not allowed'),
		]);
		expect(quickCmdText(404, 'Job not found').body).toBe('Job not found\n');
	});

	it.each(Object.entries(quickCmdRefusals))('%s is understood by a client', (_, make) => {
		const refused = make('x');
		const { httpStatus, body } = encodeQuickCmdRefused(refused);
		expect(decodeQuickCmdAccepted(httpStatus, Buffer.from(body))).toEqual(refused);
		expect(decodeQuickCmdJob(httpStatus, Buffer.from(body))).toEqual(refused);
	});

	it.each([
		[502, '<html><body>Bad gateway</body></html>'],
		[500, ''],
		[404, '\u001b[2J'],
	])('that is a page of somebody else (%i) is a refusal without words', (httpStatus, body) => {
		expect(decodeQuickCmdJob(httpStatus, Buffer.from(body))).toEqual(
			quickCmdRefused(httpStatus, `HTTP status ${httpStatus}`),
		);
	});

	it.each(['', '[]', '{}', '{"job_id":1,"status":"pending"}', '{"job_id":"a","status":"done"}', '\xff'])(
		'that is %j is none',
		(body) => {
			const bytes = Buffer.from(body, 'latin1');
			expect([decodeQuickCmdAccepted(202, bytes), decodeQuickCmdJob(200, bytes)]).toEqual([undefined, undefined]);
		},
	);

	it('tells that it is healthy', () => {
		expect(encodeQuickCmdHealth(1_704_628_500)).toEqual(json('{"status":"healthy","timestamp":1704628500}\n'));
	});

	it('counts under four names, in the words of its document', () => {
		const text = encodeQuickCmdMetrics({ total: 42, running: 2, completed: 39, failed: 1 });
		expect(text).toContain(
			'# HELP quickcmd_agent_jobs_total Total number of jobs\n# TYPE quickcmd_agent_jobs_total counter\nquickcmd_agent_jobs_total 42\n\n' +
				'# HELP quickcmd_agent_jobs_running Currently running jobs\n# TYPE quickcmd_agent_jobs_running gauge\nquickcmd_agent_jobs_running 2\n',
		);
		expect(text.split('\n').filter((line) => /^[^#]/.test(line))).toEqual([
			'quickcmd_agent_jobs_total 42',
			'quickcmd_agent_jobs_running 2',
			'quickcmd_agent_jobs_completed 39',
			'quickcmd_agent_jobs_failed 1',
		]);
	});
});

describe('a frame of QuickCMD', () => {
	const at = Date.UTC(2025, 0, 7, 10, 0, 1);
	const frame: QuickCmdFrame = { jobId: 'job-1', at, stream: 'stdout', data: 'a<b\n', isFinal: false };
	const last: QuickCmdFrame = { jobId: 'job-1', at, stream: '', data: '', isFinal: true };

	it('is a line, in the order of the original, and comes out as it went in', () => {
		expect([frame, last].map(encodeQuickCmdFrame)).toEqual([
			'{"job_id":"job-1","timestamp":"2025-01-07T10:00:01Z","stream":"stdout","data":"a\\u003cb\\n","final":false}\n',
			'{"job_id":"job-1","timestamp":"2025-01-07T10:00:01Z","stream":"","data":"","final":true}\n',
		]);
		expect([frame, last].map((one) => decodeQuickCmdFrame(encodeQuickCmdFrame(one)))).toEqual([frame, last]);
	});

	it.each(['', '{}', '{"job_id":"a","timestamp":"x","stream":"stdout","data":"","final":false}', '[1]'])(
		'that is %j is none',
		(text) => {
			expect(decodeQuickCmdFrame(text)).toBe(undefined);
		},
	);
});
