/** Says the findings of a check to the model: what, why, what instead, and the policy once at the end. */
import type { Finding } from '../../contract/finding.ts';
import { languageLabels } from '../../contract/language.ts';
import type { CheckReport } from './check.ts';
import type { CheckOptions } from './options.ts';

export function describeFindings(report: CheckReport, options: CheckOptions): string {
	if (report.findings.length === 0) return '';
	const isForbidden = report.verdict === 'forbidden';
	const lines = [
		isForbidden ? refusal(report) : `${count(report, 'warning')}:`,
		...report.findings.map(described),
		...(report.omitted > 0 ? [`…and ${report.omitted} more.`] : []),
		...(isForbidden ? [`Allowed here: ${policy(report, options)}.`] : []),
		...(report.guessed && isForbidden ? [assumed(report)] : []),
	];
	return lines.join('\n');
}

const count = ({ findings, omitted }: CheckReport, what: string): string => {
	const total = findings.length + omitted;
	return `${total} ${what}${total === 1 ? '' : 's'}`;
};

function refusal(report: CheckReport): string {
	const many = report.findings.length + report.omitted === 1 ? 'Fix it' : 'Fix all of them';
	return `Code was not run: ${count(report, 'problem')}. ${many} and send the whole program again.`;
}

function described(finding: Finding, index: number): string {
	const tags = [
		finding.ruleId,
		...(finding.cwe ? [finding.cwe] : []),
		...(finding.severity === 'warn' ? ['warning'] : []),
	];
	const head = `${index + 1}. line ${finding.line}, col ${finding.column} [${tags.join(', ')}] ${finding.message}`;
	const caret = finding.ruleId.endsWith('-SYNTAX') ? `\n${pointer(finding)}` : '';
	return `${head}${caret}\n   Instead: ${finding.fix}`;
}

/** The line of a syntax error with a caret under the place; a long line is cut around it. */
function pointer({ source, column }: Finding): string {
	const start = Math.max(0, column - 60);
	const shown = source.slice(start, start + 100).replaceAll('\t', ' ');
	return `   ${shown}\n   ${' '.repeat(Math.max(0, column - 1 - start))}^`;
}

function policy({ language }: CheckReport, { network, allowedImports, writableRoots }: CheckOptions): string {
	const hosts = Array.isArray(network) && network.length > 0 ? network.join(', ') : network === 'full' ? 'on' : 'off';
	const modules =
		allowedImports === undefined
			? 'all installed ones'
			: allowedImports.length > 0
				? allowedImports.join(', ')
				: 'none';
	const imports = language === 'bash' ? [] : [`modules: ${modules}`];
	return [`network ${hosts}`, ...imports, `files: ${writableRoots.join(', ')}`].join('; ');
}

const assumed = ({ language, dialect }: CheckReport): string => {
	const name = dialect === 'typescript' ? 'TypeScript' : languageLabels[language];
	return `Language detected as ${name}; pass "language" to override.`;
};
