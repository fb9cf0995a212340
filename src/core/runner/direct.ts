/** Runs commands on the device itself: no jail, its own user, and nothing left behind. Its name says what it is. */
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { KnownError } from '../../contract/error.ts';
import { type Cgroup, type CgroupHost, findCgroups } from '../host/cgroup.ts';
import { killOrphans, newMark } from '../host/processes.ts';
import { RunFolder } from '../host/run-folder.ts';
import { createWorkspace, type Workspace } from '../host/workspace.ts';
import type { BoxIo, ProbeStep } from '../sandbox/backend.ts';
import { type Account, findAccount } from './accounts.ts';
import { DirectRun, type Refusal } from './direct-run.ts';
import type { Engine, PreparedJob, Surroundings } from './engine.ts';
import { environmentFor } from './environment.ts';
import { runInGroup } from './group-run.ts';
import { NoProgram, notExecutable, notFound, type PlannedStart, startFor } from './launch.ts';
import { profileStep } from './probe.ts';
import type { Profile } from './profile.ts';
import type { RunnerOutcome } from './runner.ts';

const backend = 'direct';

/** Beside the sources, and beside the bundle that is made of them. */
const keeperBinary = (): string => join(import.meta.dirname, 'keeper', `keeper-${process.arch}`);

/** Elsewhere a command can leave its group, and nobody can say whether it did. */
const hasKeeper = process.platform === 'linux';

const ownUid = (): number => process.getuid?.() ?? 0;

/**
 * @returns null for our own user, whom only a profile that says so may have
 * @throws PROFILE_UNUSABLE when the profile names nobody, or somebody whom we cannot or may not be
 */
export async function accountFor(name: string, { user, runsAsAgent }: Profile): Promise<Account | null> {
	const refuse = (details: string) => new KnownError('PROFILE_UNUSABLE', { profile: name, details });
	if (user === undefined && !runsAsAgent) throw refuse('it names no user, and the agent does not lend its own');
	const account = user === undefined ? null : await findAccount(name, user);
	if (account && account.uid !== ownUid()) {
		if (ownUid() !== 0) throw refuse(`only root can run commands as ${user}`);
		return account;
	}
	if (!runsAsAgent)
		throw refuse(`${user} is the agent's own user; "runsAsAgent" allows it, and with it the agent's keys`);
	return null;
}

/** A path as it is, a bare name on the search path. Whether the user may execute it, the kernel says. */
function programOn(name: string, folders: readonly string[], cwd: string): string | undefined {
	const candidates = name.includes('/')
		? [join(name.startsWith('/') ? '/' : cwd, name)]
		: folders.map((at) => join(at, name));
	const isProgram = (path: string): boolean => {
		const stats = statSync(path, { throwIfNoEntry: false });
		return stats?.isFile() === true && (stats.mode & 0o111) !== 0;
	};
	return name === '' ? undefined : candidates.find(isProgram);
}

let found: { readonly cgroups: CgroupHost | undefined } | undefined;

/** Found once for the whole process. What a killed agent left behind is ended before anything new is started. */
function cgroupsOfHost(): CgroupHost | undefined {
	if (!found) killOrphans();
	found ??= { cgroups: findCgroups() };
	return found.cgroups;
}

function limitsStep(cgroups: CgroupHost | undefined): ProbeStep {
	const name = 'direct: control groups';
	if (cgroups) return { name, status: 'ok', detail: cgroups.version, fix: null };
	return {
		name,
		status: 'reduced',
		detail: 'none can be made, so memory is watched, and processes are counted by user',
		fix: 'Run the agent as root, or as a systemd service with Delegate=yes.',
	};
}

const lentStep = (name: string): ProbeStep => ({
	name: `profile ${name}: user`,
	status: 'reduced',
	detail: "its commands run as the agent's own user: they can read its keys and change its records",
	fix: 'Name another user in the profile, and leave "runsAsAgent" out.',
});

export class DirectEngine implements Engine {
	readonly #around: Surroundings;
	constructor(around: Surroundings) {
		this.#around = around;
	}

	async run(job: PreparedJob, io: BoxIo): Promise<RunnerOutcome> {
		const account = await accountFor(job.profile, job.rules);
		if (job.network === 'none')
			throw new KnownError('JOB_UNSUPPORTED', {
				field: 'network',
				details: 'a command that runs on the device itself has the network of the device',
			});
		const folder = RunFolder.create();
		const workspace = createWorkspace(account ?? undefined);
		try {
			return await this.#runIn(folder, workspace, account, job, io);
		} finally {
			folder.remove();
			await workspace.remove();
		}
	}

	async probe(profiles: Readonly<Record<string, Profile>>): Promise<readonly ProbeStep[]> {
		const steps: ProbeStep[] = [limitsStep(cgroupsOfHost())];
		for (const [name, rules] of Object.entries(profiles)) {
			if (rules.runsAsAgent) steps.push(lentStep(name));
			const run = (job: PreparedJob, io: BoxIo) => this.run(job, io);
			const words = `on the device itself as ${rules.user ?? 'the agent'}, with what this user may see and reach`;
			steps.push(await profileStep(run, name, rules, this.#around.dir, words));
		}
		return steps;
	}

	async #runIn(folder: RunFolder, workspace: Workspace, account: Account | null, job: PreparedJob, io: BoxIo) {
		const group = account?.gid ?? process.getgid?.() ?? 0;
		const scriptPath = join(folder.path, 'script');
		const start = plan(job, scriptPath, workspace.path);
		const cgroups = cgroupsOfHost();
		const where = { backend, tier: cgroups ? ('full' as const) : ('reduced' as const) };
		if (start instanceof NoProgram) return notFound(start, io, where);
		if (start.script !== undefined) folder.writeFor(group, 'script', start.script);
		const stdin = job.stdin === null ? undefined : openSync(folder.writeFor(group, 'stdin', job.stdin), 'r');
		const { memoryBytes, processes } = job.limits;
		const limits = { memoryBytes, processes: processes + 1, cpus: job.rules.cpus };
		let cgroup: Cgroup | undefined;
		try {
			cgroup = cgroups?.create(folder.name, limits);
			const begun = startOf(job, start, account, workspace.path, stdin);
			if (!hasKeeper) return { ...(await runInGroup(begun, io)), ...where };
			const run = new DirectRun(begun, io, cgroup);
			const outcome = await run.finish();
			explain(job, run.refusal);
			const ended = { ...outcome, ...where };
			if (run.refusal?.kind !== 'no-program') return ended;
			return notExecutable(ended, start.argv[0] ?? '', run.refusal.errno, io);
		} finally {
			if (stdin !== undefined) closeSync(stdin);
			cgroup?.closeTaskLists();
			cgroup?.remove();
		}
	}
}

function plan(job: PreparedJob, scriptPath: string, cwd: string): PlannedStart | NoProgram {
	try {
		return startFor(job.plan, scriptPath, (program) => programOn(program, job.rules.path, job.cwd ?? cwd));
	} catch (error) {
		if (error instanceof NoProgram) return error;
		throw error;
	}
}

const startOf = (
	job: PreparedJob,
	{ argv }: PlannedStart,
	account: Account | null,
	workspace: string,
	stdin: number | undefined,
) => ({
	keeper: keeperBinary(),
	account,
	argv,
	env: environmentFor(job.rules, job.env, {
		HOME: workspace,
		TMPDIR: workspace,
		...userNames(job.rules),
		...systemNames(),
	}),
	cwd: job.cwd ?? workspace,
	stdin,
	mark: newMark(),
	limits: job.limits,
});

const userNames = ({ user }: Profile): Record<string, string> =>
	user === undefined ? {} : { USER: user, LOGNAME: user };

/** Without these no program of Windows starts. */
function systemNames(): Record<string, string> {
	const { SystemRoot, ComSpec } = process.env;
	return { ...(SystemRoot && { SystemRoot }), ...(ComSpec && { ComSpec }) };
}

function explain({ profile, cwd }: PreparedJob, refusal: Refusal | undefined): void {
	if (refusal?.kind === 'no-folder')
		throw new KnownError('JOB_INVALID', {
			details: `the folder ${cwd} cannot be entered by a command of this profile`,
		});
	if (refusal?.kind === 'no-user')
		throw new KnownError('PROFILE_UNUSABLE', { profile, details: `its user cannot be had (errno ${refusal.errno})` });
}
