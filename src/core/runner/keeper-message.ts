/** What the keeper of a direct command says (keeper/keeper.c describes it). Pure. */
import { type Ended, parseInitMessage } from '../sandbox/backends/nsjail/control.ts';

export type KeeperMessage =
	| { readonly kind: 'ready' }
	| { readonly kind: 'no-user' | 'no-folder' | 'no-program'; readonly errno: number }
	| Ended;

const refusals = { U: 'no-user', D: 'no-folder', X: 'no-program' } as const;

export function parseKeeperMessage(line: string): KeeperMessage | undefined {
	const [, what, errno] = /^([UDX]) (\d+)$/.exec(line) ?? [];
	if (what !== undefined) return { kind: refusals[what as keyof typeof refusals], errno: Number(errno) };
	const message = parseInitMessage(line);
	return message?.kind === 'ready' || message?.kind === 'ended' ? message : undefined;
}
