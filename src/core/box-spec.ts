/** Turns a job into what it asks of a box: command, environment, files, limits. Pure. */
import type { JobRequest } from '../contract/job.ts';
import { fixedLimits } from '../contract/limits.ts';
import type { Inspected } from './inspect.ts';
import type { BoxSpec } from './sandbox/backend.ts';
import type { Launch, Runtime } from './sandbox/runtimes/runtime.ts';

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

/**
 * Runs when the program is dead: everything in the folder but files of an insane size, as an archive in which what is no
 * ordinary file is only named. Names may hold anything but NUL; a file need not be readable yet.
 */
const collector = [
	'/usr/bin/bash',
	'-c',
	`cd /work && [ -d out ] && [ ! -L out ] && chmod -R u+rX out && find out ! -type d '(' ! -type f -o -size -${fixedLimits.outBytes / 1024 + 1}k ')' -print0 | tar --create --file=- --null --no-recursion --files-from=-`,
];

export interface BoxParts {
	readonly inspected: Inspected;
	/** Null for a command, which brings its own program. */
	readonly runtime: Runtime | null;
	readonly secretValues: Readonly<Record<string, string>>;
	/** Folder of the host that becomes /work/in. */
	readonly inFolder: string | undefined;
	readonly wantsFiles: boolean;
	/** Ports of the jail's own network that lead to the gateway; empty means no network. */
	readonly ports: readonly number[];
	readonly packages: readonly { readonly hostPath: string; readonly path: string }[];
}

const certificates = '/etc/ssl/certs/ca-certificates.crt';

/** Where libraries that do not use the system's own list look for it. */
const trust = { SSL_CERT_FILE: certificates, REQUESTS_CA_BUNDLE: certificates, CURL_CA_BUNDLE: certificates };

/** With a network the jail asks its first process for names, and that hands every question to the gateway. */
const resolver = { path: '/etc/resolv.conf', content: 'nameserver 127.0.0.1\noptions timeout:5 attempts:2\n' };

/** `env` looks a command up on PATH, and says so as a shell would when there is none. */
function launchOf(request: JobRequest, { inspected, runtime }: BoxParts): Launch {
	const { code, dialect } = inspected;
	if (runtime) return runtime.launch({ code, dialect, limits: request.limits });
	return { argv: ['/usr/bin/env', '--', ...(request.argv ?? [])], env: {}, files: [], limitAddressSpace: false };
}

export function boxSpecFor(request: JobRequest, parts: BoxParts): BoxSpec {
	const launch = launchOf(request, parts);
	const secretEnv = Object.fromEntries(request.secrets.map((name) => [name, parts.secretValues[name] ?? '']));
	const hasNetwork = parts.ports.length > 0;
	return {
		argv: launch.argv,
		env: { ...environment, ...(hasNetwork ? trust : {}), ...launch.env, ...request.env },
		secretEnv,
		limits: request.limits,
		files: hasNetwork ? [...launch.files, resolver] : launch.files,
		binds: [...parts.packages, ...(parts.inFolder ? [{ hostPath: parts.inFolder, path: '/work/in' }] : [])],
		ports: parts.ports,
		limitAddressSpace: launch.limitAddressSpace,
		collector: parts.wantsFiles ? collector : [],
	};
}
