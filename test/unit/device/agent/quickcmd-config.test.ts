import { describe, expect, it } from 'vitest';
import { readQuickCmdConfig } from '../../../../src/device/agent/quickcmd-config.ts';

/** That of QuickCMD's document, with a secret. */
const original = (secret: string) => `# Server settings
port: 8443
tls_cert_file: "/etc/quickcmd/agent-cert.pem"
tls_key_file: "/etc/quickcmd/agent-key.pem"

# Authentication
hmac_secret: "${secret}"  # Generate with: quickcmd agent gen-key

# Allowed controllers
allowed_controllers:
  - "controller-1"
  - "https://quickcmd.example.com"

# Execution settings
max_concurrent_jobs: 5
allowed_images:
  - "alpine:latest"
  - "ubuntu:latest"
default_image: "alpine:latest"

# Security
run_as_user: "quickcmd"
run_as_group: "quickcmd"

# Sandbox defaults
default_cpu_limit: 0.5
default_memory_limit: 268435456  # 256 MB
default_timeout_seconds: 300

# Audit
audit_db_path: "/var/lib/quickcmd/agent-audit.db"
`;
const secret = '0b39d2ab57a5fe9a6cbe37e4c1a8a5b2d7d7a01fd8d2a4c8b0e7c3f9a6b1d2e4';
const problem = (text: string): unknown => {
	try {
		return readQuickCmdConfig(text);
	} catch (error) {
		return (error as { problem: { message: string } }).problem.message;
	}
};

describe('the configuration of QuickCMD', () => {
	it('is read as its document shows it', () => {
		expect(readQuickCmdConfig(original(secret))).toEqual({
			...{ port: 8443, tls: { certFile: '/etc/quickcmd/agent-cert.pem', keyFile: '/etc/quickcmd/agent-key.pem' } },
			...{ secret, controllers: ['controller-1', 'https://quickcmd.example.com'], concurrentJobs: 5 },
		});
	});

	it('needs no more than a secret and a controller', () => {
		expect(readQuickCmdConfig(`hmac_secret: ${secret}\nallowed_controllers: [a]\n`)).toEqual({
			...{ port: undefined, tls: undefined, secret, controllers: ['a'], concurrentJobs: undefined },
		});
	});

	it.each(['CHANGE_ME', 'CHANGE_ME_0123456789_0123456789_0123456789', '4cd1f0', 'x'.repeat(64)])(
		'is refused with the secret %j, which is not repeated',
		(weak) => {
			const message = problem(original(weak));
			expect(message).toMatch(/hmac_secret: its secret is/);
			expect(message).not.toContain(weak);
		},
	);

	it.each([
		['', 'expected object'],
		['a: [', 'no YAML'],
		[`hmac_secret: ${secret}\n`, 'allowed_controllers'],
		[`hmac_secret: ${secret}\nallowed_controllers: []\n`, 'allowed_controllers'],
		[original(secret).replace('port: 8443', 'port: none'), 'port'],
		[original(secret).replace('port:', 'ports:'), 'Unrecognized key'],
		[original(secret).replace(/tls_key_file.*\n/, ''), 'belong together'],
		[original(secret).replace('/etc/quickcmd/agent-cert.pem', 'agent-cert.pem'), 'absolute path'],
	])('%j is none', (text, why) => {
		expect(problem(text)).toContain(why);
	});
});
