/** The doctor on what runs commands: every profile of the policy is tried with two probes, as a job would run. */
import { randomUUID } from 'node:crypto';
import type { DeviceJob, Runner } from '../../../core/runner/runner.ts';
import { layoutOf } from '../layout.ts';
import { failed, failure, ok, reduced, type Step } from './step.ts';

const MiB = 1024 * 1024;

interface Probed {
	readonly output: string;
	readonly isConfirmedDead: boolean;
	readonly tier: 'full' | 'reduced';
	readonly backend: string;
	readonly fault: string | null;
}

function jobFor(profile: string, script: string, timeoutMs: number, image: string | null): DeviceJob {
	return {
		jobId: `doctor-${randomUUID()}`,
		plan: { mode: 'script', script, shell: 'sh' },
		profile,
		cwd: null,
		env: {},
		stdin: null,
		image,
		network: null,
		container: null,
		limits: {
			...{ timeoutMs, idleTimeoutMs: null, outputBytes: MiB, floodBytes: MiB },
			...{ memoryBytes: 128 * MiB, processes: 32 },
		},
	};
}

async function run(runner: Runner, job: DeviceJob): Promise<Probed> {
	let output = '';
	const outcome = await runner.run(job, {
		stdin: undefined,
		signal: new AbortController().signal,
		onOutput: (stream, chunk) => {
			if (stream === 'stdout') output += chunk.toString();
		},
	});
	const { isConfirmedDead, tier, backend, fault } = outcome;
	return { output, isConfirmedDead, tier, backend, fault };
}

/** A program that would go on for ever in a session of its own, deaf to every polite signal. */
const stubborn = `trap '' TERM HUP INT; (trap '' TERM HUP INT; setsid sleep 300 & setsid sleep 300 &) ; echo started; sleep 300`;
const stubbornMs = 1000;

async function deathSteps(runner: Runner, profile: string): Promise<Step[]> {
	const name = `profile ${profile}: jobs end`;
	const { output, isConfirmedDead, tier, backend, fault } = await run(
		runner,
		jobFor(profile, stubborn, stubbornMs, null),
	);
	if (fault !== null) return [failed(name, fault, 'Run "secure-code doctor"; it names the step that fails.')];
	if (!isConfirmedDead) return [failed(name, 'processes of a job were left', 'Use a profile with the backend nsjail.')];
	if (!output.includes('started'))
		return [
			reduced(
				name,
				`${backend} started no shell, so nothing was proved`,
				`Mount /bin and /usr in the profile ${profile}.`,
			),
		];
	if (tier === 'reduced')
		return [reduced(name, `${backend}, with reductions`, 'Run "secure-code doctor"; it names them.')];
	return [ok(name, `${backend}: a job that ignores every signal and leaves its session is gone`)];
}

/** What commands must never read: keys, audit, configuration. */
async function secretSteps(runner: Runner, profile: string, dir: string): Promise<Step[]> {
	const name = `profile ${profile}: keys and audit`;
	const { config, keys, state } = layoutOf(dir);
	const script = `cat ${[config, `${keys}/device.key`, `${state}/agent.db`].map((path) => `'${path.replaceAll("'", `'\\''`)}'`).join(' ')} 2>/dev/null | head -c 16`;
	const { output } = await run(runner, jobFor(profile, script, 5000, null));
	if (output !== '')
		return [
			failed(name, 'a command can read them', `Run the exec side as another user, or mask ${dir} in the profile.`),
		];
	return [ok(name, 'no command can read them')];
}

/** @param profiles names of those to try */
export async function jailSteps(runner: Runner, profiles: readonly string[], dir: string): Promise<Step[]> {
	const steps: Step[] = [...(await runner.probe())];
	for (const profile of profiles)
		try {
			steps.push(...(await secretSteps(runner, profile, dir)), ...(await deathSteps(runner, profile)));
		} catch (error) {
			steps.push(failure(`profile ${profile}`, error));
		}
	return steps;
}
