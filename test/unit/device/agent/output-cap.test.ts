import { describe, expect, it } from 'vitest';
import { OutputCap } from '../../../../src/device/agent/output-cap.ts';

function kept(bytes: number, ...chunks: string[]): string[] {
	const cap = new OutputCap(bytes);
	return chunks.map((chunk) => cap.take(Buffer.from(chunk)).toString());
}

describe('the cap of an output', () => {
	it('lets through what fits, to the byte', () => {
		expect(kept(6, 'abc', '', 'def')).toEqual(['abc', '', 'def']);
	});

	it('cuts the chunk that crosses it, and keeps nothing after it', () => {
		expect(kept(4, 'abc', 'def', 'g', '')).toEqual(['abc', 'd', '', '']);
	});

	it('cuts no character in two, and fills the gap with nothing else', () => {
		expect(kept(4, 'abc', 'é', 'd')).toEqual(['abc', '', '']);
	});

	it('of nothing keeps nothing', () => {
		expect(kept(0, '', 'a')).toEqual(['', '']);
	});
});
