/**
 * Reads one-liners of Python. Allowed is a closed part of the language: known names, known members, a few modules that only
 * compute. Nothing in it can name a file, a process, or a member that is not listed here. Pure.
 */
import { parse } from '../../checker/languages/parse.ts';

/** Members by the modules that may be imported. Modules hold others (json.codecs), so whole modules are not enough. */
const members: Readonly<Record<string, string>> = {
	base64: 'b64encode b64decode b32encode b32decode b16encode b16decode urlsafe_b64encode urlsafe_b64decode',
	calendar: 'isleap monthrange month_name day_name',
	collections: 'Counter defaultdict deque OrderedDict namedtuple most_common',
	datetime: `datetime date time timedelta timezone now utcnow today strftime strptime isoformat fromtimestamp timestamp utc total_seconds
		year month day hour minute second weekday days seconds`,
	decimal: 'Decimal getcontext prec quantize',
	fractions: 'Fraction numerator denominator',
	functools: 'reduce partial lru_cache cache',
	hashlib: 'md5 sha1 sha224 sha256 sha384 sha512 blake2b blake2s hexdigest digest update',
	itertools:
		'count cycle repeat accumulate chain combinations permutations product islice takewhile dropwhile groupby zip_longest',
	json: 'dumps loads',
	math: `pi e tau inf nan sqrt isqrt floor ceil trunc pow exp log log2 log10 sin cos tan asin acos atan atan2 sinh cosh tanh hypot degrees
		radians factorial gcd lcm comb perm fsum prod fabs fmod isclose isnan isinf dist`,
	random: 'random randint randrange choice choices shuffle sample uniform gauss seed',
	re: 'compile match search fullmatch findall finditer sub subn split escape group groups groupdict start end span I M S IGNORECASE MULTILINE DOTALL',
	signal: 'signal SIGTERM SIGINT SIGHUP SIGUSR1 SIGUSR2 SIGALRM SIGPIPE SIG_IGN SIG_DFL pause alarm',
	statistics: 'mean median mode stdev pstdev variance pvariance quantiles',
	string: 'ascii_letters ascii_lowercase ascii_uppercase digits hexdigits punctuation printable whitespace',
	sys: 'stdout stderr stdin argv exit version version_info maxsize byteorder platform implementation write flush buffer read readline readlines name getsizeof getrecursionlimit',
	textwrap: 'dedent fill wrap indent shorten',
	time: 'time sleep monotonic perf_counter process_time time_ns strftime gmtime localtime ctime',
};

const methods = `append extend insert pop remove clear index count sort reverse copy keys values items get setdefault update add discard union
	intersection difference symmetric_difference issubset issuperset join split rsplit splitlines strip lstrip rstrip replace startswith
	endswith find rfind upper lower title capitalize swapcase zfill center ljust rjust format encode decode hex isdigit isalpha isalnum
	isspace isupper islower partition rpartition translate casefold expandtabs bit_length to_bytes from_bytes real imag conjugate
	as_integer_ratio is_integer send popleft appendleft rotate`;

const builtins = `print range len sum min max sorted list dict set tuple str int float bool abs round enumerate zip map filter any all chr ord
	hex bin oct repr ascii divmod pow reversed bytes bytearray isinstance iter next hash slice frozenset complex callable
	Exception ValueError TypeError KeyError IndexError ZeroDivisionError RuntimeError StopIteration ArithmeticError AssertionError
	KeyboardInterrupt SystemExit exit quit NotImplementedError OverflowError LookupError`;

/** Names that are there without being made; giving them a value somewhere else makes no use of them harmless. */
const forbidden = new Set(
	`open eval exec compile getattr setattr delattr hasattr globals locals vars dir input breakpoint help memoryview object super type property
	classmethod staticmethod id format copyright credits license aiter anext`.split(/\s+/),
);

const wordsOf = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');
const knownMembers = new Set([...Object.values(members), methods].flatMap(wordsOf));
const knownNames = new Set(wordsOf(builtins));

const nodeTypes = new Set(
	wordsOf(`Module Expr Assign AugAssign AnnAssign For While If Pass Break Continue Return Raise Try ExceptHandler FunctionDef Lambda Assert
		Import ImportFrom Alias Call Name Attribute Constant BinOp UnaryOp BoolOp Compare IfExp List Tuple Set Dict Subscript Slice
		ListComp SetComp DictComp GeneratorExp Comprehension JoinedStr FormattedValue Starred NamedExpr Keyword Arguments Arg Load Store Del
		Global Nonlocal Delete Yield Comment
		Add Sub Mult Div FloorDiv Mod Pow LShift RShift BitOr BitXor BitAnd MatMult And Or Not Invert UAdd USub
		Eq NotEq Lt LtE Gt GtE Is IsNot In NotIn`),
);

interface Node {
	readonly nodeType: string;
	readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
	typeof value === 'object' && value !== null && typeof (value as Node).nodeType === 'string';

/** Members of a node that say nothing about what it does. */
const places = new Set(['nodeType', 'lineno', 'col_offset', 'end_lineno', 'end_col_offset', 'ctx', 'kind', 'comments']);

/** @returns what in it is not allowed */
export function objectionToPython(text: string): string | undefined {
	// The interpreter folds letters that look alike into one name; our reader does not.
	if (/[^\x20-\x7e\n\t]/.test(text)) return 'a program of Python with letters beyond ASCII';
	const tree = parsed(text);
	if (!tree) return 'a program of Python that is not understood';
	return objectionIn([tree]);
}

function parsed(text: string): Node | undefined {
	const { parsed: program } = parse('python', text);
	return program?.language === 'python' ? (program.tree as unknown as Node) : undefined;
}

function objectionIn(nodes: Node[]): string | undefined {
	const own = new Set<string>();
	const used: string[] = [];
	for (let node = nodes.pop(); node; node = nodes.pop()) {
		const objection = objectionToNode(node, own, used);
		if (objection !== undefined) return `${objection} of Python`;
		for (const [key, value] of Object.entries(node))
			if (!places.has(key)) nodes.push(...[value].flat(2).filter(isNode));
	}
	const unknown = used.find((name) => forbidden.has(name) || (!own.has(name) && !knownNames.has(name)));
	return unknown === undefined ? undefined : `the name "${unknown.slice(0, 40)}" of Python`;
}

function objectionToNode(node: Node, own: Set<string>, used: string[]): string | undefined {
	if (!nodeTypes.has(node.nodeType)) return `"${node.nodeType}"`;
	for (const name of bound(node)) {
		if (name.startsWith('__')) return `the name "${name.slice(0, 40)}"`;
		own.add(name);
	}
	if (node.nodeType === 'Name') used.push(String(node.id));
	if (node.nodeType === 'Attribute' && !knownMembers.has(String(node.attr)))
		return `the member "${String(node.attr).slice(0, 40)}"`;
	return node.nodeType === 'Import' || node.nodeType === 'ImportFrom' ? objectionToImport(node) : undefined;
}

/** Names that a node gives a value. */
function bound(node: Node): string[] {
	const context = (node.ctx as Node | undefined)?.nodeType;
	if (node.nodeType === 'Name') return context === 'Store' ? [String(node.id)] : [];
	if (node.nodeType === 'Arg') return [String(node.arg)];
	if (node.nodeType === 'FunctionDef') return [String(node.name)];
	if (node.nodeType === 'ExceptHandler') return typeof node.name === 'string' ? [node.name] : [];
	return node.nodeType === 'Alias' ? [String(node.asname ?? node.name)] : [];
}

const memberOf = (module: string): string[] => wordsOf(Object.hasOwn(members, module) ? (members[module] ?? '') : '');

function objectionToImport({ nodeType, module, names, level }: Node): string | undefined {
	const wanted = (names as Node[]).map(({ name }) => String(name));
	if (nodeType === 'Import') {
		const unknown = wanted.find((name) => !Object.hasOwn(members, name));
		return unknown === undefined ? undefined : `the module "${unknown.slice(0, 40)}"`;
	}
	const known = level ? [] : memberOf(String(module));
	const unknown = wanted.find((name) => !known.includes(name));
	return unknown === undefined ? undefined : `"${unknown.slice(0, 40)}" from "${String(module).slice(0, 40)}"`;
}
