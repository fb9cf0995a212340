import { describe, expect, it } from 'vitest';
import { toolParameters } from '../../../../nodes/SecureCode/parameters.ts';
import { readSessionKey, readSessionSettings } from '../../../../nodes/SecureCode/session-settings.ts';
import { fakeContext } from '../../../helpers/n8n.ts';

const MiB = 1024 * 1024;

const settingsOf = (parameters: Record<string, unknown>) =>
	readSessionSettings(fakeContext({ properties: toolParameters, parameters }).context, 0);

const local = { keepsState: false, ttlMs: 86_400_000, quotaBytes: 64 * MiB, store: 'local' };

describe('readSessionSettings', () => {
	it('keeps nothing unless the author wants it', () => {
		expect(settingsOf({})).toBeUndefined();
		expect(settingsOf({ session: 'chat' })).toEqual({ of: 'chat', ...local });
	});

	it('reads time, quota and place in the units of the core', () => {
		const folder = { sessionStore: 'folder', sessionFolder: '/mnt/shared' };
		const more = { sessionState: true, sessionHours: 1, sessionQuota: 8, ...folder };
		expect(settingsOf({ session: 'key', ...more })).toEqual({
			of: 'key',
			keepsState: true,
			ttlMs: 3_600_000,
			quotaBytes: 8 * MiB,
			store: { folder: '/mnt/shared' },
		});
	});

	it.each([
		[{ session: 'all' }, '"session" must be'],
		[{ sessionHours: 0 }, '"sessionHours" must be a number'],
		[{ sessionQuota: 1e6 }, '"sessionQuota" must be a number'],
		[{ sessionStore: 'ftp' }, '"sessionStore" must be'],
		[{ sessionStore: 'folder', sessionFolder: 'sessions' }, 'must be a path that begins with /'],
		[{ sessionHours: '={{ 1 }}' }, 'must be a fixed value'],
	])('refuses %j', (parameters, words) => {
		expect(() => settingsOf({ session: 'key', ...parameters })).toThrow(words);
	});
});

describe('the key of a session', () => {
	function keyOf(raw: string, value: unknown = 'ana') {
		const { context } = fakeContext({ properties: toolParameters });
		const getNodeParameter = (
			_name: string,
			_index: number,
			_fallback: unknown,
			options?: { rawExpressions?: boolean },
		) => (options?.rawExpressions ? raw : value);
		return readSessionKey({ ...context, getNodeParameter } as never, 0, { of: 'key', ...local } as never);
	}

	it('is what the author enters, or what another node has', () => {
		expect(keyOf('team')).toBe('ana');
		expect(keyOf("={{ $('Webhook').item.json.customer }}")).toBe('ana');
		expect(keyOf('={{ $execution.id }}', 7)).toBe('7');
	});

	it.each([
		'={{ $json.sessionId }}',
		'=a-{{ $json["key"] }}',
		"={{ $fromAI('key') }}",
		'={{ $input.item.json.key }}',
		'={{ $data.key }}',
		"={{ $parameter['x'] }}",
	])('is never read from where a model can write: %s', (raw) => {
		expect(() => keyOf(raw)).toThrow('which a model can write to');
	});

	it.each(['', '  ', null, {}, 'x'.repeat(1_001)])('is not %j', (value) => {
		expect(() => keyOf('={{ $vars.key }}', value)).toThrow('is empty or longer');
	});

	it('of a chat is what its trigger knows, however the trigger is called', () => {
		const { context } = fakeContext({ properties: toolParameters });
		const seen: string[] = [];
		const chat = {
			...context,
			getChatTrigger: () => ({ name: "Ana's \\ chat" }),
			evaluateExpression: (text: string) => {
				seen.push(text);
				return 'session-7';
			},
		};
		expect(readSessionKey(chat as never, 0, { of: 'chat', ...local } as never)).toBe('session-7');
		expect(seen).toEqual(["{{ $('Ana\\'s \\\\ chat').first().json.sessionId }}"]);
	});

	it('of a chat needs a chat', () => {
		const { context } = fakeContext({ properties: toolParameters });
		const none = { ...context, getChatTrigger: () => null };
		expect(() => readSessionKey(none as never, 0, { of: 'chat', ...local } as never)).toThrow(
			'needs a workflow that a chat trigger starts',
		);
	});
});
