import { describe, expect, it } from 'vitest';
import type { JobRequestInput } from '../../../src/contract/job.ts';
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

/** A Python that can be started ahead. */
const patient: Runtime = {
	...python,
	launch: (program) => ({
		...python.launch(program),
		waiting: { argv: ['/usr/bin/python3', '--wait', '/code/main.py'], env: { SECURE_CODE_WAIT: '1' } },
	}),
};

describe('a program that can wait for its job', () => {
	const waitingOf = (input: Partial<JobRequestInput>, more: Partial<BoxParts> = {}) =>
		boxSpecFor(request({ code: '', ...input }), { ...parts, runtime: patient, ...more }).waiting;

	it('is started with the environment of every program, and nothing of one job', () => {
		const job = { env: { A: 'b' }, secrets: ['KEY'], stdin: 'x', data: [1] };
		expect(waitingOf(job, { secretValues: { KEY: 'value' } })).toEqual({
			argv: ['/usr/bin/python3', '--wait', '/code/main.py'],
			env: { ...environment, MPLBACKEND: 'Agg', SECURE_CODE_WAIT: '1', SECURE_CODE_PRELOAD: '' },
		});
	});

	it('finds the list of certificates from the beginning where it has a network', () => {
		const list = '/etc/ssl/certs/ca-certificates.crt';
		expect(waitingOf({}, { ports: [53, 443] })?.env).toEqual({
			...environment,
			...{ SSL_CERT_FILE: list, REQUESTS_CA_BUNDLE: list, CURL_CA_BUNDLE: list },
			...{ MPLBACKEND: 'Agg', SECURE_CODE_WAIT: '1', SECURE_CODE_PRELOAD: '' },
		});
	});

	it('does not wait where the job, its runtime or its session forbids it', () => {
		const session = (tree: string | undefined) => ({ session: { tree, keepsState: true } });
		expect({
			warmIsOff: waitingOf({ warm: false }),
			runtimeCannot: waitingOf({}, { runtime: python }),
			command: boxSpecFor(request({ argv: ['ls'] }), { ...parts, runtime: null }).waiting,
			restored: waitingOf({}, session('/tmp/run/tree.tar')),
			firstOfSession: waitingOf({}, session(undefined)) !== undefined,
		}).toEqual({
			...{ warmIsOff: undefined, runtimeCannot: undefined, command: undefined, restored: undefined },
			firstOfSession: true,
		});
	});

	const readAtStart = [
		...['LD_PRELOAD', 'GLIBC_TUNABLES', 'MALLOC_ARENA_MAX', 'LANG', 'LANGUAGE', 'LC_ALL', 'TZ', 'NODE_OPTIONS'],
		...['UV_THREADPOOL_SIZE', 'OPENSSL_CONF', 'PYTHONPATH', 'BASH_ENV', 'BASHOPTS', 'ENV', 'SHELLOPTS'],
		...['POSIXLY_CORRECT', 'PS4', 'IFS', 'OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS'],
		...[
			'NUMEXPR_MAX_THREADS',
			'MPLBACKEND',
			'UID',
			'EUID',
			'PPID',
			'GROUPS',
			'SHLVL',
			'PWD',
			'OLDPWD',
			'SHELL',
			'_',
			'SECONDS',
			'RANDOM',
			'SRANDOM',
			'EPOCHSECONDS',
			'LINENO',
			'HISTCMD',
			'OPTIND',
			'OPTARG',
			'OPTERR',
			'HOSTNAME',
			'HOSTTYPE',
			'MACHTYPE',
			'OSTYPE',
			'FUNCNAME',
			'DIRSTACK',
			'PIPESTATUS',
			'PS1',
			'GLOBIGNORE',
			'IGNOREEOF',
			'ignoreeof',
			'COMP_WORDBREAKS',
			'secure_code_variable',
		],
	];

	it.each(readAtStart)('does not wait where the job sets %s, which is read at the start', (name) => {
		expect(waitingOf({ env: { [name]: 'x' } })).toBeUndefined();
		expect(waitingOf({ secrets: [name] }, { secretValues: { [name]: 'x' } })).toBeUndefined();
	});

	it.each(['A', 'LANGUAGES', 'TZDATA', 'MY_NODE_ENV', 'ENVIRONMENT', 'HOME', 'PATH', 'NO_COLOR'])(
		'waits where the job sets %s',
		(name) => {
			expect(waitingOf({ env: { [name]: 'x' } })).toBeDefined();
		},
	);

	const preloaded = (preload: string[], allowedImports?: string[], modules: string[] = []) =>
		waitingOf({ preload, ...(allowedImports && { allowedImports }) }, { modules })?.env.SECURE_CODE_PRELOAD;

	it('imports ahead what the job names, as far as the program may import it', () => {
		const wish = ['pandas', 'matplotlib.pyplot', 'numpy'];
		expect({
			noList: preloaded(wish),
			list: preloaded(wish, ['matplotlib', 'numpy']),
			emptyList: preloaded(wish, []),
			ofTheBundle: preloaded(wish, [], ['pandas']),
			part: preloaded(['os.path'], ['path']),
		}).toEqual({
			noList: 'pandas,matplotlib.pyplot,numpy',
			list: 'matplotlib.pyplot,numpy',
			emptyList: '',
			ofTheBundle: 'pandas',
			part: '',
		});
	});

	it('imports nothing ahead that could miss what the job brings: its variables, its secrets, its authority', () => {
		const preload = ['pandas', 'numpy.linalg', 'requests', 'pandasql'];
		const ahead = (job: Partial<JobRequestInput>, more: Partial<BoxParts> = {}) =>
			waitingOf({ preload, ...job }, more)?.env.SECURE_CODE_PRELOAD;
		const trust = { certificates: 'list', authority: 'own' };
		expect({
			nothing: ahead({}),
			variable: ahead({ env: { DEBUG: '*' } }),
			secret: ahead({ secrets: ['KEY'] }, { secretValues: { KEY: 'x' } }),
			variableThatIsRead: ahead({ env: { PANDAS_COPY_ON_WRITE: '1' } }),
			secretThatIsRead: ahead({ secrets: ['NPY_DISABLE_CPU_FEATURES'] }),
			authority: ahead({ network: ['a.com'] }, { ports: [443], trust }),
		}).toEqual({
			nothing: 'pandas,numpy.linalg,requests,pandasql',
			variable: 'pandas,numpy.linalg',
			secret: 'pandas,numpy.linalg',
			variableThatIsRead: '',
			secretThatIsRead: '',
			authority: '',
		});
	});
});

describe('what is collected', () => {
	const collectsMadeFolder = (more: Partial<BoxParts>) =>
		boxSpecFor(request({ code: '' }), { ...parts, ...more }).collectsMadeFolder;

	it('may be left out only where nothing but the files of /work/out is wanted', () => {
		const session = { tree: undefined, keepsState: false };
		expect([
			collectsMadeFolder({ wantsFiles: true }),
			collectsMadeFolder({ wantsFiles: true, session }),
			collectsMadeFolder({ session }),
		]).toEqual([true, false, false]);
	});
});

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
			collectsMadeFolder: false,
			waiting: undefined,
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
