/** The two systemd units of an agent, filled in from their templates. Pure. */

import frontTemplate from '../../../packaging/systemd/secure-code-agent.service';
import execTemplate from '../../../packaging/systemd/secure-code-agent-exec.service';

export const systemUser = 'secure-code-agent';
export const execUser = 'secure-code-exec';

export interface UnitPlace {
	readonly dir: string;
	/** How the command line is started: Node.js and the script. */
	readonly program: readonly [string, string];
	/** Who the front runs as, and its group, which may reach the socket of the exec side. */
	readonly user: string;
	readonly group: string;
}

/** A word of a unit: what systemd would expand or split is escaped. */
const quote = (word: string): string => {
	const escaped = word.replaceAll('\\', '\\\\').replaceAll('%', '%%').replaceAll('$', '$$$$').replaceAll('"', '\\"');
	return /[\s'"\\]/.test(word) ? `"${escaped}"` : escaped;
};

/** The files below units/, by name. */
export function unitsFor({ dir, program, user, group }: UnitPlace): Readonly<Record<string, string>> {
	const values: Readonly<Record<string, string>> = {
		PROGRAM: program.map(quote).join(' '),
		DIR: quote(dir),
		// A credential's path is the rest of its line: nothing is split there.
		PLAIN_DIR: dir.replaceAll('%', '%%'),
		USER: user,
		GROUP: group,
		EXEC_USER: execUser,
		EXEC_UNIT: 'secure-code-agent-exec.service',
	};
	const fill = (template: string): string =>
		template.replaceAll(/@([A-Z_]+)@/g, (whole, name: string) => values[name] ?? whole);
	return {
		'secure-code-agent.service': fill(frontTemplate),
		'secure-code-agent-exec.service': fill(execTemplate),
	};
}
