/** The session of one program: its place, its key, and the store that the author chose. */
import { createHash, hkdfSync } from 'node:crypto';
import type { ICredentialsDecrypted, ICredentialTestFunctions, INodeCredentialTestResult } from 'n8n-workflow';
import { KnownError } from '../../src/contract/error.ts';
import type { SessionWish } from '../../src/core/compose.ts';
import type { NodeContext } from '../shared/context.ts';
import { encryptionKey } from '../shared/host.ts';
import { readSessionKey, type SessionSettings } from './session-settings.ts';

const credentialType = 'secureCodeSessionStoreApi';

interface BucketCredential {
	readonly endpoint: string;
	readonly region: string;
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
	readonly prefix: string;
	readonly encryptionKey: string;
}

const keyCharacters = 16;

const derive = (secret: string): Uint8Array =>
	new Uint8Array(
		hkdfSync('sha256', createHash('sha256').update(secret).digest(), '', 'n8n-nodes-secure-code session', 32),
	);

function ownKey({ encryptionKey: key = '' }: Partial<BucketCredential>): Uint8Array | undefined {
	if (key === '') return undefined;
	if (key.length >= keyCharacters) return derive(key);
	const details = `the encryption key of the session store has less than ${keyCharacters} characters`;
	throw new KnownError('CONFIG_INVALID', { details });
}

/** The same in every worker of an n8n; where n8n does not tell its key, that of the data folder. */
async function masterKey(): Promise<Uint8Array> {
	const secret = encryptionKey();
	if (secret !== undefined) return derive(secret);
	const { dataFolderKey } = await import('../../src/core/compose.ts');
	return dataFolderKey();
}

async function storeFor(context: NodeContext, itemIndex: number, store: SessionSettings['store']) {
	const { FolderStore, localSessions, S3Store } = await import('../../src/core/compose.ts');
	if (store === 'local') return { store: new FolderStore(localSessions()), key: undefined };
	if (store !== 's3') return { store: new FolderStore(store.folder), key: undefined };
	if (context.getNode().credentials?.[credentialType] === undefined)
		throw new KnownError('CONFIG_INVALID', { details: 'no credential for the session store was chosen' });
	const credential = await context.getCredentials<Partial<BucketCredential>>(credentialType, itemIndex);
	return { store: new S3Store(settingsOf(credential)), key: ownKey(credential) };
}

const settingsOf = (credential: Partial<BucketCredential>) => ({
	endpoint: credential.endpoint ?? '',
	region: credential.region || 'auto',
	accessKeyId: credential.accessKeyId ?? '',
	secretAccessKey: credential.secretAccessKey ?? '',
	prefix: credential.prefix ?? '',
});

/** The key only where it is needed: making a list needs none. */
export async function storeAndKey(context: NodeContext, itemIndex: number, wanted: SessionSettings['store']) {
	const { store, key } = await storeFor(context, itemIndex, wanted);
	return { store, master: async () => key ?? (await masterKey()) };
}

const workflowOf = (context: NodeContext): string => context.getWorkflow().id ?? 'unsaved';

/** Sessions of two workflows or nodes never meet, whatever their keys are. */
export const ownerOf = (context: NodeContext, nodeId: string, of: SessionSettings['of']): string[] => [
	workflowOf(context),
	nodeId,
	of,
];

/** For people who look at a store; stands in the clear. */
export const labelOf = (context: NodeContext, node: string): string => `workflow ${workflowOf(context)}, node ${node}`;

export async function sessionFor(
	context: NodeContext,
	itemIndex: number,
	settings: SessionSettings | undefined,
): Promise<SessionWish | undefined> {
	if (settings === undefined) return undefined;
	const { placeOf } = await import('../../src/core/compose.ts');
	const { store, master: makeMaster } = await storeAndKey(context, itemIndex, settings.store);
	const master = await makeMaster();
	const node = context.getNode();
	const place = placeOf(master, ownerOf(context, node.id, settings.of), readSessionKey(context, itemIndex, settings));
	const { keepsState, ttlMs, quotaBytes } = settings;
	return { store, master, place, label: labelOf(context, node.name), keepsState, ttlMs, quotaBytes };
}

/** What n8n shows when the credential is tested: whether the bucket can be listed, and keeps conditions. */
export async function checkSessionStore(
	this: ICredentialTestFunctions,
	credential: ICredentialsDecrypted,
): Promise<INodeCredentialTestResult> {
	const { listSessions, S3Store } = await import('../../src/core/compose.ts');
	try {
		const data = (credential.data ?? {}) as Partial<BucketCredential>;
		ownKey(data);
		const found = await listSessions(new S3Store(settingsOf(data)), '0'.repeat(32));
		return { status: 'OK', message: `The bucket can be used ${found.length > 0 ? ', and is in use' : ''}.` };
	} catch (error) {
		const message = KnownError.is(error)
			? error.problem.message
			: `The bucket cannot be used: ${(error as Error).message}`;
		return { status: 'Error', message };
	}
}
