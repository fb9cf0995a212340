import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fixedLimits } from '../../../../src/contract/limits.ts';
import { describeFile } from '../../../../src/core/sandbox/describe-file.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

async function described(name: string, content: string | Buffer) {
	const path = join(tempFolder(), 'file');
	writeFileSync(path, content);
	return describeFile(path, name, Buffer.byteLength(content));
}

/** A picture of one point: signature, header, data, end. */
function png(): Buffer {
	const part = (type: string, data: Buffer) => {
		const length = Buffer.alloc(4);
		length.writeUInt32BE(data.length);
		return Buffer.concat([length, Buffer.from(type), data, Buffer.alloc(4)]);
	};
	const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
	const parts = [part('IHDR', header), part('IDAT', deflateSync(Buffer.alloc(2))), part('IEND', Buffer.alloc(0))];
	return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts]);
}

describe('describeFile', () => {
	it('goes by what a file holds, not by what it is called', async () => {
		expect(await described('picture.txt', png())).toEqual({ type: 'image/png', preview: null });
		expect(await described('picture.png', '<script>1</script>')).toEqual({
			type: 'text/plain',
			preview: '<script>1</script>',
		});
		expect(await described('picture.png', Buffer.from([0, 1, 2]))).toEqual({
			type: 'application/octet-stream',
			preview: null,
		});
	});

	it.each([
		['a.csv', 'text/csv'],
		['a.json', 'application/json'],
		['a.html', 'text/html'],
		['a.svg', 'image/svg+xml'],
		['a.md', 'text/markdown'],
		['a', 'text/plain'],
		['c', 'text/plain'],
		['sub/html', 'text/plain'],
		['.csv', 'text/plain'],
		['sub.d/a.csv', 'text/csv'],
		['a.xlsx', 'text/plain'],
	])('tells kinds of text apart by name: %s is %s', async (name, type) => {
		expect(await described(name, 'ñ')).toEqual({ type, preview: 'ñ' });
	});

	it('knows the tables of Excel, which are no UTF-8, where they are called so', async () => {
		const bytes = Buffer.from('año;1\n', 'latin1');
		expect(await described('ventas.csv', bytes)).toEqual({ type: 'text/csv', preview: 'año;1\n' });
		for (const [name, content] of [
			['ventas.bin', bytes],
			['ventas.csv', Buffer.from([0xf1, 0x00, 0x41])],
			['ventas.csv', Buffer.from([0x81, 0x8d, 0xf1])],
		] as const)
			expect(await described(name, content)).toEqual({ type: 'application/octet-stream', preview: null });
	});

	it('shows the beginning of a long text, whole characters only', async () => {
		const text = `x${'é'.repeat(fixedLimits.previewBytes)}`;
		const { preview } = await described('a.txt', text);
		const shown = (fixedLimits.previewBytes - 2) / 2;
		expect(preview).toBe(
			`x${'é'.repeat(shown)}\n[… ${2 * fixedLimits.previewBytes + 1 - fixedLimits.previewBytes} bytes cut …]\n`,
		);
	});

	it('takes control sequences out of what it shows', async () => {
		expect(await described('a.log', '\u001b[31mred\u001b[0m\r\n')).toEqual({ type: 'text/plain', preview: 'red\n' });
	});
});
