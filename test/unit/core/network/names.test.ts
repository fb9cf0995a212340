import { type DecodedPacket, decode, encode, type Packet, type Question } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Names } from '../../../../src/core/network/names.ts';
import { networkRules } from '../../../../src/core/network/rules.ts';

const names = (list: string[] = ['api.example.com', '*.example.org']) => new Names(networkRules(list));

const question = (name: string, type: Question['type'] = 'A', more: Partial<Packet> = {}): Buffer =>
	encode({ id: 7, type: 'query', flags: 0x0100, questions: [{ name, type, class: 'IN' }], ...more });

/** What a program would read: the code of the answer, and the addresses. */
function ask(from: Names, name: string, type?: Question['type']) {
	const answer = from.answer(question(name, type));
	if (!answer) return undefined;
	const {
		id,
		type: kind,
		rcode,
		flag_ra,
		questions,
		answers,
	} = decode(answer.reply) as DecodedPacket & { rcode: string };
	return { id, kind, rcode, flag_ra, questions, answers, refused: answer.refused };
}

const found = (name: string, data: string) => ({
	id: 7,
	kind: 'response',
	rcode: 'NOERROR',
	flag_ra: true,
	questions: [{ name, type: 'A', class: 'IN' }],
	answers: [{ name, type: 'A', class: 'IN', ttl: 60, flush: false, data }],
	refused: null,
});

const unknown = (name: string, refused = name, type = 'A') => ({
	...found(name, ''),
	rcode: 'NXDOMAIN',
	questions: [{ name, type, class: 'IN' }],
	answers: [],
	refused,
});

describe('a question for a permitted name', () => {
	it('gets an address of its own inside the jail, the same each time, that leads back to the name', () => {
		const all = names();
		expect(ask(all, 'api.example.com')).toEqual(found('api.example.com', '127.1.0.1'));
		expect(ask(all, 'a.example.org')).toEqual(found('a.example.org', '127.1.0.2'));
		expect(ask(all, 'api.example.com')).toEqual(found('api.example.com', '127.1.0.1'));
		expect(['127.1.0.1', '127.1.0.2', '127.1.0.3', '127.0.0.1'].map((address) => all.nameAt(address))).toEqual([
			...['api.example.com', 'a.example.org', undefined, undefined],
		]);
	});

	it('is the same question in other letters, and is answered in them', () => {
		const all = names();
		expect(ask(all, 'aPi.ExAmPlE.com')).toEqual(found('aPi.ExAmPlE.com', '127.1.0.1'));
		expect(all.nameAt('127.1.0.1')).toBe('api.example.com');
	});

	it.each(['AAAA', 'TXT', 'MX', 'SRV', 'CNAME'] as const)('of type %s gets an answer without addresses', (type) => {
		expect(ask(names(), 'api.example.com', type)).toEqual({
			...found('api.example.com', ''),
			questions: [{ name: 'api.example.com', type, class: 'IN' }],
			answers: [],
		});
	});

	it('gets no address when thousands have been given out', () => {
		const all = names();
		const given = Array.from({ length: 5_000 }, (_, index) => ask(all, `n${index}.example.org`)?.answers?.length);
		expect(given.filter((count) => count === 1).length).toBe(4_096);
		expect(given.slice(4_096).every((count) => count === 0)).toBe(true);
		expect(ask(all, 'n0.example.org')?.answers).toHaveLength(1);
	});
});

describe('a question for another name', () => {
	it.each(['other.example.net', 'example.org', 'localhost', 'api.example.com.evil.test', '4a6f686e.evil.test'])(
		'%s has no answer and is told',
		(name) => {
			expect(ask(names(), name)).toEqual(unknown(name));
		},
	);

	it('is told without words that no name can have', () => {
		expect(ask(names(), 'a b\u0007<x>.example.org')?.refused).toBe('a name that is none');
	});

	it('opens nothing of another job', () => {
		const [one, other] = [names(['a.example']), names(['b.example'])];
		ask(one, 'a.example');
		expect(ask(other, 'a.example')).toEqual(unknown('a.example'));
		expect(other.nameAt('127.1.0.1')).toBeUndefined();
	});
});

describe('what is no question', () => {
	const two = encode({
		id: 1,
		type: 'query',
		questions: ['api.example.com', 'a.example.org'].map((name) => ({ name, type: 'A' as const })),
	});
	it.each([
		['nothing', Buffer.alloc(0)],
		['a cut head', question('api.example.com').subarray(0, 8)],
		['a cut name', question('api.example.com').subarray(0, 16)],
		['an answer', question('api.example.com', 'A', { type: 'response' })],
		['two questions', two],
		['no question', question('api.example.com', 'A', { questions: [] })],
		['a name that points at itself', Buffer.from('000701000001000000000000c00c00010001', 'hex')],
	])('%s gets no answer', (_what, message) => {
		expect(names().answer(message)).toBeUndefined();
	});

	it('does no harm, whatever it is', () => {
		const whole = question('api.example.com');
		const bent = fc.tuple(fc.nat(whole.length - 1), fc.nat(255)).map(([at, byte]) => {
			const copy = Buffer.from(whole);
			copy[at] = byte;
			return copy;
		});
		const noise = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes));
		const head = noise.map((rest) => Buffer.concat([whole.subarray(0, 12), rest]));
		fc.assert(
			fc.property(fc.oneof(bent, noise, head), (message) => {
				const answer = names().answer(message);
				if (answer) decode(answer.reply);
			}),
			{ numRuns: 2_000 },
		);
	});
});
