/** Whether a one-liner of Python loads modules that are files, and where from it may load them. Pure. */

/** Parts of the interpreter itself; no file can take their place. */
const builtin = new Set(['sys', 'time', 'itertools']);

/** @param code a program that is judged elsewhere @returns whether a module it names could be a file in the folder it runs in */
export function needsIsolation(code: string): boolean {
	const named = [...code.matchAll(/\b(?:import|from)\b([^;\n]*)/g)].flatMap(([, words = '']) => {
		const modules = words.split(/\bimport\b/)[0] ?? '';
		return modules.split(',').map((module) => module.trim().split(/[\s.]/)[0] ?? '');
	});
	return named.some((module) => !builtin.has(module));
}

/** "-I" takes that folder, and packages of the user, out of the places where modules are looked for. It must stand before the code. */
export function isIsolated(words: readonly (string | null)[]): boolean {
	for (const word of words) {
		if (word === null || !/^-[A-Za-z]/.test(word)) return false;
		const letters = word.split('c')[0] ?? '';
		if (letters.includes('I')) return true;
		if (letters !== word) return false;
	}
	return false;
}
