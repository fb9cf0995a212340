/** Tells a model whose program found no module which bundle has it, or which command would bring it. Pure. */
import { problemFor } from '../contract/error.ts';
import type { JobResult } from '../contract/job.ts';

type PackageLanguage = 'python' | 'javascript';

/** Packages that are called otherwise than what is imported of them. */
const packageOf: Readonly<Record<string, string>> = {
	bs4: 'beautifulsoup4',
	cv2: 'opencv-python-headless',
	dateutil: 'python-dateutil',
	docx: 'python-docx',
	dotenv: 'python-dotenv',
	fitz: 'pymupdf',
	jwt: 'pyjwt',
	PIL: 'pillow',
	pptx: 'python-pptx',
	skimage: 'scikit-image',
	sklearn: 'scikit-learn',
	yaml: 'pyyaml',
};

/** Parts of Python that need a screen, which a jail does not have; no registry has them either. */
const needsScreen = new Set(['tkinter', '_tkinter', 'turtle', 'idlelib', 'curses', '_curses']);

/** As Python and Node.js say it, at the end of what they say. */
const patterns: Record<PackageLanguage, RegExp> = {
	python: /^ModuleNotFoundError: No module named '([A-Za-z_]\w*)/m,
	javascript: /(?:Cannot find (?:module|package)) '((?:@[\w.-]+\/)?[\w-][\w.-]*)/,
};

/** Undefined when the program did not fail for want of a module. */
export function missingModule(language: string | null, stderr: string): string | undefined {
	if (language !== 'python' && language !== 'javascript') return undefined;
	return patterns[language].exec(stderr.slice(-8_192))?.[1];
}

function remedyFor(language: PackageLanguage, module: string, bundles: readonly string[]): string {
	if (language === 'python' && needsScreen.has(module))
		return 'It cannot be added: programs here have no screen. Figures of matplotlib and plotly are saved without one.';
	if (bundles.length > 0) {
		const names = bundles.map((name) => `"${name}"`).join(' or ');
		return `The bundle ${names} has it: the author can choose it in the node ("Packages") or with --bundle.`;
	}
	const name = language === 'python' && Object.hasOwn(packageOf, module) ? packageOf[module] : module;
	const flag = language === 'javascript' ? ' --language javascript' : '';
	return `The operator can add it: secure-code packages add${flag} ${name}.`;
}

/** @param bundlesWith which bundles of this host have a module */
export function explainMissingModule(
	result: JobResult,
	bundlesWith: (language: PackageLanguage, module: string) => readonly string[],
): JobResult {
	const module =
		result.status === 'failed' && result.problem === null ? missingModule(result.language, result.stderr) : undefined;
	if (module === undefined) return result;
	const language = result.language as PackageLanguage;
	const remedy = remedyFor(language, module, bundlesWith(language, module));
	return { ...result, problem: problemFor('MODULE_MISSING', { module, remedy }) };
}
