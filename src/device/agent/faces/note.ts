/** What the agent says about a command, in the stream of what the command said. Pure. */

/** A note stands on a line of its own, and is all there is where the command wrote nothing. */
export function withNote(stderr: string, note: string | null): string {
	if (note === null) return stderr;
	return stderr === '' || stderr.endsWith('\n') ? stderr + note : `${stderr}\n${note}`;
}
