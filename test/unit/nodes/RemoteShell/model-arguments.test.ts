import { describe, expect, it } from 'vitest';
import { chooseDevices } from '../../../../nodes/RemoteShell/choose-devices.ts';
import { readDeviceList } from '../../../../nodes/RemoteShell/device-list.ts';
import { parseJob, parseRun } from '../../../../nodes/RemoteShell/model-arguments.ts';

const script = (text: string, devices?: string[]) => ({
	call: { command: { mode: 'script', script: text, shell: 'auto' }, devices },
});

describe('a call that runs something', () => {
	it.each<[string, unknown, object]>([
		['a bare text', 'df -h', script('df -h')],
		['a script', { script: 'df -h', device: 'a' }, script('df -h', ['a'])],
		['another name for it', { command: 'df -h' }, script('df -h')],
		['empty fields of a form', { script: 'ls', argv: '', device: null }, script('ls')],
		['several devices', { cmd: 'ls', devices: ['a', 'b', 'a'] }, script('ls', ['a', 'b'])],
		['devices as JSON text', { cmd: 'ls', devices: '["a","b"]' }, script('ls', ['a', 'b'])],
		[
			'arguments',
			{ argv: ['ls', '-l'] },
			{ call: { command: { mode: 'argv', argv: ['ls', '-l'] }, devices: undefined } },
		],
		[
			'arguments as JSON text',
			{ argv: '["ls"]' },
			{ call: { command: { mode: 'argv', argv: ['ls'] }, devices: undefined } },
		],
		[
			'arguments that nobody offered: they change nothing',
			{
				script: 'ls',
				timeout: 9999,
				host: 'evil',
				user: 'root',
				approval: 'apr-1',
				token: 'x',
				cwd: '/root',
				env: { A: '1' },
			},
			script('ls'),
		],
	])('may be %s', (_what, raw, parsed) => {
		expect(parseRun(raw)).toEqual(parsed);
	});

	it.each<[unknown, string]>([
		[{}, '"script" is missing'],
		[42, 'a call is a text'],
		[{ script: 5 }, '"script" must be a text'],
		[{ script: 'ls', argv: ['ls'] }, 'not both'],
		[{ argv: [] }, '"argv" must be a list'],
		[{ argv: ['ls', 5] }, '"argv" must be a list'],
		[{ script: 'ls', device: 5 }, '"device" must be'],
		[{ script: 'ls', device: ['a', {}] }, '"device" must be'],
	])('that is %j is answered with what is wrong', (raw, words) => {
		const parsed = parseRun(raw);
		expect('problem' in parsed ? parsed.problem.message : '').toContain(words);
	});
});

describe('a call about an earlier job', () => {
	it.each<[string, unknown, object]>([
		['the first page', 'j-1', { stream: 'stdout', how: 'page', offset: 0, limit: 16_384 }],
		[
			'a page',
			{ jobId: 'j-1', stream: 'stderr', offset: '5', limit: 10 },
			{ stream: 'stderr', how: 'page', offset: 5, limit: 10 },
		],
		[
			'no page that is too long',
			{ jobId: 'j-1', limit: 10_000_000 },
			{ stream: 'stdout', how: 'page', offset: 0, limit: 65_536 },
		],
		['the last lines', { jobId: 'j-1', tail: 5 }, { stream: 'stdout', how: 'tail', lines: 5 }],
		[
			'matching lines',
			{ jobId: 'j-1', search: 'err.r' },
			{ stream: 'stdout', how: 'search', pattern: 'err.r', most: 100 },
		],
	])('reads %s', (_what, raw, read) => {
		expect(parseJob(raw)).toEqual({ call: { jobId: 'j-1', devices: undefined, read } });
	});

	it.each<[unknown, string]>([
		[{}, '"jobId" is missing'],
		[{ jobId: 'j', stream: 'both' }, '"stream" must be'],
		[{ jobId: 'j', offset: -1 }, 'whole numbers'],
		[{ jobId: 'j', offset: 1.5 }, 'whole numbers'],
		[{ jobId: 'j', tail: 0 }, '"tail" must be'],
		[{ jobId: 'j', search: {} }, '"search" must be'],
	])('that is %j is answered with what is wrong', (raw, words) => {
		const parsed = parseJob(raw);
		expect('problem' in parsed ? parsed.problem.message : '').toContain(words);
	});
});

describe('the devices of a call', () => {
	const one = readDeviceList('agent3', { devices: 'a = http://a' });
	const three = readDeviceList('agent3', { devices: 'a = http://a\nb = http://b\nc = http://c' });
	const names = (...args: Parameters<typeof chooseDevices>) => {
		const chosen = chooseDevices(...args);
		return 'problem' in chosen ? chosen.problem.message : [...chosen.devices.keys()];
	};

	it('are the only one, those that are named, or all of them where several are allowed', () => {
		expect([
			names(one, undefined, false),
			names(three, ['b'], false),
			names(three, ['c', 'a'], true),
			names(three, ['*'], true),
		]).toEqual([['a'], ['b'], ['a', 'c'], ['a', 'b', 'c']]);
	});

	it('are never one outside of the list, nor more than the author allows; the names that hold are told', () => {
		expect([
			names(three, undefined, false),
			names(three, ['d'], false),
			names(three, ['http://a'], false),
			names(three, ['a', 'b'], false),
			names(three, ['*'], false),
			names(new Map(), ['a'], true),
		]).toEqual(expect.arrayContaining([expect.stringContaining('a, b, c'), expect.stringContaining('no device')]));
		expect(names(three, ['*'], false)).toContain('there is no device "*"');
	});
});
