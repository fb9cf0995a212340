/** What two jobs must have in common so that one can use a box that was made for the other. Pure. */
import { type BoxSpec, inputFolder } from '../../backend.ts';
import { addressSpaceBytes, roomyLimits } from './config.ts';

/**
 * Everything that is mounted, and how the interpreter starts. Left out is what arrives with the job: environment, secrets,
 * contents of files, stdin, and the limits that can be lowered while a process runs.
 */
export function kindOf(spec: BoxSpec): string {
	const { waiting, files, binds, ports, limits, workInodes, madeFolder, collector, collectsMadeFolder } = spec;
	const { openFiles, fileBytes, processes } = roomyLimits(limits);
	return JSON.stringify({
		waiting,
		files: files.map(({ path }) => path),
		binds: binds.map(({ hostPath, path }) => (path === inputFolder ? { path } : { hostPath, path })),
		ports,
		room: { openFiles, fileBytes, processes, work: limits.workBytes, workInodes },
		hasAddressSpace: addressSpaceBytes(spec, false) !== undefined,
		madeFolder,
		collector,
		collectsMadeFolder,
	});
}

/** What is remembered of a job so that boxes of its kind can be made: nothing of what it brought itself, least of all secrets. */
export const withoutJob = (spec: BoxSpec): BoxSpec => ({
	...spec,
	env: {},
	secretEnv: {},
	files: spec.files.map(({ path }) => ({ path, content: '' })),
	binds: spec.binds.map((bind) => (bind.path === inputFolder ? { ...bind, hostPath: '' } : bind)),
});
