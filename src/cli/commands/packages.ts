/** secure-code packages: bundles of Python and JavaScript packages that programs in the jail may import. */
import { readFile } from 'node:fs/promises';
import { KnownError } from '../../contract/error.ts';
import { languageLabels } from '../../contract/language.ts';
import {
	addLocked,
	addPackages,
	type Bundle,
	createBackend,
	curatedNames,
	defaultBundle,
	type PackageLanguage,
	type PackageOrder,
	parseBundle,
	readBundles,
	removeBundle,
	removePackages,
} from '../../core/compose.ts';
import { dataHome } from '../../core/host/folders.ts';
import type { Command, Typed } from '../command.ts';
import { type Flags, text, texts } from '../flags.ts';

const flags = {
	bundle: { type: 'string', short: 'b', value: 'NAME', help: `the bundle (default "${defaultBundle}")` },
	language: { type: 'string', short: 'l', value: 'LANG', help: 'python (default) or javascript' },
	host: {
		type: 'string',
		multiple: true,
		value: 'HOST',
		help: 'a further host that the registry keeps files at; may be given again',
	},
	lock: {
		type: 'string',
		value: 'FILE',
		help: 'install exactly what this output of "list --json" of one bundle holds',
	},
	upgrade: {
		type: 'boolean',
		help: 'with add: choose every package of the bundle anew; without it those that are there keep their version',
	},
	all: { type: 'boolean', help: 'with remove: the whole bundle' },
	json: { type: 'boolean', help: 'print one line of JSON' },
} as const satisfies Flags;

const help = `Manages the packages of the sandbox: wheels for Python, npm packages for JavaScript. They are fetched and unpacked in a jail
that reaches the registries of this host's own pip and npm and nothing else, locked by hashes, and mounted read-only.

Usage: secure-code packages add NAME... [--bundle NAME] [--language javascript]
       secure-code packages add --upgrade [NAME...] [--bundle NAME] [--language javascript]
       secure-code packages add --lock FILE [--bundle NAME]
       secure-code packages remove NAME... | --all
       secure-code packages list

What belongs together has a name, too: ${curatedNames.join(', ')}.

Examples:
  secure-code packages add pandas matplotlib
  secure-code packages add --bundle web --language javascript cheerio
`;

const usage = (details: string) => new KnownError('USAGE', { details });

const sayWhat = usage('packages: say add NAME..., remove NAME... or list');

const bundleOf = (typed: Typed): string => text(typed.values, 'bundle') ?? defaultBundle;

function languageOf(typed: Typed): PackageLanguage {
	const language = text(typed.values, 'language') ?? 'python';
	if (language === 'python' || language === 'javascript') return language;
	throw usage(`--language ${language}: must be python or javascript`);
}

async function orderFor(typed: Typed, language: PackageLanguage, signal: AbortSignal): Promise<PackageOrder> {
	const backend = createBackend();
	const runtime = (await backend.image()).runtimes[language];
	if (!runtime) throw new KnownError('RUNTIME_MISSING', { language: languageLabels[language] });
	return {
		backend,
		home: dataHome(),
		bundle: bundleOf(typed),
		language,
		version: runtime.version,
		hosts: texts(typed.values, 'host'),
		// The words of pip and npm are for the person; stdout is for the answer.
		onOutput: (_stream, chunk) => void process.stderr.write(chunk),
		signal,
	};
}

async function readLock(path: string): Promise<Bundle> {
	const content = await readFile(path, 'utf8').catch(() => {
		throw usage(`--lock ${path}: cannot be read`);
	});
	return parseBundle(content, path);
}

async function addFrom(typed: Typed, path: string, signal: AbortSignal): Promise<void> {
	const lock = await readLock(path);
	for (const language of ['python', 'javascript'] as const)
		if (lock[language] !== null) await addLocked(await orderFor(typed, language, signal), lock);
}

async function add(typed: Typed, names: readonly string[], signal: AbortSignal): Promise<void> {
	const lock = text(typed.values, 'lock');
	const isUpgrade = typed.values.upgrade === true;
	if (lock !== undefined && names.length === 0 && !isUpgrade) return addFrom(typed, lock, signal);
	if (lock !== undefined || (names.length === 0 && !isUpgrade)) throw sayWhat;
	await addPackages(await orderFor(typed, languageOf(typed), signal), names, isUpgrade);
}

async function remove(typed: Typed, names: readonly string[], signal: AbortSignal): Promise<void> {
	const isWhole = typed.values.all === true;
	if (isWhole === names.length > 0) throw sayWhat;
	if (isWhole) return removeBundle(dataHome(), bundleOf(typed));
	await removePackages(await orderFor(typed, languageOf(typed), signal), names);
}

const describePart = (language: PackageLanguage, part: Bundle[PackageLanguage]): string[] =>
	part === null
		? []
		: [`  ${languageLabels[language]} ${part.version}: ${part.names.join(' ')} (${part.lock.length} packages)`];

const describe = (name: string, { python, javascript }: Bundle): string =>
	[name, ...describePart('python', python), ...describePart('javascript', javascript)].join('\n');

function show(typed: Typed): void {
	const bundles = readBundles([dataHome()]);
	const wanted = text(typed.values, 'bundle');
	const shown = wanted === undefined ? bundles : bundles[wanted];
	if (typed.values.json === true) process.stdout.write(`${JSON.stringify(shown ?? {})}\n`);
	else {
		const lines = Object.entries(bundles).map(([name, bundle]) => describe(name, bundle));
		process.stdout.write(lines.length === 0 ? 'no packages\n' : `${lines.join('\n')}\n`);
	}
}

export const packages: Command = {
	flags,
	help,
	async act(typed, signal) {
		const [action, ...names] = typed.positionals;
		if (action === 'add') await add(typed, names, signal);
		else if (action === 'remove') await remove(typed, names, signal);
		else if (action !== 'list') throw sayWhat;
		show(typed);
		return 0;
	},
};
