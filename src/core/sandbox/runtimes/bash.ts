/** Bash in the jail, with the ordinary programs that scripts expect. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask, findProgram } from './find.ts';
import { type Launch, type Program, programPath, type Runtime } from './runtime.ts';

const executable = '/usr/bin/bash';

/** A closed list: nothing else of the host's programs is shown. None of them is worth anything outside the jail. */
const programs = [
	...['[', 'arch', 'b2sum', 'base32', 'base64', 'basename', 'basenc', 'cat', 'chmod', 'cksum', 'comm', 'cp', 'csplit'],
	...['cut', 'date', 'dd', 'df', 'dir', 'dirname', 'du', 'echo', 'env', 'expand', 'expr', 'factor', 'false', 'fmt'],
	...['fold', 'groups', 'head', 'hostname', 'id', 'install', 'join', 'link', 'ln', 'ls', 'md5sum', 'mkdir', 'mkfifo'],
	...['mktemp', 'mv', 'nice', 'nl', 'nohup', 'nproc', 'numfmt', 'od', 'paste', 'pathchk', 'pr', 'printenv', 'printf'],
	...['ptx', 'pwd', 'readlink', 'realpath', 'rm', 'rmdir', 'seq', 'sha1sum', 'sha224sum', 'sha256sum', 'sha384sum'],
	...['sha512sum', 'shred', 'shuf', 'sleep', 'sort', 'split', 'stat', 'stdbuf', 'stty', 'sum', 'sync', 'tac', 'tail'],
	...['tee', 'test', 'timeout', 'touch', 'tr', 'true', 'truncate', 'tsort', 'tty', 'uname', 'unexpand', 'uniq'],
	...['unlink', 'users', 'vdir', 'wc', 'who', 'whoami', 'yes'],
	...['awk', 'bc', 'cmp', 'column', 'curl', 'dc', 'diff', 'diff3', 'egrep', 'fgrep', 'find', 'flock', 'free', 'getopt'],
	...['grep', 'gunzip', 'gzip', 'hexdump', 'iconv', 'jq', 'kill', 'look', 'openssl', 'patch', 'pgrep', 'pkill', 'ps'],
	...['rev', 'rg', 'sdiff', 'sed', 'setsid', 'sh', 'sqlite3', 'tar', 'time', 'tree', 'unzip', 'uptime', 'uuidgen'],
	...['wget', 'which', 'xargs', 'xmllint', 'xxd', 'xz', 'unxz', 'xzcat', 'bzip2', 'bunzip2', 'bzcat', 'zcat', 'zip'],
	...['zgrep', 'zstd', 'cal', 'ncal', 'units', 'gawk', 'mawk', 'busybox', 'yq', 'lz4'],
];

/** A shell that is started ahead stops in this script, and reads its program when it has got its job. */
const waitScript = '/opt/secure-code/wait.sh';

/** Beside the sources, and beside the bundle that is made of them. */
const ownScript = (name: string): string => readFileSync(join(import.meta.dirname, 'bash', name), 'utf8');

function launch({ code }: Program): Launch {
	const path = programPath('sh');
	const argv = [executable, '--noprofile', '--norc', path];
	return {
		argv,
		env: {},
		files: [{ path, content: code }],
		// A script may start Node.js, which reserves more than it uses.
		limitAddressSpace: false,
		waiting: { argv, env: { BASH_ENV: waitScript } },
	};
}

async function findPrograms(): Promise<Record<string, string>> {
	const found: Record<string, string> = {};
	for (const name of programs) {
		const path = await findProgram(name);
		if (path) found[`/usr/bin/${name}`] = path;
	}
	return found;
}

export async function findBash(): Promise<Runtime | undefined> {
	const bash = await findProgram('bash');
	if (!bash) return undefined;
	const version = await ask<string>(bash, ['--noprofile', '--norc', '-c', 'printf \'"%s"\' "$BASH_VERSION"']);
	if (!version) return undefined;
	return {
		language: 'bash',
		version,
		lack: null,
		hostProgram: bash,
		hostFiles: { ...(await findPrograms()), [executable]: bash },
		texts: { [waitScript]: ownScript('wait.sh') },
		links: {},
		hostFolders: [],
		overlays: {},
		launch,
	};
}
