import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { fetchBounded, isPlainXml } from '../../../../src/core/sessions/s3-fetch.ts';
import { S3Store } from '../../../../src/core/sessions/s3-store.ts';

async function bucket(listener: RequestListener): Promise<string> {
	const server = createServer(listener).listen(0, '127.0.0.1');
	await once(server, 'listening');
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}/bucket`;
}

const xml = { 'content-type': 'application/xml' };
const answering = (status: number, body: string) =>
	bucket((request, response) => {
		request.resume();
		response.writeHead(status, xml).end(body);
	});
const list = '?list-type=2';
const page = (inner: string) => `<?xml version="1.0"?>\n<ListBucketResult xmlns="s3">${inner}</ListBucketResult>`;
const one = '<Contents><Key>a</Key><Owner/></Contents>';
const cut = '<IsTruncated>true</IsTruncated>';
const next = (token: string) => `<NextContinuationToken>${token}</NextContinuationToken>`;

describe('an answer of a bucket', () => {
	it('that is an error is its status and its code, however long it is', async () => {
		const url = await answering(403, `<Error><Code>AccessDenied</Code>${'<a>'.repeat(1_000_000)}`);
		const response = await fetchBounded(url);
		const { headers, status } = response;
		expect([status, headers.get('x-amz-error-code'), headers.get('content-type')]).toEqual([403, 'AccessDenied', null]);
		expect((await response.text()).length).toBe(4_096);
	});

	it('is a list where it can be read as one', async () => {
		const body = page(`${one}${one}${next('b')}`);
		expect(await (await fetchBounded(`${await answering(200, body)}${list}`)).text()).toBe(body);
	});

	it.each([
		['unfinished tags', page('<a>'.repeat(1_000_000)), 'cannot be read'],
		['more than a list can hold', page('a'.repeat(5_000_000)), 'too long'],
		['the page that was asked for as the next one', page(`${cut}${one}${next('a')}`), 'has no end'],
		['nothing and a next page', page(`${cut}${next('b')}`), 'has no end'],
	])('is no list with %s', async (_, body, words) => {
		const url = await answering(200, body);
		await expect(fetchBounded(`${url}${list}&continuation-token=a`)).rejects.toThrow(words);
	});

	it('is long only where it is a session', async () => {
		const long = 'a'.repeat(1_000_000);
		const url = await answering(200, long);
		const session = await fetchBounded(`${url}/a.session`, { method: 'GET' });
		expect(await text(session.body as never)).toBe(long);
		const head = await fetchBounded(`${url}/a.session`, { method: 'GET', headers: { Range: 'bytes=0-9' } });
		expect((await head.text()).length).toBe(2_048);
		await expect(fetchBounded(`${url}/a.session.lock`, { method: 'GET' })).rejects.toThrow('too long');
		await expect(fetchBounded(`${url}/a.session`, { method: 'PUT', body: 'a' })).rejects.toThrow('too long');
	});
});

describe('XML', () => {
	it.each([
		['<a x="1"><b>1</b><b>2</b><c/><c /></a>', true],
		['\ufeff <?xml version="1.0"?><a>></a>', true],
		['text', true],
		['<a>', false],
		['</a>', false],
		['<a></b>', false],
		['<a><b></a></b>', false],
		['<a><a></a></a>', false],
		['<a><?xml?></a>', false],
		['<!DOCTYPE a><a></a>', false],
		['<a x="<b>"></a>', false],
		['<a><b x="1"></b></a>', false],
		['<a', false],
		['< a></a>', false],
		['<a><b><c><d><e><f><g><h><i></i></h></g></f></e></d></c></b></a>', false],
	])('like %j is plain: %s', (words, isPlain) => {
		expect(isPlainXml(words)).toBe(isPlain);
	});

	it('is judged in the time that its length takes', () => {
		const since = performance.now();
		for (const words of ['<a ', '<a>', '<a/>', '<?xml', '</a>', '<a></a>']) isPlainXml(words.repeat(500_000));
		expect(performance.now() - since).toBeLessThan(3_000);
	});
});

describe('a hostile bucket', () => {
	const store = (endpoint: string) =>
		new S3Store({ endpoint, prefix: '', region: 'r', accessKeyId: 'a', secretAccessKey: 's' });

	/** Keeps conditions, as a bucket must, and lists what it likes. */
	const listing = (pageAt: (index: number) => string) => {
		const written = new Set<string | undefined>();
		let pages = 0;
		return bucket((request, response) => {
			request.resume();
			if (request.method === 'GET') return void response.writeHead(200, xml).end(pageAt(pages++));
			const status = request.method === 'PUT' && written.has(request.url) ? 412 : 200;
			written.add(request.url);
			response.writeHead(status).end();
		});
	};

	it('that lists without end is not listed without end', async () => {
		const endpoint = await listing((index) => page(`${cut}${one.repeat(1_000)}${next(`t${index}`)}`));
		const listed = async () => {
			for await (const _ of store(endpoint).list()) throw new Error('nothing is listed');
		};
		await expect(listed()).rejects.toThrow('has no end');
	});

	it('that refuses with a long page of tags is one that refuses', async () => {
		const endpoint = await answering(403, `<Error><Code>AccessDenied</Code>${'<a>'.repeat(300_000)}`);
		await expect(store(endpoint).read({ namespace: 'n', id: 'i' })).rejects.toThrow('S3 returned 403 – AccessDenied');
	});
});
