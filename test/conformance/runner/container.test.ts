/** Commands in containers, with a real engine where one can be had. */
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containerLogs, listContainers, parseContainers } from '../../../src/core/runner/container-words.ts';
import { containersConf, podmanLack, testImage } from '../../helpers/bring-podman.ts';
import { alive, clingingScript, newMark, until } from '../../helpers/clinging.ts';
import { identities } from '../../helpers/jail.ts';
import { ended, exited, printed, RunnerHost } from '../../helpers/runner.ts';

const lack = podmanLack();
const patienceMs = 30_000;

const podman = (...words: string[]) =>
	execaSync('podman', words, { reject: false, env: { CONTAINERS_CONF: containersConf } });

/** Containers of any agent, running or not. */
const own = (): string[] =>
	podman('ps', '--all', '--filter', 'label=secure-code.agent', '--format', '{{.Names}}')
		.stdout.split('\n')
		.filter(Boolean);

const sh = (script: string) => ({ mode: 'script', shell: 'sh', script }) as const;
const stopped = (reason: string) => ({ stopped: reason, exit: null, fault: null, isConfirmedDead: true, error: null });
const refused = (code: string) => ({
	stopped: undefined,
	exit: undefined,
	fault: undefined,
	isConfirmedDead: undefined,
	error: code,
});

test.runIf(process.env.CI === 'true')('a container engine is not left out in CI', () => {
	expect(lack).toBe(null);
});

const reason = lack === null ? '' : ` (skipped: ${lack})`;

describe.skipIf(lack !== null)(`podman${reason}`, () => {
	const profiles = (host: RunnerHost) => ({
		box: { backend: 'podman', images: [testImage, 'localhost/secure-code-absent:1'], env: { SITE: 'north' } },
		shown: {
			backend: 'podman',
			images: [testImage],
			mounts: [
				{ path: host.shared, as: '/shown' },
				{ path: '/nowhere/at/all', isOptional: true },
			],
		},
		none: { backend: 'podman' },
		agent: { backend: 'podman', images: [testImage], mounts: [{ path: host.at.folder }] },
		socket: { backend: 'podman', images: [testImage], mounts: [{ path: '/run' }] },
		docker: { backend: 'docker', images: [testImage] },
	});
	const host = new RunnerHost(identities[0] ?? expect.fail(), profiles, { CONTAINERS_CONF: containersConf });
	beforeAll(() => host.open());
	afterAll(async () => {
		await host.close();
		expect(own()).toEqual([]);
	});

	const run = (profile: string, script: string, change = {}) => host.begin(profile, sh(script), change).ended;

	test('runs a command as nobody, without rights, on a file system that it cannot change, without a network', async () => {
		const script = `id -u; pwd; touch /x /bin/x 2> /dev/null; touch /work/x /tmp/x && echo written
			grep -e CapEff -e CapBnd -e NoNewPrivs /proc/self/status | tr '\\t' ' '; ls /sys/class/net`;
		expect(printed(await run('box', script))).toBe(
			'65533\n/work\nwritten\nCapEff: 0000000000000000\nCapBnd: 0000000000000000\nNoNewPrivs: 1\nlo\n',
		);
	});

	test('gives argv as it stands, stdin, and the environment of profile and job', async () => {
		const words = ['$(id)', '*', '; id', '"', '--rm', 'é'];
		expect(printed(await host.argv('box', ['printf', '%s|', ...words]))).toBe(`${words.join('|')}|`);
		expect(printed(await host.argv('box', ['cat'], { stdin: 'given\n' }))).toBe('given\n');
		const names = printed(await host.argv('box', ['env'], { env: { EXTRA: 'yes', SITE: 'south' } }))
			.trim()
			.split('\n');
		expect(names.filter((line) => /^(EXTRA|SITE|HOME|AGENT|N8N)/.test(line)).sort()).toEqual([
			'EXTRA=yes',
			'HOME=/work',
			'SITE=north',
		]);
	});

	test.each([0, 1, 42, 126, 127, 137])('reports exit code %i as it is', async (code) => {
		expect(ended(await run('box', `exit ${code}`))).toEqual(exited(code));
	});

	test('says when there is no such program', async () => {
		expect((await host.argv('box', ['no-such-program'])).outcome?.exit).toEqual({ code: 127, signal: null });
	});

	test.each(['cancelled', 'timeout'])(
		'%s: whatever the command started is gone, and so is the container',
		async (how) => {
			const mark = newMark();
			const script = clingingScript(['setsid', 'forking twice', 'ignoring TERM'], mark).replaceAll('bash', 'sh');
			const job = host.begin('box', sh(script), how === 'timeout' ? { limits: { timeoutMs: 4_000 } } : {});
			expect(await until(() => alive(mark).length > 0 && job.printed() !== '', patienceMs)).toBe(true);
			if (how === 'cancelled') job.cancel();
			expect(ended(await job.ended)).toEqual(stopped(how));
			expect([alive(mark), own()]).toEqual([[], []]);
		},
	);

	test('cancelled at every moment of its start, nothing is left', async () => {
		const jobs = Array.from({ length: 6 }, async (_, n) => {
			const job = host.begin('box', sh('sleep 60'));
			await new Promise((resolve) => setTimeout(resolve, n * 120));
			job.cancel();
			return ended(await job.ended);
		});
		expect(await Promise.all(jobs)).toEqual(jobs.map(() => stopped('cancelled')));
		expect(own()).toEqual([]);
	});

	// podman 4.3 does not say of control groups of version 1 that memory was the reason.
	test('that needs too much memory is ended by the kernel', async () => {
		const script = 'exec dd if=/dev/zero of=/dev/null bs=200M count=1';
		const ran = await run('box', script, { limits: { memoryBytes: 33_554_432 } });
		expect(ran.outcome?.exit).toEqual({ code: 137, signal: null });
	});

	test('too much output, or none for too long, ends it', async () => {
		const loud = await run('box', 'yes', { limits: { floodBytes: 10_000 } });
		const silent = await run('box', 'echo a; sleep 60', { limits: { idleTimeoutMs: 3_000 } });
		expect([ended(loud), ended(silent), silent.stdout]).toEqual([stopped('output'), stopped('idle'), 'a\n']);
	});

	test('takes only images of its profile, and never fetches one', async () => {
		expect(ended(await run('box', 'true', { image: 'docker.io/library/alpine' }))).toEqual(refused('JOB_UNSUPPORTED'));
		expect(ended(await run('box', 'true', { image: '--privileged' }))).toEqual(refused('JOB_UNSUPPORTED'));
		expect(ended(await run('none', 'true'))).toEqual(refused('PROFILE_UNUSABLE'));
		const absent = await run('box', 'true', { image: 'localhost/secure-code-absent:1' });
		expect([absent.outcome?.exit, typeof absent.outcome?.fault]).toEqual([null, 'string']);
	});

	test('shows what the profile mounts, read-only, and refuses what stays hidden', async () => {
		expect(printed(await run('shown', 'ls -d /shown; touch /shown/x 2> /dev/null || echo closed'))).toBe(
			'/shown\nclosed\n',
		);
		expect(ended(await run('agent', 'true'))).toEqual(refused('PROFILE_UNUSABLE'));
		expect(ended(await run('socket', 'true'))).toEqual(refused('PROFILE_UNUSABLE'));
	});

	test('lists containers, shows their logs, and runs a command in one, ended with all it started', async () => {
		const name = `secure-code-test-${process.pid}`;
		const limits = ['--ulimit', 'nofile=64:64', '--ulimit', 'nproc=64:64', '--network', 'none'];
		podman('run', '--detach', '--name', name, ...limits, testImage, 'sh', '-c', 'echo one; echo two; sleep 300');
		try {
			const listed = parseContainers(printed(await host.argv('box', listContainers(false))));
			expect(listed.filter((one) => one.name === name)).toMatchObject([{ name, image: testImage, state: 'running' }]);
			await until(() => podman('logs', name).stdout.includes('two'), patienceMs);
			expect(printed(await host.argv('box', containerLogs(name, 1), { container: name }))).toBe('two\n');
			expect(
				printed(await host.argv('box', ['sh', '-c', 'echo $WORD'], { container: name, env: { WORD: 'hi' } })),
			).toBe('hi\n');
			const mark = newMark();
			const job = host.begin('box', sh(`setsid sh -c 'sleep 100; :' ${mark} & sleep 100`), { container: name });
			expect(await until(() => alive(mark).length > 0, patienceMs)).toBe(true);
			job.cancel();
			expect(ended(await job.ended)).toEqual(stopped('cancelled'));
			expect(await until(() => alive(mark).length === 0, patienceMs)).toBe(true);
			expect(podman('inspect', '--format', '{{.State.Running}}', name).stdout).toBe('true');
		} finally {
			podman('rm', '--force', name);
		}
	});

	test.each([
		['another word for the engine', ['docker', 'ps', '--all', '--no-trunc']],
		['a way to the host', ['docker', 'run', '--privileged', testImage, 'true']],
	])('runs %s as an ordinary command, which is not there', async (_name, argv) => {
		expect((await host.argv('box', argv)).outcome?.exit?.code).toBe(127);
	});

	test('a container whose agent was killed is removed by the next one', async () => {
		const mark = newMark();
		void host.begin('box', sh(`sh -c 'sleep 200; :' ${mark}; sleep 200`));
		expect(await until(() => alive(mark).length > 0, patienceMs)).toBe(true);
		await host.kill();
		await host.start();
		expect(printed(await run('box', 'echo on'))).toBe('on\n');
		expect([alive(mark), own()]).toEqual([[], []]);
	});

	test('says what each profile can do', async () => {
		const steps = await host.probe();
		expect(
			steps
				.filter(({ name }) => /podman|profile (box|none|agent)$/.test(name))
				.map(({ name, status }) => [name, status]),
		).toEqual([
			['podman engine', 'ok'],
			['profile box', 'ok'],
			['profile none', 'reduced'],
			['profile agent', 'failed'],
		]);
	});
});
