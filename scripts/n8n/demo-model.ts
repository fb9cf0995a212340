/** Which language model the demo talks to: the one that the environment names, else the stand-in. */
import { serveModel } from './model-server.ts';
import { standIn } from './stand-in-model.ts';

export interface DemoModel {
	/** What a person is told. */
	readonly label: string;
	readonly name: string;
	readonly credential: { readonly apiKey: string; readonly url: string };
	close(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

const defaultOpenAiModel = 'gpt-5-mini';
const ollamaPort = 11_434;
const nothingToClose = async () => {};

/** Ollama's own variable may hold a bare host, a host with a port, or the address it listens at. */
export function ollamaUrl(host: string): string {
	const url = new URL(/^https?:/.test(host) ? host : `http://${host}`);
	if (url.port === '' && url.protocol === 'http:') url.port = String(ollamaPort);
	if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
	return url.href.replace(/\/(v1\/?)?$/, '');
}

async function firstOllamaModel(base: string): Promise<string> {
	const answer = await fetch(`${base}/api/tags`).catch((cause) => {
		throw new Error(`Ollama does not answer at ${base}; start it, or unset OLLAMA_HOST`, { cause });
	});
	const { models = [] } = (await answer.json()) as { models?: { name: string }[] };
	if (models[0] === undefined) throw new Error('Ollama has no model yet; run: ollama pull qwen3');
	return models[0].name;
}

function openAi(environment: Environment, apiKey: string): DemoModel {
	const name = environment.SECURE_CODE_DEMO_MODEL || defaultOpenAiModel;
	const url = environment.OPENAI_BASE_URL || 'https://api.openai.com/v1';
	return { label: `${name} at ${url}`, name, credential: { apiKey, url }, close: nothingToClose };
}

async function ollama(environment: Environment, host: string): Promise<DemoModel> {
	const base = ollamaUrl(host);
	const name = environment.SECURE_CODE_DEMO_MODEL || (await firstOllamaModel(base));
	const credential = { apiKey: 'ollama', url: `${base}/v1` };
	return { label: `${name} from Ollama at ${base}`, name, credential, close: nothingToClose };
}

async function builtIn(): Promise<DemoModel> {
	const server = await serveModel(standIn);
	const label = 'a stand-in without a language model; set OPENAI_API_KEY or OLLAMA_HOST for a real one';
	return { label, name: 'stand-in', credential: { apiKey: 'none', url: server.url }, close: server.close };
}

export async function chooseModel(environment: Environment): Promise<DemoModel> {
	if (environment.OPENAI_API_KEY) return openAi(environment, environment.OPENAI_API_KEY);
	const host = environment.OLLAMA_BASE_URL || environment.OLLAMA_HOST;
	return host ? await ollama(environment, host) : await builtIn();
}
