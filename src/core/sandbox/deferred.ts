/** A promise that is resolved from outside. Pure. */
export interface Deferred {
	readonly promise: Promise<void>;
	readonly resolve: () => void;
}

export function deferred(): Deferred {
	let resolve = () => {};
	const promise = new Promise<void>((done) => {
		resolve = done;
	});
	return { promise, resolve };
}
