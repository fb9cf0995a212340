/** Builds elements from plain values. Whatever a command or its output holds, it becomes text and never markup. */
export function element(name, properties = {}, ...children) {
	const node = document.createElement(name);
	Object.assign(node, properties);
	node.append(...children);
	return node;
}

const unseen =
	/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\u2028\u2029\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0]/gu;
const spellOut = (character) => `\\u{${character.codePointAt(0).toString(16)}}`;

/** Text in which nothing is invisible; line breaks and tabs stay where they lay things out. */
export const visible = (text, keeps = '') =>
	text.replace(unseen, (character) => (keeps.includes(character) ? character : spellOut(character)));

export const clock = (ms) => new Date(ms).toLocaleTimeString();

export function replaceIfChanged(parent, signature, build) {
	if (parent.dataset.signature === signature) return;
	parent.dataset.signature = signature;
	parent.replaceChildren(...build());
}
