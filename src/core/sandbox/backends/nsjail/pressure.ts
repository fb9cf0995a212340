/** Notices that the machine is short of memory, and says so once: nobody would guess why no job starts warm any more. */
import { isShortOfMemory } from '../../../host/memory.ts';

export const shortOfMemory = 'the machine, or the container, is short of memory: no box waits, and jobs start cold';

const code = 'SECURE_CODE_SHORT_OF_MEMORY';

type Say = (text: string, about: { readonly type: string; readonly code: string }) => void;

const warn: Say = (text, about) => process.emitWarning(text, about);

/** @returns a question, asked again and again, whether it is so now */
export function pressureNotice(isShort = isShortOfMemory, say = warn): () => boolean {
	let isSaid = false;
	return () => {
		const isPressed = isShort();
		if (isPressed && !isSaid) say(shortOfMemory, { type: 'SecureCodeWarning', code });
		isSaid ||= isPressed;
		return isPressed;
	};
}
