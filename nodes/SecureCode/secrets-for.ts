/** The secrets that one program gets, by environment variable: values, and the hosts that some are bound to. */
import { problemFor } from '../../src/contract/error.ts';
import type { Problem } from '../../src/contract/job.ts';
import type { NodeContext } from '../shared/context.ts';
import type { SecretsOfJob } from '../shared/executor.ts';
import { openHandle } from '../shared/handle.ts';
import { readSecretValues, requireValue } from '../shared/secret-values.ts';
import { chooseSecrets } from './secret-choice.ts';
import type { Settings } from './settings.ts';

type SecretsOfJobOrProblem = SecretsOfJob | { readonly problem: Problem };

/** The credential is read only when a program gets something of it. */
export async function secretsFor(
	context: NodeContext,
	{ secrets }: Pick<Settings, 'secrets'>,
	asked: readonly unknown[],
	itemIndex: number,
): Promise<SecretsOfJobOrProblem> {
	if (secrets === undefined) {
		if (asked.length === 0) return { values: {}, hosts: {} };
		const details = 'this tool gives programs no secrets';
		return { problem: problemFor('JOB_UNSUPPORTED', { field: 'credentials', details }) };
	}
	const choice = chooseSecrets(asked, secrets, (handle) => openHandle(context, handle, Date.now()));
	if ('problem' in choice) return choice;
	const isNamed = choice.chosen.some((one) => 'name' in one);
	const known = isNamed ? await readSecretValues(context, itemIndex) : new Map<string, string>();
	const values = choice.chosen.map((one) => [one.variable, 'value' in one ? one.value : requireValue(known, one.name)]);
	const hosts = choice.chosen.flatMap((one) => (one.hosts.length === 0 ? [] : [[one.variable, one.hosts] as const]));
	return { values: Object.fromEntries(values), hosts: Object.fromEntries(hosts) };
}
