/** What an operator can say about boxes that wait. Pure. */
import { KnownError } from '../../../contract/error.ts';

const MiB = 1024 * 1024;

export interface WarmSettings {
	readonly budgetBytes: number;
	readonly calmBytes: number;
}

const defaultBudgetMiB = 256;
/** What waits when nobody has called for half a minute holds no more than 60 MB; what others share with it may grow a little. */
const calmBytes = 55_000_000;

/**
 * SECURE_CODE_WARM=off: nothing waits. SECURE_CODE_WARM_MEMORY: how many MiB the waiting boxes of a process may hold.
 * @returns undefined when nothing may wait
 */
export function warmSettings(env: NodeJS.ProcessEnv = process.env): WarmSettings | undefined {
	const wish = env.SECURE_CODE_WARM || 'on';
	if (wish !== 'on' && wish !== 'off')
		throw new KnownError('CONFIG_INVALID', { details: 'SECURE_CODE_WARM is neither on nor off' });
	const text = env.SECURE_CODE_WARM_MEMORY || String(defaultBudgetMiB);
	if (!/^\d{1,6}$/.test(text))
		throw new KnownError('CONFIG_INVALID', { details: 'SECURE_CODE_WARM_MEMORY is not a whole number of MiB' });
	const budgetBytes = Number(text) * MiB;
	return wish === 'off' || budgetBytes === 0 ? undefined : { budgetBytes, calmBytes };
}
