import { describe, expect, it } from 'vitest';
import { type BoxParts, boxSpecFor } from '../../../src/core/box-spec.ts';
import { collectorFor } from '../../../src/core/sandbox/collector.ts';
import type { Runtime } from '../../../src/core/sandbox/runtimes/runtime.ts';
import { request } from '../../helpers/box.ts';

const python: Runtime = {
	language: 'python',
	version: '3.11.2',
	lack: null,
	hostProgram: '/usr/bin/python3',
	hostFiles: {},
	texts: {},
	links: {},
	hostFolders: [],
	overlays: {},
	launch: ({ code }) => ({
		argv: ['/usr/bin/python3', '/code/main.py'],
		env: { MPLBACKEND: 'Agg' },
		files: [{ path: '/code/main.py', content: code }],
		limitAddressSpace: true,
	}),
};

const parts: BoxParts = {
	inspected: { language: 'python', dialect: 'javascript', code: 'print(1)', findings: [] },
	runtime: python,
	secretValues: {},
	inFolder: undefined,
	wantsFiles: false,
	packages: [],
	ports: [],
};

const environment = {
	PATH: '/usr/local/bin:/usr/bin:/bin',
	HOME: '/work',
	USER: 'sandbox',
	LOGNAME: 'sandbox',
	LANG: 'C.UTF-8',
	TZ: 'UTC',
	TMPDIR: '/tmp',
};

describe('boxSpecFor', () => {
	it('asks for what the language needs and nothing else', () => {
		const job = request({ code: 'print(1)' });
		expect(boxSpecFor(job, parts)).toEqual({
			argv: ['/usr/bin/python3', '/code/main.py'],
			env: { ...environment, MPLBACKEND: 'Agg' },
			secretEnv: {},
			limits: job.limits,
			files: [{ path: '/code/main.py', content: 'print(1)' }],
			binds: [],
			ports: [],
			limitAddressSpace: true,
			madeFolder: '/work/out',
			collector: [],
		});
	});

	it('starts a command as it is, without a shell', () => {
		const inspected = { language: null, dialect: 'javascript', code: '', findings: [] } as const;
		const job = request({ argv: ['/usr/bin/echo', '$HOME; ls'] });
		const { argv, files, env } = boxSpecFor(job, {
			...parts,
			inspected: { ...inspected, findings: [] },
			runtime: null,
		});
		expect({ argv, files, env }).toEqual({
			argv: ['/usr/bin/env', '--', '/usr/bin/echo', '$HOME; ls'],
			files: [],
			env: environment,
		});
	});

	it('shows the list of certificates and the authority of the job when secrets are put in outside', () => {
		const trust = { certificates: 'LIST', authority: 'OURS' };
		const list = '/etc/ssl/certs/ca-certificates.crt';
		const { env, files } = boxSpecFor(request({ code: 'print(1)' }), { ...parts, ports: [53, 80], trust });
		expect(env).toEqual({
			...environment,
			...{ SSL_CERT_FILE: list, REQUESTS_CA_BUNDLE: list, CURL_CA_BUNDLE: list },
			...{ NODE_EXTRA_CA_CERTS: '/opt/secure-code/authority.pem', MPLBACKEND: 'Agg' },
		});
		expect(files).toEqual([
			{ path: '/code/main.py', content: 'print(1)' },
			{ path: '/etc/resolv.conf', content: 'nameserver 127.0.0.1\noptions timeout:5 attempts:2\n' },
			{ path: list, content: 'LIST\nOURS' },
			{ path: '/opt/secure-code/authority.pem', content: 'OURS' },
		]);
	});

	it('lets the job change its environment, but keeps secrets apart', () => {
		const job = request({ code: '', env: { TZ: 'Europe/Madrid', A: 'b' }, secrets: ['KEY'] });
		const { env, secretEnv } = boxSpecFor(job, { ...parts, secretValues: { KEY: 'value', OTHER: 'not asked for' } });
		expect({ env, secretEnv }).toEqual({
			env: { ...environment, MPLBACKEND: 'Agg', TZ: 'Europe/Madrid', A: 'b' },
			secretEnv: { KEY: 'value' },
		});
	});

	it('shows packages and inputs read-only', () => {
		const packages = [{ hostPath: '/var/lib/packages', path: '/opt/packages/python' }];
		expect(boxSpecFor(request({ code: '' }), { ...parts, packages, inFolder: '/tmp/run/in' }).binds).toEqual([
			{ hostPath: '/var/lib/packages', path: '/opt/packages/python' },
			{ hostPath: '/tmp/run/in', path: '/work/in' },
		]);
	});

	it('collects files where they are wanted, with nothing of the environment of the program', () => {
		const { collector } = boxSpecFor(request({ code: '' }), { ...parts, wantsFiles: true });
		expect(collector).toEqual(collectorFor({ files: true, session: false }));
	});

	it('gives a job with a network the gateway as its resolver and the list of certificates', () => {
		const { ports, files, env } = boxSpecFor(request({ code: '' }), { ...parts, ports: [53, 443] });
		expect({ ports, resolver: files.at(-1), certificates: env.SSL_CERT_FILE }).toEqual({
			ports: [53, 443],
			resolver: { path: '/etc/resolv.conf', content: 'nameserver 127.0.0.1\noptions timeout:5 attempts:2\n' },
			certificates: '/etc/ssl/certs/ca-certificates.crt',
		});
	});
});
