/** QuickCMD against Go itself: its encoding/json signs what ours signs, and a controller written in Go runs a job. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeQuickCmdRequest, quickCmdSignedText, signQuickCmd } from '../../src/device/wire/quickcmd.ts';
import { openPolicy, TestAgent } from '../helpers/agent.ts';

const run = promisify(execFile);
const hasGo = spawnSync('go', ['version']).status === 0;
if (!hasGo && process.env.CI === 'true') throw new Error('Go is needed here');

describe.skipIf(!hasGo)(`a controller written in Go${hasGo ? '' : ' (skipped: there is no Go)'}`, () => {
	const folder = mkdtempSync(join(tmpdir(), 'secure-code-go-'));
	const program = join(folder, 'quickcmd-go');
	afterAll(() => rmSync(folder, { recursive: true }));
	beforeAll(async () => {
		const env = { ...process.env, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local', GOPROXY: 'off' };
		await run('go', ['build', '-o', program, '.'], { cwd: 'test/fixtures/quickcmd-go', env });
	});

	const signedByGo = (payloads: readonly string[]): string[] => {
		const { stdout } = spawnSync(program, ['sign', 'test-secret'], {
			...{ input: `${payloads.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1 << 28 },
		});
		return stdout.trimEnd().split('\n');
	};

	/** In the spelling of Go 1.22 and later; an older one is told by its first answer. */
	const signedByUs = (payload: string, spelling: 'short' | 'long'): string => {
		const reading = decodeQuickCmdRequest(Buffer.from(`{"payload":${payload},"signature":{}}`));
		if (!('signed' in reading)) return 'refused';
		const { payload: read } = reading.signed;
		return `${signQuickCmd(read, 'test-secret', spelling)}\t${quickCmdSignedText(read, spelling)}`;
	};

	it('signs every payload as we do, to the byte', () => {
		const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string());
		const metadata = fc.option(fc.dictionary(text, fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' })));
		const payloads = fc.record(
			{
				...{ job_id: text, prompt: text, command: text, candidate_metadata: metadata, plugin_metadata: metadata },
				...{ required_scopes: fc.option(fc.array(text)), snapshot_metadata: text, controller_id: text },
				...{ ttl: fc.maxSafeInteger(), timestamp: fc.maxSafeInteger() },
			},
			{ requiredKeys: [] },
		);
		const numbers = fc.record({
			candidate_metadata: fc.dictionary(text, fc.double({ noNaN: true, noDefaultInfinity: true })),
		});
		const sample = [
			...fc.sample(payloads, { numRuns: 2000, seed: 1 }),
			...fc.sample(numbers, { numRuns: 1000, seed: 2 }),
		].map((payload) => JSON.stringify(payload));
		sample.push('{"command":"\\ud800x\\udc00","candidate_metadata":{"a\\udfff":["\\ud83d","\\ud83d\\ude00"]}}');
		const [first = ''] = signedByGo(['{"prompt":"\\b"}']);
		const spelling = first.includes('\\b') ? 'short' : 'long';
		expect(signedByGo(sample)).toEqual(sample.map((payload) => signedByUs(payload, spelling)));
	});

	it('refuses what we refuse, of what both refuse', () => {
		const refused = ['{', '[]', '{"ttl":1.0}', '{"ttl":1e9}', '{"timestamp":"1"}', '{"command":1}'];
		const more = ['{"candidate_metadata":{"a":1e400}}', '{"required_scopes":"x"}', '{"plugin_metadata":[]}'];
		const all = [...refused, ...more];
		expect([signedByGo(all), all.map((payload) => signedByUs(payload, 'short'))]).toEqual(
			Array(2).fill(all.map(() => 'refused')),
		);
	});

	describe('and a real agent', () => {
		let agent: TestAgent;
		beforeAll(async () => {
			agent = await TestAgent.start({ policy: openPolicy() });
			agent.write('ca.pem', agent.faces.quickcmd.ca);
		});
		afterAll(() => agent?.remove());

		const submit = (secret: string, command: string) =>
			run(program, ['run', agent.faces.quickcmd.url, join(agent.dir, 'ca.pem'), secret, command]);

		it('runs a job and reads its result', async () => {
			const { stdout } = await submit(agent.faces.quickcmd.secret, "printf '<%s>' a; echo e >&2; exit 7");
			expect(JSON.parse(stdout)).toMatchObject({
				...{ status: 'completed', result: { exit_code: 7, stdout: '<a>', stderr: 'e\n', status: 'completed' } },
			});
		});

		it('is told that its signature is wrong', async () => {
			await expect(submit(`${agent.faces.quickcmd.secret}x`, 'id')).rejects.toMatchObject({
				stderr: '401 {"details":"INVALID_SIGNATURE: Invalid job signature","error":"Invalid signature"}\n\n',
			});
		});
	});
});
