/** The page for operators of the agent names every setting with its default, and every figure. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../src/contract/agent-config.ts';
import { Metrics } from '../../src/device/agent/metrics.ts';

const page = readFileSync('docs/agent.md', 'utf8');

/** The rows of a table between two marks, as cells. */
function rows(mark: string): string[][] {
	const table = page.split(`<!-- ${mark}:start -->`)[1]?.split(`<!-- ${mark}:end -->`)[0] ?? '';
	const lines = table.split('\n').filter((line) => line.startsWith('| `'));
	return lines.map((line) =>
		line
			.split(' | ')
			.slice(0, 3)
			.map((cell) => cell.replace(/^\| /, '').trim()),
	);
}

const ticked = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

const config = agentConfigSchema.parse({
	version: 1,
	device: { id: 'd' },
	listeners: [{ faces: ['native'], port: 0 }],
});

describe('the table of settings', () => {
	const table = rows('config');

	it('has every section, and every word of those that are listed word by word', () => {
		const named = new Set(table.flatMap(([cell]) => ticked(cell)));
		const wordByWord = ['limits', 'approvals', 'audit', 'retention', 'log', 'metrics', 'stop'] as const;
		const wanted = wordByWord.flatMap((section) => Object.keys(config[section]).map((word) => `${section}.${word}`));
		expect(wanted.filter((word) => !named.has(word))).toEqual([]);
		const sections = [...named].map((word) => word.split(/[.[]/)[0]);
		expect(Object.keys(agentConfigSchema.shape).filter((section) => !sections.includes(section))).toEqual([]);
	});

	const units: Readonly<Record<string, number>> = { MiB: 1024 ** 2, GiB: 1024 ** 3 };
	const number = (text: string): number => {
		const [, digits = '', unit = ''] = /^([\d ]+?)(?: (MiB|GiB))?$/.exec(text) ?? [];
		return Number(digits.replaceAll(' ', '')) * (units[unit] ?? 1);
	};

	it('has the limits that hold without a word', () => {
		const found = table
			.filter(([cell]) => cell?.startsWith('`limits.'))
			.flatMap(([cell, defaults = '']) => {
				const values = defaults.split(', ').map(number);
				return ticked(cell).map((word, index) => [word.replace('limits.', ''), values[index]]);
			});
		expect(Object.fromEntries(found)).toEqual(config.limits);
	});
});

describe('the table of figures', () => {
	it('has every figure with its labels', async () => {
		const metrics = new Metrics('1');
		metrics.watch({ runningJobs: () => 0, waitingJobs: () => 0, pendingApprovals: () => 0, isAuditIntact: () => true });
		const names = [...(await metrics.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
		expect(
			rows('metrics')
				.map(([cell]) => ticked(cell)[0])
				.sort(),
		).toEqual(names.sort());
	});
});
