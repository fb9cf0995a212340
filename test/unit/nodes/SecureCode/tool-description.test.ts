import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../nodes/SecureCode/settings.ts';
import { describeTool } from '../../../../nodes/SecureCode/tool-description.ts';
import { noFiles } from '../../../helpers/n8n.ts';

const settings: Settings = {
	language: 'auto',
	timeoutMs: 30_000,
	memoryBytes: 128 * 1024 * 1024,
	codeCharacters: 50_000,
	network: 'none',
	check: true,
	checkPolicy: {},
	files: noFiles,
	bundle: 'default',
	isStreamed: false,
	isWarm: true,
	preload: [],
};
const limits = 'Limits: 30 s, 128 MB of memory, 50000 characters of code.';

const fresh = 'Each call starts fresh; nothing is kept from earlier calls.';

describe('describeTool', () => {
	it.each([
		[{}, 'Network: none. Modules: those that are installed; nothing can be installed.'],
		[{ network: 'full' }, 'Network: every public host. Modules: those that are installed; nothing can be installed.'],
		[{ network: [], allowedImports: [] }, 'Network: none. Modules: none may be imported.'],
		[
			{ network: ['a.example', '*.b.example'], allowedImports: ['math', 'json'] },
			'Network: only a.example, *.b.example. Modules: only math, json.',
		],
	] as [Partial<Settings>, string][])('adds the limits that %j leaves to the model', (changes, sentences) => {
		expect(describeTool(' Runs code.\n', { ...settings, ...changes })).toBe(
			`Runs code.\n\n${limits} ${sentences} ${fresh}`,
		);
	});
});
