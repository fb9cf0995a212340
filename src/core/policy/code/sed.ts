/** Reads scripts of sed. Allowed is what edits and prints; what reads or writes files or starts programs is not. Pure. */

/** @returns what in it is not allowed */
export function objectionToSed(text: string): string | undefined {
	const reader = new Reader(text);
	while (!reader.isAtEnd) {
		const objection = reader.command();
		if (objection !== undefined) return objection;
	}
	return undefined;
}

/** Commands without arguments. */
const plain = 'dDgGhHnNpPxzF=';
const notUnderstood = 'a script that is not understood';

class Reader {
	readonly #text: string;
	#at = 0;

	constructor(text: string) {
		this.#text = text;
	}

	get isAtEnd(): boolean {
		this.#skip(/[\s;]/);
		return this.#at >= this.#text.length;
	}

	get #next(): string {
		return this.#text[this.#at] ?? '';
	}

	#skip(characters: RegExp): void {
		while (this.#at < this.#text.length && characters.test(this.#next)) this.#at++;
	}

	/** Takes what a pattern finds right here. */
	#take(pattern: RegExp): string | undefined {
		const sticky = new RegExp(pattern.source, 'y');
		sticky.lastIndex = this.#at;
		const found = sticky.exec(this.#text)?.[0];
		if (found !== undefined) this.#at += found.length;
		return found;
	}

	command(): string | undefined {
		if (!this.#addresses()) return notUnderstood;
		this.#take(/[\s!]*/);
		const name = this.#next;
		this.#at++;
		if (name === '{' || name === '}') return undefined;
		if (name === '#') return this.#restOfLine();
		if (plain.includes(name) && name !== '') return this.#end();
		if (name === 'q' || name === 'Q' || name === 'l')
			return this.#take(/ *\d*/) === undefined ? notUnderstood : this.#end();
		if (name === 'b' || name === 't' || name === 'T' || name === ':') return this.#label();
		if (name === 'a' || name === 'i' || name === 'c') return this.#addedText();
		if (name === 's') return this.#substitution();
		if (name === 'y') return this.#delimited() && this.#delimited(true) ? this.#end() : notUnderstood;
		return `the command "${name.slice(0, 1)}" of sed`;
	}

	/** Nothing, one address, or two. */
	#addresses(): boolean {
		const first = this.#address();
		if (first === 'wrong') return false;
		if (first === 'none' || this.#take(/\s*,\s*/) === undefined) return true;
		return this.#take(/[+~]\d+/) !== undefined || this.#address() === 'one';
	}

	#address(): 'one' | 'none' | 'wrong' {
		if (this.#take(/\d+(~\d+)?|\$/) !== undefined) return 'one';
		if (this.#next !== '/' && this.#next !== '\\') return 'none';
		if (this.#next === '\\') this.#at++;
		if (!this.#delimited()) return 'wrong';
		this.#take(/[IM]*/);
		return 'one';
	}

	#delimiter = '';

	/** From one delimiter to the next. `isLater`: it begins behind the delimiter that ended the last one. */
	#delimited(isLater = false): boolean {
		if (!isLater) {
			this.#delimiter = this.#next;
			this.#at++;
		}
		if (/^[\\\n\s;{}A-Za-z0-9]?$/.test(this.#delimiter)) return false;
		const start = this.#at;
		while (this.#at < this.#text.length && this.#next !== this.#delimiter) this.#at += this.#next === '\\' ? 2 : 1;
		const part = this.#text.slice(start, this.#at);
		this.#at++;
		// Where a bracket holds the delimiter, one sed ends here and another does not.
		const brackets = part.replaceAll(/\\./gs, '');
		const isBalanced = brackets.split('[').length <= brackets.split(']').length;
		return this.#at <= this.#text.length && !part.includes('\n') && isBalanced;
	}

	#substitution(): string | undefined {
		if (!this.#delimited() || !this.#delimited(true)) return notUnderstood;
		const flags = this.#take(/[A-Za-z0-9]*/) ?? '';
		if (!/^[gpiImM\d]*$/.test(flags)) return `the flag "${flags.slice(0, 10)}" of "s" of sed`;
		return this.#end();
	}

	#label(): string | undefined {
		this.#take(/ *[A-Za-z0-9_]*/);
		return this.#end();
	}

	/** Text that is printed: to the end of the line, and on where a backslash ends it. */
	#addedText(): string | undefined {
		this.#take(/(?:[^\\\n]|\\[\s\S])*/);
		return undefined;
	}

	#restOfLine(): undefined {
		this.#take(/[^\n]*/);
		return undefined;
	}

	#end(): string | undefined {
		this.#take(/[ \t]*/);
		const isEnd = this.#at >= this.#text.length || /[;\n}#]/.test(this.#next);
		return isEnd ? undefined : notUnderstood;
	}
}
