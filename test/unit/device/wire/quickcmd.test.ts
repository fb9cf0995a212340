import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	decodeQuickCmdRequest,
	encodeQuickCmdRequest,
	type GoMap,
	isQuickCmdCancel,
	isQuickCmdJobId,
	isQuickCmdSignedBy,
	type QuickCmdPayload,
	quickCmdBindingMetadata,
	quickCmdBindingOf,
	quickCmdCancel,
	quickCmdSignedText,
	signQuickCmd,
} from '../../../../src/device/wire/quickcmd.ts';

const secret = 'test-secret';

const base: QuickCmdPayload = {
	jobId: 'job-1',
	prompt: 'p',
	command: 'ls -la',
	candidateMetadata: null,
	pluginMetadata: null,
	requiredScopes: null,
	snapshotMetadata: '',
	ttl: 1_704_628_800,
	timestamp: 1_704_628_500,
	controllerId: 'controller-1',
};

/** The same, as a client would write it by hand; what a vector says nothing of is absent. */
const baseJson = {
	job_id: 'job-1',
	prompt: 'p',
	command: 'ls -la',
	snapshot_metadata: '',
	ttl: 1_704_628_800,
	timestamp: 1_704_628_500,
	controller_id: 'controller-1',
};

const odd = 'echo "a<b>&c" \'é\' \u2028 \b\f\n\r\t\u007f \u0001 😀 /';
const numbers = '{"z":1,"a":{"y":true,"b":null},"B":[1.5,1e21,1e-7,0.1,0,1e20]}';

interface Vector {
	readonly name: string;
	readonly payload: QuickCmdPayload;
	/** Members of the payload as text; where absent, those of the base. */
	readonly members?: Readonly<Record<string, string>>;
	readonly hex: string;
	readonly spelling?: 'long';
}

const empty = { candidateMetadata: {}, pluginMetadata: {}, requiredScopes: [] };
const emptyMembers = { candidate_metadata: '{}', plugin_metadata: '{}', required_scopes: '[]' };

/** Made by Go 1.19 itself; V3b by the rule of Go 1.22. */
const vectors: readonly Vector[] = [
	{ name: 'V1', payload: base, hex: '9aff7a504c1f62eba38fdf1f28b9e1001746df97869088e9693ef31682b10510' },
	{
		name: 'V2',
		payload: { ...base, ...empty },
		members: emptyMembers,
		hex: '7fb924a7dc99053d9e7722abe1063f2c3b7868f41377ed0b29c531c2c0c60679',
	},
	{
		name: 'V3a',
		payload: { ...base, command: odd },
		members: { command: JSON.stringify(odd) },
		hex: 'a0468152705b1b1b2a5562b7bf1d648032d0e3eac580aa12af9762c0c7e1840b',
		spelling: 'long',
	},
	{
		name: 'V3b',
		payload: { ...base, command: odd },
		members: { command: JSON.stringify(odd) },
		hex: 'cbe84fb401471511f5170087865b6d9db75cb91d44eefda0048126747e0190e6',
	},
	{
		name: 'V4',
		payload: { ...base, candidateMetadata: JSON.parse(numbers) },
		members: { candidate_metadata: numbers },
		hex: 'be3f00dfab9cfc8726049f4bfde2ccacb3d6873eb8a4902ef60d42210ac0c43e',
	},
	{
		name: 'V5',
		payload: { ...base, candidateMetadata: { z: -0 } },
		members: { candidate_metadata: '{"z":-0}' },
		hex: 'eeafdef3ca3f4b8170c0327355f75f9f2cb31d081535f364cea664fa6cc0a3ca',
	},
	{
		name: 'V6',
		payload: { ...base, ...empty, jobId: 'job-123', prompt: 'list files' },
		members: { ...emptyMembers, job_id: '"job-123"', prompt: '"list files"' },
		hex: '463c05a6760dd57962f5f1139cb8260444d01f8d0c21f81fdf53a58393b3b163',
	},
	{
		name: 'V8',
		payload: { ...base, ttl: 0, timestamp: 99_999_999_999 },
		members: { ttl: '0', timestamp: '99999999999' },
		hex: '4b06471da4189c0643da162d9801fb56b5c159104dfb3ddcc9a8bbb3d104c079',
	},
];

const textOf = (members: Readonly<Record<string, string>> = {}): string => {
	const own = Object.fromEntries(Object.entries(baseJson).map(([key, value]) => [key, JSON.stringify(value)]));
	return `{${Object.entries({ ...own, ...members })
		.map(([key, value]) => `"${key}":${value}`)
		.join(',')}}`;
};

const bodyOf = (payload: string, signature: string): Buffer =>
	Buffer.from(`{"payload":${payload},"signature":{"signature":"${signature}","algorithm":"HMAC-SHA256"}}`);

const read = (body: string | Buffer) => decodeQuickCmdRequest(Buffer.from(body));

describe('a signature of QuickCMD', () => {
	it.each(vectors)('$name is made as Go makes it', ({ payload, hex, spelling }) => {
		expect(signQuickCmd(payload, secret, spelling)).toBe(hex);
	});

	it.each(vectors)('$name is read from the wire and found good', ({ payload, members, hex }) => {
		const reading = read(bodyOf(textOf(members), hex));
		expect(reading).toEqual({ signed: { payload, signature: hex } });
		expect('signed' in reading && isQuickCmdSignedBy(reading.signed, secret)).toBe(true);
		expect('signed' in reading && isQuickCmdSignedBy(reading.signed, `${secret}2`)).toBe(false);
	});

	it('V7, whose integer Go signs as int64 and reads as float64, is not good', () => {
		const hex = '732ac84b86ea2f0ad608ca518fed7a0a55be931b6518dbadada1893429443ea4';
		const reading = read(bodyOf(textOf({ candidate_metadata: '{"n":9007199254740993}' }), hex));
		expect('signed' in reading && isQuickCmdSignedBy(reading.signed, secret)).toBe(false);
	});

	it('of half a character covers the sign that stands for it', () => {
		const signature = signQuickCmd({ ...base, command: 'echo \ufffd' }, secret);
		const reading = read(bodyOf(textOf({ command: '"echo \\ud800"' }), signature));
		expect('signed' in reading && reading.signed.payload.command).toBe('echo \ufffd');
		expect('signed' in reading && isQuickCmdSignedBy(reading.signed, secret)).toBe(true);
	});

	it('that covers the escape of a broken character is not good, as with the original', () => {
		const asGoSigns = quickCmdSignedText({ ...base, command: 'echo X' }).replace('X', '\\ufffd');
		expect(asGoSigns).toContain('\\ufffd');
		const reading = read(bodyOf(asGoSigns, signQuickCmd({ ...base, command: 'echo \\ufffd' }, secret)));
		expect('signed' in reading && isQuickCmdSignedBy(reading.signed, secret)).toBe(false);
	});

	it.each(['', 'zz', '9AFF7A504C1F62EBA38FDF1F28B9E1001746DF97869088E9693EF31682B10510', 'é'.repeat(32)])(
		'is not good as %j',
		(signature) => {
			expect(isQuickCmdSignedBy({ payload: base, signature }, secret)).toBe(false);
		},
	);
});

describe('a request of QuickCMD', () => {
	const payloads = fc.record({
		jobId: fc.stringMatching(/^[A-Za-z0-9._:-]{1,20}$/),
		prompt: fc.string({ unit: 'binary' }),
		command: fc.string({ unit: 'binary' }),
		candidateMetadata: fc.option(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })) as fc.Arbitrary<GoMap>),
		pluginMetadata: fc.option(fc.dictionary(fc.string(), fc.string()) as fc.Arbitrary<GoMap>),
		requiredScopes: fc.option(fc.array(fc.string())),
		snapshotMetadata: fc.string(),
		ttl: fc.maxSafeInteger(),
		timestamp: fc.maxSafeInteger(),
		controllerId: fc.string(),
	});

	it('comes out as it went in, and signed', () => {
		fc.assert(
			fc.property(payloads, (payload) => {
				const reading = read(encodeQuickCmdRequest(payload, secret));
				expect(reading).toMatchObject({ signed: { payload: { ...payload } } });
				expect('signed' in reading && isQuickCmdSignedBy(reading.signed, secret)).toBe(true);
			}),
		);
	});

	it('is on the wire the text that is signed, and the signature', () => {
		expect(encodeQuickCmdRequest({ ...base, ...empty }, secret)).toBe(
			'{"payload":{"job_id":"job-1","prompt":"p","command":"ls -la","candidate_metadata":{},"plugin_metadata":{},' +
				'"required_scopes":[],"snapshot_metadata":"","ttl":1704628800,"timestamp":1704628500,"controller_id":"controller-1"},' +
				'"signature":{"signature":"7fb924a7dc99053d9e7722abe1063f2c3b7868f41377ed0b29c531c2c0c60679","algorithm":"HMAC-SHA256"}}',
		);
	});

	it.each(['{}', 'null', '{"payload":null}', '{"payload":{},"signature":null}', '{"signature":{}}'])(
		'%s is an empty payload that nobody signed, as to Go',
		(text) => {
			const { jobId: _, ...rest } = base;
			const zero = { ...rest, prompt: '', command: '', ttl: 0, timestamp: 0, controllerId: '' };
			const expected =
				text === 'null' ? expect.anything() : { signed: { payload: { ...zero, jobId: '' }, signature: '' } };
			expect(read(text)).toEqual(expected);
		},
	);

	it('may leave everything out that Go has an empty value for, or say null', () => {
		const nulls = Object.fromEntries(Object.keys(baseJson).map((key) => [key, 'null']));
		const reading = read(bodyOf(textOf({ ...nulls, required_scopes: '[null]' }), ''));
		expect(reading).toMatchObject({ signed: { payload: { jobId: '', ttl: 0, requiredScopes: [''] } } });
	});

	it.each([
		['an unknown key', '{"nonce":"x"}', 'Unrecognized key'],
		['a key in other letters', '{"Command":"id"}', 'Unrecognized key'],
		['a key twice', '{"command":"id","command":"ls"}', 'has the same key twice'],
		['a key twice in its metadata', '{"candidate_metadata":{"a":1,"a":2}}', 'has the same key twice'],
		['keys that Go reads as one', '{"candidate_metadata":{"\\ud800":1,"\\ud801":2}}', 'a key twice'],
		['a number beyond float64', '{"candidate_metadata":{"a":[1e999]}}', 'too large'],
		['a time of 1.0', '{"ttl":1.0}', 'payload.ttl is no plain integer'],
		['a time of 1e9', '{"timestamp":1e9}', 'payload.timestamp is no plain integer'],
		['a time as text', '{"ttl":"1704628800"}', 'expected number'],
		['a time of half a second', '{"ttl":1.5}', 'expected int'],
		['a time that no number holds', '{"ttl":9007199254740993}', 'payload.ttl'],
		['a list as metadata', '{"plugin_metadata":[]}', 'is no object'],
		['a text as scopes', '{"required_scopes":"all"}', 'expected array'],
		['a number as command', '{"command":1}', 'expected string'],
		['a key "__proto__"', '{"__proto__":{"command":"id"}}', 'Unrecognized key'],
	])('with %s is refused', (_, payload, why) => {
		expect(read(bodyOf(payload, ''))).toEqual({ details: expect.stringContaining(why) });
	});

	it.each([
		['', 'is not JSON'],
		['{', 'is not JSON'],
		['{} {}', 'is not JSON'],
		['[]', 'expected object'],
		['"x"', 'expected object'],
		['{"payload":[]}', 'expected object'],
		['{"Payload":{}}', 'Unrecognized key'],
		['{"payload":{},"signature":{"signature":"","key":"x"}}', 'Unrecognized key'],
		['{"payload":{},"signature":"abc"}', 'expected object'],
		[`{"payload":{"candidate_metadata":${'{"a":'.repeat(50)}1${'}'.repeat(50)}}}`, 'nested'],
	])('%.60j is refused', (text, why) => {
		expect(read(text)).toEqual({ details: expect.stringContaining(why) });
	});

	it('that is not UTF-8 is refused', () => {
		expect(read(Buffer.from('{"payload":{"command":"\xff"}}', 'latin1'))).toEqual({
			details: 'the body is not UTF-8',
		});
	});

	it('is read or refused, whatever the bytes', () => {
		fc.assert(
			fc.property(fc.oneof(fc.json(), fc.uint8Array()), (body) => {
				expect(typeof read(Buffer.from(body as string))).toBe('object');
			}),
		);
	});
});

describe('the id of a job of QuickCMD', () => {
	it.each([
		['job-1', true],
		['A.b_c:d-9', true],
		['x'.repeat(128), true],
		['', false],
		['x'.repeat(129), false],
		['../a', false],
		['a/b', false],
		['a b', false],
		['é', false],
		['a\n', false],
	])('%j: %s', (id, isGood) => {
		expect(isQuickCmdJobId(id)).toBe(isGood);
	});
});

describe('a binding of QuickCMD', () => {
	const binding = { deviceId: 'device-1', nonce: 'n'.repeat(22) };

	it('lies in the plugin metadata and comes out as it went in', () => {
		const pluginMetadata = { plugin: 'git', ...quickCmdBindingMetadata(binding) };
		expect(quickCmdBindingOf({ ...base, pluginMetadata })).toEqual(binding);
	});

	it('is absent where nobody gave one', () => {
		expect(
			[null, {}, { plugin: 'git' }].map((pluginMetadata) => quickCmdBindingOf({ ...base, pluginMetadata })),
		).toEqual([undefined, undefined, undefined]);
	});

	it.each([
		null,
		'device-1',
		{},
		{ device_id: 'device-1' },
		{ device_id: 'device-1', nonce: 'short' },
		{ device_id: 'device-1', nonce: 7 },
		{ device_id: 'device-1', nonce: 'n'.repeat(22), more: 1 },
	])('%j is none', (rs) => {
		expect(quickCmdBindingOf({ ...base, pluginMetadata: { rs } })).toBe(null);
	});
});

describe('a cancel of QuickCMD', () => {
	const about = { jobId: 'job-1', ttl: 2, timestamp: 1, controllerId: 'controller-1' };

	it('is told from a submit, and a submit from a cancel', () => {
		expect([quickCmdCancel(about), base].map(isQuickCmdCancel)).toEqual([true, false]);
		expect(isQuickCmdCancel({ ...base, prompt: 'cancel' })).toBe(false);
		expect(isQuickCmdCancel({ ...quickCmdCancel(about), prompt: '' })).toBe(true);
	});

	it('is signed as a submit is, with the binding', () => {
		const binding = { deviceId: 'device-1', nonce: 'n'.repeat(22) };
		const reading = read(encodeQuickCmdRequest(quickCmdCancel(about, binding), secret));
		expect('signed' in reading && isQuickCmdSignedBy(reading.signed, secret)).toBe(true);
		expect('signed' in reading && isQuickCmdCancel(reading.signed.payload)).toBe(true);
		expect('signed' in reading && quickCmdBindingOf(reading.signed.payload)).toEqual(binding);
	});
});
