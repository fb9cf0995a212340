/** Lowers a parsed program of any language. */
import { lowerBash } from './bash.ts';
import type { Program } from './ir.ts';
import { lowerJavaScript } from './javascript.ts';
import type { Parsed } from './parse.ts';
import { lowerPython } from './python.ts';

export function lower(parsed: Parsed): Program {
	if (parsed.language === 'python') return lowerPython(parsed.tree, parsed.text);
	return parsed.language === 'javascript' ? lowerJavaScript(parsed.tree) : lowerBash(parsed.tree);
}
