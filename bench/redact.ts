/** How fast secrets are masked, side by side with a plain copy of the same bytes. Prints, never judges. */
import { randomBytes } from 'node:crypto';
import { createMask, type Mask } from '../src/core/secrets/redact.ts';

const MiB = 1024 * 1024;
const totalBytes = 256 * MiB;
const chunkBytes = 64 * 1024;
const rounds = 5;

const repeatTo = (text: string): Buffer => Buffer.alloc(4 * MiB, text);

const inputs: Record<string, Buffer> = {
	'log lines': repeatTo(
		'2026-01-31T12:00:00Z INFO request 4711 GET /api/v1/users?page=3 took 12.5 ms and gave 200 to {"name":"Ada","id":42}\n',
	),
	base64: repeatTo(randomBytes(30_000).toString('base64')),
	'white space': repeatTo('    \n\t  '),
	'random bytes': randomBytes(4 * MiB),
};

function secrets(count: number): Record<string, string> {
	return Object.fromEntries(
		Array.from({ length: count }, (_, index) => [`SECRET_${index}`, `sk-${randomBytes(24).toString('base64url')}`]),
	);
}

const masks: Record<string, Mask> = {
	'1 secret': createMask(secrets(1)),
	'5 secrets': createMask(secrets(5)),
	'20 secrets': createMask(secrets(20)),
	'1 key of 1.7 KB': createMask({ KEY: randomBytes(1250).toString('base64').replaceAll(/.{64}/g, '$&\n') }),
};

/** Seconds for the whole amount, chunk by chunk as a pipe delivers it. */
function seconds(input: Buffer, handle: (chunk: Buffer) => void): number {
	const start = performance.now();
	for (let done = 0; done < totalBytes; done += chunkBytes) {
		const at = done % input.length;
		handle(input.subarray(at, at + chunkBytes));
	}
	return (performance.now() - start) / 1000;
}

const copied = Buffer.alloc(chunkBytes);

function compare(input: Buffer, mask: Mask): { copy: number; masked: number } {
	const times = Array.from({ length: rounds }, () => {
		const stream = mask.stream();
		const masked = seconds(input, (chunk) => void stream?.push(chunk).copy(copied));
		return { copy: seconds(input, (chunk) => void chunk.copy(copied)), masked };
	});
	const median = (numbers: number[]) => numbers.sort((a, b) => a - b)[Math.floor(rounds / 2)] as number;
	return { copy: median(times.map(({ copy }) => copy)), masked: median(times.map(({ masked }) => masked)) };
}

const speed = (time: number): string => `${Math.round(totalBytes / MiB / time)} MB/s`.padStart(11);

for (const [many, mask] of Object.entries(masks)) {
	for (const [name, input] of Object.entries(inputs)) {
		const { copy, masked } = compare(input, mask);
		const ratio = `${(masked / copy).toFixed(1)} times a copy`;
		process.stdout.write(`${many.padEnd(16)} ${name.padEnd(13)} ${speed(masked)}, copy ${speed(copy)}, ${ratio}\n`);
	}
}

const start = performance.now();
createMask(secrets(5));
process.stdout.write(`making a mask for 5 secrets took ${(performance.now() - start).toFixed(1)} ms\n`);
