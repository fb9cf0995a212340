/** The static check of one program: length, language, grammar, meaning, rules, report. Pure, and it never throws. */
import type { Finding, Verdict } from '../../contract/finding.ts';
import type { Dialect, Language } from '../../contract/language.ts';
import { type Recognition, recognise } from './detect.ts';
import { encodingHits } from './encoding.ts';
import type { Fact } from './facts.ts';
import type { Span } from './languages/ir.ts';
import { lower } from './languages/lower.ts';
import type { Parsed, SyntaxProblem } from './languages/parse.ts';
import { nestedCode } from './nested.ts';
import type { CheckOptions } from './options.ts';
import { findingOf, summarise } from './report.ts';
import { applyRules, type Hit } from './rules/apply.ts';
import type { Objection } from './rules/rule.ts';
import { ruleById } from './rules/rules.ts';
import { ruleId } from './rules/text.ts';
import { Source } from './source.ts';
import { factsOf } from './values/evaluate.ts';
import { spend, TooMuchWork, withinWork } from './values/work.ts';

export interface CheckReport {
	readonly language: Language;
	readonly dialect: Dialect;
	/** The language was not given but found out. */
	readonly guessed: boolean;
	/** How sure that is, from 0 to 1. */
	readonly confidence: number;
	readonly verdict: Verdict;
	readonly findings: Finding[];
	/** Findings that are not listed, because there are so many. */
	readonly omitted: number;
}

const deepestNesting = 3;
const unitsOfHit = 50;
const unitsOfParsing = 100;

export function check(code: string, options: CheckOptions): CheckReport {
	try {
		return withinWork(code.length, () => checked(code, options));
	} catch (error) {
		const language = options.language === 'auto' ? 'python' : options.language;
		const hit = hitFor(error, language);
		const verdicts = summarise([findingOf(hit, new Source(code))], options);
		return { language, dialect: 'javascript', guessed: options.language === 'auto', confidence: 0, ...verdicts };
	}
}

function checked(code: string, options: CheckOptions): CheckReport {
	const tooLong = code.length > options.maxCodeLength;
	const recognition = recognise(code, options.language, !tooLong);
	const findings = tooLong
		? [lengthFinding(code, recognition.language, options)]
		: findingsIn(recognition, code, options, 0);
	const { language, dialect, confidence } = recognition;
	return { language, dialect, guessed: options.language === 'auto', confidence, ...summarise(findings, options) };
}

function lengthFinding(code: string, language: Language, { maxCodeLength }: CheckOptions): Finding {
	const reason = `the program has ${code.length} characters and ${maxCodeLength} are allowed`;
	const hit = textHit(
		language,
		'LENGTH',
		{ from: 0, to: 0 },
		{ reason, fix: 'Send a shorter program, or split the work into several calls.' },
	);
	return findingOf(hit, new Source(code));
}

function textHit(language: Language, family: string, span: Span, objection: Objection): Hit {
	const rule = ruleById.get(ruleId(language, family)) ?? (ruleById.get('INTERNAL') as Hit['rule']);
	return { rule, severity: objection.severity ?? rule.severity, span, objection };
}

function hitFor(error: unknown, language: Language): Hit {
	if (error instanceof TooMuchWork) return unfit(language, costly);
	return error instanceof RangeError ? unfit(language, deep) : broken(error);
}

/** The program as a whole is more than the checker may take. */
const unfit = (language: Language, objection: Objection): Hit =>
	textHit(language, 'DEPTH', { from: 0, to: 0 }, objection);

const costly: Objection = {
	reason: 'the program costs too much to be checked',
	fix: 'Make texts and lists in fewer steps.',
};
const deep: Objection = { reason: 'the program is nested too deeply to be checked', fix: 'Nest less deeply.' };

/** The message of the error stays out: it may hold anything. */
function broken(error: unknown): Hit {
	const rule = ruleById.get('INTERNAL') as Hit['rule'];
	const kind = error instanceof Error ? error.name : typeof error;
	const objection = {
		reason: `the checker failed on this program (${kind})`,
		fix: 'Write it in a simpler way, and report the program as a bug.',
	};
	return { rule, severity: 'block', span: { from: 0, to: 0 }, objection };
}

function findingsIn({ language, outcome }: Recognition, code: string, options: CheckOptions, depth: number): Finding[] {
	if (!outcome) return [];
	if (!outcome.parsed) return [syntaxFinding(language, outcome.problem, outcome.text, options)];
	const { parsed } = outcome;
	const source = new Source(parsed.text);
	const facts = factsOf(language, lower(parsed));
	const hits = [...encodingHits(language, code), ...applyRules(language, facts, options)];
	spend(unitsOfHit * hits.length);
	return [...hits.map((hit) => findingOf(hit, source)), ...nestedFindings(parsed, facts, source, options, depth)];
}

function syntaxFinding(language: Language, problem: SyntaxProblem, text: string, options: CheckOptions): Finding {
	const hit = problem.isDepth
		? unfit(language, deep)
		: textHit(
				language,
				'SYNTAX',
				{ from: problem.offset, to: problem.offset },
				{
					severity: options.onSyntaxError,
					reason: `syntax error: ${problem.message}`,
					fix: 'Correct the syntax, or pass the language if another one was meant.',
				},
			);
	return findingOf(hit, new Source(text));
}

/** Code inside code is checked by the language it is in; what is found is told at the place of the outer one. */
function nestedFindings(
	parsed: Parsed,
	facts: readonly Fact[],
	source: Source,
	options: CheckOptions,
	depth: number,
): Finding[] {
	return nestedCode(parsed.language, facts, options).flatMap(({ language, text, span }) => {
		if (depth >= deepestNesting) return [findingOf(unfit(language, deep), source)];
		spend(unitsOfParsing * text.length);
		const inner = findingsIn(recognise(text, language, true), text, options, depth + 1);
		return inner
			.filter((finding) => !finding.ruleId.endsWith('-SYNTAX'))
			.map((finding) => moved(finding, span, source));
	});
}

function moved(finding: Finding, span: Span, source: Source): Finding {
	const start = source.place(span.from);
	const end = source.place(span.to);
	return { ...finding, ...start, endLine: end.line, endColumn: end.column, source: source.line(start.line) };
}
