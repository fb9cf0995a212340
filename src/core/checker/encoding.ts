/** Texts that read differently for a person, a parser and an interpreter. */
import type { Language } from '../../contract/language.ts';
import type { Hit } from './rules/apply.ts';
import type { Objection } from './rules/rule.ts';
import { ruleById } from './rules/rules.ts';

const cookie = /^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)/;
const harmless = /^(utf-?8(-sig)?|utf_8|ascii|us-ascii|latin-?1|latin_1|iso-?8859-?1|iso_8859_1)$/i;
const bidirectional = /[\u202A-\u202E\u2066-\u2069]/;

export function encodingHits(language: Language, code: string): Hit[] {
	const rule = ruleById.get('PY-ENCODING');
	if (language !== 'python' || !rule) return [];
	const at = (index: number) => ({ from: index, to: index + 1 });
	const hits: Hit[] = [];
	const hit = (index: number, objection: Objection): void => {
		hits.push({ rule, severity: objection.severity ?? rule.severity, span: at(index), objection });
	};
	for (const line of code.split(/\r\n?|\n/, 2)) {
		const encoding = cookie.exec(line)?.[1];
		if (encoding !== undefined && !harmless.test(encoding)) {
			hit(code.indexOf(line), {
				resolved: encoding,
				reason: 'Python would read the rest in another encoding',
				fix: 'Write UTF-8 and leave the coding comment out.',
			});
		}
	}
	if (code.includes('\0'))
		hit(code.indexOf('\0'), { reason: 'the text holds a NUL character', fix: 'Write "\\0" in the string.' });
	const bidi = code.search(bidirectional);
	if (bidi >= 0)
		hit(bidi, {
			severity: 'warn',
			reason: 'an invisible character changes the order in which the line is shown',
			fix: 'Write it as an escape such as "\\u202e".',
		});
	return hits;
}
