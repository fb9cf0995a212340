/** Turns a job into what it asks of a box: command, environment, files, limits. Pure. */
import type { JobRequest } from '../contract/job.ts';
import type { Inspected } from './inspect.ts';
import { preloadOf } from './preload.ts';
import { type BoxSpec, inputFolder, type WaitingStart } from './sandbox/backend.ts';
import { collectorFor } from './sandbox/collector.ts';
import { authorityPath, certificatesPath, outFolder, sessionPath } from './sandbox/image.ts';
import { resolver, trustedList } from './sandbox/network-view.ts';
import { pythonPackages } from './sandbox/runtimes/python.ts';
import type { Launch, Runtime, StartWish } from './sandbox/runtimes/runtime.ts';

/** The whole environment of a program; nothing of ours is inherited. */
const environment = {
	PATH: '/usr/local/bin:/usr/bin:/bin',
	HOME: '/work',
	USER: 'sandbox',
	LOGNAME: 'sandbox',
	LANG: 'C.UTF-8',
	TZ: 'UTC',
	TMPDIR: '/tmp',
};

export interface BoxParts {
	readonly inspected: Inspected;
	/** Null for a command, which brings its own program. */
	readonly runtime: Runtime | null;
	readonly secretValues: Readonly<Record<string, string>>;
	/** Folder of the host that becomes /work/in. */
	readonly inFolder: string | undefined;
	readonly wantsFiles: boolean;
	/** Archive of the host that /work is made of, and what is kept of it. */
	readonly session?: { readonly tree: string | undefined; readonly keepsState: boolean } | undefined;
	/** Ports of the jail's own network that lead to the gateway; empty means no network. */
	readonly ports: readonly number[];
	/** With secrets that are put in outside: the list of certificates, and the one this job trusts beside it. */
	readonly trust?: { readonly certificates: string; readonly authority: string } | undefined;
	/** Modules of the packages, which may be imported whatever else may. */
	readonly modules?: readonly string[];
	readonly packages: readonly { readonly hostPath: string; readonly path: string }[];
}

/** Figures need libraries that draw, which only packages bring. */
function wishesOf(request: JobRequest, { wantsFiles, packages, session }: BoxParts): StartWish[] {
	return [
		...(session?.keepsState ? ['state' as const] : []),
		...(request.data === undefined ? [] : ['data' as const]),
		...(wantsFiles && packages.some(({ path }) => path === pythonPackages) ? ['figures' as const] : []),
	];
}

/** `env` looks a command up on PATH, and says so as a shell would when there is none. */
function launchOf(request: JobRequest, parts: BoxParts): Launch {
	const { inspected, runtime } = parts;
	const { code, dialect } = inspected;
	if (runtime) return runtime.launch({ code, dialect, limits: request.limits, wishes: wishesOf(request, parts) });
	return { argv: ['/usr/bin/env', '--', ...(request.argv ?? [])], env: {}, files: [], limitAddressSpace: false };
}

/** What a job with a network is shown beside its program. */
function networkOf({ ports, trust }: BoxParts): Pick<Launch, 'env' | 'files'> {
	if (ports.length === 0) return { env: {}, files: [] };
	if (!trust) return { env: trustedList, files: [resolver] };
	const files = [
		resolver,
		{ path: certificatesPath, content: `${trust.certificates}\n${trust.authority}` },
		{ path: authorityPath, content: trust.authority },
	];
	return { env: { ...trustedList, NODE_EXTRA_CA_CERTS: authorityPath }, files };
}

/** What lay in /work is unpacked inside the jail; nothing outside ever looks into it. */
const restoring = (argv: readonly string[]): string[] => [
	...['/usr/bin/bash', '--noprofile', '--norc', '-c'],
	`tar --extract --preserve-permissions --file=${sessionPath} --directory=/work || exit 125; exec "$@"`,
	...['session', ...argv],
];

/** Variables that an interpreter, its loader or its libraries read when they start. */
const readByAny =
	/^(?:LD_|GLIBC_|MALLOC_|LANG$|LANGUAGE$|LC_|TZ$|NODE_|UV_|OPENSSL_|PYTHON|OMP_|OPENBLAS_|MKL_|NUMEXPR_|MPL|SECURE_CODE_)/;

/** Variables that a shell reads when it starts, or makes itself from what it finds, or does not let itself be given later. */
const readByShell =
	/^(?:BASH|ENV$|SHELLOPTS$|POSIXLY_CORRECT$|PS\d$|IFS$|GLOBIGNORE$|IGNOREEOF$|ignoreeof$|COMP_|secure_code_|E?UID$|PPID$|GROUPS$|SHLVL$|(?:OLD)?PWD$|SHELL$|_$|SECONDS$|S?RANDOM$|EPOCH|LINENO$|HISTCMD$|OPT(?:IND|ARG|ERR)$|HOST(?:NAME|TYPE)$|MACHTYPE$|OSTYPE$|FUNCNAME$|DIRSTACK$|PIPESTATUS$)/;

const isReadAtStart = (name: string): boolean => readByAny.test(name) || readByShell.test(name);

/** A program that has started cannot be told what it reads at its start, and /work is not restored under it. */
function waitingFor(request: JobRequest, launch: Launch, parts: BoxParts, network: Launch['env']) {
	const names = [...Object.keys(request.env), ...request.secrets];
	const canWait = request.warm && parts.session?.tree === undefined && !names.some(isReadAtStart);
	if (!canWait || !launch.waiting) return undefined;
	const { argv, env } = launch.waiting;
	const ahead = preloadOf(request, { modules: parts.modules ?? [], hasAuthority: parts.trust !== undefined });
	const preload = { SECURE_CODE_PRELOAD: ahead.join(',') };
	return { argv, env: { ...environment, ...network, ...launch.env, ...env, ...preload } } satisfies WaitingStart;
}

export function boxSpecFor(request: JobRequest, parts: BoxParts): BoxSpec {
	const launch = launchOf(request, parts);
	const secretEnv = Object.fromEntries(request.secrets.map((name) => [name, parts.secretValues[name] ?? '']));
	const network = networkOf(parts);
	const tree = parts.session?.tree;
	return {
		argv: tree === undefined ? launch.argv : restoring(launch.argv),
		env: { ...environment, ...network.env, ...launch.env, ...request.env },
		secretEnv,
		limits: request.limits,
		files: [...launch.files, ...network.files],
		binds: [
			...(tree === undefined ? [] : [{ hostPath: tree, path: sessionPath }]),
			...parts.packages,
			...(parts.inFolder ? [{ hostPath: parts.inFolder, path: inputFolder }] : []),
		],
		ports: parts.ports,
		limitAddressSpace: launch.limitAddressSpace,
		madeFolder: outFolder,
		collector: collectorFor({ files: parts.wantsFiles, session: parts.session !== undefined }),
		collectsMadeFolder: parts.wantsFiles && parts.session === undefined,
		waiting: waitingFor(request, launch, parts, network.env),
	};
}
