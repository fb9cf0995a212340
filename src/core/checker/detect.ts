/** Finds out the language of a program: the three parsers race, and the trees of those that arrive are weighed. */
import type { Dialect, Language, LanguageChoice } from '../../contract/language.ts';
import { evidenceOf } from './detect-evidence.ts';
import { keywordScores } from './detect-keywords.ts';
import { type ParseOutcome, parse } from './languages/parse.ts';

export interface Detection {
	readonly language: Language;
	readonly dialect: Dialect;
	/** From 0 to 1. */
	readonly confidence: number;
}

/** A detection with the tree that led to it; null where nothing was parsed. */
export interface Recognition extends Detection {
	readonly outcome: ParseOutcome | null;
}

/** Reading more than this to guess a language is a waste. */
const longestGuess = 20_000;
const order: readonly Language[] = ['python', 'javascript', 'bash'];

export function detect(code: string): Detection {
	const { language, dialect, confidence } = recognise(code, 'auto', true);
	return { language, dialect, confidence };
}

/** `parses`: false for a text that is too long to be parsed at all. */
export function recognise(code: string, choice: LanguageChoice, parses: boolean): Recognition {
	if (!parses) return unread(code, choice);
	if (choice !== 'auto') return recognition(choice, 1, parse(choice, code));
	const named = labelled(code);
	if (named) return recognition(named, 1, parse(named, code));
	return race(code);
}

function unread(code: string, choice: LanguageChoice): Recognition {
	const [best] = ranked(keywordScores(code.slice(0, longestGuess)));
	const language = choice === 'auto' ? (labelled(code) ?? best.language) : choice;
	return { language, dialect: 'javascript', confidence: choice === 'auto' ? 0.5 : 1, outcome: null };
}

function recognition(language: Language, confidence: number, outcome: ParseOutcome): Recognition {
	const { parsed } = outcome;
	const dialect = parsed?.language === 'javascript' ? parsed.dialect : 'javascript';
	return { language, dialect, confidence, outcome };
}

const labels: readonly [RegExp, Language][] = [
	[/^#!.*\bpython|^```\s*(python|py)\b/i, 'python'],
	[/^#!.*\b(node|deno|bun)\b|^```\s*(javascript|js|typescript|ts|node)\b/i, 'javascript'],
	[/^#!.*\b(ba|da|z|k|a)?sh\b|^```\s*(bash|sh|shell|console)\b/i, 'bash'],
];

function labelled(code: string): Language | null {
	const start = code.replace(/^\uFEFF?\s*/, '').slice(0, 200);
	return labels.find(([pattern]) => pattern.test(start))?.[1] ?? null;
}

type Scores = Readonly<Record<Language, number>>;
interface Ranked {
	readonly language: Language;
	readonly score: number;
}

const ranked = (scores: Scores): [Ranked, Ranked, Ranked] =>
	order.map((language) => ({ language, score: scores[language] })).sort((a, b) => b.score - a.score) as [
		Ranked,
		Ranked,
		Ranked,
	];

function race(code: string): Recognition {
	const outcomes = { python: parse('python', code), javascript: parse('javascript', code), bash: parse('bash', code) };
	const arrived = order.filter((language) => outcomes[language].parsed);
	const weigh = (language: Language): number => {
		const { parsed } = outcomes[language];
		return parsed ? evidenceOf(parsed) : Number.NEGATIVE_INFINITY;
	};
	const [best, second] = ranked({ python: weigh('python'), javascript: weigh('javascript'), bash: weigh('bash') });
	if (arrived.length > 0 && best.score > 0) {
		const confidence = arrived.length === 1 ? 0.98 : certainty(best.score - second.score);
		return recognition(best.language, confidence, outcomes[best.language]);
	}
	return byKeywords(code, outcomes, best, arrived);
}

/** Nothing speaks for the tree that was found, so the words of the text decide. */
function byKeywords(
	code: string,
	outcomes: Record<Language, ParseOutcome>,
	best: Ranked,
	arrived: readonly Language[],
): Recognition {
	const [likely, other] = ranked(keywordScores(code.slice(0, longestGuess)));
	const isBroken = arrived.length === 0 || (likely.score >= 1 && likely.score > other.score);
	const language =
		isBroken && likely.score > 0 ? likely.language : arrived.length > 0 ? best.language : likely.language;
	return recognition(language, Math.min(0.9, certainty(likely.score - other.score)), outcomes[language]);
}

const certainty = (lead: number): number => Math.round(100 / (1 + Math.exp(-Math.min(lead, 20) / 3))) / 100;
