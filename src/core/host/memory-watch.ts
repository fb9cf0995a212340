/** How often the memory of a job is looked at where no control group counts it: often, but never for most of our time. */

const pauseMs = 20;
/** A look reads files of every process of the job; it gets a tenth of the time, whatever it costs. */
const pausePerCost = 9;

/** @returns what ends it */
export function watchMemory(look: () => void): () => void {
	let timer: NodeJS.Timeout | undefined;
	let isOver = false;
	const wait = (ms: number) => {
		if (!isOver) timer = setTimeout(again, ms);
	};
	const again = () => {
		const since = performance.now();
		look();
		wait(Math.max(pauseMs, pausePerCost * (performance.now() - since)));
	};
	wait(pauseMs);
	return () => {
		isOver = true;
		clearTimeout(timer);
	};
}
