import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../nodes/SecureCode/settings.ts';
import { labelsFor, toRequest } from '../../../../nodes/SecureCode/to-request.ts';
import { noFiles } from '../../../helpers/n8n.ts';

const MiB = 1024 * 1024;
const settings: Settings = {
	language: 'python',
	timeoutMs: 20_000,
	memoryBytes: 64 * MiB,
	codeCharacters: 1000,
	network: ['api.example.com'],
	allowedImports: ['math'],
	check: false,
	checkPolicy: { warnOnly: true },
	files: noFiles,
	bundle: 'default',
	isStreamed: false,
	isWarm: false,
	preload: ['math'],
};

describe('toRequest', () => {
	it('carries what the author allows', () => {
		expect(toRequest(settings, { code: 'print(1)' }, { item: '0' })).toEqual({
			code: 'print(1)',
			language: 'python',
			limits: { timeoutMs: 20_000, memoryBytes: 64 * MiB, codeCharacters: 1000 },
			network: ['api.example.com'],
			bundle: 'default',
			warm: false,
			preload: ['math'],
			allowedImports: ['math'],
			check: false,
			checkPolicy: { warnOnly: true },
			labels: { item: '0' },
		});
	});

	it('says nothing about imports when every module is allowed', () => {
		const { allowedImports, ...open } = settings;
		expect(toRequest(open, { code: 'a' }, {})).not.toHaveProperty('allowedImports');
	});

	it('takes the language of the call', () => {
		expect(toRequest(settings, { code: 'a', language: 'bash' }, {}).language).toBe('bash');
	});

	it.each([
		['narrows', { maxTime: 2.5, maxMemory: 32 }, { timeoutMs: 2_500, memoryBytes: 32 * MiB }],
		['never widens', { maxTime: 300, maxMemory: 1024 }, { timeoutMs: 20_000, memoryBytes: 64 * MiB }],
		[
			'never goes below what the sandbox needs',
			{ maxTime: 0.001, maxMemory: 1 },
			{ timeoutMs: 1_000, memoryBytes: 16 * MiB },
		],
	])('%s the limits of the author', (_how, asked, expected) => {
		expect(toRequest(settings, { code: 'a', ...asked }, {}).limits).toEqual({ ...expected, codeCharacters: 1000 });
	});
});

describe('labelsFor', () => {
	const context = (workflow: string | undefined, execution: string) =>
		({ getWorkflow: () => ({ id: workflow }), getExecutionId: () => execution }) as never;

	it('names workflow, execution and item', () => {
		expect(labelsFor(context('w1', 'e1'), 3)).toEqual({ workflow: 'w1', execution: 'e1', item: '3' });
	});

	it('leaves out what a run that was never saved does not have', () => {
		expect(labelsFor(context(undefined, ''), 0)).toEqual({ item: '0' });
	});
});
