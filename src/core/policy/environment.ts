/** Which variables a job may set. Pure. */
import { isForbiddenVariable, objectionToValue } from '../../contract/environment.ts';
import type { PolicyReason } from '../../contract/policy.ts';
import { reason } from './reasons.ts';

export const isEnvironmentName = (allowed: readonly string[], name: string): boolean =>
	!isForbiddenVariable(name) &&
	allowed.some((one) => one === name || (one.endsWith('*') && name.startsWith(one.slice(0, -1))));

export function environmentReasons(allowed: readonly string[], env: Readonly<Record<string, string>>): PolicyReason[] {
	const values = Object.entries(env).map(([name, value]) => objectionToValue(name, value));
	return [
		...nameReasons(allowed, Object.keys(env)),
		...values.flatMap((why) => (why === undefined ? [] : [reason('environment', 'deny', 'environment/value', why)])),
	];
}

function nameReasons(allowed: readonly string[], names: readonly string[]): PolicyReason[] {
	return names
		.filter((name) => !isEnvironmentName(allowed, name))
		.map((name) => {
			const [rule, why] = isForbiddenVariable(name)
				? ['forbidden', 'changes how commands run and cannot be set']
				: ['not-listed', 'is not among the variables that a job may set'];
			return reason('environment', 'deny', `environment/${rule}`, `${name.slice(0, 80)} ${why}`);
		});
}
