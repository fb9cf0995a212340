/** Who this process runs as. */
import { userInfo } from 'node:os';

/** The name of the user; in containers often only a number that no name belongs to, and then that. */
export function userName(): string {
	try {
		return userInfo().username;
	} catch {
		return String(process.geteuid?.() ?? 'unknown');
	}
}
