/** Behaves as the documents of device_agent say: one capability request, one answer, approval as an error, no cancel and no result later. */
import { spawnSync } from 'node:child_process';
import { bodyOf, json, listen } from './listen.ts';

export interface OriginalDeviceAgent {
	readonly url: string;
	readonly requests: { readonly request_id: string; readonly capability: string; readonly args: string[] }[];
}

export async function originalDeviceAgent(): Promise<OriginalDeviceAgent> {
	const requests: OriginalDeviceAgent['requests'] = [];
	const url = await listen(async (request, response) => {
		if (request.url === '/health') return json(response, 200, { ok: true, device_id: 'home-wsl', version: '0.2.0' });
		if (request.url === '/capabilities') return json(response, 200, [{ name: 'shell.exec', requires_approval: false }]);
		if (request.url !== '/capability') return json(response, 404, { ok: false, error: 'not found' });
		const asked = JSON.parse(await bodyOf(request)) as OriginalDeviceAgent['requests'][number];
		requests.push(asked);
		const [first = ''] = asked.args;
		const command =
			asked.capability === 'shell.eval' ? (JSON.parse(first) as { cmd: string }).cmd : asked.args.join(' ');
		if (command.includes('systemctl')) return json(response, 200, { ok: false, error: 'approval_required' });
		if (command.includes('mkfs')) return json(response, 200, { ok: false, error: 'blocked', message: 'hard block' });
		const ran =
			asked.capability === 'shell.eval'
				? spawnSync('/bin/bash', ['-c', command])
				: spawnSync(first, asked.args.slice(1));
		const result = { stdout: `${ran.stdout}`, stderr: `${ran.stderr}`, exit_code: ran.status ?? 128, truncated: false };
		return json(response, 200, { ok: true, result, audit_hash: 'a'.repeat(64) });
	});
	return { url, requests };
}
