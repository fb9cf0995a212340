/** Which devices a call is for: those that it names, of those that the author lists. Pure. */
import { problemFor } from '../../src/contract/error.ts';
import type { Problem } from '../../src/contract/job.ts';
import type { DeviceList } from './device-list.ts';

export type Chosen = { readonly devices: DeviceList } | { readonly problem: Problem };

const refuse = (details: string): Chosen => ({ problem: problemFor('JOB_INVALID', { details }) });

const namesOf = (list: DeviceList): string => [...list.keys()].join(', ');

/** @param named absent: the only device there is; "*" alone: all of them, where several are allowed */
export function chooseDevices(list: DeviceList, named: readonly string[] | undefined, allowsMany: boolean): Chosen {
	if (list.size === 0) return refuse('this tool may use no device');
	if (named === undefined)
		return list.size === 1 ? { devices: list } : refuse(`"device" is missing; it is one of ${namesOf(list)}`);
	const wanted = named.length === 1 && named[0] === '*' && allowsMany ? [...list.keys()] : named;
	const unknown = wanted.filter((name) => !list.has(name));
	if (unknown.length > 0) return refuse(`there is no device "${unknown[0]}"; it is one of ${namesOf(list)}`);
	if (wanted.length > 1 && !allowsMany) return refuse(`"device" must be one of ${namesOf(list)}, not several`);
	return { devices: new Map([...list].filter(([alias]) => wanted.includes(alias))) };
}
