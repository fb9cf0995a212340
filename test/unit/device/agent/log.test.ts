import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLog } from '../../../../src/device/agent/log.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

async function linesOf(act: (log: ReturnType<typeof createLog>) => void): Promise<Record<string, unknown>[]> {
	const path = join(tempFolder(), 'log');
	const fd = openSync(path, 'w');
	const log = createLog('info', fd);
	act(log);
	await log.close();
	log.warn({}, 'too late');
	await log.close();
	const lines = readFileSync(path, 'utf8').trim().split('\n');
	return lines.map((line) => JSON.parse(line));
}

it('lines are JSON with level, time and words; what is below the level is left out', async () => {
	const lines = await linesOf((log) => {
		log.debug({}, 'not this');
		log.warn({ jobId: 'j' }, 'this');
	});
	expect(lines).toEqual([{ level: 'warn', time: expect.stringMatching(/^\d{4}-.*Z$/), jobId: 'j', msg: 'this' }]);
});

it('lines come in order, the last ones too, when the log is closed at once', async () => {
	const lines = await linesOf((log) => {
		for (let n = 0; n < 500; n++) log.info({}, `line ${n} ${'x'.repeat(200)}`);
	});
	expect(lines.map(({ msg }) => String(msg).split(' ')[1])).toEqual(Array.from({ length: 500 }, (_, n) => String(n)));
});

it('a secret that slips in is hidden', async () => {
	const [line] = await linesOf((log) => log.info({ token: 't0ps3cret', request: { authorization: 't0ps3cret' } }, 'x'));
	expect([line?.token, line?.request]).toEqual(['[hidden]', { authorization: '[hidden]' }]);
});
