/** TLS of the agent as those see it who look for weaknesses for a living: openssl and testssl.sh. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAgent } from '../helpers/agent.ts';
import { whyMissing } from '../helpers/debian.ts';

let agent: TestAgent;
let ca: string;
beforeAll(async () => {
	agent = await TestAgent.start({ init: ['--host', 'box.example'] });
	ca = join(agent.dir, '..', 'ca.pem');
	writeFileSync(ca, agent.faces.native.ca);
});
afterAll(() => agent.remove());

const faces = ['quickcmd', 'native'] as const;
const portOf = (face: (typeof faces)[number]): string => new URL(agent.faces[face].url).port;

function openssl(face: (typeof faces)[number], ...more: readonly string[]): string {
	const args = ['s_client', '-connect', `127.0.0.1:${portOf(face)}`, '-CAfile', ca, ...more];
	const { stdout, stderr } = spawnSync('openssl', args, { input: '', encoding: 'utf8', timeout: 20_000 });
	return stdout + stderr;
}

describe.each(faces)('the listener of %s', (face) => {
	it.for([
		['-tls1_3', 'TLSv1.3'],
		['-tls1_2', 'TLSv1.2'],
	] as const)('takes %s, with its own certificate as the authority', ([flag, protocol], { skip }) => {
		const missing = whyMissing('openssl', 'openssl');
		if (missing !== undefined) return skip(missing);
		const text = openssl(face, flag, '-verify_hostname', 'box.example', '-verify_return_error', '-alpn', 'http/1.1');
		expect(text).toContain('Verify return code: 0 (ok)');
		expect(text).toMatch(new RegExp(`New, ${protocol.replace('.', '\\.')}, Cipher is (TLS_|ECDHE-ECDSA-)`));
		expect(text).toContain('ALPN protocol: http/1.1');
	});

	it.for([
		['an older protocol', ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0']],
		['a cipher without forward secrecy', ['-tls1_2', '-cipher', 'AES128-SHA:AES256-GCM-SHA384:@SECLEVEL=0']],
		['a cipher in blocks', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:@SECLEVEL=0']],
	] as const)('refuses %s', ([, flags], { skip }) => {
		const missing = whyMissing('openssl', 'openssl');
		if (missing !== undefined) return skip(missing);
		expect(openssl(face, ...flags)).toContain('Cipher is (NONE)');
	});

	it('is not trusted for another name, nor without its certificate', ({ skip }) => {
		const missing = whyMissing('openssl', 'openssl');
		if (missing !== undefined) return skip(missing);
		expect(openssl(face, '-verify_hostname', 'evil.example')).toContain('Verify return code: 62 (hostname mismatch)');
		expect(openssl(face, '-CAfile', '/dev/null')).not.toContain('Verify return code: 0 (ok)');
	});
});

interface Found {
	readonly id: string;
	readonly severity: string;
	readonly finding: string;
}

/** A certificate that is its own authority has nobody who could revoke it; its clients hold it, or its fingerprint. */
const selfSigned = ['cert_revocation'];

it('testssl.sh finds nothing of weight', ({ skip }) => {
	const missing = whyMissing('testssl', 'testssl.sh');
	if (missing !== undefined) return skip(missing);
	const report = join(agent.dir, '..', 'testssl.json');
	const checks = ['--protocols', '--std', '--fs', '--server-preference', '--server-defaults', '--vulnerable'];
	const how = ['--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none', '--ip', '127.0.0.1'];
	const args = [...how, '--add-ca', ca, '--jsonfile', report, ...checks, `localhost:${portOf('quickcmd')}`];
	const { stdout } = spawnSync('testssl', args, { encoding: 'utf8', timeout: 280_000 });
	const found: Found[] = JSON.parse(readFileSync(report, 'utf8'));
	expect(found.length, stdout).toBeGreaterThan(50);
	const heavy = found.filter(
		({ id, severity }) => ['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'].includes(severity) && !selfSigned.includes(id),
	);
	expect(heavy.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`)).toEqual([]);
}, 300_000);
