/** Tries with each interpreter of this host whether it can wait in a box, and says so in words. */
import { defaultLimits } from '../../../../contract/limits.ts';
import { isShortOfMemory } from '../../../host/memory.ts';
import type { BoxSpec, ProbeStep } from '../../backend.ts';
import type { WarmSettings } from '../../pool/settings.ts';
import type { Runtime } from '../../runtimes/runtime.ts';
import { emptySpec, type Ground } from './ground.ts';
import { shortOfMemory } from './pressure.ts';
import { WaitingBox } from './waiting-box.ts';

const name = 'warm starts';
const MiB = 1024 * 1024;

/** An empty program is one in every language. */
function emptyProgram(runtime: Runtime): BoxSpec {
	const launch = runtime.launch({ code: '', dialect: 'javascript', limits: defaultLimits, wishes: [] });
	const env = { PATH: '/usr/bin', LANG: 'C.UTF-8', ...launch.env };
	const waiting = launch.waiting && { argv: launch.waiting.argv, env: { ...env, ...launch.waiting.env } };
	return { ...emptySpec, ...launch, env, waiting };
}

async function canWait(ground: Ground, runtime: Runtime): Promise<boolean> {
	const spec = emptyProgram(runtime);
	const box = new WaitingBox(ground, spec);
	const timer = setInterval(() => {}, 1_000);
	try {
		if (!(await box.isReady)) return false;
		const io = { stdin: undefined, onOutput: () => {}, signal: new AbortController().signal };
		return (await box.take(spec, io))?.exit?.code === 0;
	} finally {
		clearInterval(timer);
		box.dismiss();
		await box.isGone;
	}
}

/** @param settings undefined when the operator has switched waiting off */
export async function warmStep(
	ground: Ground,
	settings: WarmSettings | undefined,
	isShort = isShortOfMemory,
): Promise<ProbeStep> {
	if (!settings) return { name, status: 'ok', detail: 'off (SECURE_CODE_WARM, SECURE_CODE_WARM_MEMORY)', fix: null };
	if (isShort()) return { name, status: 'reduced', detail: shortOfMemory, fix: 'Give it more memory.' };
	const runtimes = Object.values(ground.image.runtimes);
	const able: string[] = [];
	for (const runtime of runtimes) if (await canWait(ground, runtime).catch(() => false)) able.push(runtime.language);
	const unable = runtimes.map(({ language }) => language as string).filter((language) => !able.includes(language));
	const budget = `up to ${settings.budgetBytes / MiB} MiB wait for jobs`;
	if (unable.length === 0) return { name, status: 'ok', detail: `${able.join(', ')}; ${budget}`, fix: null };
	const fix = 'Nothing must be done: jobs start cold. SECURE_CODE_WARM=off saves the attempts.';
	return { name, status: 'reduced', detail: `${unable.join(', ')} cannot wait for a job here`, fix };
}
