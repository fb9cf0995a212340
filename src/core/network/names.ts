/** Answers the jail's questions for names: each permitted name gets an address of its own inside the jail. Pure. */
import { type Answer, decode, encode, type Packet } from 'dns-packet';
import { type NetworkRules, normaliseName } from './rules.ts';

/** 127.1.0.1 and on: loopback, but not where programs look for themselves. */
const firstAddress = 0x7f010001;
/** More names than a program that is not searching for a hole asks for. */
const mostNames = 4_096;
const answerSeconds = 60;

const dotted = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

export interface NameAnswer {
	readonly reply: Buffer;
	/** The name that was refused, so that the model can be told. */
	readonly refused: string | null;
}

export class Names {
	readonly #rules: NetworkRules;
	readonly #addresses = new Map<string, string>();
	readonly #names = new Map<string, string>();

	constructor(rules: NetworkRules) {
		this.#rules = rules;
	}

	/** The name behind an address that this gave out. */
	nameAt(address: string): string | undefined {
		return this.#names.get(address);
	}

	#addressFor(name: string): string | undefined {
		const known = this.#addresses.get(name);
		if (known !== undefined || this.#addresses.size >= mostNames) return known;
		const address = dotted(firstAddress + this.#addresses.size);
		this.#addresses.set(name, address);
		this.#names.set(address, name);
		return address;
	}

	/** @returns undefined for what is no question; nothing is ever asked of anybody else here */
	answer(message: Buffer): NameAnswer | undefined {
		const question = readQuestion(message);
		if (!question) return undefined;
		const { packet, asked } = question;
		const name = normaliseName(asked.name);
		const isAllowed = name !== '' && this.#rules.allowsName(name);
		const address = isAllowed && asked.type === 'A' ? this.#addressFor(name) : undefined;
		const answers: Answer[] = address ? [{ type: 'A', name: asked.name, ttl: answerSeconds, data: address }] : [];
		const reply = encodeSafely(replyTo(packet, isAllowed, answers));
		return reply && { reply, refused: isAllowed ? null : name || 'a name that is none' };
	}
}

function readQuestion(message: Buffer) {
	try {
		const packet = decode(message);
		const asked = packet.questions?.[0];
		return packet.type === 'query' && asked && packet.questions?.length === 1 ? { packet, asked } : undefined;
	} catch {
		return undefined;
	}
}

/** Bytes that are no text grow when they are read as text, and may not fit into a label again. */
function encodeSafely(packet: Packet): Buffer | undefined {
	try {
		return encode(packet);
	} catch {
		return undefined;
	}
}

/** Header bits of RFC 1035: recursion wanted and available; 3 in the last four bits says that there is no such name. */
const recursion = 0x0180;
const noSuchName = 3;

const replyTo = (packet: Packet, isAllowed: boolean, answers: Answer[]): Packet => ({
	id: packet.id ?? 0,
	type: 'response',
	flags: recursion | (isAllowed ? 0 : noSuchName),
	questions: packet.questions ?? [],
	answers,
});
