/** What the author decided about sessions: whose they are, how long and how large, and where. */
import { isAbsolute } from 'node:path';
import { KnownError } from '../../src/contract/error.ts';
import type { NodeContext } from '../shared/context.ts';
import { literal } from '../shared/literal.ts';
import { sessionHours, sessionMegabytes } from './session-parameters.ts';

export interface SessionSettings {
	readonly of: 'chat' | 'key';
	readonly keepsState: boolean;
	readonly ttlMs: number;
	readonly quotaBytes: number;
	readonly store: 'local' | 's3' | { readonly folder: string };
}

const hourMs = 3_600_000;
const MiB = 1024 * 1024;

const refuse = (details: string) => new KnownError('CONFIG_INVALID', { details });

function readNumber(
	context: NodeContext,
	name: string,
	itemIndex: number,
	range: { readonly default: number; readonly least: number; readonly most: number },
): number {
	const value = literal(context, name, itemIndex, range.default);
	if (typeof value === 'number' && value >= range.least && value <= range.most) return value;
	throw refuse(`the parameter "${name}" must be a number between ${range.least} and ${range.most}`);
}

export function readStore(context: NodeContext, itemIndex: number): SessionSettings['store'] {
	const store = literal(context, 'sessionStore', itemIndex, 'local');
	if (store === 'local' || store === 's3') return store;
	if (store !== 'folder') throw refuse('the parameter "sessionStore" must be "local", "folder" or "s3"');
	const folder = String(literal(context, 'sessionFolder', itemIndex, '')).trim();
	if (!isAbsolute(folder)) throw refuse('"Session Folder" must be a path that begins with /');
	return { folder };
}

/** @returns undefined when nothing is kept */
export function readSessionSettings(context: NodeContext, itemIndex: number): SessionSettings | undefined {
	const of = literal(context, 'session', itemIndex, 'none');
	if (of === 'none') return undefined;
	if (of !== 'chat' && of !== 'key') throw refuse('the parameter "session" must be "none", "chat" or "key"');
	return {
		of,
		keepsState: literal(context, 'sessionState', itemIndex, false) === true,
		ttlMs: readNumber(context, 'sessionHours', itemIndex, sessionHours) * hourMs,
		quotaBytes: readNumber(context, 'sessionQuota', itemIndex, sessionMegabytes) * MiB,
		store: readStore(context, itemIndex),
	};
}

/** Names in expressions behind which the item of the call stands, which a model can write to. */
const steered =
	/\$(json|input|data|binary|fromai|fromAI|parameter|self|position)\b|\$\(\s*\)|\bitems?\b\s*\[|this\s*\[/;

const keyCharacters = 1_000;

/** A key that the model could write would open the sessions of others to it. */
function readKey(context: NodeContext, itemIndex: number): string {
	const raw = context.getNodeParameter('sessionKey', itemIndex, '', { rawExpressions: true });
	if (typeof raw === 'string' && raw.startsWith('=') && steered.test(raw)) {
		const details = '"Session Key" reads the item of the call ($json, $input or $fromAI), which a model can write to';
		throw refuse(`${details}; name the node that has the key, as in $('Webhook').item.json.customer`);
	}
	const value = context.getNodeParameter('sessionKey', itemIndex, '') as unknown;
	return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The conversation as the trigger of the chat knows it, whatever the model says. */
function readChat(context: NodeContext, itemIndex: number): string {
	const trigger = context.getChatTrigger();
	if (!trigger) throw refuse('"Session: Of the Chat" needs a workflow that a chat trigger starts');
	const name = trigger.name.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
	const value: unknown = context.evaluateExpression(`{{ $('${name}').first().json.sessionId }}`, itemIndex);
	return typeof value === 'string' ? value : '';
}

export function readSessionKey(context: NodeContext, itemIndex: number, { of }: SessionSettings): string {
	const key = of === 'chat' ? readChat(context, itemIndex) : readKey(context, itemIndex);
	if (key.trim() !== '' && key.length <= keyCharacters) return key;
	throw refuse(
		of === 'chat' ? 'the chat has no session' : `"Session Key" is empty or longer than ${keyCharacters} characters`,
	);
}
