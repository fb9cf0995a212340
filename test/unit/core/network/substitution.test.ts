import { describe, expect, it } from 'vitest';
import { Substitution } from '../../../../src/core/network/substitution.ts';

const values = { ONE: 'real-$&-one', TWO: 'real-two', FREE: 'given' };
const hosts = { ONE: ['api.example.com', '*.example.org:8443'], TWO: ['api.example.com'] };
const counted = () => {
	let count = 0;
	return () => `scp_${++count}_`;
};
const substitution = new Substitution(values, hosts, counted());

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64');

describe('Substitution', () => {
	it('gives a placeholder for each secret that is bound to hosts, and for no other', () => {
		expect(substitution.placeholders).toEqual({ ONE: 'scp_1_', TWO: 'scp_2_' });
	});

	it('makes placeholders that look like tokens and are never the same', () => {
		const made = Array.from({ length: 100 }, () => new Substitution(values, { ONE: [] }).placeholders.ONE ?? '');
		expect(made.filter((text) => !/^scp_[\w-]{32}$/.test(text))).toEqual([]);
		expect(new Set(made).size).toBe(100);
	});

	it.each([
		['api.example.com', 443, true],
		['api.example.com', 80, true],
		['api.example.com', 8443, false],
		['a.example.org', 8443, true],
		['a.example.org', 443, false],
		['evil.test', 443, false],
	])('applies to %s:%i: %s', (host, port, expected) => {
		expect(substitution.appliesTo(host, port)).toBe(expected);
		expect(substitution.fill(host, port, 'scp_1_')).toBe(expected ? values.ONE : 'scp_1_');
	});

	it.each([
		['Bearer scp_1_', 'Bearer real-$&-one'],
		['a=scp_1_; b=scp_2_; c=scp_1_', 'a=real-$&-one; b=real-two; c=real-$&-one'],
		[`Basic ${base64('me:scp_2_')}`, `Basic ${base64('me:real-two')}`],
		[`basic ${base64('scp_1_:')}`, `basic ${base64('real-$&-one:')}`],
		[`Basic ${base64('mé:x')}`, `Basic ${base64('mé:x')}`],
		['Basic !', 'Basic !'],
		['Basic c2NwXzFf ', `Basic ${base64('real-$&-one')}`],
		['nothing', 'nothing'],
		['scp_3_', 'scp_3_'],
		['', ''],
	])('fills %j', (text, expected) => {
		expect(substitution.fill('api.example.com', 443, text)).toBe(expected);
	});

	it('puts a value only in where that value may go', () => {
		expect(substitution.fill('a.example.org', 8443, 'scp_1_ scp_2_')).toBe('real-$&-one scp_2_');
	});
});
