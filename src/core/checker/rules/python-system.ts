/** Rules about Python that leaves the language, the network border or its own process. */
import type { Fact } from '../facts.ts';
import { HOLE, refsOf, textsOf, type Values } from '../values/value.ts';
import { isOwnFile } from './own-files.ts';
import { membersOf, networkMode, type Objection, type Rule, type RuleContext } from './rule.ts';

const native: Rule = {
	id: 'PY-NATIVE',
	cwe: 'CWE-676',
	severity: 'block',
	language: 'python',
	summary: 'Calls machine code or memory directly: ctypes, cffi, mmap, llvmlite.',
	dependsOn: [],
	references: [
		{
			names: 'ctypes cffi _cffi_backend mmap pymem keystone unicorn numpy.ctypeslib llvmlite.binding',
			at: 'both',
			reason: 'it reaches machine code or memory directly',
			fix: 'Use plain Python, array, struct or numpy.',
		},
	],
	denies: { code: 'import ctypes\nctypes.CDLL(None).system(b"id")' },
	allows: { code: 'import struct\nprint(struct.pack("<I", 7))' },
};

const loaders = `${membersOf('pickle', 'load loads Unpickler _load _loads _Unpickler')} ${membersOf('marshal', 'load loads')} ${membersOf('shelve', 'open Shelf')}
	${membersOf('dill', 'load loads Unpickler')} ${membersOf('cloudpickle', 'load loads')} joblib.load jsonpickle.decode jsonpickle.loads
	${membersOf('yaml', 'unsafe_load unsafe_load_all full_load full_load_all UnsafeLoader UnsafeLoader.x')} pandas.read_pickle torch.load
	${membersOf('pickletools', 'x')} sklearn.externals.joblib.load ruamel.yaml.YAML.x`;

const loads = new Set(loaders.split(/\s+/));

const deserialise: Rule = {
	id: 'PY-DESER',
	cwe: 'CWE-502',
	severity: 'block',
	language: 'python',
	summary:
		'Loads objects that can run code while they are loaded: pickle, marshal, shelve, yaml.load without a safe loader.',
	dependsOn: ['writableRoots'],
	judge: unsafeLoad,
	denies: { code: 'import pickle, sys\nprint(pickle.loads(sys.stdin.buffer.read()))' },
	allows: { code: 'import json, sys\nprint(json.loads(sys.stdin.read()))' },
};

/** A load of what the same program dumped is its own business. */
function unsafeLoad(fact: Fact, context: RuleContext): Objection[] {
	const fix = 'Exchange data as JSON: json.load, json.loads.';
	const reason = 'loading it can run any code that the data asks for';
	if (fact.kind === 'call' && /^yaml\.load(_all)?$/.test(fact.path)) {
		const loader = fact.args[1] ?? fact.keywords.get('Loader');
		if (loader && refsOf(loader).every((path) => /(Safe|Base)Loader$/.test(path))) return [];
		return [{ resolved: fact.path, reason, fix: 'Use yaml.safe_load.' }];
	}
	if (fact.kind === 'call' && fact.path === 'numpy.load')
		return allowsPickle(fact.keywords.get('allow_pickle')) ? [{ resolved: fact.path, reason, fix }] : [];
	if (fact.kind !== 'reference' || !loads.has(fact.path)) return [];
	return [
		{
			resolved: fact.path,
			reason,
			fix,
			...(fact.path.endsWith('load') && dumpsItself(fact.path, context) ? { severity: 'warn' as const } : {}),
		},
	];
}

const allowsPickle = (flag: Values | undefined): boolean =>
	flag?.some((value) => value.kind === 'number' && value.number === 1) ?? false;

function dumpsItself(path: string, { facts }: RuleContext): boolean {
	const module = path.split('.')[0] as string;
	const writers = new Set([
		`${module}.dump`,
		`${module}.dumps`,
		`${module}.save`,
		'pandas.DataFrame().to_pickle',
		`${module}.Pickler`,
		`${module}.open`,
	]);
	const forged = facts.some((fact) => fact.kind === 'attribute' && /^__(reduce|reduce_ex|setstate)__$/.test(fact.name));
	return (
		!forged &&
		facts.some(
			(fact) =>
				(fact.kind === 'reference' || fact.kind === 'call') && (writers.has(fact.path) || fact.path === '?.to_pickle'),
		) &&
		isOwnFile(facts)
	);
}

const freeOfSys =
	/^(sys\.(stdout|stderr|stdin|path|argv|setrecursionlimit|dont_write_bytecode|excepthook|exitcode|tracebacklimit|ps1|ps2|modules|displayhook)|os\.(environ|umask))(\.|$)/;

const tamper: Rule = {
	id: 'PY-TAMPER',
	cwe: 'CWE-913',
	severity: 'warn',
	language: 'python',
	summary: 'Replaces members of builtins, os or sys, apart from the standard streams and the path.',
	dependsOn: [],
	judge: (fact) => {
		if (
			fact.kind !== 'assign' ||
			!/^(builtins|os|sys|importlib|subprocess|socket|shutil|io)\./.test(fact.path) ||
			freeOfSys.test(fact.path)
		)
			return [];
		if (/\(\)/.test(fact.path)) return [];
		return [{ resolved: fact.path, reason: 'it replaces a part of Python itself', fix: 'Use a name of your own.' }];
	},
	denies: { code: 'import builtins\nbuiltins.open = print' },
	allows: { code: 'import io, sys\nsys.stdout = io.StringIO()' },
};

const actsOfProcess = 'kill terminate suspend resume send_signal nice ionice rlimit cpu_affinity memory_maps environ';

const privilege: Rule = {
	id: 'PY-PRIV',
	cwe: 'CWE-250',
	severity: 'block',
	language: 'python',
	summary: 'Acts on other processes or on its own rights: kill, setuid, chroot, setns, psutil kill.',
	dependsOn: [],
	references: [
		{
			names: `${membersOf(
				'os',
				`kill killpg setuid setgid seteuid setegid setreuid setregid setresuid setresgid setgroups initgroups chroot dup2 setns unshare
				pidfd_open mknod mkfifo setpriority nice setsid setpgid sched_setaffinity sched_setscheduler ptrace tcsetpgrp setxattr lchown
				chown fchown memfd_create openpty login_tty add_dll_directory`,
			)} ${membersOf('signal', 'pthread_kill pidfd_send_signal')}`,
			free: 'os.nice os.setpriority os.sched_setaffinity',
			at: 'use',
			reason: 'it acts on other processes or on the rights of this one',
			fix: 'Leave it out; the sandbox ends the program and its processes by itself.',
		},
		{
			names: membersOf('psutil', 'process_iter Process pids pid_exists wait_procs users'),
			at: 'use',
			severity: 'warn',
			reason: 'it looks at other processes, and there are none in this sandbox',
			fix: 'Leave it out.',
		},
		{
			names: `${membersOf('psutil.process_iter()', actsOfProcess)} ${membersOf('psutil.Process()', actsOfProcess)} psutil.Popen pwd.getpwall spwd prctl seccomp pyroute2`,
			at: 'use',
			reason: 'it looks at or changes things outside this program',
			fix: 'Leave it out; only this program runs in the sandbox.',
		},
	],
	denies: { code: 'import os, signal\nos.kill(1, signal.SIGKILL)' },
	allows: { code: 'import os\nprint(os.getpid())' },
};

const clients = `socket socketserver ssl.wrap_socket urllib.request urllib2 http.client http.server xmlrpc ftplib smtplib poplib imaplib nntplib telnetlib
	requests httpx aiohttp urllib3 paramiko websocket websockets pycurl scapy nmap netmiko twisted tornado flask fastapi uvicorn django bottle
	boto3 botocore grpc zmq redis pymongo psycopg2 pymysql mysql socks stem shodan dns.resolver whois geopy selenium playwright scrapy mechanize
	smbprotocol impacket pysnmp ldap3 asyncssh pyngrok kafka pika paho.mqtt tweepy praw yfinance openai anthropic discord telegram slack_sdk
	wget gdown youtube_dl yt_dlp wikipedia feedparser.parse httplib2 treq pyppeteer requests_html ping3 icmplib speedtest netifaces
	${membersOf('asyncio', 'open_connection start_server open_unix_connection start_unix_server')} wsgiref.simple_server pysftp
	http.server.HTTPServer dropbox twilio sendgrid nltk.download torch.hub torchvision.datasets.utils.download_url
	${membersOf('psutil', 'net_connections net_io_counters net_if_addrs net_if_stats')} sklearn.datasets.fetch_openml sklearn.datasets.fetch_20newsgroups seaborn.load_dataset huggingface_hub`;

const exceptionsAndConstants = `socket.error socket.timeout socket.gaierror socket.herror socket.AF_INET socket.AF_INET6 socket.SOCK_STREAM
	socket.SOCK_DGRAM socket.gethostname socket.inet_aton socket.inet_ntoa socket.inet_pton socket.inet_ntop socket.htons socket.ntohs
	socket.htonl socket.ntohl requests.exceptions requests.RequestException requests.HTTPError requests.ConnectionError requests.Timeout
	requests.codes requests.utils.quote requests.structures urllib3.exceptions urllib3.util urllib3.disable_warnings aiohttp.ClientError
	httpx.HTTPError http.client.HTTPException http.client.responses http.client.OK smtplib.SMTPException ftplib.error_perm
	ftplib.all_errors botocore.exceptions django.utils django.conf flask.json redis.exceptions pymysql.err geopy.distance twisted.internet.defer`;

const network: Rule = {
	id: 'PY-NET',
	cwe: 'CWE-918',
	severity: 'block',
	language: 'python',
	summary: 'Uses the network: sockets, HTTP, mail and database clients.',
	dependsOn: ['network'],
	mode: networkMode,
	references: [
		{
			names: clients,
			free: exceptionsAndConstants,
			at: 'both',
			reason: 'it needs the network, which is off in this sandbox',
			fix: 'Work with the input files in /work/in, or ask for the data to be handed over.',
		},
	],
	judge: (fact) => {
		if (fact.kind !== 'call' || !/^pandas\.read_\w+$/.test(fact.path)) return [];
		const url = fact.args[0]?.flatMap((value) => textsOf([value])).find((text) => /^(https?|ftp|s3):\/\//.test(text));
		if (url === undefined) return [];
		return [
			{
				resolved: url.replaceAll(HOLE, '…').slice(0, 80),
				reason: 'it needs the network, which is off in this sandbox',
				fix: 'Read a file from /work/in.',
			},
		];
	},
	denies: { code: 'from urllib import request as r\nr.urlopen("http://a.b")' },
	allows: { code: 'import requests\nrequests.get("http://a.b")', options: { network: 'full' } },
};

export const pythonSystemRules: readonly Rule[] = [native, deserialise, tamper, privilege, network];
