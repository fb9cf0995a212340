import { describe, expect, it } from 'vitest';
import { problemFor } from '../../../../src/contract/error.ts';
import { deniedByPolicy, deviceFailed, resultOfRefusal } from '../../../../src/device/client/refusal.ts';

const place = { device: 'web-1', protocol: 'ogent' } as const;
const refusal = (httpStatus: number, why = 'no') => resultOfRefusal(place, { httpStatus, why, protocol: 'Ogent' });

describe('the refusal of a device', () => {
	it.each([
		[400, 'denied', 'REQUEST_INVALID', 'exact'],
		[403, 'denied', 'POLICY_DENIED', 'exact'],
		[409, 'denied', 'REQUEST_INVALID', 'exact'],
		[413, 'denied', 'REQUEST_INVALID', 'exact'],
		[429, 'denied', 'RATE_LIMITED', 'exact'],
		[503, 'denied', 'RATE_LIMITED', 'exact'],
		[500, 'broken', 'DEVICE_FAILED', 'best_effort'],
		[504, 'broken', 'DEVICE_FAILED', 'best_effort'],
	])('with status %i is %s', (httpStatus, status, code, reliability) => {
		const result = refusal(httpStatus);
		expect([result.status, result.problem?.code, result.reliability]).toEqual([status, code, reliability]);
	});

	it.each([404, 405])('with status %i comes from something that does not speak the protocol', (httpStatus) => {
		expect(() => refusal(httpStatus)).toThrow('does not speak Ogent');
	});

	it('in a whole sentence of our agent is not wrapped into another one', () => {
		const why = problemFor('APPROVAL_DENIED', { who: 'ann', why: 'no' }).message;
		expect(deniedByPolicy(why).problem?.message).toBe(why);
		expect(deniedByPolicy('not on the list').problem?.message).toBe(
			'The command was not run: not on the list (rule of the device).',
		);
	});

	it('says that nothing ran only where that is known', () => {
		const { message } = problemFor('AUDIT_BROKEN', { details: 'no space' });
		const words = [deviceFailed('x', true), deviceFailed('x.', false), deviceFailed(message, false)].map(
			({ problem }) => problem?.message.replace('The device could not do the job: ', ''),
		);
		expect(words).toEqual([
			'x. The command was not run.',
			'x. Whether the command ran is not known.',
			'Nothing was run, because the audit could not be written: no space. The command was not run.',
		]);
	});
});
