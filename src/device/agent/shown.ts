/** A command as the person who approves it must see it: nothing invisible, nothing that moves the cursor or the reading order. Pure. */
import type { CommandPlan } from '../../contract/policy.ts';

/** Controls, format characters (bidi, zero width, tags), surrogates, private use, and blanks that are no plain blank. */
const unseen =
	/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\u2028\u2029\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0]/gu;

function spellOut(character: string): string {
	const code = character.codePointAt(0) ?? 0;
	if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
	return `\\u{${code.toString(16)}}`;
}

/** A backslash that stands there itself is doubled, so that it cannot pass for an escape of ours. */
export const visible = (text: string): string => text.replaceAll('\\', '\\\\').replace(unseen, spellOut);

/** One line for each word of a command; a script keeps its lines. */
export function shownFor(plan: CommandPlan): string {
	if (plan.mode === 'argv') return plan.argv.map((word, index) => `[${index}] ${visible(word)}`).join('\n');
	const lines = plan.script.replace(/\n$/, '').split('\n');
	return [`# ${plan.shell}, ${lines.length} ${lines.length === 1 ? 'line' : 'lines'}`, ...lines.map(visible)].join(
		'\n',
	);
}
