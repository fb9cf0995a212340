/** Counts words that one language has and the others have not, in a text that no parser accepts. */
import type { Language } from '../../contract/language.ts';

const strings = /("""[\s\S]*?"""|'''[\s\S]*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)/g;

const words: Record<Language, RegExp> = {
	python:
		/^[ \t]*(def[ \t]+\w+[ \t]*\(|class[ \t]+\w.*:|import[ \t]+\w+|from[ \t]+[\w.]+[ \t]+import\b|elif\b|except\b|with\s.+:[ \t]*$|for[ \t]+\w+([ \t]*,[ \t]*\w+)*[ \t]+in\s.+:|if\s[^{;\n]*:[ \t]*$|while\s[^{;\n]*:[ \t]*$|try:[ \t]*$|else:[ \t]*$|return\b[^;\n]*$|print\b|@\w+[ \t]*$|raise\b|pass$|async def)|\b(self|None|True|False|lambda|isinstance|len|range)\b/gm,
	javascript:
		/\b(const|let|var)[ \t]+[\w{[]+|\bfunction\b[ \t]*(?:\*[ \t]*)?(?:\w+[ \t]*)?\(|=>|===|!==|\bconsole\.\w+|\brequire\(|\b(new|typeof|instanceof|undefined|null)\s|;[ \t]*$|^[ \t]*(import\s.+\sfrom\s|export\s|\/\/)|\}[ \t]*else[ \t]*\{|\bcatch[ \t]*\(|\bMath\.|\bJSON\./gm,
	bash: /^[ \t]*(if[ \t]+\[|fi\b|then\b|done\b|do\b|esac\b|case\s.+\sin\b|for[ \t]+\w+[ \t]+in\s[^:\n]*(;|$)|while[ \t]+(\[|read|true)|echo\b|export[ \t]+\w+=|\w+=\S*$|sudo\b|cd\s|ls\b|rm\s|grep\b|cat\s|mkdir\b|apt(-get)?\b|chmod\b|curl\b|function[ \t]+\w+[ \t]*\{|\w+\(\)[ \t]*\{|local[ \t]+\w+=)|\$\{?\w+\}?|\$\(|\[\[|\]\]|\|[ \t]*\w+|&&|;[ \t]*(then|do)\b|\s--?\w+|2>&1|>[ \t]*\/dev/gm,
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
