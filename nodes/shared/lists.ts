/** Lists that an author types into one field. */
import { KnownError } from '../../src/contract/error.ts';
import { hostFault } from '../../src/core/network/rules.ts';

export const splitList = (text: string): string[] => text.split(/[\s,;]+/).filter((word) => word !== '');

/** @param where the field, for the person who must correct it; `ranges` says whether addresses may stand there, too */
export function hostList(text: string, where: string, { ranges }: { readonly ranges: boolean }): string[] {
	const hosts = splitList(text);
	const fault = hostFault(hosts, { ranges });
	if (fault !== undefined) throw new KnownError('CONFIG_INVALID', { details: `${where}: ${fault}` });
	return hosts;
}
