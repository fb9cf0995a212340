/** Rules about the files that a Python program writes, deletes and reads: which argument of which call is a path. */
import type { CallFact, Fact } from '../facts.ts';
import { HOLE, numbersOf, textsOf, type Values } from '../values/value.ts';
import { placeOf, readObjections, writeObjections } from './paths.ts';
import { membersOf, type Objection, type Rule, type RuleContext } from './rule.ts';

interface Effect {
	readonly verb: string;
	/** Places of the paths that are written to, and the names they may have as keywords. */
	readonly writes?: readonly (number | string)[];
	readonly reads?: readonly (number | string)[];
}

const writing = (verb: string, ...writes: (number | string)[]): Effect => ({ verb, writes });
const copying: Effect = { verb: 'writes', writes: [1, 'dst'], reads: [0, 'src'] };
const moving: Effect = { verb: 'moves', writes: [0, 1, 'src', 'dst'] };
const reading: Effect = { verb: 'reads', reads: [0, 'path', 'filepath_or_buffer', 'filename', 'file'] };
const linking: Effect = { verb: 'links', writes: [1, 'dst'], reads: [0, 'src'] };

function table(entries: readonly (readonly [string, Effect])[]): ReadonlyMap<string, Effect> {
	return new Map(entries.flatMap(([names, effect]) => names.split(/\s+/).map((name) => [name, effect] as const)));
}

const effects = table([
	[membersOf('os', 'remove unlink rmdir removedirs'), writing('deletes', 0, 'path')],
	['shutil.rmtree', writing('deletes', 0, 'path')],
	[membersOf('os', 'rename renames replace'), moving],
	['shutil.move', moving],
	[
		membersOf('os', 'mkdir makedirs truncate utime chmod chown lchown mkfifo mknod lchmod chflags'),
		writing('changes', 0, 'path', 'name'),
	],
	['shutil.chown', writing('changes', 0, 'path')],
	[membersOf('shutil', 'copy copy2 copyfile copytree'), copying],
	[membersOf('os', 'symlink link'), linking],
	['shutil.make_archive', { verb: 'writes', writes: [0, 'base_name'], reads: [2, 'root_dir'] }],
	['shutil.unpack_archive', writing('writes', 1, 'extract_dir')],
	[membersOf('pathlib.Path', 'unlink rmdir'), writing('deletes', 0)],
	[membersOf('pathlib.Path', 'write_text write_bytes mkdir touch chmod'), writing('writes', 0)],
	[membersOf('pathlib.Path', 'rename replace'), moving],
	[membersOf('pathlib.Path', 'symlink_to hardlink_to link_to'), { verb: 'links', writes: [0], reads: [1] }],
	[membersOf('pathlib.Path', 'read_text read_bytes'), { verb: 'reads', reads: [0] }],
	[membersOf('os', 'listdir scandir walk readlink'), { verb: 'reads', reads: [0, 'path'] }],
	[
		'glob.glob glob.iglob linecache.getline linecache.getlines fileinput.input runpy.run_path configparser.ConfigParser().read',
		reading,
	],
	[
		'sqlite3.connect logging.FileHandler logging.handlers.RotatingFileHandler dbm.open shelve.open',
		writing('writes', 0, 'filename', 'database'),
	],
	[
		`?.to_csv ?.to_excel ?.to_json ?.to_parquet ?.to_pickle ?.to_html ?.savefig ?.to_hdf ?.to_feather ?.to_latex ?.to_markdown
		pandas.DataFrame().to_csv pandas.DataFrame().to_excel pandas.DataFrame().to_json pandas.DataFrame().to_parquet
		pandas.DataFrame().to_pickle pandas.ExcelWriter matplotlib.pyplot.savefig numpy.save numpy.savetxt numpy.savez cv2.imwrite
		joblib.dump torch.save soundfile.write scipy.io.wavfile.write`,
		writing('writes', 0, 'path_or_buf', 'fname', 'path', 'excel_writer'),
	],
	[
		`pandas.read_csv pandas.read_excel pandas.read_json pandas.read_table pandas.read_fwf pandas.read_xml numpy.loadtxt numpy.genfromtxt
		numpy.fromfile PIL.Image.open cv2.imread yaml.safe_load toml.load dotenv.load_dotenv ssl.SSLContext().load_cert_chain`,
		reading,
	],
	['urllib.request.urlretrieve wget.download', writing('writes', 1, 'filename', 'out')],
	['tempfile.NamedTemporaryFile tempfile.mkstemp tempfile.mkdtemp', writing('writes', 'dir')],
	['logging.basicConfig', writing('writes', 'filename')],
	['os.chdir os.chroot', { verb: 'enters', reads: [0] }],
]);

const openers = new Set(
	`builtins.open codecs.open os.open os.fdopen gzip.open bz2.open lzma.open io.FileIO tarfile.open zipfile.ZipFile gzip.GzipFile aiofiles.open
	pathlib.Path.open tarfile.TarFile wave.open h5py.File netCDF4.Dataset`.split(/\s+/),
);

const textsAt = (fact: CallFact, places: readonly (number | string)[] = []): string[] =>
	places.flatMap((place) => {
		const values = typeof place === 'number' ? fact.args[place] : fact.keywords.get(place);
		return values && values.length > 0 ? textsOf(values).filter((text) => text !== HOLE) : [];
	});

/** A handle that was opened for reading only does not write. */
function isWriting(fact: CallFact): boolean {
	const [mode] = textsOf(
		fact.args[1] ?? fact.keywords.get('mode') ?? fact.keywords.get('flags') ?? [{ kind: 'text', text: 'r' }],
	);
	if (fact.path === 'os.open')
		return numbersOf(fact.args[1] ?? []).some((flags) => (flags & 3) !== 0) || writesByFlag(fact.args[1]);
	return mode === undefined || mode === HOLE ? false : /[wax+]/.test(mode);
}

const writesByFlag = (flags: Values | undefined): boolean =>
	flags === undefined ||
	flags.length === 0 ||
	flags.some((flag) => flag.kind === 'ref' && /O_(WRONLY|RDWR|CREAT|APPEND|TRUNC)/.test(flag.path));

/** One name of a call may be a name for several libraries: `pandas.DataFrame().groupby().to_csv` is `?.to_csv`. */
const effectOf = (path: string): Effect | undefined =>
	effects.get(path) ?? (path.includes('()') ? effects.get(`?.${path.slice(path.lastIndexOf('.') + 1)}`) : undefined);

function written(fact: Fact, { options }: RuleContext): Objection[] {
	if (fact.kind !== 'call') return [];
	if (openers.has(fact.path))
		return isWriting(fact)
			? textsAt(fact, [0, 'file', 'filename', 'name']).flatMap((path) => writeObjections('writes', path, options))
			: [];
	const effect = effectOf(fact.path);
	const objections = textsAt(fact, effect?.writes).flatMap((path) =>
		writeObjections(effect?.verb ?? 'writes', path, options),
	);
	return [...objections, ...wholeFolder(fact), ...openToAll(fact, options)];
}

/** Deleting the whole working folder would take the input and the output with it. */
function wholeFolder(fact: CallFact): Objection[] {
	if (
		fact.path !== 'shutil.rmtree' ||
		!textsAt(fact, [0, 'path']).some((path) => /^(\/work|\/tmp|\.|\/work\/(in|out))\/?$/.test(path))
	)
		return [];
	return [
		{
			severity: 'warn',
			resolved: fact.path,
			reason: 'it deletes the whole folder that the sandbox gives you',
			fix: 'Delete single files or a folder of your own below it.',
		},
	];
}

/** `chmod(path, 0o777)` lets everybody write. */
function openToAll(fact: CallFact, options: RuleContext['options']): Objection[] {
	if (!/^(os\.(chmod|lchmod|fchmod)|pathlib\.Path\.chmod)$/.test(fact.path)) return [];
	const isOpen = numbersOf(fact.args[1] ?? fact.keywords.get('mode') ?? []).some((mode) => (mode & 0o002) !== 0);
	const isInside = textsAt(fact, [0, 'path']).some((path) => placeOf(path, options) === 'allowed');
	if (!isOpen) return [];
	return [
		{
			...(isInside ? { severity: 'warn' as const } : {}),
			resolved: fact.path,
			reason: 'it lets everybody write the file',
			fix: 'Use 0o644, or 0o755 for a program.',
		},
	];
}

function readFrom(fact: Fact, { options }: RuleContext): Objection[] {
	if (fact.kind !== 'call') return [];
	if (openers.has(fact.path) && isWriting(fact)) return [];
	const places = openers.has(fact.path) ? [0, 'file', 'filename', 'name'] : effectOf(fact.path)?.reads;
	return textsAt(fact, places).flatMap((path) => readObjections(path, options, true));
}

const fileWrite: Rule = {
	id: 'PY-FSWRITE',
	cwe: 'CWE-22',
	severity: 'block',
	language: 'python',
	summary: 'Writes, moves or deletes files outside the writable folders, or makes files writable for everybody.',
	dependsOn: ['writableRoots'],
	judge: written,
	denies: { code: 'from pathlib import Path\n(Path("/etc") / "out.csv").write_text("x")' },
	allows: { code: 'open("/work/out.csv", "w").write("x")' },
};

const fileRead: Rule = {
	id: 'PY-FSREAD',
	cwe: 'CWE-200',
	severity: 'block',
	language: 'python',
	summary: 'Reads accounts, keys, logs of the system or other processes.',
	dependsOn: ['readDeny'],
	judge: readFrom,
	denies: { code: 'print(open("/etc/" + "shadow").read())' },
	allows: { code: 'print(open("/work/in/data.csv").read())' },
};

export const pythonFileRules: readonly Rule[] = [fileWrite, fileRead];
