/** Bundles of packages that tests need; built once on a machine and kept, because they come from the registries. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { dataHomes } from '../../src/core/host/folders.ts';
import { findBundle } from '../../src/core/packages/bundle.ts';
import { locateNsjail } from '../../src/core/sandbox/backends/nsjail/locate.ts';

const run = promisify(execFile);

/** Where every jail of this machine looks for bundles, whatever its own data folder is. */
const [, systemHome] = ['', dataHomes({}).at(-1) ?? ''];

/**
 * Undefined when the bundle is there; else the reason, on which a test is skipped. In CI it has to be there.
 * @param names packages for Python
 */
export async function whyNoBundle(bundle: string, names: readonly string[]): Promise<string | undefined> {
	if (findBundle([systemHome], bundle)) return undefined;
	const env = { ...process.env, SECURE_CODE_HOME: systemHome, SECURE_CODE_NSJAIL: (await locateNsjail()) ?? '' };
	try {
		await run(process.execPath, ['dist/cli/main.js', 'packages', 'add', '--bundle', bundle, ...names], { env });
		return undefined;
	} catch (error) {
		const reason = (error as { stderr?: string }).stderr?.trim().split('\n').at(-2) ?? 'it could not be built';
		if (process.env.CI === 'true') throw new Error(`the bundle ${bundle} is needed here: ${reason}`);
		return reason;
	}
}

/** What draws. */
export const figureBundle = ['test-figures', ['matplotlib', 'pandas', 'pillow', 'plotly']] as const;
