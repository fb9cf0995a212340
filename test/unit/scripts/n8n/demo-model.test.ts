import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { chooseModel, ollamaUrl } from '../../../../scripts/n8n/demo-model.ts';

let stop: (() => unknown) | undefined;
afterEach(() => stop?.());

async function startOllama(models: object[]): Promise<string> {
	const server = createServer((_request, response) => response.end(JSON.stringify({ models })));
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	stop = () => server.close();
	return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('The model of the demo', () => {
	test('is OpenAI when there is a key', async () => {
		expect(await chooseModel({ OPENAI_API_KEY: 'sk-1', OLLAMA_HOST: 'ignored' })).toMatchObject({
			name: 'gpt-5-mini',
			credential: { apiKey: 'sk-1', url: 'https://api.openai.com/v1' },
		});
	});

	test('may be another one that speaks the language of OpenAI', async () => {
		const environment = { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'http://10.0.0.1/v1', SECURE_CODE_DEMO_MODEL: 'm' };
		expect(await chooseModel(environment)).toMatchObject({
			name: 'm',
			credential: { apiKey: 'k', url: 'http://10.0.0.1/v1' },
		});
	});

	test('is the first model of an Ollama that the environment names', async () => {
		const host = await startOllama([{ name: 'qwen3:8b' }, { name: 'other' }]);
		expect(await chooseModel({ OLLAMA_HOST: host })).toMatchObject({
			label: `qwen3:8b from Ollama at http://${host}`,
			name: 'qwen3:8b',
			credential: { apiKey: 'ollama', url: `http://${host}/v1` },
		});
	});

	test('is refused with the fix when Ollama has none', async () => {
		const host = await startOllama([]);
		await expect(chooseModel({ OLLAMA_HOST: host })).rejects.toThrow('Ollama has no model yet; run: ollama pull qwen3');
	});

	test('is the stand-in otherwise', async () => {
		const model = await chooseModel({ OPENAI_API_KEY: '' });
		stop = model.close;
		expect([model.name, model.label]).toEqual([
			'stand-in',
			'a stand-in without a language model; set OPENAI_API_KEY or OLLAMA_HOST for a real one',
		]);
	});

	test.each([
		['localhost', 'http://localhost:11434'],
		['0.0.0.0:8080', 'http://127.0.0.1:8080'],
		['http://10.0.0.2:11434/', 'http://10.0.0.2:11434'],
		['http://10.0.0.2:11434/v1', 'http://10.0.0.2:11434'],
		['https://ollama.example.com', 'https://ollama.example.com'],
	])('reads the address %s of an Ollama', (host, url) => {
		expect(ollamaUrl(host)).toBe(url);
	});
});
