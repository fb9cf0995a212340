import { describe, expect, it } from 'vitest';
import { objectionTo, type PathRules, placeAt, workspace } from '../../../../src/core/policy/paths.ts';
import { anyName } from '../../../../src/core/policy/wildcards.ts';

const rules: PathRules = {
	read: ['/usr', '/var/log', '/home/*/public', '/srv/.'],
	write: ['/srv/out'],
	hide: ['/usr/secret', '**/.ssh', '/var/log/*.key'],
	own: ['/var/lib/agent'],
};

/** Wildcards are written as "*". */
const judge = (path: string, access: 'read' | 'write' = 'read', from = workspace): string => {
	const place = placeAt(from, path.replaceAll('*', anyName));
	return place ? (objectionTo(rules, place, access) ?? 'fine') : 'leads out';
};

describe('a path', () => {
	it.each([
		['/usr', 'fine'],
		['/usr/bin/ls', 'fine'],
		['//usr///bin/.', 'fine'],
		['/usrfoo', '/usrfoo is not among the paths that may be read'],
		['/usr/../etc/passwd', '/etc/passwd is not among the paths that may be read'],
		['/../../usr', 'fine'],
		['/usr/secret', '/usr/secret is hidden'],
		['/usr/secret/x', '/usr/secret/x is hidden'],
		['/usr/secretive', 'fine'],
		['/usr/s*t', '/usr/s*t is hidden'],
		['/usr/*', '/usr/* is hidden'],
		['/usr/*/x', '/usr/*/x is hidden'],
		['/usr/bin/*', 'fine'],
		['/u*r/bin', '/u*r/bin is not among the paths that may be read'],
		['/usr/.*', 'leads out'],
		['/usr/..*/x', 'leads out'],
		['/usr/.b*', 'fine'],
		['/usr/lib/.ssh/id', '/usr/lib/.ssh/id is hidden'],
		['/usr/lib/.s*', '/usr/lib/.s* is hidden'],
		['/var/log/a.key', '/var/log/a.key is hidden'],
		['/var/log/a.log', 'fine'],
		['/home/bob/public/x', 'fine'],
		['/home/bob/private', '/home/bob/private is not among the paths that may be read'],
		['/srv', 'fine'],
		['/srv/x', '/srv/x is not among the paths that may be read'],
		['/srv/out/x', 'fine'],
		['/var/lib/agent/keys', '/var/lib/agent/keys belongs to the agent itself'],
		['/var/lib/a*/keys', '/var/lib/a*/keys belongs to the agent itself'],
		['/dev/null', 'fine'],
		['/dev/fd/3', 'fine'],
		['/dev/fd/x', '/dev/fd/x is not among the paths that may be read'],
		['/dev/sda', '/dev/sda is not among the paths that may be read'],
		['/dev/null/../sda', '/dev/sda is not among the paths that may be read'],
		['/tmp/x', 'fine'],
		['/tmpfoo', '/tmpfoo is not among the paths that may be read'],
		['/work/x', 'fine'],
		['x', 'fine'],
		['./a/../b', 'fine'],
		['..', 'leads out'],
		['a/../../x', 'leads out'],
		['', 'fine'],
	])('%s to be read: %s', (path, word) => {
		expect(judge(path)).toBe(word);
	});

	it.each([
		['/srv/out/x', 'fine'],
		['/usr/x', '/usr/x is not among the paths that may be written'],
		['x', 'fine'],
		['/tmp/x', 'fine'],
		['/dev/null', 'fine'],
	])('%s to be written: %s', (path, word) => {
		expect(judge(path, 'write')).toBe(word);
	});

	it('counts from the folder that the command runs in', () => {
		const log = placeAt(workspace, '/var/log');
		expect(log && [judge('x', 'read', log), judge('../../etc', 'read', log)]).toEqual([
			'fine',
			'/etc is not among the paths that may be read',
		]);
	});

	it('is only open below what a job confines itself to, whatever the policy opens', () => {
		const place = (path: string) => placeAt(workspace, path) ?? workspace;
		const confined = { ...rules, within: ['/usr/share'] };
		expect([
			objectionTo(confined, place('/usr/share/x'), 'read'),
			objectionTo(confined, place('/usr/bin/x'), 'read') !== undefined,
		]).toEqual([undefined, true]);
	});
});
