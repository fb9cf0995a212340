import { describe, expect, it } from 'vitest';
import { problemFor } from '../../../src/contract/error.ts';
import { explainMissingModule, type Installed, missingModule } from '../../../src/core/missing-module.ts';
import { succeeded } from '../../helpers/n8n.ts';

const pythonSays = (module: string, line = `import ${module}`) =>
	`Traceback (most recent call last):\n  File "/code/main.py", line 1, in <module>\n    ${line}\nModuleNotFoundError: No module named '${module}'\n`;
const nodeSays = (module: string) => `Error: Cannot find module '${module}'\nRequire stack:\n- /code/main.js\n`;

const whole = (module: string) => ({ module, root: module, isPart: false });

describe('missingModule', () => {
	it.each([
		['python', pythonSays('sklearn', 'from sklearn.linear_model import Ridge'), whole('sklearn')],
		['python', pythonSays('json.foo'), { module: 'json.foo', root: 'json', isPart: true }],
		[
			'python',
			pythonSays('google', 'from google.cloud import storage'),
			{ module: 'google.cloud.storage', root: 'google', isPart: false },
		],
		['python', pythonSays('google.cloud', 'x()'), { module: 'google.cloud', root: 'google', isPart: false }],
		['javascript', nodeSays('lodash/fp'), { module: 'lodash/fp', root: 'lodash', isPart: false }],
		[
			'javascript',
			"Error [ERR_MODULE_NOT_FOUND]: Cannot find package '@a/b' imported from /code/main.js",
			whole('@a/b'),
		],
		['javascript', "Cannot find module './mine'", undefined],
		['bash', pythonSays('sklearn'), undefined],
		['python', 'ValueError: 7', undefined],
	])('reads what %s says', (language, stderr, module) => {
		expect(missingModule(language, stderr)).toEqual(module);
	});

	it.each([
		["ImportError: Missing optional dependency 'openpyxl'.  Use pip or conda to install openpyxl.", 'openpyxl'],
		["ImportError: Missing optional dependency 'Jinja2'. DataFrame.style requires jinja2.", 'jinja2'],
		["AttributeError: The '.style' accessor requires jinja2. Did you mean: 'astype'?", 'jinja2'],
		[
			"ImportError: Unable to find a usable engine; tried using: 'pyarrow'.\n - `Import pyarrow` failed. pyarrow is required",
			'pyarrow',
		],
		['RuntimeError: \nImage export requires the Kaleido package, v1.0.0 or greater,\n', 'kaleido'],
		['mylib.MissingError: to read it: pip install --upgrade "xlrd>=2"', 'xlrd'],
		["print('Missing optional dependency') \nValueError: 7", undefined],
	])('reads what a library says that does without a package until then: %s', (stderr, module) => {
		expect(missingModule('python', `Traceback:\n${stderr}`)).toEqual(module === undefined ? undefined : whole(module));
	});
});

describe('a program that found no module', () => {
	const failed = (stderr: string, language: 'python' | 'javascript' = 'python') =>
		({ ...succeeded, language, status: 'failed', exitCode: 1, stderr }) as const;
	const installed: Installed = { bundle: 'default', modules: [], bundlesWith: () => [] };
	const problemOf = (result: Parameters<typeof explainMissingModule>[0], more: Partial<Installed> = {}) =>
		explainMissingModule(result, { ...installed, ...more }).problem;
	const missing = (module: string, remedy: string) => problemFor('MODULE_MISSING', { module, remedy });
	const added = (name: string) => `The operator can add it: secure-code packages add ${name}.`;

	it('is told which bundle has it, and never the one it has', () => {
		const remedy =
			'The bundle "data" or "ml" has it: the author can choose it in the node ("Packages") or with --bundle.';
		const result = failed(pythonSays('sklearn'));
		expect(problemOf(result, { bundlesWith: () => ['data', 'default', 'ml'] })).toEqual(missing('sklearn', remedy));
		expect(problemOf(result, { bundlesWith: () => ['default'] })).toEqual(missing('sklearn', added('scikit-learn')));
	});

	it.each([
		['sklearn', 'scikit-learn'],
		['numpy', 'numpy'],
		['more_itertools', 'more-itertools'],
		['Crypto', 'pycryptodome'],
		['serial', 'pyserial'],
		['git', 'gitpython'],
		['OpenSSL', 'pyopenssl'],
		['magic', 'python-magic'],
		['zmq', 'pyzmq'],
		['attr', 'attrs'],
		['MySQLdb', 'mysqlclient'],
		['dateutil', 'python-dateutil'],
		['jwt', 'pyjwt'],
		['docx', 'python-docx'],
		['pptx', 'python-pptx'],
		['fitz', 'pymupdf'],
		['dotenv', 'python-dotenv'],
		['Xlib', 'python-xlib'],
		['usb', 'pyusb'],
	])('is told the package of %s by its own name', (module, name) => {
		expect(problemOf(failed(pythonSays(module)))).toEqual(missing(module, added(name)));
	});

	it('is told which of several packages under one name is meant', () => {
		const line = 'from google.cloud import storage';
		expect([
			problemOf(failed(pythonSays('google', line))),
			problemOf(failed(pythonSays('google.cloud', line))),
		]).toEqual(Array.from({ length: 2 }, () => missing('google.cloud.storage', added('google-cloud-storage'))));
	});

	it.each([
		['python', pythonSays('fast_tables'), 'fast_tables', 'fast_tables'],
		['python', pythonSays('google', 'import google.odd'), 'google.odd', 'google-odd'],
		['javascript', nodeSays('fast-tables/x'), 'fast-tables/x', 'fast-tables'],
	] as const)('is warned of a name in %s that only might be that of a package', (language, stderr, module, guess) => {
		const remedy = `A package that provides it is often called "${guess}"; whoever adds it should look it up first, because anybody can publish a package under a name that is only guessed.`;
		expect(problemOf(failed(stderr, language))).toEqual(missing(module, remedy));
	});

	it('is told of npm packages that are known', () => {
		expect(problemOf(failed(nodeSays('lodash/fp'), 'javascript'))).toEqual(
			missing('lodash/fp', added('--language javascript lodash')),
		);
	});

	it('is told that only a part is missing of what is there', () => {
		const part = (module: string, root: string) => problemFor('MODULE_PART_MISSING', { module, package: root });
		expect([
			problemOf(failed(pythonSays('pandas.nope')), { modules: ['pandas'], bundlesWith: () => ['default'] }),
			problemOf(failed(pythonSays('json.foo'))),
			problemOf(failed(nodeSays('lodash/nope'), 'javascript'), { modules: ['lodash'] }),
		]).toEqual([part('pandas.nope', 'pandas'), part('json.foo', 'json'), part('lodash/nope', 'lodash')]);
	});

	it.each([
		['tkinter', 'no screen'],
		['win32api', 'part of Windows'],
		['urllib2', 'belongs to Python itself'],
		['distutils.core', 'belongs to Python itself'],
		['kaleido', 'need a browser'],
	])('is not told to add %s, which no package brings', (module, why) => {
		const stderr = module.includes('.') ? pythonSays(module.split('.')[0] ?? '') : pythonSays(module);
		const { message = '' } = problemOf(failed(stderr)) ?? {};
		expect([message.includes(`It cannot be added: `), message.includes(why), message.includes('packages add')]).toEqual(
			[true, true, false],
		);
	});

	it('is told nothing when it worked all the same, or when there is something else to say', () => {
		const result = failed(pythonSays('sklearn'));
		expect(problemOf({ ...result, status: 'succeeded' })).toBeNull();
		const problem = problemFor('NETWORK_OFF');
		expect(problemOf({ ...result, problem })).toEqual(problem);
	});
});
