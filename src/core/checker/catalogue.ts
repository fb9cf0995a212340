/** Writes the page of the rule catalogue from the rules themselves. */
import { languageLabels } from '../../contract/language.ts';
import type { CheckOptions } from './options.ts';
import type { Example, Rule } from './rules/rule.ts';
import { rules } from './rules/rules.ts';

const intro = `# The static checker

Before a program runs, it is parsed in its own language, its names are resolved as far as they can be without running it, and rules
look at what the names really mean. \`o = __import__('o' + 's'); o.popen('ls')\` is \`os.popen\` for a rule, whatever it is called.
**The check is a guide for the model and a tripwire. The jail is the wall**: a program that fools the check is still contained.

A finding that **blocks** keeps the program from running; one that **warns** is told after the output. Every rule brings one program that
it refuses and one near to it that it lets pass; the tests run both. This page is written from the rules: change them, not the page.
`;

const groups = [
	['python', languageLabels.python],
	['javascript', `${languageLabels.javascript} and TypeScript`],
	['bash', languageLabels.bash],
	[null, 'The checker itself'],
] as const;

export function checkerCatalogue(): string {
	const sections = groups.map(([language, title]) => {
		const chosen = rules.filter((rule) => rule.language === language);
		return `## ${title}\n\n${table(chosen)}\n${chosen.map(described).join('\n')}`;
	});
	return `${intro}\n${sections.join('\n')}\n---\n\nNext: [threat model](threat-model.md) · Previous: [warm boxes](warm-boxes.md)\n`;
}

const severity = (rule: Rule): string => (rule.severity === 'block' ? 'blocks' : 'warns');
const options = (names: readonly (keyof CheckOptions)[]): string =>
	names.map((name) => `\`${name}\``).join(', ') || '–';

function table(chosen: readonly Rule[]): string {
	const rows = chosen.map(({ id, cwe, summary, dependsOn, ...rule }) => {
		return `| ${id} | ${summary.replaceAll('|', '\\|')} | ${cwe ?? '–'} | ${severity({ id, cwe, summary, dependsOn, ...rule })} | ${options(dependsOn)} |`;
	});
	return `| rule | what | weakness | severity | depends on |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function described({ id, denies, allows, language }: Rule): string {
	if (denies.code === '') return '';
	return `### ${id}\n\n${example('Refused', denies, language)}\n${example('Allowed', allows, language)}`;
}

function example(title: string, { code, options: changed }: Example, language: Rule['language']): string {
	const shown = code.length > 200 ? `${code.slice(0, 60)} …` : code;
	const under = changed ? ` with \`${JSON.stringify(changed)}\`` : '';
	return `${title}${under}:\n\n\`\`\`${language ?? ''}\n${shown}\n\`\`\`\n`;
}
