/** Programs that a test needs from the system's packages. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const script = join(import.meta.dirname, '..', '..', 'scripts', 'debian-packages.mjs');
const isThere = (command: string): boolean => spawnSync('which', [command], { stdio: 'ignore' }).status === 0;

const notOffered = 2;

/**
 * Undefined when the command is there or could be installed; else the reason, on which a test is skipped. In CI it may
 * only be skipped where the system does not offer the package.
 */
export function whyMissing(command: string, packageName: string): string | undefined {
	if (isThere(command)) return undefined;
	const { status, stderr } = spawnSync(process.execPath, [script, packageName], { encoding: 'utf8' });
	if (status === 0 && isThere(command)) return undefined;
	const reason = stderr.trim().split('\n').at(-1) ?? '';
	if (process.env.CI === 'true' && status !== notOffered) throw new Error(`${command} is needed here: ${reason}`);
	return reason;
}
