/** The words after "secure-code agent", as they are typed. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const agent = (...args: string[]) => {
	const { status, stdout, stderr } = spawnSync(process.execPath, ['dist/cli/main.js', 'agent', ...args], {
		encoding: 'utf8',
	});
	return { code: status, out: stdout, err: stderr };
};

describe('secure-code agent', () => {
	it('explains each of its words', () => {
		const names = [...agent('--help').out.matchAll(/^ {2}(\w+) {2,}/gm)].map(([, name = '']) => name);
		const pages = names.map((name) => agent(name, '--help'));
		expect(pages.map(({ code, err }) => [code, err])).toEqual(names.map(() => [0, '']));
		expect(pages.filter(({ out }, index) => !out.includes(`secure-code agent ${names[index]}`))).toEqual([]);
	});

	it('refuses a word that it does not know', () => {
		expect(agent('fly')).toMatchObject({ code: 64, out: '', err: expect.stringContaining('"agent fly"') });
	});
});
