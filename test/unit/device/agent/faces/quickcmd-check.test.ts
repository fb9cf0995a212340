import { describe, expect, it } from 'vitest';
import { agentConfigSchema } from '../../../../../src/contract/agent-config.ts';
import type { LiveKey } from '../../../../../src/device/agent/face.ts';
import { checkQuickCmd, type QuickCmdChecks } from '../../../../../src/device/agent/faces/quickcmd-check.ts';
import {
	type QuickCmdPayload,
	quickCmdBindingMetadata,
	signQuickCmd,
} from '../../../../../src/device/wire/quickcmd.ts';
import { quickCmdRefusals } from '../../../../../src/device/wire/quickcmd-answer.ts';

const now = 1_704_628_500;
const secret = 'first-secret-of-the-controller-01';
const payload: QuickCmdPayload = {
	...{ jobId: 'job-1', prompt: 'p', command: 'ls', candidateMetadata: null, pluginMetadata: null },
	...{ requiredScopes: null, snapshotMetadata: '', ttl: now + 300, timestamp: now, controllerId: 'controller-1' },
};

const hmacKey = (id: string, text: string, name: string, capabilities: readonly string[] = ['*']): LiveKey => ({
	...{ id, kind: 'hmac', material: Buffer.from(text) },
	principal: { name, roles: ['executor'], capabilities: [...capabilities], keyId: id },
});

const settings = agentConfigSchema.parse({
	...{ version: 1, device: { id: 'device-1' }, listeners: [{ faces: ['quickcmd'], port: 0 }] },
	quickcmd: { allowedControllers: ['controller-1', 'https://quickcmd.example.com'] },
}).quickcmd;

const keys = [
	hmacKey('k1', secret, 'controller-1'),
	hmacKey('k2', 'second-secret-of-another-one-0002', 'controller-2'),
];

const check = (
	change: Partial<QuickCmdPayload> = {},
	checks: Partial<QuickCmdChecks> = {},
	signedWith: string = secret,
) => {
	const changed = { ...payload, ...change };
	const signed = { payload: changed, signature: signQuickCmd(changed, signedWith) };
	const capabilities = ['shell.run.quickcmd', 'shell.exec'];
	return checkQuickCmd(signed, { keys, settings, capabilities, deviceId: 'device-1', now, ...checks });
};

const good = { principal: keys[0]?.principal };

describe('a signed request of QuickCMD', () => {
	it('is good with the secret of its controller', () => {
		expect(check()).toEqual(good);
	});

	it.each([secret, 'the-secret-that-follows-the-first'])(
		'is good with either secret while one takes the place of the other (%s)',
		(signedWith) => {
			const both = [...keys, hmacKey('k3', 'the-secret-that-follows-the-first', 'controller-1')];
			expect(check({}, { keys: both }, signedWith)).toMatchObject({ principal: { name: 'controller-1' } });
		},
	);

	it.each([
		['a secret of nobody', 'no-secret-of-anybody-at-all-00001'],
		['nothing', ''],
	])('is refused with %s', (_, signedWith) => {
		expect(check({}, {}, signedWith)).toEqual({ refused: quickCmdRefusals.invalidSignature(), reason: 'signature' });
	});

	it.each(['short', 'CHANGE_ME', 'CHANGE_ME_CHANGE_ME_CHANGE_ME_0123456789', 'a'.repeat(64), 'x'.repeat(31)])(
		'is refused with the secret %j, although it is the one that is set',
		(weak) => {
			const weakKeys = [hmacKey('weak', weak, 'controller-1')];
			expect(check({}, { keys: weakKeys }, weak)).toEqual({
				...{ refused: quickCmdRefusals.invalidSignature(), reason: 'signature' },
			});
		},
	);

	it.each([
		['at its ttl', { ttl: now }, good],
		['behind its ttl', { ttl: now - 1 }, { refused: quickCmdRefusals.expired(), reason: 'expired' }],
		['300 s old', { timestamp: now - 300 }, good],
		['301 s old', { timestamp: now - 301 }, { refused: quickCmdRefusals.tooOld(), reason: 'too old' }],
		['60 s early', { timestamp: now + 60 }, good],
		['61 s early', { timestamp: now + 61 }, { refused: quickCmdRefusals.tooEarly(), reason: 'from the future' }],
		['good for an hour', { ttl: now + 3600 }, good],
		['good for longer', { ttl: now + 3601 }, { refused: quickCmdRefusals.ttlTooLong(), reason: 'good for too long' }],
		['of the far future', { ttl: 2 ** 40, timestamp: 2 ** 40 }, { refused: quickCmdRefusals.tooEarly() }],
		['without times', { ttl: 0, timestamp: 0 }, { refused: quickCmdRefusals.expired() }],
	])('%s', (_, change, checked) => {
		expect(check(change)).toMatchObject(checked);
	});

	it('is checked in the order of the original: signature, times, controller, and then what it says', () => {
		const all = { ttl: 0, controllerId: 'nobody', jobId: '../x', requiredScopes: ['root'] };
		const { invalidSignature, expired, controllerNotAllowed } = quickCmdRefusals;
		expect([
			check(all, {}, 'no-secret-of-anybody-at-all-00001'),
			check(all),
			check({ ...all, ttl: now }),
			check({ ...all, ttl: now, controllerId: 'controller-1' }),
		]).toMatchObject([
			{ refused: invalidSignature() },
			{ refused: expired() },
			{ refused: controllerNotAllowed() },
			{ refused: { httpStatus: 400, error: 'Invalid job' } },
		]);
	});

	it.each([
		['is not allowed', 'controller-2', 'second-secret-of-another-one-0002'],
		['is allowed and signs with the secret of another', 'controller-1', 'second-secret-of-another-one-0002'],
		['is somebody else than who signs', 'https://quickcmd.example.com', secret],
		['is nobody', '', secret],
	])('is refused when its controller %s', (_, controllerId, signedWith) => {
		expect(check({ controllerId }, {}, signedWith)).toEqual({
			...{ refused: quickCmdRefusals.controllerNotAllowed(), reason: 'controller' },
		});
	});

	it('is refused by an agent that allows no controller', () => {
		expect(check({}, { settings: { ...settings, allowedControllers: [] } })).toMatchObject({
			refused: quickCmdRefusals.controllerNotAllowed(),
		});
	});

	it.each([
		[['*'], ['shell.run.quickcmd', 'shell.exec'], true],
		[['*'], ['root:all'], false],
		[['*'], ['shell.run.quickcmd', 'shell'], false],
		[['*'], ['*'], false],
		[['*', 'git:write'], ['shell.exec', 'git:write'], true],
		[['*'], [], true],
		[['shell.*', 'git.read'], ['shell.run', 'git.read'], true],
		[['shell.*'], [], true],
		[['shell.*'], null, true],
		[['shell.*'], ['git.read'], false],
		[['shell.run.quickcmd'], ['*'], false],
		[[], ['shell.run'], false],
	])('of a key with the grants %j may ask for the scopes %j: %s', (grants, requiredScopes, isGood) => {
		const granted = [hmacKey('k1', secret, 'controller-1', grants)];
		const checked = check({ requiredScopes }, { keys: granted });
		expect('refused' in checked ? checked.refused : null).toEqual(
			isGood ? null : quickCmdRefusals.insufficientScopes(),
		);
	});

	const bound = (deviceId: string) => ({
		pluginMetadata: quickCmdBindingMetadata({ deviceId, nonce: 'n'.repeat(22) }),
	});

	it.each([
		['for this device', bound('device-1'), false, true],
		['for this device, as every job must be', bound('device-1'), true, true],
		['for no device', {}, false, true],
		['for no device, where every job must be for one', {}, true, false],
		['for another device', bound('device-2'), false, false],
		['for what is no device', { pluginMetadata: { rs: 'device-1' } }, false, false],
	])('%s', (_, change, requireBinding, isGood) => {
		const checked = check(change, { settings: { ...settings, requireBinding } });
		expect(checked).toMatchObject(isGood ? good : { refused: { httpStatus: 403, error: 'Device not bound' } });
	});
});
