/** Collects, while a body is lowered, which names it binds for itself. */

interface Frame {
	readonly bound: Set<string>;
	readonly outer: Set<string>;
	/** A block holds `let` and `const`; `var` belongs to the function around it. */
	readonly isBlock: boolean;
}

export class Frames {
	readonly #stack: Frame[] = [{ bound: new Set(), outer: new Set(), isBlock: false }];

	get #top(): Frame {
		return this.#stack[this.#stack.length - 1] as Frame;
	}

	bind(name: string): void {
		this.#top.bound.add(name);
	}

	bindInFunction(name: string): void {
		const frame = this.#stack.findLast(({ isBlock }) => !isBlock);
		frame?.bound.add(name);
	}

	/** The name belongs to a scope further out (`global`, `nonlocal`). */
	declareOuter(name: string): void {
		this.#top.outer.add(name);
	}

	/** Runs `lower` in a frame of its own and returns its result with the names bound there. */
	within<T>(lower: () => T, isBlock = false): { result: T; locals: ReadonlySet<string> } {
		const frame: Frame = { bound: new Set(), outer: new Set(), isBlock };
		this.#stack.push(frame);
		const result = lower();
		this.#stack.pop();
		return { result, locals: new Set([...frame.bound].filter((name) => !frame.outer.has(name))) };
	}
}
