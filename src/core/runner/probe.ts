/** Tries a profile with a command that does what it can to stay and to see the agent, and says what came of it. */
import { randomBytes } from 'node:crypto';
import { KnownError } from '../../contract/error.ts';
import { processesWith } from '../host/processes.ts';
import type { BoxIo, ProbeStep } from '../sandbox/backend.ts';
import type { PreparedJob } from './engine.ts';
import type { Profile } from './profile.ts';
import type { RunnerOutcome } from './runner.ts';

const MiB = 1024 * 1024;

const limits = {
	timeoutMs: 10_000,
	idleTimeoutMs: null,
	outputBytes: 65_536,
	floodBytes: 65_536,
	memoryBytes: 128 * MiB,
	processes: 32,
};

/** A word of the shell, whatever is in it. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Built-ins of the shell where they do, so that a profile with few programs can be tried, too. The child is twice removed
 * from the shell, in a session of its own where there is setsid, and ignores what can be ignored.
 */
const scriptFor = (dir: string, mark: string): string => `
apart=setsid; command -v setsid > /dev/null 2>&1 || apart=
( ( trap '' TERM HUP INT; $apart sh -c 'trap "" TERM HUP INT; while :; do sleep 1 || :; done' ${mark} > /dev/null 2>&1 & ) & )
for file in ${quote(dir)}/*; do [ -r "$file" ] && echo 'reads the folder of the agent'; break; done
[ -w ${quote(dir)} ] && [ -e ${quote(dir)}/policy.yaml ] && echo 'changes the folder of the agent'
case $(readlink /proc/${process.pid}/exe 2> /dev/null) in *node*) echo 'looks into the process of the agent';; esac
[ -r /proc/self/status ] && while read -r name value; do
	[ "$name" = NoNewPrivs: ] && [ "$value" != 1 ] && echo 'can gain privileges'
done < /proc/self/status
exit 0
`;

type Run = (job: PreparedJob, io: BoxIo) => Promise<RunnerOutcome>;

/**
 * @returns what a command of the profile can do and should not; empty when all is well
 * @throws what the runner throws for a profile that cannot be used
 */
async function tryProfile(run: Run, name: string, rules: Profile, dir: string): Promise<readonly string[]> {
	const mark = `secure-code-probe-${randomBytes(8).toString('hex')}`;
	const plan = { mode: 'script', shell: 'sh', script: scriptFor(dir, mark) } as const;
	const none = { cwd: null, stdin: null, network: null, image: null, container: null };
	let printed = '';
	const onOutput = (_stream: string, chunk: Buffer) => {
		printed += chunk;
	};
	const io = { stdin: undefined, onOutput, signal: new AbortController().signal };
	const outcome = await run({ jobId: 'probe', plan, profile: name, rules, env: {}, limits, ...none }, io);
	// What is lent the agent's own user can see all of the agent; the profile says so, and a line of its own here.
	return findingsOf(outcome, rules.runsAsAgent ? '' : printed, mark);
}

function findingsOf(outcome: RunnerOutcome, printed: string, mark: string): string[] {
	const said = printed.split('\n').filter((line) => /^(reads|changes|looks|can) /.test(line));
	return [
		...(outcome.exit?.code === 0 ? [] : [`did not run: ${outcome.fault ?? outcome.stopped ?? 'it failed'}`]),
		...said,
		...(outcome.isConfirmedDead && processesWith(mark).length === 0 ? [] : ['leaves processes behind']),
	];
}

const fixes = 'Correct the profile in the policy, then run this again.';

/** One line about a profile, whatever happens. */
export async function profileStep(
	run: Run,
	name: string,
	rules: Profile,
	dir: string,
	words: string,
): Promise<ProbeStep> {
	const step = `profile ${name}`;
	try {
		const findings = await tryProfile(run, name, rules, dir);
		if (findings.length > 0)
			return { name: step, status: 'failed', detail: `a command of it ${findings.join(', ')}`, fix: fixes };
		const detail = `${words}; a command that called setsid, forked twice and ignored signals was gone with its job`;
		return { name: step, status: 'ok', detail, fix: null };
	} catch (error) {
		if (!KnownError.is(error)) throw error;
		if (error.code !== 'RUNTIME_MISSING') return { name: step, status: 'failed', detail: error.message, fix: fixes };
		const detail = 'no shell is shown to its commands, so it could not be tried';
		return { name: step, status: 'reduced', detail, fix: 'Mount the folders of programs, for example /usr.' };
	}
}
