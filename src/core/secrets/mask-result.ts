/** Masks the words of a result, which quote the program, its output and its files. Pure. */
import type { Finding } from '../../contract/finding.ts';
import type { JobResult, Problem } from '../../contract/job.ts';
import type { Mask } from './redact.ts';

const maskFinding = (finding: Finding, { text }: Mask): Finding => ({
	...finding,
	source: text(finding.source),
	found: text(finding.found),
	resolved: finding.resolved === null ? null : text(finding.resolved),
	message: text(finding.message),
	fix: text(finding.fix),
});

const maskProblem = ({ code, message, next }: Problem, { text }: Mask): Problem => ({
	code,
	message: text(message),
	next: text(next),
});

/** The output is masked a second time: cleaning may have joined a value that control sequences held apart. */
export function maskResult(result: JobResult, mask: Mask): JobResult {
	return {
		...result,
		stdout: mask.text(result.stdout),
		stderr: mask.text(result.stderr),
		findings: result.findings.map((finding) => maskFinding(finding, mask)),
		problem: result.problem && maskProblem(result.problem, mask),
	};
}
