/** The servers of a world without internet, run inside its namespaces: what reaches them is told on stdout, a line of JSON each. */
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { decode, encode } from 'dns-packet';
import { Authority } from '../../src/core/network/authority.ts';
import { addresses } from './world.ts';

const [folder = ''] = process.argv.slice(2);
const tell = (seen: object) => process.stdout.write(`${JSON.stringify(seen)}\n`);

const listener =
	(server: string): RequestListener =>
	(request, response) => {
		const { url = '', method = '', headers } = request;
		tell({ server, host: headers.host, url, authorization: headers.authorization ?? null });
		request.on('error', () => {});
		response.on('close', () => tell({ server, closed: url }));
		if (url === '/redirect') response.writeHead(302, { location: `http://${addresses.private}/` }).end();
		else if (url.startsWith('/big/'))
			response.writeHead(200, { connection: 'close' }).end(Buffer.alloc(Number(url.slice(5)), 'a'));
		else if (url === '/endless') {
			const pour = () => {
				while (response.write(Buffer.alloc(65_536)));
			};
			response.on('drain', pour);
			pour();
		} else if (url === '/slow') {
			let left = 10;
			const timer = setInterval(() => {
				if (left-- > 0) response.write('drop ');
				else response.end();
			}, 100);
			response.on('close', () => clearInterval(timer));
		} else if (url === '/hang') response.write('…');
		else if (url === '/headers')
			response.setHeader('x-echo', headers.authorization ?? 'none').end(JSON.stringify(headers));
		else {
			let body = '';
			request.on('data', (chunk) => {
				body += chunk;
			});
			request.on('end', () => response.end(`${server} ${method} ${url} ${headers.host} ${body}`.trim()));
		}
	};

const authority = new Authority();
const https = createHttpsServer(
	{ SNICallback: (name, done) => done(null, authority.contextFor(name)) },
	listener('https'),
);
https.on('tlsClientError', () => {});

/** Speaks first, and repeats what it hears. */
const mail = createServer((socket: Socket) => {
	socket.on('error', () => {});
	socket.write('220 mail\r\n');
	socket.on('data', (chunk) => socket.write(`250 ${chunk}`));
});
const echo = createServer((socket: Socket) => {
	socket.on('error', () => {});
	socket.pipe(socket);
});

const names = createSocket('udp4', (message, from) => {
	const { id = 0, questions = [] } = decode(message);
	for (const { name } of questions) tell({ server: 'dns', name });
	names.send(encode({ id, type: 'response', flags: 3, questions }), from.port, from.address);
});

const up = (start: (done: () => void) => void): Promise<void> => new Promise((resolve) => start(() => resolve()));
await Promise.all([
	up((done) => createHttpServer(listener('http')).listen(80, addresses.public, done)),
	up((done) => createHttpServer(listener('other')).listen(80, addresses.other, done)),
	up((done) => createHttpServer(listener('private')).listen(80, addresses.private, done)),
	up((done) => createHttpServer(listener('six')).listen(80, addresses.six, done)),
	up((done) => https.listen(443, addresses.public, done)),
	up((done) => mail.listen(2525, addresses.public, done)),
	up((done) => echo.listen(7777, addresses.public, done)),
	up((done) => names.bind(53, addresses.dns, done)),
]);
writeFileSync(`${folder}/authority.pem`, authority.certificate);
tell({ server: 'ready' });
