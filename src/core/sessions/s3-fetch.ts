/** What a bucket answers, bounded before its client reads it: a server may be hostile, and only sessions may be long. */
import { bodyWithin, type FetchRequest, fetchOverHttp } from '../fetch.ts';
import { headBytes } from './store.ts';

/** Of an error only its code is of use. */
const errorBytes = 4 * 1024;
/** A thousand names of a kibibyte, with what a server says of each. */
const listBytes = 4 * 1024 * 1024;
const answerBytes = 64 * 1024;

export async function fetchBounded(input: string | URL, request: FetchRequest = {}): Promise<Response> {
	const response = await fetchOverHttp(input, request);
	const url = new URL(input);
	if (response.status >= 400) return asError(response);
	if (Object.keys(request.headers ?? {}).some((name) => name.toLowerCase() === 'range'))
		return replaced(response, await beginningOf(response, headBytes));
	if (url.searchParams.has('list-type')) return asList(response, url.searchParams.get('continuation-token'));
	if (request.method === 'GET' && url.pathname.endsWith('.session')) return response;
	return replaced(response, await wholeOf(response, answerBytes));
}

/** Without the kind of its content, which would have the client read it as XML. */
async function asError(response: Response): Promise<Response> {
	const body = await beginningOf(response, errorBytes);
	const code = /<Code>([A-Za-z]{1,64})<\/Code>/.exec(body.toString())?.[1];
	const error = replaced(response, body);
	error.headers.delete('content-type');
	if (code !== undefined) error.headers.set('x-amz-error-code', code);
	return error;
}

async function asList(response: Response, before: string | null): Promise<Response> {
	const body = await wholeOf(response, listBytes);
	const text = body.toString();
	if (!isPlainXml(text)) throw new Error('the server gave a list that cannot be read');
	const isCut = /<IsTruncated>\s*true/i.test(text);
	const next = /<Next(?:ContinuationToken|Marker)>([^<]*)</i.exec(text)?.[1]?.trim();
	if (isCut && (next === before || !/<Contents>/i.test(text)))
		throw new Error('the server gave a list that has no end');
	return replaced(response, body);
}

async function wholeOf(response: Response, mostBytes: number): Promise<Buffer> {
	const body = await bodyWithin(response, mostBytes);
	if (!body) throw new Error('the answer of the server is too long');
	return body;
}

async function beginningOf({ body }: Response, bytes: number): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	let read = 0;
	for await (const chunk of body ?? []) {
		chunks.push(chunk);
		read += chunk.length;
		if (read >= bytes) break;
	}
	return Buffer.concat(chunks).subarray(0, bytes);
}

function replaced({ status, statusText, headers }: Response, body: Buffer): Response {
	return new Response(body.length === 0 ? null : new Uint8Array(body), { status, statusText, headers });
}

/** A list has four levels. */
const mostDepth = 8;

/**
 * Whether each tag ends, in order, only the first has attributes, and none stands in one of its name: then the expression that the client reads XML with
 * looks at each character a few times. For others it takes the square of their length.
 */
export function isPlainXml(text: string): boolean {
	const open: string[] = [];
	for (let at = text.indexOf('<'); at >= 0; ) {
		const end = text.indexOf('>', at);
		if (end < 0) return false;
		const tag = text.slice(at + 1, end);
		if (!(tag.startsWith('?') ? text.slice(0, at).trim() === '' : isPlainTag(tag, open))) return false;
		at = text.indexOf('<', end);
	}
	return open.length === 0;
}

/** Follows one tag. */
function isPlainTag(tag: string, open: string[]): boolean {
	if (tag.startsWith('/')) return open.pop() === tag.slice(1);
	const [, name, more = ''] = /^([A-Za-z_][\w.-]*)(|\s[^<]*|\/)$/.exec(tag) ?? [];
	if (name === undefined || open.includes(name) || (open.length > 0 && !/^\s?\/?$/.test(more))) return false;
	if (!tag.endsWith('/')) open.push(name);
	return open.length <= mostDepth;
}
