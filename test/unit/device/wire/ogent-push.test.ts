import { describe, expect, it } from 'vitest';
import {
	decodeOgentPush,
	encodeOgentPush,
	type OgentPush,
	ogentLines,
	ogentProgress,
} from '../../../../src/device/wire/ogent-push.ts';

const running: OgentPush = {
	...{ executionId: 'e-1', status: 'running', progress: 1, output: 'Starting execution...', error: '' },
	isTruncated: false,
};

describe('an update of Ogent', () => {
	it.each([
		running,
		{ ...running, status: 'failed' as const, progress: 100, output: '', error: 'e', isTruncated: true },
	])('comes out as it went in: $status', (push) => {
		expect(decodeOgentPush(Buffer.from(encodeOgentPush(push)))).toEqual(push);
	});

	it('leaves out what is empty, as the original does', () => {
		expect(JSON.parse(encodeOgentPush({ ...running, output: '' }))).toEqual({
			...{ executionId: 'e-1', status: 'running', progress: 1 },
		});
	});

	it('takes both spellings of cancelled', () => {
		const text = '{"executionId":"e-1","status":"canceled","progress":100}';
		expect(decodeOgentPush(Buffer.from(text))).toEqual({ ...running, status: 'cancelled', progress: 100, output: '' });
	});

	it.each(['', '{}', '{"executionId":"e-1","status":"odd","progress":1}'])('is not what %j says', (text) => {
		expect(decodeOgentPush(Buffer.from(text))).toBe(undefined);
	});

	it.each([
		[0, 0],
		[9, 0],
		[10, 1],
		[25, 2],
		[989, 98],
		[5000, 99],
	])('says after %i lines that %i of 100 is done', (lines, progress) => {
		expect(ogentProgress(lines)).toBe(progress);
	});

	it.each([
		['', ''],
		['\n', ''],
		['a', 'a'],
		['a\r\nb\n', 'a\nb'],
		['a\n\n', 'a\n'],
	])('has of %j the lines %j', (text, lines) => {
		expect(ogentLines(text)).toBe(lines);
	});
});
