/** Rules about JavaScript that starts programs, runs text as code, or leaves its own process. */
import type { Fact } from '../facts.ts';
import { knownTexts } from '../values/value.ts';
import { membersOf, networkMode, type Objection, type Rule } from './rule.ts';

const noSubprocess = 'it starts another program, and subprocesses are off in this sandbox';

const exec: Rule = {
	id: 'JS-EXEC',
	cwe: 'CWE-78',
	severity: 'block',
	language: 'javascript',
	summary: 'Starts another program: child_process, cluster, execa, shelljs, zx, node-pty, Deno, Bun.',
	dependsOn: ['allowSubprocess'],
	mode: ({ allowSubprocess }) => (allowSubprocess ? 'warn' : 'on'),
	references: [
		{
			names: `child_process cluster execa shelljs zx node-pty cross-spawn spawn-sync sync-exec execSync tinyexec nano-spawn npm-run node-cmd
				${membersOf('globalThis.Deno', 'run Command')} ${membersOf('globalThis.Bun', 'spawn spawnSync $')} globalThis.process.binding().spawn`,
			at: 'both',
			reason: noSubprocess,
			fix: 'Do the work in JavaScript itself, or send shell commands with language "bash".',
		},
	],
	denies: { code: "const cp = require('child_' + 'process');\ncp.execSync('ls');" },
	allows: { code: "const { readdirSync } = require('fs');\nconsole.log(readdirSync('/work'));" },
};

const evaluate: Rule = {
	id: 'JS-EVAL',
	cwe: 'CWE-95',
	severity: 'block',
	language: 'javascript',
	summary: 'Runs text as code: eval, Function by any way to its constructor, timers with text, vm, repl.',
	dependsOn: [],
	references: [
		{
			names: 'globalThis.eval globalThis.Function globalThis.AsyncFunction globalThis.GeneratorFunction',
			free: membersOf('globalThis.Function', 'prototype name length'),
			at: 'use',
			reason: 'it runs text as code',
			fix: 'Write the code out; for data use JSON.parse.',
		},
		{
			names: 'vm vm2 repl isolated-vm node:vm esprima.x safe-eval eval notevil static-eval.x',
			at: 'both',
			reason: 'it runs text as code',
			fix: 'Write the code out in this program.',
		},
		{
			names: 'globalThis.document.write globalThis.importScripts globalThis.execScript globalThis.ShadowRealm',
			at: 'use',
			reason: 'it runs text as code',
			fix: 'Write the code out in this program.',
		},
	],
	judge: timedText,
	denies: { code: "[].filter.constructor('return process')();" },
	allows: { code: "console.log(JSON.parse('[1]'), typeof eval);" },
};

/** A timer runs a text as code; a function is fine. */
function timedText(fact: Fact): Objection[] {
	if (fact.kind !== 'call' || !/^globalThis\.(setTimeout|setInterval|setImmediate)$/.test(fact.path)) return [];
	if (knownTexts(fact.args[0] ?? []).length === 0) return [];
	return [
		{
			resolved: fact.path.slice(11),
			reason: 'it runs text as code',
			fix: 'Give it a function: setTimeout(() => work(), 100).',
		},
	];
}

const dynamicImport: Rule = {
	id: 'JS-DYNIMPORT',
	cwe: 'CWE-470',
	severity: 'block',
	language: 'javascript',
	summary: 'Loads a module whose name is only known at run time, or through the insides of the module system.',
	dependsOn: [],
	references: [
		{
			names: `${membersOf('module', '_load _resolveFilename _extensions _compile _cache _pathCache wrap register registerHooks syncBuiltinESMExports prototype')}
				globalThis.require.cache globalThis.require.extensions globalThis.module.children globalThis.module._compile globalThis.module.paths
				globalThis.module._extensions`,
			at: 'use',
			reason: 'it loads modules past require and import',
			fix: 'Load the module by its name.',
		},
	],
	judge: (fact) =>
		fact.kind === 'dynamic' && fact.what === 'import'
			? [
					{
						reason: 'it loads a module whose name is not known before it runs',
						fix: "Load each module by its name: require('path').",
					},
				]
			: [],
	denies: { code: 'require(process.argv[2]);' },
	allows: { code: "const path = require('pa' + 'th');\nconsole.log(path.sep);" },
};

const risky =
	/^(globalThis|globalThis\.(process|module|require|Reflect|Deno|Bun)|child_process|fs|fs\/promises|module|vm|net|http|https|worker_threads|cluster)$/;

const dynamicAttribute: Rule = {
	id: 'JS-DYNATTR',
	cwe: 'CWE-470',
	severity: 'block',
	language: 'javascript',
	summary:
		'Takes a member of the global object, process or a powerful module by a name that is only known at run time.',
	dependsOn: [],
	judge: (fact) => {
		if (fact.kind !== 'dynamic' || fact.what !== 'attribute' || !risky.test(fact.of)) return [];
		const name = fact.of.replace(/^globalThis\./, '');
		return [
			{
				resolved: name,
				reason: `it picks a member of ${name} by an unknown name`,
				fix: `Write the member out: ${name}.name.`,
			},
		];
	},
	denies: { code: 'globalThis[process.argv[2]]("x");' },
	allows: { code: "const name = 'floor';\nconsole.log(Math[name](1.5));" },
};

const native: Rule = {
	id: 'JS-NATIVE',
	cwe: 'CWE-676',
	severity: 'block',
	language: 'javascript',
	summary:
		'Reaches the insides of the engine or machine code: process.binding, dlopen, inspector, v8, wasi; WebAssembly warns.',
	dependsOn: [],
	references: [
		{
			names: `${membersOf('globalThis.process', 'binding _linkedBinding dlopen _debugProcess _debugEnd _kill _rawDebug report setUncaughtExceptionCaptureCallback')}
				inspector inspector/promises wasi ffi ffi-napi ref-napi koffi node-ffi-napi bindings node-gyp-build trace_events
				${membersOf('v8', 'setFlagsFromString deserialize setHeapSnapshotNearHeapLimit startupSnapshot writeHeapSnapshot')} bun:ffi
				globalThis.Deno.dlopen sqlite.DatabaseSync.loadExtension`,
			at: 'both',
			reason: 'it reaches the insides of the engine or machine code',
			fix: 'Use plain JavaScript.',
		},
		{
			names: 'globalThis.WebAssembly',
			at: 'use',
			severity: 'warn',
			reason: 'it runs machine code that cannot be checked',
			fix: 'Use plain JavaScript where it is fast enough.',
		},
	],
	judge: (fact) =>
		fact.kind === 'import' && fact.module.endsWith('.node')
			? [{ resolved: fact.module, reason: 'it loads machine code', fix: 'Use plain JavaScript.' }]
			: [],
	denies: { code: "process.binding('spawn_sync');" },
	allows: { code: 'console.log(process.version, process.memoryUsage().rss > 0);' },
};

const worker: Rule = {
	id: 'JS-WORKER',
	cwe: 'CWE-400',
	severity: 'block',
	language: 'javascript',
	summary: 'Starts worker threads.',
	dependsOn: ['allowWorkers'],
	mode: ({ allowWorkers }) => (allowWorkers ? 'off' : 'on'),
	references: [
		{
			names: 'worker_threads globalThis.Worker globalThis.SharedWorker piscina workerpool threads',
			free: 'worker_threads.isMainThread worker_threads.parentPort worker_threads.workerData',
			at: 'both',
			reason: 'it starts threads, which are off in this sandbox',
			fix: 'Do the work in one thread with async functions.',
		},
	],
	denies: { code: "const { Worker } = require('node:worker_threads');\nnew Worker('./x.js');" },
	allows: {
		code: "const { Worker } = require('node:worker_threads');\nnew Worker('./x.js');",
		options: { allowWorkers: true },
	},
};

const privilege: Rule = {
	id: 'JS-PRIV',
	cwe: 'CWE-250',
	severity: 'block',
	language: 'javascript',
	summary: 'Acts on other processes or on its own rights: process.kill, abort, setuid, chroot.',
	dependsOn: [],
	references: [
		{
			names: membersOf(
				'globalThis.process',
				'kill abort setuid setgid seteuid setegid setgroups initgroups reallyExit execve',
			),
			at: 'use',
			reason: 'it acts on other processes or on the rights of this one',
			fix: 'Leave it out; the sandbox ends the program and its processes by itself.',
		},
		{
			names: 'os.setPriority fkill ps-list find-process tree-kill ps-node',
			at: 'both',
			reason: 'it acts on other processes',
			fix: 'Leave it out; only this program runs in the sandbox.',
		},
	],
	denies: { code: "process['k' + 'ill'](1, 'SIGKILL');" },
	allows: { code: 'console.log(process.pid);\nprocess.exit(0);' },
};

const network: Rule = {
	id: 'JS-NET',
	cwe: 'CWE-918',
	severity: 'block',
	language: 'javascript',
	summary: 'Uses the network: fetch, http, sockets, DNS, HTTP clients.',
	dependsOn: ['network'],
	mode: networkMode,
	references: [
		{
			names: `globalThis.fetch globalThis.WebSocket globalThis.XMLHttpRequest globalThis.EventSource globalThis.navigator.sendBeacon
				globalThis.WebSocketStream globalThis.Deno.connect globalThis.Deno.listen globalThis.Bun.serve globalThis.Bun.connect`,
			at: 'use',
			reason: 'it needs the network, which is off in this sandbox',
			fix: 'Work with the input data, or ask for the data to be handed over.',
		},
		{
			names: `http https http2 net tls dgram dns dns/promises quic axios got node-fetch undici request superagent ws socket.io socket.io-client
				needle cross-fetch isomorphic-fetch express koa fastify nodemailer ssh2 ftp basic-ftp mysql mysql2 pg mongodb mongoose redis ioredis
				puppeteer playwright cheerio.fromURL aws-sdk @aws-sdk openai @slack/web-api mqtt amqplib kafkajs telnet-client simple-git googleapis`,
			free: `${membersOf('net', 'isIP isIPv4 isIPv6 BlockList')} ${membersOf('http', 'STATUS_CODES METHODS')} ${membersOf('axios', 'isAxiosError AxiosError')}`,
			at: 'both',
			reason: 'it needs the network, which is off in this sandbox',
			fix: 'Work with the input data, or ask for the data to be handed over.',
		},
	],
	denies: { code: "const get = globalThis['fe' + 'tch'];\nget('http://a.b');" },
	allows: { code: "const r = await fetch('http://a.b');", options: { network: 'full' } },
};

const deserialise: Rule = {
	id: 'JS-DESER',
	cwe: 'CWE-502',
	severity: 'block',
	language: 'javascript',
	summary:
		'Loads objects that can run code while they are loaded: node-serialize, funcster, js-yaml.load with unsafe schemas.',
	dependsOn: [],
	references: [
		{
			names: `node-serialize.unserialize funcster.deepDeserialize serialize-to-js.deserialize cryo.parse
				${membersOf('js-yaml', 'unsafeLoad DEFAULT_FULL_SCHEMA')}`,
			at: 'use',
			reason: 'loading it can run any code that the data asks for',
			fix: 'Exchange data as JSON: JSON.parse.',
		},
	],
	denies: { code: "const s = require('node-serialize');\ns.unserialize(process.argv[2]);" },
	allows: { code: 'console.log(JSON.parse(process.argv[2]));' },
};

const prototypes = /^globalThis\.(Object|Array|Function|String|Number|Promise|RegExp|Map|Set)\.prototype\./;

const prototype: Rule = {
	id: 'JS-PROTO',
	cwe: 'CWE-1321',
	severity: 'warn',
	language: 'javascript',
	summary: 'Changes what all objects inherit: __proto__, assignments to Object.prototype.',
	dependsOn: [],
	judge: (fact) => {
		const fix = 'Use a class, a Map, or Object.create(null).';
		if (fact.kind === 'assign' && (prototypes.test(fact.path) || /\.__proto__$/.test(fact.path))) {
			return [{ resolved: fact.path.slice(11), reason: 'it changes what all objects inherit', fix }];
		}
		return fact.kind === 'attribute' && fact.name === '__proto__'
			? [{ resolved: '__proto__', reason: 'it reaches the prototype of an object', fix }]
			: [];
	},
	denies: { code: 'Object.prototype.x = 1;' },
	allows: { code: 'class A {}\nA.prototype.x = 1;' },
};

export const javaScriptRules: readonly Rule[] = [
	exec,
	evaluate,
	dynamicImport,
	dynamicAttribute,
	native,
	worker,
	privilege,
	network,
	deserialise,
	prototype,
];
