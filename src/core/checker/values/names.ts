/** Names that the languages know without being told, and names that are another name in disguise. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

export const pythonBuiltins = words(`
	abs aiter all anext any ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex copyright credits
	delattr dict dir divmod enumerate eval exec exit filter float format frozenset getattr globals hasattr hash help hex id input
	int isinstance issubclass iter len license list locals map max memoryview min next object oct open ord pow print property quit
	range repr reversed round set setattr slice sorted staticmethod str sum super tuple type vars zip __import__ __build_class__
	BaseException Exception ArithmeticError AttributeError EOFError ImportError IndexError KeyError KeyboardInterrupt LookupError
	MemoryError NameError NotImplementedError OSError IOError OverflowError PermissionError RecursionError RuntimeError
	StopIteration SyntaxError SystemExit TypeError ValueError ZeroDivisionError FileNotFoundError UnicodeError
`);

/** Modules of Python that are the same thing under another name. */
export const pythonAliases: Readonly<Record<string, string>> = {
	__builtin__: 'builtins',
	_io: 'io',
	_pyio: 'io',
	_pickle: 'pickle',
	cPickle: 'pickle',
	_socket: 'socket',
	_ctypes: 'ctypes',
	_frozen_importlib: 'importlib._bootstrap',
	_imp: 'imp',
	nt: 'posix',
	pathlib2: 'pathlib',
	subprocess32: 'subprocess',
};

/** Modules that other modules carry along: `glob.os` and `random._os` are os. */
export const carriedModules = words(`
	os sys subprocess builtins importlib posix shutil socket ctypes pty pickle marshal codeop runpy pdb inspect gc
`);

/** Full names that are another full name. */
export const pythonSynonyms: Readonly<Record<string, string>> = {
	'io.open': 'builtins.open',
	'io.open_code': 'builtins.open',
	'importlib.__import__': 'builtins.__import__',
	'importlib._bootstrap.__import__': 'builtins.__import__',
	'importlib._bootstrap._gcd_import': 'importlib.import_module',
	'os.posix': 'posix',
	'codecs.builtins': 'builtins',
};

/** The ways to say "the global object" in JavaScript. */
export const globalObjects = words('globalThis global window self root GLOBAL');

/** Modules of Node.js whose short names are members of another module. */
export const javaScriptSynonyms: Readonly<Record<string, string>> = {
	'fs.promises': 'fs/promises',
	'dns.promises': 'dns/promises',
	'path.posix': 'path',
	'path/posix': 'path',
	'process.mainModule': 'globalThis.module',
	'globalThis.process.mainModule': 'globalThis.module',
	'globalThis.require.main': 'globalThis.module',
	'globalThis.module.parent': 'globalThis.module',
	'globalThis.module.require': 'globalThis.require',
	'globalThis.module.constructor': 'module',
	'module.Module': 'module',
	'globalThis.webkitRequestAnimationFrame': 'globalThis.setTimeout',
};
