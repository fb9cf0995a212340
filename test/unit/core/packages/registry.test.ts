import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { findPip } from '../../../../src/core/packages/registry.ts';
import { tempFolder } from '../../../helpers/temp-folder.ts';

/** Stands in for a Python with pip that is set up in one way or another. */
function fakePython(config: string): string {
	const path = join(tempFolder(), 'python3');
	const facts = { folder: '/srv/pip', index: 'https://index.example/simple', files: 'files.example' };
	const script = `#!/bin/sh\ncase "$1" in -c) echo '${JSON.stringify(facts)}';; -m) cat <<'E'\n${config}\nE\n;; esac\n`;
	writeFileSync(path, script, { mode: 0o755 });
	return path;
}

const client = { folder: '/srv/pip', settings: '', certificates: '', proxyFor: undefined };

beforeEach(() => {
	for (const name of ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'NO_PROXY'])
		for (const one of [name, name.toLowerCase()]) vi.stubEnv(one, undefined);
});

describe("the operator's own pip", () => {
	it('asks its own index and where that keeps files, unless it is told otherwise', async () => {
		expect(await findPip(['/no/such/python', fakePython('')])).toEqual({
			...client,
			hosts: ['index.example', 'files.example'],
			env: { PIP_INDEX_URL: 'https://index.example/simple' },
		});
	});

	it('asks the indexes of its settings alone, the environment before files', async () => {
		const config = [
			":env:.index-url='https://user:word@mirror.example:8443/simple'",
			"global.index-url='https://old.example/simple'",
			"global.extra-index-url='https://more.example/simple'",
			"global.timeout='9'",
		].join('\n');
		expect(await findPip([fakePython(config)])).toEqual({
			...client,
			hosts: ['mirror.example:8443', 'more.example'],
			env: {
				PIP_INDEX_URL: 'https://user:word@mirror.example:8443/simple',
				PIP_EXTRA_INDEX_URL: 'https://more.example/simple',
			},
		});
	});

	it('trusts whom its settings trust', async () => {
		const certificates = join(tempFolder(), 'ca.pem');
		writeFileSync(certificates, 'PEM');
		const found = await findPip([fakePython(`global.cert='${certificates}'`)]);
		expect(found.certificates).toBe('PEM');
	});

	it('goes through the proxy of its settings, or of the environment', async () => {
		vi.stubEnv('HTTPS_PROXY', 'http://env.example:3128');
		const [byEnv, byConfig] = [
			await findPip([fakePython('')]),
			await findPip([fakePython("global.proxy='http://own.example:8080'")]),
		];
		expect([byEnv, byConfig].map(({ proxyFor }) => proxyFor?.('index.example', 443)?.host)).toEqual([
			'env.example',
			'own.example',
		]);
		expect(JSON.stringify([byEnv.env, byConfig.env])).not.toMatch(/proxy|3128|8080/i);
	});

	it('is missed with words for the operator', async () => {
		await expect(findPip(['/no/such/python'])).rejects.toThrow('Python with pip is needed');
	});
});
