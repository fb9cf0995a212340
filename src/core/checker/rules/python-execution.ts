/** Rules about Python that starts programs or runs text as code. */

import type { Fact } from '../facts.ts';
import { knownTexts } from '../values/value.ts';
import { membersOf, type Objection, type Rule } from './rule.ts';

const inside = 'Do the work in Python itself, or send shell commands with language "bash".';
const listing = 'Use os.listdir("/work"), pathlib or shutil; send shell commands with language "bash".';

const exec: Rule = {
	id: 'PY-EXEC',
	cwe: 'CWE-78',
	severity: 'block',
	language: 'python',
	summary: 'Starts another program: os.system, subprocess, pty, asyncio subprocesses, pexpect; multiprocessing warns.',
	dependsOn: ['allowSubprocess'],
	mode: ({ allowSubprocess }) => (allowSubprocess ? 'warn' : 'on'),
	references: [
		{
			names: membersOf(
				'os',
				`system popen popen2 popen3 popen4 execl execle execlp execlpe execv execve execvp execvpe spawnl spawnle spawnlp
				spawnlpe spawnv spawnve spawnvp spawnvpe posix_spawn posix_spawnp startfile fork forkpty`,
			),
			at: 'use',
			reason: 'it starts another program, and subprocesses are off in this sandbox',
			fix: listing,
		},
		{
			names: 'subprocess _posixsubprocess commands popen2 sh plumbum',
			free: membersOf(
				'subprocess',
				'CalledProcessError TimeoutExpired SubprocessError PIPE DEVNULL STDOUT CompletedProcess',
			),
			at: 'both',
			reason: 'it starts another program, and subprocesses are off in this sandbox',
			fix: inside,
		},
		{
			names: `pty posix pexpect ptyprocess invoke fabric ${membersOf('asyncio', 'create_subprocess_exec create_subprocess_shell subprocess')}`,
			at: 'both',
			reason: 'it starts another program, and subprocesses are off in this sandbox',
			fix: inside,
		},
		{
			names: `${membersOf('distutils.spawn', 'spawn')} ${membersOf('nt', 'system')} ${membersOf('platform', 'popen')}`,
			at: 'both',
			reason: 'it starts another program, and subprocesses are off in this sandbox',
			fix: inside,
		},
		{
			names: 'webbrowser antigravity',
			at: 'import',
			severity: 'warn',
			reason: 'there is no browser in this sandbox',
			fix: 'Print the address.',
		},
		{
			names: 'multiprocessing concurrent.futures.ProcessPoolExecutor',
			at: 'import',
			severity: 'warn',
			reason: 'it starts further processes; their number is limited in this sandbox',
			fix: 'Use threads or plain loops unless the work is heavy.',
		},
	],
	denies: { code: 'import os as o\no.popen("ls")' },
	allows: { code: 'import os\nprint(os.listdir("/work"))' },
};

const evaluate: Rule = {
	id: 'PY-EVAL',
	cwe: 'CWE-95',
	severity: 'block',
	language: 'python',
	summary: 'Runs text as code: eval, exec, compile, code, codeop, runpy, pdb, timeit with text, pip.',
	dependsOn: [],
	references: [
		{
			names: membersOf('builtins', 'eval exec compile'),
			at: 'use',
			reason: 'it runs text as code',
			fix: 'Write the code out; for data use json.loads or ast.literal_eval.',
		},
		{
			names: membersOf('builtins', 'breakpoint help'),
			at: 'use',
			reason: 'it opens an interactive prompt, and nobody is there to answer',
			fix: 'Print what you need to see.',
		},
		{
			names: `code codeop runpy pdb bdb pip ensurepip venv ${membersOf('idlelib', 'run')} asteval numexpr.evaluate sympy.sympify.eval ${membersOf('test.support', 'script_helper')} trace.Trace cProfile.run profile.run
				cProfile.runctx profile.runctx`,
			at: 'both',
			reason: 'it runs text or files as code',
			fix: 'Write the code out in this program.',
		},
	],
	judge: timedText,
	denies: { code: 'from builtins import eval as e\nprint(e("1+1"))' },
	allows: { code: 'import ast\nprint(ast.literal_eval("[1, 2]"))' },
};

/** timeit runs a text as code, a function is fine; the types of functions may be compared with, but not called. */
function timedText(fact: Fact): Objection[] {
	if (fact.kind === 'call' && /^types\.(FunctionType|CodeType|LambdaType)$/.test(fact.path)) {
		return [{ resolved: fact.path, reason: 'it makes a function out of raw code', fix: 'Write the function out.' }];
	}
	if (fact.kind !== 'call' || !/^timeit\.(timeit|repeat|Timer)$/.test(fact.path)) return [];
	const given = [fact.args[0] ?? fact.keywords.get('stmt') ?? [], fact.args[1] ?? fact.keywords.get('setup') ?? []];
	if (!given.some((values) => knownTexts(values).some((text) => text !== 'pass'))) return [];
	return [
		{ resolved: fact.path, reason: 'it runs text as code', fix: 'Give it a function: timeit.timeit(f, number=1000).' },
	];
}

const dynamicImport: Rule = {
	id: 'PY-DYNIMPORT',
	cwe: 'CWE-470',
	severity: 'block',
	language: 'python',
	summary: 'Imports a module whose name is only known at run time, or through the import machinery.',
	dependsOn: [],
	references: [
		{
			names: `importlib.machinery importlib._bootstrap importlib._bootstrap_external importlib.util.spec_from_file_location
				importlib.util.module_from_spec importlib.util.spec_from_loader importlib.util.find_spec().loader importlib.abc pkgutil.get_loader
				pkgutil.find_loader pkgutil.ImpImporter importlib.find_loader sys.meta_path sys.path_hooks sys.path_importer_cache zipimport imp
				builtins.__build_class__ builtins.__loader__ builtins.__spec__`,
			at: 'both',
			reason: 'it loads modules past the import statement',
			fix: 'Import the module by its name with an import statement.',
		},
	],
	judge: (fact) =>
		fact.kind === 'dynamic' && fact.what === 'import'
			? [
					{
						reason: 'it imports a module whose name is not known before it runs',
						fix: 'Import each module by its name: import json.',
					},
				]
			: [],
	denies: { code: 'import sys\n__import__(sys.argv[1])' },
	allows: { code: 'import importlib\njson = importlib.import_module("json")' },
};

const risky =
	/^(os|sys|builtins|subprocess|importlib|shutil|posix|socket|ctypes|pickle|marshal|pty|types|inspect|gc|io|pathlib|code|runpy)(\.__dict__)?$/;
const namespaces = /^(builtins\.globals\(\)|sys\.modules|.*\.__dict__)$/;

const dynamicAttribute: Rule = {
	id: 'PY-DYNATTR',
	cwe: 'CWE-470',
	severity: 'block',
	language: 'python',
	summary: 'Takes a member of a powerful module by a name that is only known at run time.',
	dependsOn: [],
	judge: (fact) => {
		if (fact.kind !== 'dynamic' || fact.what !== 'attribute') return [];
		if (!risky.test(fact.of) && !namespaces.test(fact.of)) return [];
		if (fact.of === 'builtins.globals()')
			return [
				{
					severity: 'warn',
					resolved: 'globals()',
					reason: 'it picks a global by an unknown name',
					fix: 'Use a dictionary of your own functions.',
				},
			];
		return [
			{
				resolved: fact.of,
				reason: `it picks a member of ${fact.of} by an unknown name`,
				fix: `Write the member out: ${fact.of.split('.')[0]}.name.`,
			},
		];
	},
	denies: { code: 'import os, sys\ngetattr(os, sys.argv[1])("ls")' },
	allows: { code: 'import os\nprint(getattr(os, "sep"))' },
};

const dunders = new Set(
	`__subclasses__ __bases__ __base__ __mro__ __globals__ __code__ __closure__ __builtins__ __loader__ __import__ f_globals f_locals f_builtins
	f_back f_code gi_frame gi_code cr_frame cr_code ag_frame ag_code tb_frame co_code co_consts func_globals func_code`.split(
		/\s+/,
	),
);
const soft = new Set(['__mro__', '__bases__', '__base__', '__subclasses__']);

const dunder: Rule = {
	id: 'PY-DUNDER',
	cwe: 'CWE-915',
	severity: 'block',
	language: 'python',
	summary:
		'Reaches into the insides of Python objects: __subclasses__, __globals__, __code__, frames; on an own class it warns.',
	dependsOn: [],
	judge: (fact) => {
		if (fact.kind !== 'attribute' || !dunders.has(fact.name)) return [];
		const severity = fact.isOwn && soft.has(fact.name) ? { severity: 'warn' as const } : {};
		return [
			{
				...severity,
				resolved: fact.name,
				reason: `${fact.name} reaches into the insides of Python objects`,
				fix: 'Use type(x), isinstance(x, C), vars(x) or your own attributes.',
			},
		];
	},
	denies: { code: 'print(().__class__.__bases__[0].__subclasses__())' },
	allows: { code: 'class A:\n    pass\nprint(A().__class__.__name__)' },
};

const introspect: Rule = {
	id: 'PY-INTROSPECT',
	cwe: 'CWE-915',
	severity: 'block',
	language: 'python',
	summary:
		'Looks at the frames and objects of the interpreter: sys._getframe, settrace, gc.get_objects, inspect.stack.',
	dependsOn: [],
	references: [
		{
			names: `${membersOf('sys', '_getframe _current_frames settrace setprofile addaudithook _getframemodulename call_tracing')}
				${membersOf('gc', 'get_objects get_referrers get_referents')} ${membersOf('inspect', 'currentframe stack trace getouterframes getinnerframes')}
				threading.settrace threading.setprofile sys.last_traceback`,
			at: 'use',
			reason: 'it looks at the insides of the running interpreter',
			fix: 'Pass what you need as arguments.',
		},
	],
	denies: { code: 'import sys\nprint(sys._getframe(1).f_globals)' },
	allows: { code: 'import inspect\nprint(inspect.signature(print))' },
};

export const pythonExecutionRules: readonly Rule[] = [
	exec,
	evaluate,
	dynamicImport,
	dynamicAttribute,
	dunder,
	introspect,
];
