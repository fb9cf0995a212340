/** A command of a device that is stopped is dead, and so is all it started, however it tried to stay. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { alive, clingingScript, combinations, nameOf, newMark, until } from '../../helpers/clinging.ts';
import { asEachAgent, ended, exited, type RunnerHost } from '../../helpers/runner.ts';

/** What the issue promises. */
const goneMs = 3_000;
const patienceMs = 20_000;

const system = [{ path: '/usr' }, { path: '/etc' }];

/** direct needs a user of its own, whom only root can give it; an ordinary agent lends itself where the profile says so. */
const profiles = ({ identity }: RunnerHost) => ({
	nsjail: { mounts: system },
	direct: { backend: 'direct', ...(identity.name === 'root' ? { user: 'games' } : { runsAsAgent: true }) },
});

const stopped = (reason: string) => ({
	stopped: reason,
	exit: null,
	fault: null,
	isConfirmedDead: true,
	error: null,
});

const script = (text: string) => ({ mode: 'script', script: text, shell: 'bash' }) as const;

/** A few at a time: the machines that run this are small. */
async function byCombination<T>(acts: readonly (() => Promise<T>)[]): Promise<Record<string, T>> {
	const results: Record<string, T> = {};
	for (let at = 0; at < acts.length; at += 8) {
		const some = await Promise.all(acts.slice(at, at + 8).map((act) => act()));
		for (const [index, result] of some.entries()) results[nameOf(combinations[at + index] ?? [])] = result;
	}
	return results;
}

const expectedOf = <T>(each: T): Record<string, T> =>
	Object.fromEntries(combinations.map((set) => [nameOf(set), each]));

asEachAgent(profiles, (host) => {
	describe.each(['nsjail', 'direct'])('%s', (profile) => {
		test('cancelled, it is gone in time, in every combination of ways to stay', async () => {
			const ends = combinations.map((set) => async () => {
				const mark = newMark();
				const job = host.begin(profile, script(clingingScript(set, mark)));
				const stood = await until(() => alive(mark).length > 0 && job.printed() === 'started\n', patienceMs);
				const since = performance.now();
				job.cancel();
				const how = ended(await job.ended);
				return { stood, ...how, isInTime: performance.now() - since < goneMs, left: alive(mark) };
			});
			const gone = { stood: true, ...stopped('cancelled'), isInTime: true, left: [] };
			expect(await byCombination(ends)).toEqual(expectedOf(gone));
		});

		test('out of time, it is gone, and what it printed is kept, in every combination of ways to stay', async () => {
			const ends = combinations.map((set) => async () => {
				const mark = newMark();
				const change = { limits: { timeoutMs: 2_500 } };
				const ran = await host.begin(profile, script(clingingScript(set, mark)), change).ended;
				return { ...ended(ran), stdout: ran.stdout, left: alive(mark) };
			});
			expect(await byCombination(ends)).toEqual(expectedOf({ ...stopped('timeout'), stdout: 'started\n', left: [] }));
		});

		test('and a command that ends by itself leaves nothing behind either', async () => {
			const mark = newMark();
			const ran = await host.bash(
				profile,
				`setsid nohup bash -c 'sleep 60' ${mark} >/dev/null 2>&1 & sleep 0.3; exit 7`,
			);
			expect([ended(ran), alive(mark)]).toEqual([exited(7), []]);
		});

		test('a command that never ends is gone when the agent is killed', async () => {
			const mark = newMark();
			const job = host.begin(profile, script(clingingScript(['setsid', 'forking twice', 'ignoring TERM'], mark)));
			expect(await until(() => alive(mark).length > 0, patienceMs)).toBe(true);
			void job.ended;
			await host.kill();
			expect(await until(() => alive(mark).length === 0, patienceMs)).toBe(true);
			await host.start();
			expect(ended(await host.argv(profile, ['true']))).toEqual(exited(0));
		});

		test('silence for longer than allowed ends a command, and what it said before is kept', async () => {
			const ran = await host.bash(profile, 'for n in 1 2 3; do echo $n; sleep 0.2; done; sleep 60', {
				limits: { idleTimeoutMs: 1_000 },
			});
			expect([ended(ran), ran.stdout]).toEqual([stopped('idle'), '1\n2\n3\n']);
		});

		test('more output than allowed ends a command, and what it said before is kept', async () => {
			const ran = await host.bash(profile, 'echo first; yes', { limits: { floodBytes: 100_000 } });
			expect(ended(ran)).toEqual(stopped('output'));
			expect(ran.stdout.slice(0, 10)).toBe('first\ny\ny\n');
			expect(ran.stdout.length).toBeGreaterThanOrEqual(100_000);
			expect(ran.stdout.length).toBeLessThanOrEqual(100_000 + 65_536);
		});

		test('a fork bomb stays within its number of processes and is gone at the end', async () => {
			const mark = newMark();
			const bomb = `bomb() { bash -c 'sleep 30' ${mark} & bomb | bomb & }; bomb 2>/dev/null; sleep 30`;
			const job = host.begin(profile, script(bomb), { limits: { timeoutMs: 2_000, processes: 32 } });
			let most = 0;
			const look = setInterval(() => {
				most = Math.max(most, alive(mark).length);
			}, 50);
			expect(ended(await job.ended)).toEqual(stopped('timeout'));
			clearInterval(look);
			expect(alive(mark)).toEqual([]);
			expect(most).toBeLessThanOrEqual(33);
		});

		test('twenty jobs at a time each say their own, and none is left', async () => {
			const mark = newMark();
			const ran = await Promise.all(
				Array.from({ length: 20 }, (_, n) =>
					host.bash(profile, `bash -c 'sleep 60' ${mark} & sleep 0.2; echo ${n}; exit ${n}`),
				),
			);
			expect(ran.map((one, n) => [ended(one), one.stdout, n])).toEqual(ran.map((_, n) => [exited(n), `${n}\n`, n]));
			expect(alive(mark)).toEqual([]);
		});
	});

	describe('direct, when its keeper is killed', () => {
		/** The keepers of this agent: they are named so, and are its children. */
		const keepers = (): number[] =>
			readFileSync(`/proc/${host.pid}/task/${host.pid}/children`, 'utf8')
				.split(' ')
				.filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/comm`, 'utf8') === 'keeper\n')
				.map(Number);

		test('the agent ends what is left by its mark, and says that the sandbox failed', async () => {
			const mark = newMark();
			const job = host.begin('direct', script(clingingScript(['setsid', 'forking twice', 'ignoring TERM'], mark)));
			expect(await until(() => alive(mark).length > 0, patienceMs)).toBe(true);
			for (const keeper of keepers()) process.kill(keeper, 'SIGKILL');
			const { outcome } = await job.ended;
			expect([outcome?.exit, typeof outcome?.fault, outcome?.isConfirmedDead]).toEqual([null, 'string', true]);
			expect(alive(mark)).toEqual([]);
		});

		test('together with the agent, the next agent ends what is left', async () => {
			const mark = newMark();
			void host.begin('direct', script(clingingScript(['setsid', 'forking twice', 'ignoring TERM'], mark))).ended;
			expect(await until(() => alive(mark).length > 0, patienceMs)).toBe(true);
			const [first] = keepers();
			process.kill(host.pid, 'SIGSTOP');
			process.kill(first ?? 0, 'SIGKILL');
			await host.kill();
			expect(alive(mark).length).toBeGreaterThan(0);
			await host.start();
			expect(ended(await host.argv('direct', ['true']))).toEqual(exited(0));
			expect(await until(() => alive(mark).length === 0, patienceMs)).toBe(true);
		});
	});
});
