/**
 * Encrypts a secret into a handle that a model can carry from one tool to another without being able to open it. Only this n8n
 * opens it again, only within the same execution and only for some minutes.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { NodeContext } from './context.ts';
import { instanceSecret } from './host.ts';

export interface HandleContent {
	readonly name: string;
	readonly variable: string;
	readonly value: string;
	/** As the author bound it; a handle is no way around. */
	readonly hosts: readonly string[];
	/** Milliseconds since 1970. */
	readonly expires: number;
}

export const handleMinutes = 10;

const prefix = 'scv_';
const ivBytes = 12;
const tagBytes = 16;
const cipher = 'aes-256-gcm';

const processKey = Symbol.for('n8n-nodes-secure-code.handle-key');

/** The same in every worker of an n8n; where n8n does not tell its secret, the same in this process. */
function key(): Uint8Array {
	const place = globalThis as { [processKey]?: Uint8Array };
	const secret = instanceSecret();
	place[processKey] ??= secret
		? new Uint8Array(hkdfSync('sha256', secret, '', 'n8n-nodes-secure-code handle', 32))
		: randomBytes(32);
	return place[processKey];
}

/** What a handle is bound to. */
const bindingOf = (context: NodeContext): Buffer =>
	Buffer.from(JSON.stringify([context.getWorkflow().id ?? null, context.getExecutionId() ?? null]));

export function makeHandle(context: NodeContext, content: HandleContent): string {
	const iv = randomBytes(ivBytes);
	const cipherer = createCipheriv(cipher, key(), iv, { authTagLength: tagBytes }).setAAD(bindingOf(context));
	const { name, variable, value, hosts, expires } = content;
	const body = Buffer.concat([
		cipherer.update(JSON.stringify([name, variable, value, hosts, expires])),
		cipherer.final(),
	]);
	return prefix + Buffer.concat([iv, body, cipherer.getAuthTag()]).toString('base64url');
}

export const isHandle = (text: string): boolean => text.startsWith(prefix);

/** @returns undefined for a handle that is expired, of another execution, or not ours */
export function openHandle(context: NodeContext, handle: string, now: number): HandleContent | undefined {
	const bytes = Buffer.from(handle.slice(prefix.length).trim(), 'base64url');
	if (bytes.length <= ivBytes + tagBytes) return undefined;
	try {
		const opener = createDecipheriv(cipher, key(), bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
			.setAAD(bindingOf(context))
			.setAuthTag(bytes.subarray(-tagBytes));
		const text = Buffer.concat([opener.update(bytes.subarray(ivBytes, -tagBytes)), opener.final()]).toString();
		const [name, variable, value, hosts, expires] = JSON.parse(text);
		return expires > now ? { name, variable, value, hosts, expires } : undefined;
	} catch {
		return undefined;
	}
}
