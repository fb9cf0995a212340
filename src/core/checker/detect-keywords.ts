/** Counts words that one language has and the others have not, in a text that no parser accepts. */
import type { Language } from '../../contract/language.ts';

const strings = /("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)/g;

const words: Record<Language, RegExp> = {
	python:
		/^\s*(def\s+\w+\s*\(|class\s+\w+.*:|import\s+\w+|from\s+[\w.]+\s+import\b|elif\b|except\b|with\s.+:\s*$|for\s+\w+(\s*,\s*\w+)*\s+in\s.+:|if\s[^{;]*:\s*$|while\s[^{;]*:\s*$|try:\s*$|else:\s*$|return\b[^;]*$|print\b|@\w+\s*$|raise\b|pass$|async def)|\b(self|None|True|False|lambda|isinstance|len|range)\b/gm,
	javascript:
		/\b(const|let|var)\s+[\w{[]+|\bfunction\b\s*\*?\s*\w*\s*\(|=>|===|!==|\bconsole\.\w+|\brequire\(|\b(new|typeof|instanceof|undefined|null)\s|;\s*$|^\s*(import\s.+\sfrom\s|export\s|\/\/)|\}\s*else\s*\{|\bcatch\s*\(|\bMath\.|\bJSON\./gm,
	bash: /^\s*(if\s+\[|fi\b|then\b|done\b|do\b|esac\b|case\s.+\sin\b|for\s+\w+\s+in\s[^:]*(;|$)|while\s+(\[|read|true)|echo\b|export\s+\w+=|\w+=\S*$|sudo\b|cd\s|ls\b|rm\s|grep\b|cat\s|mkdir\b|apt(-get)?\b|chmod\b|curl\b|function\s+\w+\s*\{|\w+\(\)\s*\{|local\s+\w+=)|\$\{?\w+\}?|\$\(|\[\[|\]\]|\|\s*\w+|&&|;\s*(then|do)\b|\s--?\w+|2>&1|>\s*\/dev/gm,
};

const count = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;

export function keywordScores(code: string): Record<Language, number> {
	const text = code.replaceAll(strings, '""');
	return {
		python: count(text, words.python),
		javascript: count(text, words.javascript),
		bash: count(text, words.bash),
	};
}
