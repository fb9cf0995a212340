/** Protobuf's text format, in which nsjail reads its configuration. Pure. */

type Value = string | number | boolean | Word | Fields;
export interface Fields {
	readonly [name: string]: Value | readonly Value[] | undefined;
}

/** An unquoted word of the text format. It is a type of its own, so that no text of a job can pass for one. */
class Word {
	readonly text: string;
	constructor(text: string) {
		this.text = text;
	}
}
export const word = (text: string): Word => new Word(text);

/** A text in its quoted form, for what is written into every configuration. */
export const quoted = (text: string): Word => new Word(quote(text));

/** Text format strings are byte strings: everything outside plain ASCII is written as an octal escape. */
function quote(text: string | Uint8Array): string {
	let quoted = '"';
	for (const byte of Buffer.from(text)) {
		const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
		quoted += isPlain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
	}
	return `${quoted}"`;
}

export function render(fields: Fields): string {
	const lines = Object.entries(fields).flatMap(([name, value]) =>
		[value ?? []].flat().map((one: Value) => renderOne(name, one)),
	);
	return lines.join('\n');
}

function renderOne(name: string, value: Value): string {
	if (value instanceof Word) return `${name}: ${value.text}`;
	if (typeof value === 'object') return `${name} { ${render(value).replaceAll('\n', ' ')} }`;
	return `${name}: ${typeof value === 'string' ? quote(value) : value}`;
}
