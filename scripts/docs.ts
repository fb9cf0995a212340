// Writes the pages of docs/ that are made from tables. Run it with "npm run docs" after changing a table.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Audience, knownErrors } from '../src/contract/error.ts';
import { fixedLimits, type LimitRow, limits } from '../src/contract/limits.ts';
import { statusMeanings } from '../src/contract/status.ts';
import { checkerCatalogue } from '../src/core/checker/catalogue.ts';
import { nativeDocument } from '../src/device/wire/native-openapi.ts';

const note = '<!-- Made by "npm run docs"; change the table in the source, not this page. -->';

const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
	[head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const code = (text: string): string => `\`${text}\``;

const audiences: Record<Audience, string> = {
	model: `## The model acts

Nothing is wrong with the machine: the program or the arguments must change. In n8n this is an ordinary item with a
\`problem\`, the workflow goes on, and the model reads what to do next.`,
	operator: `## The operator acts

The machine or the settings must change. In n8n the node fails with the message and the fix; the model cannot help it.`,
	maintainer: `## The maintainers act

This is a bug of ours. The log carries the whole story under the id.`,
};

function errorsOf(audience: Audience): string {
	const rows = Object.entries(knownErrors).filter(([, row]) => row.audience === audience);
	const cells = rows.map(([name, row]) => [code(name), row.message, row.next, row.exit, row.http]);
	return `${audiences[audience]}\n\n${table(['Code', 'What happened', 'What to do', 'Exit', 'HTTP'], cells)}`;
}

const errorsPage = (): string => `# Errors

${note}

Every known failure is one row of \`src/contract/error.ts\`. Words in braces are filled in. *Exit* is the exit code of the
command line, *HTTP* the status of an answer over the network.

${errorsOf('model')}

${errorsOf('operator')}

${errorsOf('maintainer')}

Next: [limits](limits.md) · Previous: [glossary](glossary.md)
`;

const MiB = 1024 * 1024;

/** A number as people write it in the unit of its limit. */
function amount(value: number, unit: LimitRow['unit']): string {
	if (unit === 'ms') return `${value / 1000} s`;
	if (unit === 'count') return String(value);
	if (unit === 'characters') return value.toLocaleString('en').replaceAll(',', ' ');
	return value >= MiB ? `${value / MiB} MiB` : `${value / 1024} KiB`;
}

const limitRows = Object.entries<LimitRow>(limits).map(([name, row]) => [
	code(name),
	row.what,
	...[row.default, row.floor, row.ceiling].map((value) => amount(value, row.unit)),
	code(row.status),
	code(row.problem),
]);

const fixedMeanings: Record<keyof typeof fixedLimits, readonly [LimitRow['unit'], string]> = {
	totalOutputBytes: ['bytes', 'stdout and stderr together, after which a flooding program is killed'],
	modelTextBytes: ['bytes', 'what the model reads of one stream: head and tail, the middle cut out'],
	workInodes: ['count', 'files and folders that fit into /work, and into /tmp'],
	tmpBytes: ['bytes', 'space in /tmp, and in /dev/shm'],
	queueLength: ['count', 'jobs that may wait for a free slot before a new one is turned away'],
	outFiles: ['count', 'files that are taken over from /work/out'],
	outDepth: ['count', 'how deep a file may lie below /work/out'],
	outBytes: ['bytes', 'all files together that are taken over from /work/out'],
	previewBytes: ['bytes', 'the beginning of a text file that a result shows'],
	modelPreviewBytes: ['bytes', 'the beginnings of all text files together that a model reads'],
	networkBytes: ['bytes', 'in and out of the network of one job'],
	connections: ['count', 'connections of one job at a time'],
	inFileBytes: ['bytes', 'one input file'],
	inFiles: ['count', 'input files of one job'],
	preloadedModules: ['count', 'modules that a waiting interpreter imports ahead'],
};

const fixedRows = Object.entries(fixedMeanings).map(([name, [unit, what]]) => [
	code(name),
	what,
	amount(fixedLimits[name as keyof typeof fixedLimits], unit),
]);

const statusRows = Object.entries(statusMeanings).map(([status, meaning]) => [code(status), meaning]);

const limitsPage = (): string => `# Limits

${note}

## What a request may set

A number outside of least and most is refused, never bent. The author of a workflow sets the most that a model may ask for.
*Status* is how a job ends that reaches the limit; \`failed\` means that the program sees an ordinary error of its language
first, and \`succeeded\` that it goes on.

${table(['Limit', 'What', 'Default', 'Least', 'Most', 'Status', 'Problem'], limitRows)}

## What nobody can change

${table(['Limit', 'What', 'Value'], fixedRows)}

## How a job can end

${table(['Status', 'Meaning'], statusRows)}

Next: [testing](testing.md) · Previous: [errors](errors.md)
`;

/** Every generated page by its name in docs/. */
export const pages: Readonly<Record<string, () => string>> = {
	'checker.md': checkerCatalogue,
	'errors.md': errorsPage,
	'limits.md': limitsPage,
	'openapi.json': () => `${JSON.stringify(nativeDocument(), null, '\t')}\n`,
};

if (import.meta.main) {
	for (const [name, page] of Object.entries(pages)) writeFileSync(join('docs', name), page());
}
