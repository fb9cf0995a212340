/** Runs before the conformance tests: brings nsjail, Python and pip as a user would, with the package's own setup. */
import { join } from 'node:path';
import { execa } from 'execa';

const root = join(import.meta.dirname, '..', '..');

export default async function bringNsjail(): Promise<void> {
	const { exitCode, all } = await execa(process.execPath, ['dist/cli/main.js', 'setup', '--yes'], {
		cwd: root,
		all: true,
		stdin: 'ignore',
		reject: false,
	});
	if (exitCode === 0) return;
	throw new Error(`"secure-code setup --yes" ended with ${exitCode}, so there is no jail to test:\n${all}`);
}
