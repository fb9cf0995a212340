/** Which of the modules that a job names its interpreter may import before the job is there. Pure. */
import type { JobRequest } from '../contract/job.ts';

export interface PreloadParts {
	/** Modules of the packages, which may be imported whatever else may. */
	readonly modules: readonly string[];
	/** Whether the job trusts an authority of its own, in files that are empty until it comes. */
	readonly hasAuthority: boolean;
}

/** Packages of which it was looked up what they, and what they need in turn, read of their environment while they are imported. */
const wellKnown = new Set(['numpy', 'pandas', 'matplotlib']);

/** What that is, beside what interpreters read themselves. */
const readByWellKnown =
	/^(?:NPY_|NUMPY_|OPENBLAS_|GOTO_|GFORTRAN_|OMP_|MKL_|BLIS_|KMP_|NUMBA_|NUMEXPR_|PANDAS_|ARROW_|PILLOW_|PYPARSING|FREETYPE_|MATPLOTLIBRC$|MPL|XDG_|DISPLAY$|WAYLAND_|OPENSSL_|PYTHON|HOME$|PATH$)/;

const topOf = (name: string): string => name.split('.')[0] ?? '';

/** Nothing is imported ahead that the program itself may not import; the modules of its bundle it always may. */
function mayImport(name: string, { allowedImports }: JobRequest, modules: readonly string[]): boolean {
	if (allowedImports === undefined) return true;
	const allowed = new Set([...allowedImports, ...modules]);
	return allowed.has(name) || allowed.has(topOf(name));
}

/**
 * A module reads its environment and its files when it is imported, and must find there what it would find after a cold
 * start. So a job that brings variables has nothing imported ahead but modules that are known not to read them.
 */
export function preloadOf(request: JobRequest, { modules, hasAuthority }: PreloadParts): readonly string[] {
	const names = [...Object.keys(request.env), ...request.secrets];
	if (hasAuthority || names.some((name) => readByWellKnown.test(name))) return [];
	return request.preload
		.filter((name) => names.length === 0 || wellKnown.has(topOf(name)))
		.filter((name) => mayImport(name, request, modules));
}
