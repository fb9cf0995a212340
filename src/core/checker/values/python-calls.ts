/** The calls of Python that give names, texts or paths: indirection and folding in one table. */
import type { CallSite } from './call-site.ts';
import { decodedTexts } from './decode.ts';
import { baseOf, directoryOf, home, joinedPaths, normalisePath, pathsOf } from './fold-paths.ts';
import { asCharacter, fold, joined, pythonTextMethods } from './fold-text.ts';
import { globalNamed, moduleRef } from './members.ts';
import {
	anyElement,
	elementsOf,
	HOLE,
	join,
	joinAll,
	knownTexts,
	list,
	number,
	numbersOf,
	object,
	ref,
	refsOf,
	rowOf,
	text,
	textsOf,
	unknown,
	type Values,
} from './value.ts';
import { spend } from './work.ts';

type Call = (site: CallSite) => Values;

const argument = (site: CallSite, index: number, name = ''): Values =>
	site.args[index] ?? site.keywords.get(name) ?? unknown;

function getAttribute(site: CallSite): Values {
	const key = argument(site, 1, 'name');
	noteAttributes(site, key);
	return join(site.memberOf(argument(site, 0), key), argument(site, 2));
}

function noteAttributes(site: CallSite, key: Values): void {
	for (const name of knownTexts(key)) site.machine.note({ kind: 'attribute', name, isOwn: false, span: site.span });
}

/** A module named by text; with an unknown name the fact is the finding. */
function importModule(site: CallSite): Values {
	const { machine, span } = site;
	const names = argument(site, 0, 'name');
	const texts = textsOf(names);
	if (texts.some((name) => name.includes(HOLE))) machine.note({ kind: 'dynamic', what: 'import', of: '', span });
	return joinAll(knownTexts(names).map((name) => imported(site, name)));
}

function imported(site: CallSite, name: string): Values {
	site.machine.note({ kind: 'import', module: name, span: site.span });
	return moduleRef(site.machine, name);
}

/** `__import__("a.b")` gives a, unless a list of names is asked for. */
function builtinImport(site: CallSite): Values {
	const loaded = importModule(site);
	if (argument(site, 3, 'fromlist').length > 0) return loaded;
	return joinAll(refsOf(loaded).map((path) => ref(path.split('.')[0] as string)));
}

/** `pkgutil.resolve_name("os:system")`, `pydoc.locate("os.system")` */
function locate(site: CallSite): Values {
	return joinAll(
		knownTexts(argument(site, 0)).map((name) => {
			const [module = '', ...rest] = name.replace(':', '.').split('.');
			return rest.reduce<Values>((object, key) => site.memberOf(object, text(key)), imported(site, module));
		}),
	);
}

function mapped(site: CallSite): Values {
	const [callee = unknown, source = unknown, ...others] = site.args;
	const any = site.call(callee, [anyElement(source), ...others.map(anyElement)]);
	const elements = elementsOf(source);
	if (!elements || elements.length > 256 || others.length > 0 || !site.machine.canTry)
		return [list([], join(any, text(HOLE)))];
	return [list(elements.map((element) => site.machine.trial(() => site.call(callee, [element]))))];
}

function reduced(site: CallSite): Values {
	const [callee = unknown, source = unknown, initial] = site.args;
	const elements = elementsOf(source) ?? [anyElement(source)];
	const items = initial === undefined ? elements : [initial, ...elements];
	return items.slice(1, 64).reduce<Values>((made, item) => site.call(callee, [made, item]), items[0] ?? unknown);
}

const namespace = (values: Values): Values =>
	joinAll(values.map((value) => (value.kind === 'ref' ? ref(`${value.path}.__dict__`) : [value])));

function vars(site: CallSite): Values {
	return site.args.length === 0 ? ref('builtins.globals()') : namespace(argument(site, 0));
}

function setAttribute(site: CallSite): Values {
	const [target = unknown, key = unknown, value = unknown] = site.args;
	for (const name of textsOf(key)) {
		for (const path of refsOf(target)) site.machine.note({ kind: 'assign', path: `${path}.${name}`, span: site.span });
		for (const one of target)
			if (one.kind === 'object') one.fields.set(name, join(one.fields.get(name) ?? unknown, value));
	}
	return unknown;
}

const first: Call = (site) => argument(site, 0);

/** Bytes of numbers, or the text itself. */
function bytes(site: CallSite): Values {
	const source = argument(site, 0);
	const elements = source.some((value) => value.kind === 'list') ? elementsOf(source) : null;
	return elements ? joined('', [list(elements.map(asCharacter))]) : source;
}

const decoding =
	(encoding: string): Call =>
	(site) =>
		decodedTexts(encoding, argument(site, 0));

const codec: Call = (site) => {
	const [encoding = 'utf-8'] = knownTexts(argument(site, 1, 'encoding'));
	return decoding(encoding)(site);
};

const reversed: Call = (site) => {
	const elements = elementsOf(argument(site, 0));
	return [elements ? list([...elements].reverse()) : list([], anyElement(argument(site, 0)))];
};

const asList: Call = (site) => {
	if (site.args.length === 0) return [list([])];
	const elements = elementsOf(argument(site, 0));
	return [elements ? list([...elements]) : list([], anyElement(argument(site, 0)))];
};

const zipped: Call = (site) => {
	const columns = site.args.map((arg) => elementsOf(arg));
	const length = Math.min(256, ...columns.map((column) => column?.length ?? 0));
	if (columns.includes(null)) return [list([], [list(site.args.map(anyElement))])];
	return [list(Array.from({ length }, (_, i) => [list(columns.map((column) => column?.[i] ?? unknown))]))];
};

const enumerated: Call = (site) => {
	const elements = elementsOf(argument(site, 0));
	if (!elements) return [list([], [list([unknown, anyElement(argument(site, 0))])])];
	return [list(elements.map((element, i) => [list([number(i), element])]))];
};

const ranged: Call = (site) => {
	const bounds = site.args.map((arg) => numbersOf(arg)[0]);
	if (bounds.includes(undefined)) return unknown;
	const [from = 0, to = 0, step = 1] = bounds.length === 1 ? [0, bounds[0]] : bounds;
	const length = Math.ceil((to - from) / step);
	if (!(length > 0 && length <= 256)) return unknown;
	return [list(Array.from({ length }, (_, i) => number(from + i * step)))];
};

const integer: Call = (site) => {
	const base = numbersOf(argument(site, 1, 'base'))[0] ?? 10;
	const parsed = knownTexts(argument(site, 0)).map((digits) =>
		Number.parseInt(digits.replace(/^0[xob]/i, ''), base || 16),
	);
	return joinAll([...parsed.filter(Number.isFinite).map(number), numbersOf(argument(site, 0)).flatMap(number)]);
};

const ordinal: Call = (site) =>
	joinAll(knownTexts(argument(site, 0)).flatMap((c) => (c.length > 0 ? [number(c.codePointAt(0) ?? 0)] : [])));

const pathObject: Call = (site) => pathsOf(joinedPaths(site.args.length > 0 ? site.args : [text('.')]));
const joinPath: Call = (site) => joinAll(joinedPaths(site.args).map((one) => text(one)));
const overTexts =
	(change: (file: string) => string): Call =>
	(site) =>
		joinAll(textsOf(argument(site, 0)).map((file) => text(change(file))));

const dictionary: Call = (site) => {
	const made = object();
	for (const [key, values] of site.keywords) made.fields.set(key, values);
	for (const one of argument(site, 0)) {
		if (one.kind === 'object') spend(4 * one.fields.size);
		if (one.kind === 'object') for (const [key, values] of one.fields) made.fields.set(key, values);
		else if (one.kind === 'ref') made.bases = join(made.bases, [one]);
	}
	return [made];
};

const getter: Call = (site) => {
	const names = knownTexts(argument(site, 0));
	noteAttributes(
		site,
		names.flatMap((name) => name.split('.')).flatMap((name) => text(name)),
	);
	return names.map((name) => ({ kind: 'getter', name, args: null }) as const);
};

const caller: Call = (site) =>
	knownTexts(argument(site, 0)).map((name) => ({ kind: 'getter', name, args: site.args.slice(1) }) as const);

/** The only variable whose value is known. */
const environment: Call = (site) =>
	joinAll([
		...knownTexts(argument(site, 0)).map((name) => (name === 'HOME' ? text(home) : text(HOLE))),
		argument(site, 1),
	]);

const calls: Readonly<Record<string, Call>> = {
	'builtins.getattr': getAttribute,
	'inspect.getattr_static': getAttribute,
	'builtins.object.__getattribute__': getAttribute,
	'builtins.type.__getattribute__': getAttribute,
	'builtins.setattr': setAttribute,
	'builtins.__import__': builtinImport,
	'importlib.import_module': importModule,
	'importlib.reload': first,
	'pkgutil.resolve_name': locate,
	'pydoc.locate': locate,
	'builtins.vars': vars,
	'builtins.globals': () => ref('builtins.globals()'),
	'builtins.locals': () => ref('builtins.globals()'),
	'builtins.map': mapped,
	'builtins.filter': (site) => [list([], join(anyElement(argument(site, 1)), text(HOLE)))],
	'builtins.reversed': reversed,
	'builtins.list': asList,
	'builtins.tuple': asList,
	'builtins.set': asList,
	'builtins.sorted': (site) => [list([], join(anyElement(argument(site, 0)), text(HOLE)))],
	'builtins.iter': first,
	'builtins.next': (site) => join(anyElement(argument(site, 0)), argument(site, 1)),
	'builtins.zip': zipped,
	'builtins.enumerate': enumerated,
	'builtins.range': ranged,
	'builtins.str': (site) => joinAll(textsOf(argument(site, 0)).map((one) => text(one))),
	'builtins.repr': () => text(HOLE),
	'builtins.format': first,
	'builtins.int': integer,
	'builtins.chr': (site) => asCharacter(argument(site, 0)),
	'builtins.ord': ordinal,
	'builtins.bytes': bytes,
	'builtins.bytearray': bytes,
	'builtins.bytes.fromhex': decoding('hex'),
	'builtins.bytearray.fromhex': decoding('hex'),
	'builtins.memoryview': first,
	'builtins.dict': dictionary,
	'builtins.input': () => text(HOLE),
	'builtins.super': (site) => site.machine.scope.self,
	'functools.partial': (site) => [{ kind: 'partial', callee: argument(site, 0), args: site.args.slice(1) }],
	'functools.reduce': reduced,
	'functools.wraps': () => unknown,
	'itertools.chain': (site) => [list([], joinAll(site.args.map(anyElement)))],
	'operator.attrgetter': getter,
	'operator.methodcaller': caller,
	'operator.itemgetter': caller,
	'operator.call': (site) => site.call(argument(site, 0), site.args.slice(1)),
	'operator.getitem': (site) => site.memberOf(argument(site, 0), argument(site, 1)),
	'operator.add': (site) => fold('+', site.args),
	'operator.concat': (site) => fold('+', site.args),
	'operator.mod': (site) => fold('%', site.args),
	'operator.xor': (site) => fold('^', site.args),
	'asyncio.run': first,
	'base64.b64decode': decoding('base64'),
	'base64.standard_b64decode': decoding('base64'),
	'base64.urlsafe_b64decode': decoding('base64'),
	'base64.decodebytes': decoding('base64'),
	'base64.b16decode': decoding('hex'),
	'base64.b32decode': decoding('base32'),
	'binascii.unhexlify': decoding('hex'),
	'binascii.a2b_hex': decoding('hex'),
	'binascii.a2b_base64': decoding('base64'),
	'codecs.decode': codec,
	'codecs.encode': codec,
	'urllib.parse.unquote': decoding('percent'),
	'os.path.join': joinPath,
	'posixpath.join': joinPath,
	'os.path.normpath': overTexts(normalisePath),
	'os.path.abspath': overTexts(normalisePath),
	'os.path.realpath': overTexts(normalisePath),
	'os.path.expanduser': overTexts(normalisePath),
	'os.path.expandvars': overTexts((file) => normalisePath(file.replace(/^\$\{?HOME\}?/, '~'))),
	'os.path.dirname': overTexts(directoryOf),
	'os.path.basename': overTexts(baseOf),
	'os.path.split': (site) => [list([overTexts(directoryOf)(site), overTexts(baseOf)(site)])],
	'os.getenv': environment,
	'os.environ.get': environment,
	'os.fspath': first,
	'os.fsencode': first,
	'os.fsdecode': first,
	'os.getcwd': () => text('/work'),
	'tempfile.gettempdir': () => text('/tmp'),
	'tempfile.mkdtemp': () => text(`/tmp/${HOLE}`),
	'tempfile.mktemp': () => text(`/tmp/${HOLE}`),
	'tempfile.TemporaryDirectory': () => text(`/tmp/${HOLE}`),
	'pathlib.Path': pathObject,
	'pathlib.PosixPath': pathObject,
	'pathlib.PurePath': pathObject,
	'pathlib.PurePosixPath': pathObject,
	'pathlib.Path.home': () => pathsOf(['/work']),
	'pathlib.Path.cwd': () => pathsOf(['/work']),
};

/** Methods of `__dict__`, `sys.modules` and modules that are another way to name a member. */
function namespaceCall(site: CallSite, path: string): Values | null {
	const [, base = '', method = ''] = /^(.*)\.(\w+)$/.exec(path) ?? [];
	if (method === '__getattribute__' || method === '__getattr__') {
		noteAttributes(site, argument(site, 0));
		return site.memberOf(ref(base), argument(site, 0));
	}
	if (!/^(get|__getitem__|pop|setdefault)$/.test(method)) return null;
	if (base === 'builtins.globals()')
		return joinAll(knownTexts(argument(site, 0)).map((key) => globalNamed(site.machine, key)));
	if (base === 'sys.modules')
		return joinAll(knownTexts(argument(site, 0)).map((name) => moduleRef(site.machine, name)));
	return base.endsWith('.__dict__') ? site.memberOf(ref(base.slice(0, -'.__dict__'.length)), argument(site, 0)) : null;
}

/** `str.join("", parts)`: a method taken from its class. */
function unboundText(site: CallSite, path: string): Values | null {
	const method = /^builtins\.(?:str|bytes|bytearray)\.(\w+)$/.exec(path)?.[1];
	const foldText = method === undefined ? undefined : rowOf(pythonTextMethods, method);
	return foldText ? joinAll(textsOf(argument(site, 0)).map((self) => foldText(self, site.args.slice(1)))) : null;
}

export function pythonCalls(site: CallSite, path: string): Values | null {
	const call = rowOf(calls, path);
	return call ? call(site) : (unboundText(site, path) ?? namespaceCall(site, path));
}
