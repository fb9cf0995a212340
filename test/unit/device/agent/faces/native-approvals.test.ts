import { describe, expect, it } from 'vitest';
import { decided } from '../../../../helpers/desk.ts';
import { type NativeOptions, nativeAgent, uptime } from '../../../../helpers/native-face.ts';

async function asked(options: NativeOptions = {}) {
	const agent = await nativeAgent({ decide: () => decided('ask'), ...options });
	const { jobId, approvalId } = (await agent.ann.submit(uptime)).json;
	return { ...agent, jobId, at: `/v2/approvals/${approvalId}`, approvalId };
}

describe('a request for approval', () => {
	it('shows the exact command to who may answer, and to who asked', async () => {
		const { bob, ann, eve, at, approvalId, jobId } = await asked();
		const { approvals } = (await bob.get('/v2/approvals')).json;
		expect(approvals).toEqual([
			expect.objectContaining({ approvalId, jobId, requester: 'ann', shown: '[0] /usr/bin/true', state: 'pending' }),
		]);
		expect([(await ann.get(at)).json, (await ann.get('/v2/approvals')).json]).toEqual([approvals[0], { approvals }]);
		expect([(await eve.get('/v2/approvals')).json, (await eve.get(at)).json.error.code]).toEqual([
			...[{ approvals: [] }, 'APPROVAL_NOT_FOUND'],
		]);
	});

	it('that is approved lets the job run once', async () => {
		const { bob, ann, at, jobId, desk } = await asked();
		const { status, json } = await bob.post(at, { answer: 'approve' });
		expect([status, json.state, json.approvedBy]).toEqual([200, 'approved', ['bob']]);
		const over = (await ann.get(`/v2/jobs/${jobId}/wait?ms=5000`)).json;
		expect([over.state, over.result.status, desk.ran.length]).toEqual(['ended', 'succeeded', 1]);
		const again = await bob.post(at, { answer: 'approve' });
		expect([again.status, again.json.error.code]).toEqual([409, 'APPROVAL_OVER']);
		expect((await bob.get('/v2/approvals?state=pending')).json).toEqual({ approvals: [] });
	});

	it('that is denied ends the job with the reason', async () => {
		const { bob, ann, at, jobId, desk } = await asked();
		await bob.post(at, { answer: 'deny', reason: 'not today' });
		const { result } = (await ann.get(`/v2/jobs/${jobId}/wait?ms=5000`)).json;
		expect([result.status, result.problem.code, result.problem.message, desk.ran]).toEqual([
			...['denied', 'APPROVAL_DENIED', expect.stringContaining('not today'), []],
		]);
	});

	it('is never answered by who asked, nor by those who may only look', async () => {
		const { ann, vic, eve, at, jobId } = await asked();
		const codes = [];
		for (const client of [ann, vic, eve]) codes.push((await client.post(at, { answer: 'approve' })).json.error.code);
		expect(codes).toEqual(['APPROVAL_FORBIDDEN', 'APPROVAL_NOT_FOUND', 'APPROVAL_NOT_FOUND']);
		expect((await ann.get(`/v2/jobs/${jobId}`)).json.state).toBe('awaiting_approval');
	});

	it('for something dangerous must be typed in', async () => {
		const { bob, at, approvalId } = await asked({ decide: () => decided('ask', { isHighRisk: true }) });
		const clicked = await bob.post(at, { answer: 'approve' });
		const typed = await bob.post(at, { answer: 'approve', typed: `APPROVE ${approvalId}` });
		expect([clicked.json.error.code, typed.status]).toEqual(['APPROVAL_FORBIDDEN', 200]);
	});

	it.each([
		['a denial without a reason', { answer: 'deny' }],
		['no answer', {}],
		['another word', { answer: 'maybe' }],
		['an unknown field', { answer: 'approve', for: 'ever' }],
	])('takes no answer like %s', async (_, body) => {
		const { bob, at } = await asked();
		const { status, json } = await bob.post(at, body);
		expect([status, json.error.code]).toEqual([400, 'REQUEST_INVALID']);
	});

	it('that is none is not found', async () => {
		const { bob } = await asked();
		const answers = [
			await bob.get('/v2/approvals/apr-0'),
			await bob.post('/v2/approvals/..%2f', { answer: 'approve' }),
		];
		expect(answers.map(({ status, json }) => [status, json.error.code])).toEqual(
			answers.map(() => [404, 'APPROVAL_NOT_FOUND']),
		);
	});
});
