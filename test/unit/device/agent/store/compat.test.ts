/** The tables that tools of QuickCMD and device_agent read hold what those tools expect, with secrets masked. */
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { jobDraftSchema } from '../../../../../src/contract/device-job.ts';
import { deviceHashOf, genesis, sha256 } from '../../../../../src/core/audit/chain.ts';
import { verifyAudit } from '../../../../../src/core/audit/verify.ts';
import { query, shellEvalJob } from '../../../../helpers/audit.ts';
import {
	accepted,
	addJob,
	agentConfig,
	agentFolder,
	jobRow,
	openTestStore,
	runJob,
} from '../../../../helpers/store.ts';

describe('the detail of a row', () => {
	it('has what was said, with secrets masked', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		const command = { mode: 'argv', argv: ['mysql', '--password', 'hunter2'] };
		await store.change(() => {}, { event: 'job.accepted', detail: { command, peer: null } });
		expect(JSON.parse(query(dir, 'SELECT detail FROM audit_detail')[0]?.detail as string)).toEqual({
			command: { mode: 'argv', argv: ['mysql', '--password', '[REDACTED]'] },
			peer: null,
		});
	});
});

describe("QuickCMD's table runs", () => {
	it('has a row for every job, with no column empty and no secret in it', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		const command = { mode: 'argv' as const, argv: ['deploy', '--token', 'abcdef', 'x'] };
		const draft = jobDraftSchema.parse({ capability: 'shell.exec', command });
		const compat = { prompt: 'deploy with password=hunter2', snapshot: '{"id":1}' };
		await runJob(
			store,
			await addJob(store, { face: 'quickcmd', clientId: 'j-1', draft, compat }),
			'SECRET=abc ok\n',
			'warn',
		);
		await addJob(store, { jobId: 'job-2' });
		expect(query(dir, 'SELECT * FROM runs ORDER BY id')).toEqual([
			{
				...{ id: 1, timestamp: '2026-05-24T10:00:00.005Z', user: 'alice', prompt: 'deploy with password=[REDACTED]' },
				...{ selected_command: 'deploy --token [REDACTED] x', sandbox_id: 'job-1', exit_code: 0 },
				...{ stdout: 'SECRET=[REDACTED] ok\n', stderr: 'warn', risk_level: 'medium', snapshot: '{"id":1}' },
				...{ executed: 1, duration_ms: 12, created_at: '2026-05-24 10:00:00' },
			},
			{
				...{ id: 2, timestamp: '2026-05-24T10:00:00.000Z', user: 'alice', prompt: '', selected_command: 'ls -la' },
				...{ sandbox_id: '', exit_code: -1, stdout: '', stderr: '', risk_level: 'medium', snapshot: '' },
				...{ executed: 0, duration_ms: 0, created_at: '2026-05-24 10:00:00' },
			},
		]);
	});

	it('keeps the two ends of long output', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		await runJob(store, await addJob(store), `first ${'x'.repeat(100_000)} last`);
		const [row] = query(dir, 'SELECT stdout FROM runs');
		expect(row?.stdout).toBe(
			`first ${'x'.repeat(8186)}\n[… ${100_011 - 16_384} bytes cut …]\n${'x'.repeat(8187)} last`,
		);
	});

	it('says no command and no output where they are not to be kept', async () => {
		const dir = agentFolder();
		const audit = { ...agentConfig().audit, keepCommands: false };
		const store = openTestStore(dir, { config: agentConfig({ audit }) });
		await runJob(store, await addJob(store, shellEvalJob('job-1')), 'text');
		expect(query(dir, 'SELECT selected_command, stdout, executed FROM runs')).toEqual([
			{ selected_command: '', stdout: '', executed: 1 },
		]);
		expect(query(dir, 'SELECT count(*) AS rows FROM audit_shell_eval')).toEqual([{ rows: 0 }]);
		expect(query(dir, 'SELECT count(*) AS rows FROM audit_log')).toEqual([{ rows: 1 }]);
	});
});

describe("device_agent's table audit_log", () => {
	it('is a chain of its own over the jobs of that face, and its hash is what the client gets', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		const argsHash = sha256(JSON.stringify(['{"cmd":"git status"}']));
		await runJob(store, await addJob(store, { ...shellEvalJob('a'), compat: { argsHash } }), 'clean');
		await runJob(store, await addJob(store, { jobId: 'native' }), 'other');
		const plain = jobRow({ jobId: 'b', face: 'device', clientId: 'r-b' });
		await store.change((tx) => tx.addJob(plain, 'ended'), { event: 'job.denied', jobId: 'b' });
		const rows = query(dir, 'SELECT * FROM audit_log ORDER BY id');
		const first = {
			ts: rows[0]?.ts,
			request_id: 'r-a',
			capability: 'shell.eval',
			args_hash: argsHash,
			exit_code: 0,
			prev_hash: genesis,
		};
		const firstHash = deviceHashOf(first as never);
		const second = {
			...{ ts: rows[1]?.ts, request_id: 'r-b', capability: 'shell.exec' },
			...{ args_hash: sha256('["ls","-la"]'), exit_code: null, prev_hash: firstHash },
		};
		const secondHash = deviceHashOf(second as never);
		expect(rows).toEqual([
			{ id: 1, ...first, this_hash: firstHash },
			{ id: 2, ...second, this_hash: secondHash },
		]);
		expect([store.job('a')?.auditHash, store.job('b')?.auditHash]).toEqual([firstHash, secondHash]);
	});

	it('has a row for a request that waits, one for its end, and one for a job that was lost', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		const row = shellEvalJob('a');
		await store.change((tx) => tx.addJob(row, 'awaiting_approval'), accepted('a'), {
			event: 'approval.request',
			jobId: 'a',
		});
		const hash = store.job('a')?.auditHash;
		await store.change((tx) => tx.setJob('a', { state: 'running', startedAt: 1 }), { event: 'job.start', jobId: 'a' });
		store.close();
		await openTestStore(dir).recover();
		const rows = query(dir, 'SELECT request_id, exit_code, this_hash FROM audit_log ORDER BY id');
		expect(rows).toEqual([
			{ request_id: 'r-a', exit_code: null, this_hash: hash },
			{ request_id: 'r-a', exit_code: null, this_hash: expect.any(String) },
		]);
	});
});

describe("device_agent's table audit_shell_eval", () => {
	const decoded = (text: unknown): Buffer => {
		const [prefix, body = ''] = String(text).split(':');
		const bytes = Buffer.from(body, 'base64');
		return prefix === 'gz' ? gunzipSync(bytes) : bytes;
	};

	it('has the script in clear, and its output: plain up to 4096 bytes, compressed above', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		const script = 'mysql --password=hunter2 -e "select 1"';
		await runJob(store, await addJob(store, shellEvalJob('a', script)), 'x'.repeat(4096), 'y'.repeat(4097));
		const [row] = query(dir, 'SELECT e.*, l.request_id FROM audit_shell_eval e JOIN audit_log l ON l.id = e.audit_id');
		expect(row).toEqual({
			...{
				audit_id: 1,
				cmd: 'mysql --password=[REDACTED] -e "select 1"',
				cwd: '/repo',
				shell: 'bash',
				request_id: 'r-a',
			},
			stdout_b64: `plain:${Buffer.from('x'.repeat(4096)).toString('base64')}`,
			stderr_b64: expect.stringMatching(/^gz:[A-Za-z0-9+/]+=*$/),
		});
		expect(decoded(row?.stderr_b64).toString()).toBe('y'.repeat(4097));
		expect(await verifyAudit({ dir })).toMatchObject({ status: 'intact' });
	});

	it('keeps bytes that are no text, with secrets masked, and says nothing was printed by a script that did not run', async () => {
		const dir = agentFolder();
		const store = openTestStore(dir);
		const printed = Buffer.concat([Buffer.from([0xff, 0xfe, 0]), Buffer.from('token=abc')]);
		await runJob(store, await addJob(store, shellEvalJob('a')), printed);
		const denied = shellEvalJob('b', 'rm -rf /');
		await store.change((tx) => tx.addJob(denied, 'ended'), { event: 'job.denied', jobId: 'b' });
		const rows = query(dir, 'SELECT cmd, stdout_b64 FROM audit_shell_eval ORDER BY audit_id');
		expect(decoded(rows[0]?.stdout_b64)).toEqual(
			Buffer.concat([Buffer.from([0xff, 0xfe, 0]), Buffer.from('token=[REDACTED]')]),
		);
		expect(rows[1]).toEqual({ cmd: 'rm -rf /', stdout_b64: 'plain:' });
	});
});
