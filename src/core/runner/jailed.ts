/** Runs commands of a device in nsjail: the jail is that of the sandbox, what it shows is the device. */
import { mkdirSync } from 'node:fs';
import { homedir, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { KnownError } from '../../contract/error.ts';
import { defaultLimits } from '../../contract/limits.ts';
import type { BoxFile, BoxIo, BoxSpec, DeviceView, ProbeStep } from '../sandbox/backend.ts';
import { findGround, forCommands, type Ground } from '../sandbox/backends/nsjail/ground.ts';
import { startJail } from '../sandbox/backends/nsjail/jail.ts';
import { type Account, accountFiles, findAccount } from './accounts.ts';
import { deviceViewFor, workFolder } from './device-view.ts';
import type { Engine, PreparedJob, Surroundings } from './engine.ts';
import { environmentFor } from './environment.ts';
import { NoProgram, notExecutable, notFound, type PlannedStart, startFor } from './launch.ts';
import { type Device, lookAtDevice } from './look.ts';
import { profileStep } from './probe.ts';
import type { Profile } from './profile.ts';
import { programIn } from './programs.ts';
import type { RunnerOutcome } from './runner.ts';

const backend = 'nsjail';
const MiB = 1024 * 1024;

/** In the jail's own folder, where nothing of the device can lie. */
const scriptPath = '/opt/secure-code/script';

/** Commands of a device work on its files, not only on a workspace in memory. */
const commandLimits = { openFiles: 1_024, fileBytes: 1024 * MiB } as const;

export class JailedEngine implements Engine {
	readonly #around: Surroundings;
	/** Jails that are being taken down; nothing of their jobs is in them any more. */
	readonly #leaving = new Set<Promise<boolean>>();

	constructor(around: Surroundings) {
		this.#around = around;
	}

	async run(job: PreparedJob, io: BoxIo): Promise<RunnerOutcome> {
		const ground = await stand();
		const { view, device } = await this.#look(ground, job);
		const start = plan(job, view, device);
		if (start instanceof NoProgram) return notFound(start, io, { backend, tier: ground.tier });
		const own = { ...io, stdin: job.stdin ?? undefined };
		const jail = startJail(ground, specFor(job, view, start), own, this.#runFolders(ground));
		this.#leave(jail.isGone);
		const outcome = await jail.outcome;
		const isConfirmedDead = jail.isEmpty() || (await jail.isGone);
		explainFault(job, outcome.fault);
		const ended = { ...outcome, backend, tier: ground.tier, isConfirmedDead };
		const [, errno] = /^the program could not be executed \(errno (\d+)\)$/.exec(outcome.fault ?? '') ?? [];
		return errno === undefined ? ended : notExecutable(ended, start.argv[0] ?? '', Number(errno), io);
	}

	async close(): Promise<void> {
		await Promise.all(this.#leaving);
	}

	#leave(isGone: Promise<boolean>): void {
		this.#leaving.add(isGone);
		void isGone.finally(() => this.#leaving.delete(isGone));
	}

	async probe(profiles: Readonly<Record<string, Profile>>): Promise<readonly ProbeStep[]> {
		const steps: ProbeStep[] = [];
		const ground = await findGround(steps, forCommands).catch((error: unknown) => {
			if (KnownError.is(error)) return undefined;
			throw error;
		});
		if (!ground) return steps;
		steps.push(...groupSteps(ground));
		for (const [name, rules] of Object.entries(profiles)) {
			const run = (job: PreparedJob, io: BoxIo) => this.run(job, io);
			steps.push(await profileStep(run, name, rules, this.#around.dir, wordsFor(rules)), ...lacks(name, rules, ground));
		}
		return steps;
	}

	async #look(ground: Ground, { profile: name, rules, cwd, network }: PreparedJob) {
		const profile = network === null ? rules : { ...rules, network };
		const isOwnUser = ground.firstUser === undefined;
		const user = await userOf(name, profile, isOwnUser);
		const device = lookAtDevice(user);
		const view = deviceViewFor({
			name,
			profile,
			device,
			hidden: this.#around.hidden,
			isOwnUser,
			user,
			home: homedir(),
			inputs: tmpdir(),
			writableSources: this.#writableSources(device),
			cwd,
			workBytes: defaultLimits.workBytes,
			hostName: hostname(),
		});
		return { view, device };
	}

	#writableSources(device: Device): string[] {
		const mounts = Object.values(this.#around.profiles).flatMap((profile) => profile.mounts);
		const writable = mounts.filter((mount) => mount.isWritable).map((mount) => device.realpath(mount.path));
		return writable.filter((path) => path !== undefined);
	}

	/** Where jobs run as our own user, what other jobs brought along lies where no job can see it. */
	#runFolders(ground: Ground): string | undefined {
		if (ground.firstUser !== undefined) return undefined;
		const folder = join(this.#around.dir, 'run');
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		return folder;
	}
}

let found: Promise<Ground> | undefined;

/** Found once for the whole process and kept; a failure is not kept, so that a repaired host works without a restart. */
function stand(): Promise<Ground> {
	found ??= findGround([], forCommands).catch((error: unknown) => {
		found = undefined;
		throw error;
	});
	return found;
}

/** Root never lends itself to a jail, and nobody else can lend another user. */
async function userOf(name: string, { user }: Profile, isOwnUser: boolean): Promise<Account | null> {
	const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
	if (user === undefined) return isOwnUser ? own : null;
	const account = await findAccount(name, user);
	if (isOwnUser && account.uid !== own.uid)
		throw new KnownError('PROFILE_UNUSABLE', { profile: name, details: `only root can run commands as ${user}` });
	if (account.uid === 0 || account.gid === 0)
		throw new KnownError('PROFILE_UNUSABLE', { profile: name, details: `${user} is root, who is never in a jail` });
	return account;
}

function plan(job: PreparedJob, view: DeviceView, device: Device): PlannedStart | NoProgram {
	try {
		return startFor(job.plan, scriptPath, (program) => programIn(view, device, program, job.rules.path));
	} catch (error) {
		if (error instanceof NoProgram) return error;
		throw error;
	}
}

/** What nsjail says when a place or a mount cannot be had, in words for whoever can mend it. */
function explainFault({ profile, cwd }: PreparedJob, fault: string | null): void {
	const [, mount] = /Failed to mount mandatory point: '([^']*)'/.exec(fault ?? '') ?? [];
	if (mount !== undefined)
		throw new KnownError('PROFILE_UNUSABLE', { profile, details: `${mount} cannot be shown to the user of the jail` });
	if (fault !== null && /chdir\(/.test(fault))
		throw new KnownError('JOB_INVALID', {
			details: `the folder ${cwd} cannot be entered by a command of this profile`,
		});
}

const filesFor = ({ script }: PlannedStart): BoxFile[] =>
	script === undefined ? [] : [{ path: scriptPath, content: script }];

function specFor(job: PreparedJob, view: DeviceView, start: PlannedStart): BoxSpec {
	const { timeoutMs, memoryBytes, processes } = job.limits;
	return {
		argv: start.argv,
		env: environmentFor(job.rules, job.env, { HOME: workFolder, TMPDIR: '/tmp', USER: 'device', LOGNAME: 'device' }),
		secretEnv: {},
		limits: { ...defaultLimits, ...commandLimits, timeoutMs, memoryBytes, processes },
		files: [...accountFiles(view), ...filesFor(start)],
		binds: [],
		ports: [],
		limitAddressSpace: false,
		collector: [],
		device: view,
		cpus: job.rules.cpus,
	};
}

const wordsFor = ({ network, mounts, user }: Profile): string =>
	`nsjail, ${mounts.length} mounts, ${network === 'host' ? 'the network of the device' : 'no network'}, ${user ?? 'a user of its own'}`;

/** What a profile asks for and cannot have here. */
function lacks(name: string, { showsProcesses, user, cpus }: Profile, ground: Ground): ProbeStep[] {
	const lack = (what: string, detail: string, fix: string): ProbeStep => ({
		name: `profile ${name}: ${what}`,
		status: 'reduced',
		detail,
		fix,
	});
	const hasOwnUser = ground.firstUser !== undefined && user === undefined;
	return [
		...(showsProcesses && !hasOwnUser
			? [
					lack(
						'processes',
						'the processes of the device stay hidden, because whatever runs as a user can look into all processes of that user',
						'Run the agent as root and leave "user" out, or leave "showsProcesses" out.',
					),
				]
			: []),
		...(cpus !== undefined && ground.cgroups?.hasCpus !== true
			? [
					lack(
						'cpus',
						'no control group limits processors here',
						'Run the agent as a systemd service with Delegate=yes.',
					),
				]
			: []),
	];
}

/** Without root nobody can give up groups. */
function groupSteps({ firstUser }: Ground): ProbeStep[] {
	const more = (process.getgroups?.() ?? []).filter((group) => group !== process.getgid?.());
	if (firstUser !== undefined || more.length === 0) return [];
	const detail = `commands keep the groups ${more.join(', ')} of the agent's user, and what these may read`;
	return [{ name: 'groups', status: 'reduced', detail, fix: 'Run the agent as a user without further groups.' }];
}
