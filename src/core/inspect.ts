/** The first step of a job: which language it is, whether it is too long, and what the checker says. Pure. */
import { problemFor } from '../contract/error.ts';
import type { Finding } from '../contract/finding.ts';
import type { JobRequest, JobResult } from '../contract/job.ts';
import type { Dialect, Language } from '../contract/language.ts';
import { check } from './checker/check.ts';
import { describeFindings } from './checker/describe.ts';
import { detect } from './checker/detect.ts';
import { type CheckOptions, checkOptionsSchema } from './checker/options.ts';
import { withoutRun } from './result.ts';

export interface Inspected {
	/** Null for a command, which is in no language. */
	readonly language: Language | null;
	readonly dialect: Dialect;
	readonly code: string;
	readonly findings: Finding[];
}

export type Inspection = Inspected | { readonly refused: JobResult };

/** What the checker must know of a job; the same rules serve the nodes, the command line and the agent. */
export function checkOptionsFor(request: JobRequest): CheckOptions {
	return checkOptionsSchema.parse({
		...request.checkPolicy,
		language: request.script === undefined ? request.language : 'bash',
		network: request.network,
		allowedImports: request.allowedImports,
		maxCodeLength: request.limits.codeCharacters,
	});
}

function dialectOf(code: string, options: CheckOptions): Pick<Inspected, 'language' | 'dialect'> {
	if (options.language === 'python' || options.language === 'bash')
		return { language: options.language, dialect: 'javascript' };
	const found = detect(code);
	if (options.language === 'auto' || found.language === options.language) return found;
	return { language: options.language, dialect: 'javascript' };
}

const length = (text: string): number => [...text].length;

/** @returns what may run, or the result that refuses it */
export function inspect(request: JobRequest): Inspection {
	const code = request.code ?? request.script;
	if (code === undefined) return { language: null, dialect: 'javascript', code: '', findings: [] };
	const options = checkOptionsFor(request);
	const limit = options.maxCodeLength;
	if (code.length > limit && length(code) > limit)
		return { refused: withoutRun('denied', problemFor('LIMIT_CODE', { found: length(code), limit })) };
	if (!request.check) return { ...dialectOf(code, options), code, findings: [] };
	const report = check(code, options);
	const { language, dialect, findings } = report;
	if (report.verdict !== 'forbidden') return { language, dialect, code, findings };
	const problem = problemFor('CHECKER_FORBIDDEN', { details: describeFindings(report, options) });
	return { refused: withoutRun('denied', problem, { language, findings }) };
}
