/** Holds the facts of a program against the rules of its language. */
import type { Severity } from '../../../contract/finding.ts';
import type { Language } from '../../../contract/language.ts';
import type { Fact, ImportFact, ReferenceFact } from '../facts.ts';
import type { Span } from '../languages/ir.ts';
import type { CheckOptions } from '../options.ts';
import { type Match, ReferenceIndex } from './references.ts';
import type { Objection, Rule, RuleContext } from './rule.ts';
import { rules } from './rules.ts';

/** A rule's objection with its place. */
export interface Hit {
	readonly rule: Rule;
	readonly severity: Severity;
	readonly span: Span;
	readonly objection: Objection;
}

const rulesOf = (language: Language): readonly Rule[] => rules.filter((rule) => rule.language === language);
const lookup = (language: Language): { rules: readonly Rule[]; index: ReferenceIndex } => ({
	rules: rulesOf(language).filter((rule) => rule.judge),
	index: new ReferenceIndex(rulesOf(language)),
});
const tables = { python: lookup('python'), javascript: lookup('javascript'), bash: lookup('bash') };

export function applyRules(language: Language, facts: readonly Fact[], options: CheckOptions): Hit[] {
	const table = tables[language];
	const context: RuleContext = { options, language, facts, imported: importedModules(facts) };
	const judging = table.rules.filter((rule) => modeOf(rule, options) !== 'off');
	return facts.flatMap((fact) => [...referenceHits(table.index, fact, options), ...judgedHits(judging, fact, context)]);
}

const modeOf = (rule: Rule, options: CheckOptions): 'on' | 'off' | 'warn' => rule.mode?.(options) ?? 'on';

function importedModules(facts: readonly Fact[]): Set<string> {
	const modules = facts.flatMap((fact) => (fact.kind === 'import' ? [fact.module.replace(/^node:/, '')] : []));
	return new Set(modules.flatMap((module) => [module, module.split('.')[0] as string]));
}

function judgedHits(judging: readonly Rule[], fact: Fact, context: RuleContext): Hit[] {
	return judging.flatMap((rule) => {
		const objections = rule.judge?.(fact, context) ?? [];
		return objections.map((objection) => hit(rule, fact.span, objection, context.options));
	});
}

function referenceHits(index: ReferenceIndex, fact: Fact, options: CheckOptions): Hit[] {
	const match =
		fact.kind === 'reference' ? usedMatch(index, fact) : fact.kind === 'import' ? importedMatch(index, fact) : null;
	if (!match || modeOf(match.rule, options) === 'off') return [];
	const { reason, fix, severity } = match.pattern;
	const resolved = fact.kind === 'reference' ? shown(fact.path) : (fact as ImportFact).module;
	return [hit(match.rule, fact.span, { reason, fix, resolved, ...(severity ? { severity } : {}) }, options)];
}

/** The last word has the longest name: what a member access made of it right there. */
function usedMatch(index: ReferenceIndex, { path, extended }: ReferenceFact): Match | null {
	const match = index.find(path);
	if (!match || match.pattern.at === 'import') return null;
	return extended.some((longer) => index.find(longer) !== undefined) ? null : match;
}

function importedMatch(index: ReferenceIndex, { module }: ImportFact): Match | null {
	const match = index.find(module.replace(/^node:/, ''));
	return match && match.pattern.at !== 'use' ? match : null;
}

const shown = (path: string): string => path.replace(/^(builtins|globalThis)\./, '');

function hit(rule: Rule, span: Span, objection: Objection, options: CheckOptions): Hit {
	const severity = modeOf(rule, options) === 'warn' ? 'warn' : (objection.severity ?? rule.severity);
	return { rule, severity, span, objection };
}
