import { describe, expect, it, onTestFinished } from 'vitest';
import { NativeWire } from '../../../../../src/device/client/adapters/native-wire.ts';
import { DeviceHttp } from '../../../../../src/device/client/http.ts';
import { listen } from '../../../../helpers/originals/listen.ts';

describe('events of a job', () => {
	it('are none where a device refuses them, and its words are not waited for', async () => {
		let isEnded = false;
		const url = await listen((_, response) => {
			response.once('close', () => {
				isEnded = true;
			});
			response.writeHead(503, { 'content-length': 100 }).write('No');
		});
		const wire = new NativeWire(new DeviceHttp({ url }), { token: 'a-token' });
		onTestFinished(() => wire.close());
		const events = [];
		for await (const event of wire.events('job-1', 0, AbortSignal.timeout(20_000))) events.push(event);
		expect(events).toEqual([]);
		await expect.poll(() => isEnded).toBe(true);
	});
});
