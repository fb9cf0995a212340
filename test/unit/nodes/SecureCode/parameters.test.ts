import { describe, expect, it } from 'vitest';
import { stepParameters, toolParameters } from '../../../../nodes/SecureCode/parameters.ts';
import { limits } from '../../../../src/contract/limits.ts';

const nodes = [
	['tool', toolParameters],
	['step', stepParameters],
] as const;

const MiB = 1024 * 1024;
const sandboxNames = [
	'timeout',
	'memory',
	'network',
	'networkNotice',
	'allowedHosts',
	'bundle',
	'warmStarts',
	'preload',
	'allowedImports',
	'validateCode',
	'validationOptions',
	'maxCodeLength',
];

const filesInNames = ['filesFrom', 'filesNode', 'fileProperties'];
const sessionNames = [
	...[
		'session',
		'sessionKey',
		'sessionState',
		'sessionHours',
		'sessionQuota',
		'sessionStore',
		'sessionFolder',
		'streamOutput',
	],
];
const filesOutNames = ['returnFiles', 'fileLinks', 'fileLinkHours'];

describe('parameters', () => {
	it('have the names that saved workflows rely on', () => {
		expect(toolParameters.map(({ name }) => name)).toEqual([
			'toolDescription',
			'language',
			...sandboxNames,
			'useSecrets',
			'exposedSecrets',
			'secretsMode',
			'allowInlineSecrets',
			...[...filesInNames, 'filesMode', 'dataFrom', 'dataJson', ...filesOutNames, ...sessionNames],
			'testCode',
		]);
		expect(stepParameters.map(({ name }) => name)).toEqual([
			'operation',
			'language',
			'code',
			...sandboxNames,
			'useSecrets',
			'exposedSecrets',
			...[...filesInNames, 'dataFrom', 'dataJson', 'stdin', ...filesOutNames, ...sessionNames],
			...['sessionsOf', 'sessionStore', 'sessionFolder', 'whichSessions', 'sessionId', 'deletedKey'],
		]);
	});

	it('of a tool cannot list or delete sessions', () => {
		const texts = JSON.stringify(toolParameters);
		expect(
			['operation', 'deleteSessions', 'listSessions', 'whichSessions'].filter((word) => texts.includes(`"${word}"`)),
		).toEqual([]);
	});

	it('of the step show either a program or sessions', () => {
		const shown = (operation: string) =>
			stepParameters
				.filter(({ displayOptions }) => {
					const values = displayOptions?.show?.operation as string[] | undefined;
					return values === undefined || values.includes(operation);
				})
				.map(({ name }) => name);
		expect(shown('listSessions')).toEqual(['operation', 'sessionsOf', 'sessionStore', 'sessionFolder']);
		expect(shown('run').filter((name) => ['sessionsOf', 'whichSessions', 'deletedKey'].includes(name))).toEqual([]);
	});

	it.each(nodes)('of the %s take their numbers from the limits table', (_node, parameters) => {
		const ranges = ['timeout', 'memory', 'maxCodeLength'].map((name) => {
			const parameter = parameters.find((property) => property.name === name);
			return [parameter?.typeOptions?.minValue, parameter?.typeOptions?.maxValue, parameter?.default];
		});
		expect(ranges).toEqual([
			[limits.timeoutMs.floor / 1000, limits.timeoutMs.ceiling / 1000, limits.timeoutMs.default / 1000],
			[limits.memoryBytes.floor / MiB, limits.memoryBytes.ceiling / MiB, limits.memoryBytes.default / MiB],
			[limits.codeCharacters.floor, limits.codeCharacters.ceiling, limits.codeCharacters.default],
		]);
	});

	it.each(nodes)('of the %s offer no expression where safety is decided', (_node, parameters) => {
		const open = parameters.filter((property) => property.noDataExpression !== true && property.type !== 'notice');
		expect(
			open
				.map(({ name }) => name)
				.filter((name) => [...sandboxNames, ...filesInNames, ...filesOutNames].includes(name)),
		).toEqual([]);
	});

	it.each(nodes)('of the %s warn as soon as a network is chosen', (_node, parameters) => {
		expect(parameters.find(({ name }) => name === 'networkNotice')).toMatchObject({
			type: 'notice',
			displayOptions: { show: { network: ['hosts', 'full'] } },
		});
	});

	it('give "Execute step" its form by a hidden $fromAI parameter', () => {
		expect(toolParameters.at(-1)).toEqual({
			displayName: 'Code',
			name: 'testCode',
			type: 'hidden',
			default: "={{ $fromAI('code', 'The program to run', 'string') }}",
		});
	});
});
