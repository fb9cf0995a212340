/** ./deploy-to-n8n.sh --demo, as a newcomer runs it. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { call, type ScriptedModel, startScriptedModel } from './helpers/scripted-model.ts';

const script = join(import.meta.dirname, '..', '..', 'deploy-to-n8n.sh');
const withoutModels = { OPENAI_API_KEY: '', OLLAMA_HOST: '', OLLAMA_BASE_URL: '' };
let model: ScriptedModel;
beforeAll(async () => {
	model = await startScriptedModel();
});
afterAll(() => model.close());

const demoArguments = () => ['--package', inject('tarballs')[0] ?? '', '--demo'];
const demoFolders = (): string[] =>
	readdirSync(dirname(inject('place').folder)).filter((name) => name.startsWith('demo-'));

interface Ending {
	readonly code: number;
	readonly stdout: string;
	readonly stderr: string;
}

const askOnce = async (question: string, env: Record<string, string> = {}): Promise<Ending> =>
	await new Promise((resolve) => {
		const options = { env: { ...process.env, ...withoutModels, ...env } };
		execFile(script, [...demoArguments(), '--once', question], options, (error, stdout, stderr) =>
			resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
		);
	});

const introduction = 'I am a small stand-in, not a language model: I know a few recipes and always use the tool.';

test('The demo answers a question by running code in the jail, and leaves nothing behind', async () => {
	const { code, stdout, stderr } = await askOnce('Calcula la raíz cuadrada de 256');
	expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: `${introduction}\n\nThe program printed:\n\n16.0\n` });
	expect(stderr).toMatch(/Secure Code Tool: succeeded, python in nsjail, \d+ ms/);
	expect(demoFolders()).toEqual([]);
});

test('The demo ends with exit code 1 when the program of the agent fails', async () => {
	const { code, stdout, stderr } = await askOnce('Please run this:\n```bash\necho oh no >&2; exit 7\n```');
	expect({ code, stdout }, stderr).toEqual({
		code: 1,
		stdout: `${introduction}\n\nThe program did not succeed (failed): oh no\n`,
	});
});

test('The demo talks to the model that the environment names', async () => {
	model.play(call({ code: 'console.log(6 * 7)' }), { text: 'It is 42.' });
	const { code, stdout, stderr } = await askOnce('What is six times seven?', {
		OPENAI_API_KEY: 'key-of-a-person',
		OPENAI_BASE_URL: model.url,
		SECURE_CODE_DEMO_MODEL: 'chosen-model',
	});
	expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: 'It is 42.\n' });
	expect(model.requests.map((request) => request.model)).toEqual(['chosen-model', 'chosen-model']);
});

const startDemo = () =>
	spawn(script, demoArguments(), {
		env: { ...process.env, ...withoutModels },
		stdio: ['ignore', 'inherit', 'pipe'],
	});

/** The first line of the demo's progress that the pattern fits. */
async function lineLike(demo: ReturnType<typeof startDemo>, pattern: RegExp): Promise<string> {
	for await (const line of createInterface({ input: demo.stderr })) {
		if (!pattern.test(line)) continue;
		demo.stderr.resume();
		return line;
	}
	throw new Error(`the demo ended without a line like ${pattern}`);
}

test('The demo runs until Ctrl-C, which stops and removes everything', async () => {
	const demo = startDemo();
	const address = (await lineLike(demo, /^ {2}Address /)).replace(/^ {2}Address +/, '');
	expect((await fetch(address)).status).toBe(200);
	expect(demoFolders()).toEqual([`demo-${demo.pid}`]);
	demo.kill('SIGINT');
	expect(await once(demo, 'exit')).toEqual([0, null]);
	await expect(fetch(address)).rejects.toThrow('fetch failed');
	expect(demoFolders()).toEqual([]);
});

test('The demo can be stopped while n8n starts', async () => {
	const demo = startDemo();
	await lineLike(demo, /^Starting n8n/);
	demo.kill('SIGTERM');
	expect(await once(demo, 'exit')).toEqual([130, null]);
	expect(demoFolders()).toEqual([]);
});
