import { describe, expect, it } from 'vitest';
import type { JobView } from '../../../../../src/contract/device-job.ts';
import { follow } from '../../../../../src/device/client/adapters/native-watch.ts';

const job = (state: JobView['state']) => ({ state }) as JobView;
const nothing = { events: async function* () {} };

describe('following a job', () => {
	it('asks a device that answers at once a few times a second, and not as fast as it can', async () => {
		let asked = 0;
		const followed = {
			...nothing,
			job: async () => {
				asked++;
				return job('running');
			},
		};
		await follow(followed, () => false, 600, {});
		expect(asked).toBeLessThanOrEqual(4);
	});

	it('ends at once when it is told to, also in such a pause', async () => {
		const stop = new AbortController();
		const followed = { ...nothing, job: async () => job('running') };
		const end = follow(followed, () => false, 60_000, { signal: stop.signal });
		setTimeout(() => stop.abort(), 20);
		await expect(end).rejects.toMatchObject({ name: 'AbortError' });
	});
});
