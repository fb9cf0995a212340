/** Tells how jobs ended, to the person in the editor and to the server's log; never code, output or secrets. */
import type { NodeExecutionHint } from 'n8n-workflow';
import { languageLabels } from '../../src/contract/language.ts';
import type { NodeContext } from './context.ts';
import type { NodeResult } from './deliver-files.ts';

const MiB = 1024 * 1024;

const rulesOf = (results: readonly NodeResult[]): string[] => [
	...new Set(results.flatMap((result) => result.findings.map((finding) => finding.ruleId))),
];

function measuresOf(result: NodeResult): string {
	const measures = [
		...(result.language === null ? [] : [languageLabels[result.language]]),
		...(result.exitCode === null ? [] : [`exit code ${result.exitCode}`]),
		`${Math.round(result.durationMs)} ms`,
		`${Math.ceil(result.peakMemoryBytes / MiB)} MB`,
	];
	return measures.join(', ');
}

function sentenceFor(result: NodeResult): string {
	const measures = result.status === 'denied' ? 'nothing was run' : measuresOf(result);
	// The message of a refusal quotes the code.
	const problem = result.problem === null || result.findings.length > 0 ? '' : ` ${result.problem.message}`;
	return `${result.status}: ${measures}.${problem}`;
}

function sentenceForMany(results: readonly NodeResult[]): string {
	const counts = new Map<string, number>();
	for (const { status } of results) counts.set(status, (counts.get(status) ?? 0) + 1);
	const total = results.reduce((sum, result) => sum + result.durationMs, 0);
	const words = [...counts].map(([status, count]) => `${count} ${status}`);
	return `${results.length} programs in ${Math.round(total)} ms: ${words.join(', ')}.`;
}

/** One hint for all items of a run, because n8n shows every hint above the output. */
export function hintFor(results: readonly NodeResult[]): NodeExecutionHint {
	const [first] = results;
	const sentence = results.length === 1 && first !== undefined ? sentenceFor(first) : sentenceForMany(results);
	const rules = rulesOf(results);
	return {
		message: rules.length === 0 ? sentence : `${sentence} Findings: ${rules.join(', ')}.`,
		type: results.every((result) => result.status === 'succeeded') ? 'info' : 'warning',
		location: 'outputPane',
	};
}

export function logJob(context: NodeContext, result: NodeResult): void {
	const { status, exitCode, durationMs, language, problem } = result;
	context.logger.info(`Secure Code: ${status}`, {
		status,
		exitCode,
		durationMs,
		language,
		problem: problem?.code ?? null,
		findings: rulesOf([result]),
	});
}
