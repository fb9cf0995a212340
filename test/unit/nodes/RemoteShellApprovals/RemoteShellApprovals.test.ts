import { describe, expect, it } from 'vitest';
import { RemoteShellApproverApi } from '../../../../credentials/RemoteShellApproverApi.credentials.ts';
import { RemoteShellApprovals } from '../../../../nodes/RemoteShellApprovals/RemoteShellApprovals.node.ts';
import { decided } from '../../../helpers/desk.ts';
import { fakeContext } from '../../../helpers/n8n.ts';
import { nativeAgent, uptime } from '../../../helpers/native-face.ts';

const node = new RemoteShellApprovals();
const { properties } = node.description;
const dead = '{"url":"http://127.0.0.1:1","token":"x"}';

/** An agent that asks about everything, and one request that waits there. */
async function waiting(isHighRisk = false) {
	const agent = await nativeAgent({ decide: () => decided('ask', { isHighRisk }) });
	const { approvalId, jobId } = (await agent.ann.submit(uptime)).json;
	return { agent, approvalId, jobId, line: JSON.stringify({ url: agent.url, token: 'bob-token' }) };
}

async function run(devices: string, parameters: Record<string, unknown>, more: object = {}) {
	const credentials = { remoteShellApproverApi: { devices } };
	const fake = fakeContext({ properties, parameters, credentials, items: [{ json: {} }], ...more });
	const [items = []] = await node.execute.call(fake.context);
	return items;
}

describe('Remote Shell Approvals', () => {
	it('lists what waits on every device, with the exact command, and says which device cannot be asked', async () => {
		const [one, two] = [await waiting(), await waiting()];
		const items = await run(`a = ${one.line}\nb = ${two.line}\ndead = ${dead}`, { operation: 'list' });
		expect(items).toMatchObject([
			{ json: { device: 'a', approvalId: one.approvalId, shown: '[0] /usr/bin/true' }, pairedItem: { item: 0 } },
			{ json: { device: 'b', approvalId: two.approvalId, state: 'pending', requester: 'ann' } },
			{ json: { device: 'dead', approvalId: null, state: 'unknown', problem: { code: 'AGENT_UNREACHABLE' } } },
		]);
	});

	it('fails where the only device cannot be asked', async () => {
		await expect(run(`dead = ${dead}`, { operation: 'list' })).rejects.toThrow('could not be reached');
	});

	it('shows one request, approves it, and the job runs once', async () => {
		const { agent, line, approvalId, jobId } = await waiting();
		const [shown] = await run(`a = ${line}`, { operation: 'show', approvalId });
		const [approved] = await run(`a = ${line}`, { operation: 'approve', approvalId });
		expect([shown?.json.state, approved?.json.state, approved?.json.approvedBy]).toEqual([
			'pending',
			'approved',
			['bob'],
		]);
		await agent.ann.get(`/v2/jobs/${jobId}/wait?ms=5000`);
		expect(agent.desk.ran.length).toBe(1);
		await expect(run(`a = ${line}`, { operation: 'approve', approvalId })).rejects.toThrow('is consumed already');
	});

	it('denies with a reason that whoever asked is told', async () => {
		const { agent, line, approvalId, jobId } = await waiting();
		await run(`a = ${line}`, { operation: 'deny', approvalId, reason: 'not today' });
		const { result } = (await agent.ann.get(`/v2/jobs/${jobId}`)).json;
		expect([result.problem.message, agent.desk.ran]).toEqual([expect.stringContaining('not today'), []]);
	});

	it('approves what is dangerous only with the words that a person has typed', async () => {
		const { line, approvalId } = await waiting(true);
		const approve = (typed: string) => run(`a = ${line}`, { operation: 'approve', approvalId, typed });
		await expect(approve('')).rejects.toThrow('was not answered');
		await expect(approve('yes')).rejects.toThrow('was not answered');
		expect((await approve(`APPROVE ${approvalId}`))[0]?.json.state).toBe('approved');
	});

	it('takes the id from each item, and goes on after a failure where the author wants that', async () => {
		const { line, approvalId } = await waiting();
		const ids = ['apr-none', approvalId];
		const items = await run(
			`a = ${line}`,
			{ operation: 'show', approvalId: (index: number) => ids[index] },
			{ items: [{ json: {} }, { json: {} }], continueOnFail: true },
		);
		expect(items).toMatchObject([
			{ json: { error: expect.stringContaining('no such request') }, pairedItem: { item: 0 } },
			{ json: { approvalId, device: 'a' }, pairedItem: { item: 1 } },
		]);
	});

	it('needs the name of a device where there are several, and takes none that is not in its credential', async () => {
		const { line, approvalId } = await waiting();
		const answer = (device: string) => run(`a = ${line}\ndead = ${dead}`, { operation: 'show', approvalId, device });
		await expect(answer('')).rejects.toThrow('one of a, dead');
		await expect(answer('other')).rejects.toThrow('no device "other"');
		expect((await answer('a'))[0]?.json.approvalId).toBe(approvalId);
	});

	it('cannot approve with the key of an executor', async () => {
		const { agent, approvalId } = await waiting();
		const line = `a = ${JSON.stringify({ url: agent.url, token: 'vic-token' })}`;
		await expect(run(line, { operation: 'approve', approvalId })).rejects.toThrow();
		expect(agent.desk.ran).toEqual([]);
	});

	it('is never a tool, and has a credential that no other node of ours takes', () => {
		const { outputs, usableAsTool, credentials } = node.description;
		expect([outputs, usableAsTool, credentials?.map(({ name }) => name)]).toEqual([
			['main'],
			undefined,
			[new RemoteShellApproverApi().name],
		]);
	});
});

describe('the test of an approver’s credential', () => {
	const check = async (data: object) =>
		await node.methods.credentialTest.checkApprover.call({} as never, { data } as never);

	it('asks every device for its requests, which takes the role', async () => {
		const { line } = await waiting();
		expect(await check({ devices: `a = ${line}` })).toMatchObject({ status: 'OK' });
	});

	it.each([
		['a device that is dead', `dead = ${dead}`, 'could not be reached'],
		['a line that is none', 'nonsense', 'name ='],
	])('names the fix for %s, and no key', async (_what, devices, words) => {
		const { status, message } = await check({ devices });
		expect([status, message]).toEqual(['Error', expect.stringContaining(words)]);
	});

	it('fails with a key that is not known there, without repeating it', async () => {
		const { agent } = await waiting();
		const { status, message } = await check({
			devices: `a = ${JSON.stringify({ url: agent.url, token: 'hunter2-x' })}`,
		});
		expect([status, message.includes('hunter2-x')]).toEqual(['Error', false]);
	});
});
