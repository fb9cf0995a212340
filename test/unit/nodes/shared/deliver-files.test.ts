import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { toolParameters } from '../../../../nodes/SecureCode/parameters.ts';
import { deliverFiles } from '../../../../nodes/shared/deliver-files.ts';
import { fakeContext, succeeded } from '../../../helpers/n8n.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

function left(...names: string[]) {
	const folder = tempFolder();
	return names.map((name, index) => {
		const path = join(folder, String(index));
		writeFileSync(path, `content of ${name}`);
		return { name, type: 'text/plain', bytes: 3, preview: 'con', path };
	});
}

it('gives n8n each file, and whoever reads the result a link but no path of the host', async () => {
	const { context, kept } = fakeContext({ properties: toolParameters });
	const result = { ...succeeded, files: left('chart.png', 'sub/a.txt') };
	const file = { type: 'text/plain', bytes: 3, preview: 'con' };
	expect(await deliverFiles(context, result, 24)).toEqual({
		result: {
			...succeeded,
			files: [
				{ ...file, name: 'chart.png', binary: 'data', link: 'https://n8n.example/kept:chart.png?for=24h' },
				{ ...file, name: 'sub/a.txt', binary: 'data1', link: 'https://n8n.example/kept:sub/a.txt?for=24h' },
			],
		},
		binary: {
			data: { id: 'kept:chart.png', fileName: 'chart.png', mimeType: 'text/plain', data: 'filesystem' },
			data1: { id: 'kept:sub/a.txt', fileName: 'sub/a.txt', mimeType: 'text/plain', data: 'filesystem' },
		},
	});
	expect(String(kept['kept:sub/a.txt'])).toBe('content of sub/a.txt');
});

it('gives no links where none are wanted', async () => {
	const { context } = fakeContext({ properties: toolParameters });
	const { result } = await deliverFiles(context, { ...succeeded, files: left('a') }, undefined);
	expect(result.files.map(({ link }) => link)).toEqual([null]);
});
