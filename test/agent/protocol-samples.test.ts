/** The clients on the page of protocols work as they stand, against a real agent. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPolicy, TestAgent } from '../helpers/agent.ts';
import { tempFolder } from '../helpers/temp-folder.ts';

const page = readFileSync('docs/protocols.md', 'utf8');

/** The first sample of a language below a heading. */
function sample(heading: string, language: string): string {
	const [, below = ''] = page.split(`\n${heading}\n`);
	const [, text] = new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(below) ?? [];
	if (text === undefined) throw new Error(`the page has no sample below ${heading}`);
	return text;
}

/** What a sample on the page shows and what came have the same members. */
const shapeOf = (value: unknown): unknown =>
	typeof value === 'object' && value !== null
		? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]))
		: typeof value;

describe('the clients on the page', () => {
	let agent: TestAgent;
	beforeAll(async () => {
		agent = await TestAgent.start({ policy: openPolicy() });
	});
	afterAll(() => agent?.remove());

	it('the controller of QuickCMD', () => {
		const folder = tempFolder();
		writeFileSync(join(folder, 'agent.json'), JSON.stringify({ faces: agent.faces }));
		const program = sample('### A signed job of QuickCMD', 'python');
		const printed = JSON.parse(execFileSync('python3', ['-c', program], { cwd: folder, encoding: 'utf8' }));
		expect([printed.status, printed.result.exit_code]).toEqual(['completed', 0]);
		expect(shapeOf(printed)).toEqual(shapeOf(JSON.parse(sample('### A signed job of QuickCMD', 'json'))));
	});

	it('the call of device_agent', () => {
		const { url, token } = agent.faces.device;
		const env = { ...process.env, URL: url, TOKEN: token };
		const printed = JSON.parse(
			execFileSync('bash', ['-c', sample('## device_agent', 'sh')], { env, encoding: 'utf8' }),
		);
		const { audit_hash, ...shown } = JSON.parse(sample('## device_agent', 'json'));
		expect({ ...printed, audit_hash }).toEqual({
			...shown,
			...{ audit_hash, result: { ...shown.result, duration_ms: expect.any(Number) } },
		});
		expect(printed.audit_hash).toMatch(/^[0-9a-f]{64}$/);
	});
});
