import { describe, expect, it } from 'vitest';
import * as words from '../../../../src/core/runner/container-words.ts';

const plan: words.ContainerPlan = {
	name: 'secure-code-abc-job-1',
	image: 'localhost/tools:1',
	agent: '12.34.ab',
	argv: ['ls', '-la', '$(id)'],
	cwd: '/work',
	envFile: '/tmp/run/env',
	hasStdin: true,
	network: 'none',
	mounts: [
		{ source: '/srv/data', path: '/data', isWritable: false },
		{ source: '/srv/out', path: '/out', isWritable: true },
	],
	cpus: 0.5,
	memoryBytes: 268_435_456,
	processes: 64,
	workBytes: 67_108_864,
};

describe('runWords', () => {
	it('are these, whole', () => {
		expect(words.runWords(plan)).toEqual([
			...['run', '--name', 'secure-code-abc-job-1', '--label', 'secure-code.agent=12.34.ab', '--pull', 'never'],
			...['--log-driver', 'none', '--network', 'none', '--cpus', '0.5', '--pids-limit', '64'],
			...['--memory', '268435456b', '--memory-swap', '268435456b', '--ulimit', 'nofile=1024:1024'],
			...['--ulimit', 'nproc=4096:4096', '--ulimit', 'core=0:0', '--read-only', '--cap-drop', 'ALL'],
			...['--security-opt', 'no-new-privileges', '--user', '65533:65533', '--workdir', '/work', '--entrypoint', ''],
			...['--env-file', '/tmp/run/env', '--tmpfs', '/work:rw,nosuid,nodev,size=67108864,mode=1777'],
			...['--tmpfs', '/tmp:rw,nosuid,nodev,size=33554432,mode=1777'],
			...[
				'--mount',
				'type=bind,source=/srv/data,target=/data,readonly',
				'--mount',
				'type=bind,source=/srv/out,target=/out',
			],
			...['--interactive', 'localhost/tools:1', 'ls', '-la', '$(id)'],
		]);
	});

	it('never give a privilege, whatever the command is', () => {
		const all = words.runWords({ ...plan, argv: ['--privileged', '-v', '/:/host'], network: 'host', mounts: [] });
		const own = all.slice(0, all.indexOf(plan.image));
		expect(own.filter((word) => /privileged|^-v|volume|--pid$|--ipc|--device|--cap-add|--userns/.test(word))).toEqual(
			[],
		);
		expect(all.slice(all.indexOf(plan.image))).toEqual([plan.image, '--privileged', '-v', '/:/host']);
	});
});

describe('execWords', () => {
	it('are these, whole', () => {
		const inside = { container: 'web', argv: ['id'], envFile: '/e' };
		expect(words.execWords({ ...inside, cwd: '/srv', hasStdin: true })).toEqual([
			...['exec', '--env-file', '/e', '--workdir', '/srv', '--interactive', 'web', 'id'],
		]);
		expect(words.execWords({ ...inside, cwd: null, hasStdin: false })).toEqual([
			'exec',
			'--env-file',
			'/e',
			'web',
			'id',
		]);
	});
});

describe('a question to the engine', () => {
	it.each([
		[words.listContainers(false), null, ['ps', '--no-trunc', '--format', '{{json .}}']],
		[words.listContainers(true), null, ['ps', '--no-trunc', '--format', '{{json .}}', '--all']],
		[words.containerLogs('web', 5), 'web', ['logs', '--tail', '5', 'web']],
		[words.containerLogs('web', null), 'web', ['logs', '--tail', '200', 'web']],
	])('%j is known again', (argv, container, engine) => {
		expect(words.engineWords(argv, container)).toEqual(engine);
	});

	it.each([
		[['docker', 'ps'], null],
		[['docker', 'rm', 'web'], 'web'],
		[['podman', 'ps', '--no-trunc', '--format', '{{json .}}'], null],
		[words.containerLogs('web', 5), 'other'],
		[words.containerLogs('web', 5), null],
		[words.containerLogs('web', -1), 'web'],
		[[...words.listContainers(true), '--filter'], null],
		[words.listContainers(true), 'web'],
		[[], null],
	])('%j for %j is an ordinary command', (argv, container) => {
		expect(words.engineWords(argv, container)).toBeUndefined();
	});
});

describe('what the engine answers', () => {
	const docker =
		'{"ID":"0a","Names":"web","Image":"nginx:1","State":"running","Status":"Up 2 hours","Labels":"a=b,secure-code.agent=1.2.c"}';
	const podman = `[{"Id":"0a","Names":["web"],"Image":"nginx:1","State":"running","Status":"Up 2 hours","Labels":{"secure-code.agent":"1.2.c"}}]`;
	const web = { id: '0a', name: 'web', image: 'nginx:1', state: 'running', status: 'Up 2 hours' };

	it('is a list of containers, in the words of either', () => {
		expect(words.parseContainers(`${docker}\n`)).toEqual([web]);
		expect(words.parseContainers(podman)).toEqual([web]);
		expect([words.parseContainers(''), words.parseContainers('[]'), words.parseContainers('null')]).toEqual([
			[],
			[],
			[{ id: '', name: '', image: '', state: '', status: '' }],
		]);
	});

	it('tells containers of agents from others', () => {
		const own = [{ name: 'web', agent: '1.2.c' }];
		expect([docker, podman].map(words.parseOwnContainers)).toEqual([own, own]);
		expect(words.parseOwnContainers('{"Names":"x","Labels":"other=1"}')).toEqual([]);
		expect(words.parseOwnContainers('garbage')).toEqual([]);
	});

	it('is how a container ended', () => {
		const state = {
			Running: false,
			Pid: 0,
			ExitCode: 137,
			OOMKilled: true,
			Error: '',
			StartedAt: '2026-01-01T00:00:00Z',
		};
		expect(words.parseState(JSON.stringify(state))).toEqual({
			isRunning: false,
			wasStarted: true,
			exitCode: 137,
			isOutOfMemory: true,
			error: '',
		});
		const never = { ...state, StartedAt: '0001-01-01T00:00:00Z', Error: 'no such image' };
		expect(words.parseState(JSON.stringify(never))).toMatchObject({ wasStarted: false, error: 'no such image' });
		expect(['', '[]', 'null', '{"Running":"no"}'].map(words.parseState)).toEqual(Array(4).fill(undefined));
	});

	it.each([
		['Error: no such container x', true],
		['Error: inspecting object: no such object: "x"', true],
		['Error response from daemon: No such container: x', true],
		['Cannot connect to the Docker daemon', false],
		['', false],
	])('%j means that it is gone: %s', (stderr, isGone) => {
		expect(words.saysGone(stderr)).toBe(isGone);
	});
});
