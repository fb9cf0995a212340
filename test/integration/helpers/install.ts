/** Puts our package and the review gate into an n8n user folder, the way a person does it. */
import { execFile } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const project = join(import.meta.dirname, '..', '..', '..');
const gate = join(project, 'test', 'fixtures', 'n8n-nodes-review-gate');
const run = promisify(execFile);

async function pack(folder: string): Promise<string> {
	const target = mkdtempSync(join(tmpdir(), 'secure-code-pack-'));
	const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', target], { cwd: folder });
	return join(target, stdout.trim().split('\n').at(-1) ?? '');
}

/** Packs what the build left in dist/, and the gate. */
export async function packPackages(): Promise<string[]> {
	return [await pack(project), await pack(gate)];
}

export async function installPackages(tarballs: readonly string[], userFolder: string): Promise<void> {
	const deploy = join(project, 'deploy-to-n8n.sh');
	for (const tarball of tarballs) await run(deploy, ['--package', tarball, '--user-folder', userFolder]);
}

/** Brings nsjail as the README tells a person to. */
export async function setUpSandbox(): Promise<void> {
	await run(process.execPath, [join(project, 'dist', 'cli', 'main.js'), 'setup', '--yes']);
}
