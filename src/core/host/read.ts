/** Reads small files of the kernel that may not be there. */
import { readFileSync } from 'node:fs';

/** Undefined where the kernel has no such file, or does not show it to this process. */
export function readOptional(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
}
