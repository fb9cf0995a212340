/** Medians, ratios, goals and a chart of what was measured. Pure. */

export interface Row {
	readonly what: string;
	readonly language: string;
	readonly name: string;
	readonly medianMs: number;
	/** Multiple of the bare interpreter. */
	readonly ratio: number;
	readonly times: readonly number[];
}

export const median = (values: readonly number[]): number =>
	[...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export function rowsOf(what: string, language: string, times: ReadonlyMap<string, readonly number[]>): Row[] {
	const bare = median(times.get('bare') ?? []);
	return [...times].map(([name, all]) => {
		const medianMs = median(all);
		return { what, language, name, medianMs, ratio: medianMs / bare, times: all };
	});
}

interface Goal {
	readonly what: string;
	readonly language: string;
	readonly name: string;
	readonly most: number;
}

const goal = (what: string, language: string, kind: 'warm' | 'cold', most: number): Goal => ({
	what,
	language,
	name: `secure-code, ${kind}`,
	most,
});

/** What the project promises, as multiples of the bare interpreter in the same run. */
const goals: readonly Goal[] = [
	goal('hello', 'python', 'warm', 0.5),
	goal('hello', 'javascript', 'warm', 0.25),
	goal('hello', 'bash', 'warm', 1.5),
	goal('import pandas', 'python', 'warm', 0.1),
	goal('hello', 'python', 'cold', 1.5),
	goal('hello', 'javascript', 'cold', 1.3),
	goal('hello', 'bash', 'cold', 4),
	// 50 at once, as time for all of them: 1 / 0.9 of the bare starts.
	...['python', 'javascript', 'bash'].map((language) => goal('50 at once', language, 'warm', 1 / 0.9)),
];

export const table = (rows: readonly Row[]): string =>
	[
		'| program | language | started by | median ms | × bare |\n| --- | --- | --- | ---: | ---: |',
		...rows.map(
			({ what, language, name, medianMs, ratio }) =>
				`| ${what} | ${language} | ${name} | ${medianMs.toFixed(1)} | ${ratio.toFixed(2)} |`,
		),
	].join('\n');

export const verdicts = (rows: readonly Row[]): string =>
	goals
		.map(({ what, language, name, most }) => {
			const row = rows.find((one) => one.what === what && one.language === language && one.name === name);
			const found = row?.ratio.toFixed(2) ?? 'not measured';
			const isMet = row !== undefined && row.ratio <= most;
			return `| ${what}, ${language}, ${name.slice(13)} | ${found} | ≤ ${most.toFixed(2)} | ${isMet ? 'met' : 'MISSED'} |`;
		})
		.join('\n');

/** A chart that the page shows as it is (Mermaid): every way to start hello, as a multiple of the bare interpreter. */
export function chart(rows: readonly Row[], language: string): string {
	const shown = rows.filter((row) => row.what === 'hello' && row.language === language);
	const names = shown.map(({ name }) => `"${name.replace('secure-code, ', '')}"`).join(', ');
	const bars = shown.map(({ ratio }) => ratio.toFixed(2)).join(', ');
	return `xychart-beta\n  title "hello in ${language}, multiple of the bare interpreter"\n  x-axis [${names}]\n  y-axis "× bare"\n  bar [${bars}]`;
}
