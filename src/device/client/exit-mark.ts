/** Makes a command tell its own exit code, for devices whose protocol does not: a line that only this call can know. Pure. */
import { randomBytes } from 'node:crypto';

export interface ExitMark {
	readonly word: string;
}

/** The command runs as it is; what follows only reports. The first word stays the first word, which is all that originals check. */
export function markExit(command: string): { readonly command: string; readonly mark: ExitMark } {
	const word = `exit-${randomBytes(8).toString('hex')}`;
	return { command: `${command}\necho ${word}:$?`, mark: { word } };
}

/** Takes the mark out of an output; null when it is not there, because the command ended the shell or was ended. */
export function cutMark(
	output: string,
	{ word }: ExitMark,
): { readonly text: string; readonly exitCode: number | null } {
	const found = new RegExp(`\\n?${word}:(\\d{1,3})\\s*$`).exec(output);
	if (!found) return { text: output, exitCode: null };
	return { text: output.slice(0, found.index), exitCode: Number(found[1]) };
}
