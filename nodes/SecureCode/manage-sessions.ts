/** Lists and deletes sessions of the nodes of this workflow, and of no other: they may be of other people. */
import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { KnownError } from '../../src/contract/error.ts';
import type { SessionEntry, SessionStore } from '../../src/core/compose.ts';
import { toNodeError } from '../shared/to-node-error.ts';
import { labelOf, ownerOf, storeAndKey } from './session-for.ts';
import { readStore } from './session-settings.ts';

const refuse = (details: string): KnownError => new KnownError('CONFIG_INVALID', { details });

const textOf = (context: IExecuteFunctions, name: string, index: number): string => {
	const value = context.getNodeParameter(name, index, '') as unknown;
	return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
};

interface Listed extends SessionEntry {
	/** Name of the node when the session was written last. */
	readonly node: string;
}

/** The label says whose a session is; that of another workflow begins with another id. */
async function sessionsOf(context: IExecuteFunctions, node: string, store: SessionStore): Promise<Listed[]> {
	const { listSessions } = await import('../../src/core/compose.ts');
	const start = labelOf(context, '');
	return (await listSessions(store))
		.filter(({ label }) => label.startsWith(start))
		.map((entry) => ({ ...entry, node: entry.label.slice(start.length) }))
		.filter((entry) => node === '' || entry.node === node);
}

interface WithNodes {
	readonly workflow?: { getNode(name: string): { readonly id: string } | null };
}

/** Places are made of ids, and n8n gives the ids of other nodes nowhere else. */
function nodeId(context: IExecuteFunctions, name: string): string {
	if (name === '') throw refuse('"Of Node" must name the node whose session has the key');
	const found = (context as unknown as WithNodes).workflow?.getNode(name);
	if (found) return found.id;
	throw refuse(`this workflow has no node called "${name}"`);
}

/** The session of a key, and that of a chat with this session id. */
async function byKey(context: IExecuteFunctions, index: number, master: Uint8Array): Promise<Place[]> {
	const { placeOf } = await import('../../src/core/compose.ts');
	const id = nodeId(context, textOf(context, 'sessionsOf', index));
	const key = textOf(context, 'deletedKey', index);
	if (key === '') throw refuse('"Session Key" is empty');
	return (['key', 'chat'] as const).map((of) => placeOf(master, ownerOf(context, id, of), key));
}

type Place = Pick<SessionEntry, 'namespace' | 'id'>;

async function chosen(
	context: IExecuteFunctions,
	index: number,
	store: SessionStore,
	master: () => Promise<Uint8Array>,
) {
	const which = context.getNodeParameter('whichSessions', index) as string;
	const node = textOf(context, 'sessionsOf', index);
	// A key belongs to the node, whatever that was called when its session was written.
	const found = await sessionsOf(context, which === 'key' ? '' : node, store);
	if (which === 'all') return found;
	if (which === 'expired') return found.filter(({ isExpired }) => isExpired);
	const ids =
		which === 'key'
			? (await byKey(context, index, await master())).map(({ id }) => id)
			: [textOf(context, 'sessionId', index)];
	return found.filter(({ id }) => ids.includes(id));
}

async function remove(store: SessionStore, places: readonly Place[]): Promise<string[]> {
	const { deleteSession, sessionWaitMs } = await import('../../src/core/compose.ts');
	for (const place of places)
		if (!(await deleteSession(store, place))) throw new KnownError('SESSION_BUSY', { limit: sessionWaitMs / 1000 });
	return places.map(({ id }) => id);
}

const forWorkflow = ({ id, node, bytes, created, used, expires, isExpired }: Listed): IDataObject => ({
	...{ id, node, bytes, created, used, expires, isExpired },
});

async function act(context: IExecuteFunctions, index: number, operation: string): Promise<IDataObject[]> {
	const { store, master } = await storeAndKey(context, index, readStore(context, index));
	if (operation === 'listSessions')
		return (await sessionsOf(context, textOf(context, 'sessionsOf', index), store)).map(forWorkflow);
	return [{ deleted: await remove(store, await chosen(context, index, store, master)) }];
}

/** Once for each item, as everything in n8n; a list has an item for each session. */
export async function manageSessions(context: IExecuteFunctions, operation: string): Promise<INodeExecutionData[]> {
	const items: INodeExecutionData[] = [];
	for (const index of context.getInputData().keys()) {
		try {
			const rows = await act(context, index, operation);
			items.push(...rows.map((json) => ({ json, pairedItem: { item: index } })));
		} catch (error) {
			const fault = toNodeError(context, error, index);
			if (!context.continueOnFail()) throw fault;
			items.push({ json: { error: fault.message }, pairedItem: { item: index } });
		}
	}
	return items;
}
