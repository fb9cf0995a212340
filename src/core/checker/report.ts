/** Makes the report: findings with their place and words, in order, each problem once, no more than fit. */
import type { Finding, Severity, Verdict } from '../../contract/finding.ts';
import type { CheckOptions } from './options.ts';
import type { Hit } from './rules/apply.ts';
import type { Source } from './source.ts';

const mostFindings = 20;

export function findingOf({ rule, severity, span, objection }: Hit, source: Source): Finding {
	const start = source.place(span.from);
	const end = source.place(Math.max(span.to, span.from));
	const found = source.excerpt(span);
	const resolved = objection.resolved && objection.resolved !== found ? objection.resolved : null;
	return {
		ruleId: rule.id,
		cwe: rule.cwe,
		severity,
		...start,
		endLine: end.line,
		endColumn: end.column,
		source: source.line(start.line),
		found,
		resolved,
		message: sentence(found, resolved, objection.reason),
		fix: objection.fix,
	};
}

/** `o.popen("ls")` is os.popen: it starts another program. */
function sentence(found: string, resolved: string | null, reason: string): string {
	const what = found === '' ? '' : `\`${found}\``;
	const isName = resolved !== null && /^[\w$][\w$./()]*$/.test(resolved) && !what.includes(resolved);
	const named = isName ? `${what} is ${resolved}`.trim() : what;
	return named === '' ? `${reason}.` : `${named}: ${reason}.`;
}

export interface Verdicts {
	readonly verdict: Verdict;
	readonly findings: Finding[];
	readonly omitted: number;
}

export function summarise(findings: readonly Finding[], options: CheckOptions): Verdicts {
	const judged = findings.flatMap((finding) => withSeverity(finding, options));
	const ordered = dedupe(
		judged.sort((a, b) => a.line - b.line || a.column - b.column || rank(a.severity) - rank(b.severity)),
	);
	const isForbidden = ordered.some((finding) => finding.severity === 'block');
	const verdict = isForbidden ? 'forbidden' : ordered.length > 0 ? 'suspicious' : 'clean';
	return { verdict, findings: capped(ordered), omitted: Math.max(0, ordered.length - mostFindings) };
}

const rank = (severity: Severity): number => (severity === 'block' ? 0 : 1);

function withSeverity(finding: Finding, { severities, warnOnly }: CheckOptions): Finding[] {
	const asked = Object.hasOwn(severities, finding.ruleId) ? severities[finding.ruleId] : undefined;
	if (asked === 'off') return [];
	return [{ ...finding, severity: warnOnly ? 'warn' : (asked ?? finding.severity) }];
}

/** One entry for each rule and line, the strictest one. */
function dedupe(findings: readonly Finding[]): Finding[] {
	const kept = new Map<string, Finding>();
	for (const finding of findings) {
		const key = `${finding.ruleId} ${finding.line}`;
		const known = kept.get(key);
		if (!known || rank(finding.severity) < rank(known.severity)) kept.set(key, finding);
	}
	return [...kept.values()];
}

/** Where not all fit, those that block go first. */
function capped(findings: readonly Finding[]): Finding[] {
	if (findings.length <= mostFindings) return [...findings];
	const chosen = new Set([...findings].sort((a, b) => rank(a.severity) - rank(b.severity)).slice(0, mostFindings));
	return findings.filter((finding) => chosen.has(finding));
}
