/** Rules about the text itself: what cannot be read is not run. The check raises them; they hold no judgement of facts. */
import type { Language } from '../../../contract/language.ts';
import type { Rule } from './rule.ts';

const prefixes: Record<Language, string> = { python: 'PY', javascript: 'JS', bash: 'BASH' };
const broken: Record<Language, string> = { python: 'print(', javascript: 'let = (', bash: 'if true; then' };
const whole: Record<Language, string> = { python: 'print(1)', javascript: 'console.log(1)', bash: 'echo 1' };

export const ruleId = (language: Language, family: string): string => `${prefixes[language]}-${family}`;

function limitRules(language: Language): Rule[] {
	const allows = { code: whole[language] };
	return [
		{
			id: ruleId(language, 'SYNTAX'),
			cwe: null,
			severity: 'block',
			language,
			summary: 'The parser does not accept the program.',
			dependsOn: ['onSyntaxError'],
			denies: { code: broken[language] },
			allows,
		},
		{
			id: ruleId(language, 'LENGTH'),
			cwe: 'CWE-400',
			severity: 'block',
			language,
			summary: 'The program is longer than allowed; it is not read at all.',
			dependsOn: ['maxCodeLength'],
			denies: { code: whole[language], options: { maxCodeLength: 3 } },
			allows,
		},
		{
			id: ruleId(language, 'DEPTH'),
			cwe: 'CWE-400',
			severity: 'block',
			language,
			summary: 'The program is nested so deeply, or makes so much of its texts and lists, that it cannot be analysed.',
			dependsOn: [],
			denies: {
				code: language === 'bash' ? '$('.repeat(3000) + ')'.repeat(3000) : '['.repeat(9000) + ']'.repeat(9000),
			},
			allows,
		},
	];
}

const encoding: Rule = {
	id: 'PY-ENCODING',
	cwe: 'CWE-838',
	severity: 'block',
	language: 'python',
	summary:
		'The text may read differently from how it looks: a coding cookie other than UTF-8, a NUL; bidirectional controls warn.',
	dependsOn: [],
	denies: { code: '# -*- coding: utf-7 -*-\nprint(1)' },
	allows: { code: '# -*- coding: utf-8 -*-\nprint(1)' },
};

const internal: Rule = {
	id: 'INTERNAL',
	cwe: null,
	severity: 'block',
	language: null,
	summary: 'The checker itself failed on the program, so it cannot vouch for it.',
	dependsOn: [],
	denies: { code: '' },
	allows: { code: '' },
};

export const textRules: readonly Rule[] = [
	...(['python', 'javascript', 'bash'] as const).flatMap(limitRules),
	encoding,
	internal,
];
