/** Calls of the native API. The key lives in this tab only, and travels in a header that no other page can send. */
const place = 'secure-code-agent-key';

export const key = () => sessionStorage.getItem(place);
export const keep = (value) => sessionStorage.setItem(place, value);
export const forget = () => sessionStorage.removeItem(place);

export class Refused extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

async function refusal(response) {
	const body = await response.json().catch(() => ({}));
	return new Refused(response.status, body.error?.message ?? `The agent answered with ${response.status}.`);
}

export async function call(path, { method = 'GET', body, signal, accept = 'application/json' } = {}) {
	const headers = { accept, authorization: `Bearer ${key()}` };
	if (body !== undefined) headers['content-type'] = 'application/json';
	const response = await fetch(path, {
		method,
		headers,
		signal,
		cache: 'no-store',
		credentials: 'omit',
		body: body === undefined ? undefined : JSON.stringify(body),
	});
	if (!response.ok) throw await refusal(response);
	return response;
}

export const read = async (path) => (await call(path)).json();

/** Server-sent events, read from a fetch because EventSource cannot send the key. */
export async function* events(path, signal) {
	const response = await call(path, { signal, accept: 'text/event-stream' });
	let rest = '';
	for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
		const blocks = (rest + chunk).split('\n\n');
		rest = blocks.pop() ?? '';
		for (const block of blocks) {
			const data = block
				.split('\n')
				.filter((line) => line.startsWith('data:'))
				.map((line) => line.slice(5).trimStart())
				.join('\n');
			if (data !== '') yield JSON.parse(data);
		}
	}
}
