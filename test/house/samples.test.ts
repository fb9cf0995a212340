/** The samples of README and docs are run, or at least read by the parser of their language; the same for the examples. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { parse as parseJavaScript } from 'acorn';
import { parse as parsePython } from 'py-ast';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { locateNsjail } from '../../src/core/sandbox/backends/nsjail/locate.ts';
import { tempFolder } from '../helpers/temp-folder.ts';
import { filesBelow, type Sample, samplesOf } from './helpers/sources.ts';

if (!existsSync('dist/cli/main.js')) throw new Error('There is no dist: run "npm run build" first');

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const ourTypes: string[] = manifest.n8n.nodes.map((file: string) => JSON.parse(readFileSync(`${file}on`, 'utf8')).node);

interface Workflow {
	readonly nodes: readonly { readonly name: string; readonly type: string }[];
	readonly connections: Readonly<Record<string, unknown>>;
}

/** A workflow as n8n imports it: every connection starts at a node, and our nodes are ones that we have. */
function readWorkflow({ nodes, connections }: Workflow): void {
	const names = nodes.map(({ name }) => name);
	expect(Object.keys(connections).filter((name) => !names.includes(name))).toEqual([]);
	const ours = nodes.map(({ type }) => type).filter((type) => type.startsWith(`${manifest.name}.`));
	expect(ours.filter((type) => !ourTypes.includes(type))).toEqual([]);
}

function readJson(text: string): void {
	const value = JSON.parse(text);
	if (value !== null && typeof value === 'object' && 'nodes' in value && 'connections' in value) readWorkflow(value);
}

function readTypeScript(text: string): void {
	const { diagnostics = [] } = ts.transpileModule(text, { reportDiagnostics: true });
	expect(diagnostics.map(({ messageText }) => messageText)).toEqual([]);
}

const readBash = (text: string) => execFileSync('bash', ['-n'], { input: text, stdio: 'pipe' });

const readers: Readonly<Record<string, (text: string) => unknown>> = {
	sh: readBash,
	bash: readBash,
	json: readJson,
	js: (text) => parseJavaScript(text, { ecmaVersion: 'latest', sourceType: 'module' }),
	javascript: (text) => parseJavaScript(text, { ecmaVersion: 'latest', sourceType: 'module' }),
	ts: readTypeScript,
	typescript: readTypeScript,
	py: (text) => parsePython(text),
	python: (text) => parsePython(text),
};

/** A folder with a "secure-code" that is ours, to be put on PATH. */
function programFolder(): string {
	const folder = join(tempFolder(), 'bin');
	mkdirSync(folder);
	const script = `#!/bin/sh\nexec '${process.execPath}' '${resolve('dist/cli/main.js')}' "$@"\n`;
	writeFileSync(join(folder, 'secure-code'), script, { mode: 0o755 });
	return folder;
}

function run(text: string): void {
	const env = { ...process.env, PATH: [programFolder(), process.env.PATH].join(delimiter) };
	try {
		execFileSync('bash', ['-e', '-o', 'pipefail', '-c', text], { cwd: tempFolder(), env, stdio: 'pipe' });
	} catch (error) {
		const { status, stdout, stderr } = error as { status: number; stdout: Buffer; stderr: Buffer };
		throw new Error(`ended with ${status}\n${stdout}${stderr}`);
	}
}

const pages = [...['README.md', 'ARCHITECTURE.md'].filter((path) => existsSync(path)), ...filesBelow('docs', '.md')];

/** The catalogue of the checker is made from the examples of its rules, which have tests of their own and may be broken on purpose. */
const samples = pages.filter((path) => path !== 'docs/checker.md').flatMap(samplesOf);

const isOurCommand = ({ language, text }: Sample): boolean =>
	['sh', 'bash'].includes(language) && /^(.*[|&(;] *)?secure-code /m.test(text);

const isReadable = ({ language }: Sample): boolean => language in readers;

const hasSandbox = (await locateNsjail()) !== undefined;

describe('the samples of the pages', () => {
	it('name their language, so that they can be tried', () => {
		expect(samples.filter(({ language }) => language === '').map(({ place }) => place)).toEqual([]);
	});

	it.each(samples.filter(isReadable))('$place is $language', ({ language, text }) => {
		readers[language]?.(text);
	});

	const commands = samples.filter(isOurCommand);

	it.for(commands)('$place works as it stands', ({ text, notRun }, { skip }) => {
		if (notRun !== null) return skip(notRun);
		if (!hasSandbox && /secure-code (run|doctor)/.test(text)) return skip('nsjail is not installed');
		run(text);
	});
});

describe('the examples', () => {
	it.each(filesBelow('examples', '.json'))('%s is a workflow with nodes that we have', (path) => {
		const workflow = JSON.parse(readFileSync(path, 'utf8'));
		expect(workflow).toMatchObject({ nodes: expect.any(Array), connections: expect.any(Object) });
		readWorkflow(workflow);
	});
});
