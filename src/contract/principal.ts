/** Who asks, after authentication: a name, roles, and what the key was granted. */
import { z } from 'zod';

/** viewer: read own and others' jobs. executor: submit, cancel and read own jobs. approver: answer approvals. admin: all but approving own jobs. */
export const roles = ['viewer', 'executor', 'approver', 'admin'] as const;
export type Role = (typeof roles)[number];

export const principalSchema = z.strictObject({
	/** Stable name, for example "controller-1" or "local:alice"; what the approver must differ from. */
	name: z.string(),
	roles: z.array(z.enum(roles)),
	/** Capabilities that the key may ask for, "*" for all of the policy; an empty list means none. */
	capabilities: z.array(z.string()),
	/** Which key proved it; null for peers that a network address proved. */
	keyId: z.string().nullable(),
	/** Address of the peer, for the record and for reads that only the same peer may do; null on a local socket. */
	peer: z.string().nullable(),
});
export type Principal = z.infer<typeof principalSchema>;

/** What a role may do; the same table serves every face. */
export type Action = 'submit' | 'cancel' | 'read' | 'approve' | 'administer';

const mayDo: Record<Role, readonly Action[]> = {
	viewer: ['read'],
	executor: ['submit', 'cancel', 'read'],
	approver: ['read', 'approve'],
	admin: ['submit', 'cancel', 'read', 'administer', 'approve'],
};

export const may = (principal: Principal, action: Action): boolean =>
	principal.roles.some((role) => mayDo[role].includes(action));

const covers = (granted: string, capability: string): boolean =>
	granted === '*' || granted === capability || (granted.endsWith('.*') && capability.startsWith(granted.slice(0, -1)));

/** Whether the key was granted a capability: by its name, by "kind.*", or by "*". */
export const holds = ({ capabilities }: Principal, capability: string): boolean =>
	capabilities.some((granted) => covers(granted, capability));
