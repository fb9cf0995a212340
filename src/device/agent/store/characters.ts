/** Where the characters of UTF-8 end, so that no page is cut inside one. Pure. */

/** The longest character. */
export const characterBytes = 4;

/** How long a character is that begins with this byte; 1 for what begins none. */
function lengthOf(byte: number): number {
	if (byte >= 0xf0 && byte <= 0xf4) return 4;
	if (byte >= 0xe0) return byte < 0xf0 ? 3 : 1;
	return byte >= 0xc2 ? 2 : 1;
}

const continues = (byte: number): boolean => (byte & 0xc0) === 0x80;

/** How many bytes at the end belong to a character that is not whole; 0 where the bytes are no UTF-8. */
export function unfinishedBytes(bytes: Uint8Array): number {
	for (let back = 1; back < characterBytes && back <= bytes.length; back++) {
		const byte = bytes[bytes.length - back] as number;
		if (continues(byte)) continue;
		return lengthOf(byte) > back ? back : 0;
	}
	return 0;
}

/** The first byte that begins a character. */
export function firstCharacter(bytes: Uint8Array): number {
	let start = 0;
	while (start < characterBytes - 1 && start < bytes.length && continues(bytes[start] as number)) start++;
	return start;
}
