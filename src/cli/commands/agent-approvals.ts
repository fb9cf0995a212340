/** secure-code agent approvals: what waits for a person, and the answers. Only who can open the agent's own socket is asked. */
import { createInterface } from 'node:readline/promises';
import type { Approval, ApprovalAnswer } from '../../contract/approval.ts';
import { KnownError } from '../../contract/error.ts';
import { visible } from '../../device/agent/shown.ts';
import { nativePath } from '../../device/wire/native-routes.ts';
import { callAgent } from '../agent-call.ts';
import { agentFolder, dirFlag } from '../agent-folder.ts';
import type { Command } from '../command.ts';
import { type Flags, text, type Values } from '../flags.ts';

const flags = {
	...dirFlag,
	all: { type: 'boolean', help: 'list: those that were answered, too' },
	reason: { type: 'string', value: 'WORDS', help: 'why; a denial must say it' },
	typed: { type: 'string', value: '"APPROVE ID"', help: 'approve: what a dangerous command asks to be typed' },
	json: { type: 'boolean', help: 'print one line of JSON' },
} as const satisfies Flags;

const help = `Shows what waits for a person, and answers it. Whoever asked for a job cannot approve it.

Usage: secure-code agent approvals list [--all]
       secure-code agent approvals approve ID [--reason WORDS]
       secure-code agent approvals deny ID --reason WORDS
`;

const usage = (details: string) => new KnownError('USAGE', { details });

/** `shown` has everything spelled out that could deceive the eye. */
function describe(approval: Approval): string {
	const { approvalId, requester, capability, cwd, shown, reasons, state, isHighRisk, expiresAt } = approval;
	const why = reasons.map((reason) => `  because: ${visible(reason.why)} (${reason.rule})\n`).join('');
	const words = shown
		.split('\n')
		.map((one) => `    ${one}\n`)
		.join('');
	return `${approvalId}  ${state}${isHighRisk ? '  DANGEROUS' : ''}
  ${requester} asks for ${capability} in ${cwd === null ? 'a workspace of its own' : visible(cwd)}, until ${new Date(expiresAt).toISOString()}
${words}${why}`;
}

const one = (dir: string, approvalId: string): Promise<Approval> =>
	callAgent(dir, { method: 'GET', path: nativePath('getApproval', { approvalId }) });

async function list(dir: string, values: Values): Promise<void> {
	const state = values.all === true ? undefined : 'pending';
	const path = nativePath('listApprovals', {}, { state, limit: 200 });
	const answer = await callAgent<{ approvals: Approval[] }>(dir, { method: 'GET', path });
	if (values.json === true) process.stdout.write(`${JSON.stringify(answer)}\n`);
	else
		process.stdout.write(answer.approvals.length > 0 ? answer.approvals.map(describe).join('\n') : 'nothing waits\n');
}

/** Shows the command and lets the person type the words, where there is a person. */
async function ask(approval: Approval): Promise<string> {
	if (!process.stdin.isTTY || !process.stdout.isTTY)
		throw usage(`This command is dangerous: say --typed "APPROVE ${approval.approvalId}"`);
	const lines = createInterface({ input: process.stdin, output: process.stdout });
	try {
		return await lines.question(`${describe(approval)}\nType "APPROVE ${approval.approvalId}" to let it run: `);
	} finally {
		lines.close();
	}
}

async function answerFor(dir: string, action: string, approvalId: string, values: Values): Promise<ApprovalAnswer> {
	const reason = text(values, 'reason');
	if (action === 'deny') {
		if (reason === undefined || reason === '') throw usage('agent approvals deny: say --reason WORDS');
		return { answer: 'deny', reason };
	}
	const given = text(values, 'typed');
	const approval = given === undefined ? await one(dir, approvalId) : undefined;
	const typed = approval?.isHighRisk ? await ask(approval) : given;
	return { answer: 'approve', ...(typed !== undefined && { typed }), ...(reason !== undefined && { reason }) };
}

export const agentApprovals: Command = {
	flags,
	help,
	async act({ values, positionals }) {
		const [action, approvalId, ...more] = positionals;
		if (more.length > 0) throw usage(`agent approvals: "${more[0]}" is too many`);
		const dir = agentFolder(values);
		if (action === 'list' && approvalId === undefined) {
			await list(dir, values);
			return 0;
		}
		if (approvalId === undefined || (action !== 'approve' && action !== 'deny'))
			throw usage('agent approvals: say list, approve ID or deny ID');
		const body = await answerFor(dir, action, approvalId, values);
		const path = nativePath('answerApproval', { approvalId });
		const approval = await callAgent<Approval>(dir, { method: 'POST', path, body });
		const { state, approvedBy, needed } = approval;
		const words = state === 'pending' ? `${approvedBy.length} of ${needed} have approved` : state;
		process.stdout.write(values.json === true ? `${JSON.stringify(approval)}\n` : `${approvalId}: ${words}\n`);
		return 0;
	},
};
