/** Runs before the conformance tests: brings the ordinary programs that worlds and jails of the tests use, where root can. */
import { join } from 'node:path';
import { execaSync } from 'execa';

const root = join(import.meta.dirname, '..', '..');

/** Debian's package by program. */
const tools = { ip: 'iproute2', curl: 'curl', wget: 'wget' };

const isThere = (program: string): boolean =>
	execaSync('sh', ['-c', `command -v ${program}`], { reject: false }).exitCode === 0;

export default function bringTools(): void {
	const missing = Object.entries(tools).filter(([program]) => !isThere(program));
	if (missing.length === 0) return;
	const names = missing.map(([, name]) => name);
	const { exitCode } = execaSync(process.execPath, ['scripts/debian-packages.mjs', ...names], {
		cwd: root,
		reject: false,
	});
	// Without them some tests are skipped, and say so; in CI that is a failure of their own.
	if (exitCode !== 0) console.warn(`${names.join(', ')} could not be installed`);
}
