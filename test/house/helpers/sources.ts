/** Reads the repository's own files: sources with their imports, and the samples of its pages. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export function filesBelow(folder: string, ending: string): string[] {
	if (!existsSync(folder)) return [];
	const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
	return names
		.filter((name) => name.endsWith(ending))
		.map((name) => join(folder, name))
		.sort();
}

export interface Source {
	readonly path: string;
	readonly text: string;
	/** What it imports, types included: paths in the repository, or names of packages and of Node's modules. */
	readonly imports: readonly string[];
	/** Those of the imports that are gone once the types are stripped. */
	readonly typeImports: readonly string[];
}

function readSource(path: string): Source {
	const text = readFileSync(path, 'utf8');
	const resolve = (name: string) => (name.startsWith('.') ? join(path, '..', name) : name);
	const imports = ts.preProcessFile(text, true, false).importedFiles.map(({ fileName }) => resolve(fileName));
	const ofTypes = [...text.matchAll(/^import type [^;]*? from '([^']+)'/gm)];
	return { path, text, imports, typeImports: ofTypes.map(([, name = '']) => resolve(name)) };
}

export const readSources = (): Source[] =>
	['src', 'nodes', 'credentials'].flatMap((folder) => filesBelow(folder, '.ts')).map(readSource);

export interface Sample {
	/** Where it stands, for the title of its test. */
	readonly place: string;
	readonly language: string;
	readonly text: string;
	/** From "<!-- not run: reason -->" on the line above; null when the sample is run. */
	readonly notRun: string | null;
}

const fence = /^( *)(```+)(\w*)[^\n]*\n([\s\S]*?)^\1\2 *$/gm;

/** The fenced samples of a page. */
export function samplesOf(path: string): Sample[] {
	const page = readFileSync(path, 'utf8');
	return [...page.matchAll(fence)].map((match) => {
		const [, indent = '', , language = '', body = ''] = match;
		const before = page.slice(0, match.index);
		return {
			place: `${path}:${before.split('\n').length}`,
			language,
			text: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
			notRun: /<!-- not run: (.+?) -->\s*$/.exec(before)?.[1] ?? null,
		};
	});
}
