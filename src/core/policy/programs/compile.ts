/** Makes a program of the policy ready to be asked. Pure. */
import type { ProgramShape, UsageShape } from '../schema.ts';
import { flagsOf, NotationError, numberFlag, positionalsOf } from './notation.ts';
import type { Program, Usage } from './program.ts';

function compileUsage(shape: UsageShape): Usage {
	const flags = flagsOf(shape.flags);
	const others = Object.entries(shape.positionalsWith);
	for (const [flag] of others) if (!flags.has(flag)) throw new NotationError(`${flag} in "positionalsWith" is no flag`);
	const missing = shape.needsFlag.find((flag) => !flags.has(flag));
	if (missing !== undefined) throw new NotationError(`${missing} in "needsFlag" is no flag`);
	return {
		flags,
		takesNumberFlag: flags.delete(numberFlag),
		positionals: positionalsOf(shape.positionals),
		positionalsWith: new Map(others.map(([flag, notation]) => [flag, positionalsOf(notation)])),
		needsFlag: shape.needsFlag,
		maxArgs: shape.maxArgs,
		flagStyle: shape.flagStyle,
		stopsAtPositional: shape.stopsAtPositional,
		readsNoFlags: shape.readsNoFlags,
		refusedStart: shape.refusedStart ?? null,
		isHarmlessWithAnyFlag: shape.isHarmlessWithAnyFlag,
		subcommands: new Map(Object.entries(shape.subcommands).map(([name, usage]) => [name, compileUsage(usage)])),
	};
}

/** @throws NotationError that names the program */
export function compileProgram(shape: ProgramShape): Program {
	try {
		return {
			...compileUsage(shape),
			name: shape.name,
			path: shape.path ?? null,
			sha256: shape.sha256 ?? null,
			isExecCapable: shape.isExecCapable,
			anyArguments: shape.anyArguments,
			deniedFlags: new Set(flagsOf(shape.deniedFlags).keys()),
			isBuiltin: shape.isBuiltin,
			allows: shape.allows,
			denies: shape.denies,
		};
	} catch (error) {
		if (!(error instanceof NotationError)) throw error;
		throw new NotationError(`program ${shape.name}: ${error.message}`);
	}
}
