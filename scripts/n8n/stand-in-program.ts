/** Which program the stand-in model writes for a message: a few fixed recipes in English and Spanish, no thinking. */
import type { Language } from '../../src/contract/language.ts';

export interface Program {
	readonly language: Language;
	readonly code: string;
}

type Recipe = (message: string, numbers: readonly string[]) => string | undefined;

const languageOfFence: Record<string, Language> = {
	'': 'python',
	python: 'python',
	py: 'python',
	javascript: 'javascript',
	js: 'javascript',
	typescript: 'javascript',
	ts: 'javascript',
	bash: 'bash',
	sh: 'bash',
	shell: 'bash',
};

const fence = /```([a-z]*)[ \t]*\n(.*?)```/is;

function fencedProgram(message: string): Program | undefined {
	const [, word = '', code = ''] = fence.exec(message) ?? [];
	const language = languageOfFence[word.toLowerCase()];
	return language === undefined || code.trim() === '' ? undefined : { language, code };
}

const squareRoot: Recipe = (message, [first]) =>
	/square root|sqrt|ra[ií]z/i.test(message) && first !== undefined
		? `import math\nprint(math.sqrt(${first}))\n`
		: undefined;

const primes: Recipe = (message, [first = '20']) =>
	/\bprim(e|o)s?\b/i.test(message)
		? `count = ${Math.min(Number.parseInt(first, 10), 10_000)}
primes = []
candidate = 2
while len(primes) < count:
    if all(candidate % prime for prime in primes if prime * prime <= candidate):
        primes.append(candidate)
    candidate += 1
print(*primes)
`
		: undefined;

const factorial: Recipe = (message, [first]) =>
	/factorial/i.test(message) && first !== undefined
		? `import math\nprint(math.factorial(${Math.min(Number.parseInt(first, 10), 1_000)}))\n`
		: undefined;

const statistic =
	(words: RegExp, expression: string): Recipe =>
	(message, numbers) =>
		words.test(message) && numbers.length > 0
			? `import statistics\nnumbers = [${numbers.join(', ')}]\nprint(${expression})\n`
			: undefined;

/** Only digits, operators and brackets get this far, so the text can stand in a program as it is. */
const arithmetic: Recipe = (message) => {
	const found = message.match(/[\d(][\d\s.()+*/%-]*[\d)]/g)?.find((text) => /\d\s*(\*\*|[+*/%-])\s*[\d(]/.test(text));
	return found === undefined ? undefined : `print(${found.trim()})\n`;
};

const report: Recipe = (message) => `text = ${JSON.stringify(message)}
words = text.split()
print(f"The message has {len(text)} characters and {len(words)} words.")
print("Longest word:", max(words, key=len, default=""))
print("Backwards:", text[::-1])
`;

const recipes: readonly Recipe[] = [
	squareRoot,
	primes,
	factorial,
	statistic(/\b(average|mean|promedio|media)\b/i, 'statistics.mean(numbers)'),
	statistic(/\b(median|mediana)\b/i, 'statistics.median(numbers)'),
	statistic(/\b(sum|suma|add|total)\b/i, 'sum(numbers)'),
	arithmetic,
	report,
];

// Leading zeros are no Python numbers.
const numbersIn = (message: string): string[] =>
	(message.match(/\d+(\.\d+)?/g) ?? []).map((text) => text.replace(/^0+(?=\d)/, ''));

/** A fenced block in the message is run as it is; otherwise the first recipe that fits writes Python. */
export function programFor(message: string): Program {
	const fenced = fencedProgram(message);
	if (fenced !== undefined) return fenced;
	const numbers = numbersIn(message);
	const code = recipes.map((recipe) => recipe(message, numbers)).find((text) => text !== undefined);
	return { language: 'python', code: code ?? '' };
}
