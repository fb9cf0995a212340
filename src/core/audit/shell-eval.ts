/** Output as device_agent keeps it beside its chain: base64 after "plain:", or gzip in base64 after "gz:" when it is long. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const compress = promisify(gzip);

/** What is longer is compressed; bytes. */
const longestPlain = 4096;

export async function evalText(bytes: Buffer): Promise<string> {
	if (bytes.length <= longestPlain) return `plain:${bytes.toString('base64')}`;
	return `gz:${(await compress(bytes)).toString('base64')}`;
}

/** Of nothing. */
export const noEvalText = 'plain:';
