/** Requests for approval: the exact command, why it is asked about, and the two answers. */
import { call, read } from './api.js';
import { clock, element, replaceIfChanged, visible } from './view.js';

const pair = (name, text) => [element('dt', { textContent: name }), element('dd', { textContent: visible(text) })];

function facts(approval) {
	const [first] = approval.reasons;
	const yes = approval.needed > 1 ? pair('Said yes', `${approval.approvedBy.length} of ${approval.needed}`) : [];
	return element(
		'dl',
		{},
		...pair('Asked by', approval.requester),
		...pair('Capability', approval.capability),
		...pair('Folder', approval.cwd ?? 'a workspace of its own'),
		...pair('Why', first ? `${first.why} (${first.rule})` : ''),
		...yes,
		...pair('Until', clock(approval.expiresAt)),
	);
}

/** A dangerous command must be typed in; a denial must say why. */
function answers(approval, act) {
	const words = `APPROVE ${approval.approvalId}`;
	const typed = element('input', {
		className: 'typed',
		placeholder: `To approve, type: ${words}`,
		ariaLabel: `Type ${words} to approve`,
		autocomplete: 'off',
		hidden: !approval.isHighRisk,
	});
	const reason = element('input', { className: 'reason', placeholder: 'Reason, if you deny it', ariaLabel: 'Reason' });
	const yes = element('button', {
		className: 'go',
		type: 'button',
		textContent: 'Approve',
		disabled: approval.isHighRisk,
	});
	const no = element('button', { className: 'stop', type: 'button', textContent: 'Deny', disabled: true });
	typed.oninput = () => {
		yes.disabled = typed.value !== words;
	};
	reason.oninput = () => {
		no.disabled = reason.value.trim() === '';
	};
	yes.onclick = () => act({ answer: 'approve', ...(approval.isHighRisk && { typed: typed.value }) });
	no.onclick = () => act({ answer: 'deny', reason: reason.value.trim() });
	return element('div', { className: 'answers' }, ...(approval.isHighRisk ? [typed] : []), yes, reason, no);
}

function card(approval, onAnswer) {
	const node = element('article', { className: approval.isHighRisk ? 'danger' : '', id: approval.approvalId });
	const act = async (answer) => {
		for (const part of node.querySelectorAll('button, input')) part.disabled = true;
		await onAnswer(approval.approvalId, answer);
	};
	node.append(
		element('h3', { textContent: `${approval.isHighRisk ? 'Dangerous: ' : ''}${approval.approvalId}` }),
		element('pre', { className: 'shown', textContent: approval.shown }),
		facts(approval),
		answers(approval, act),
	);
	return node;
}

/** What a person is typing is not thrown away: cards are drawn anew only when the requests have changed. */
export async function showApprovals(report) {
	const { approvals } = await read('/v2/approvals');
	const waiting = approvals.filter(({ state }) => state === 'pending');
	document.querySelector('#waiting').textContent = waiting.length > 0 ? String(waiting.length) : '';
	document.title = waiting.length > 0 ? `(${waiting.length}) Device agent` : 'Device agent';
	const list = document.querySelector('#approvals');
	const answer = async (id, body) => {
		await report(() => call(`/v2/approvals/${encodeURIComponent(id)}`, { method: 'POST', body }));
		delete list.dataset.signature;
		await report(() => showApprovals(report));
	};
	const signature = JSON.stringify(waiting.map(({ approvalId, approvedBy }) => [approvalId, approvedBy]));
	replaceIfChanged(list, signature, () =>
		waiting.length > 0
			? waiting.map((approval) => card(approval, answer))
			: [element('p', { className: 'quiet', textContent: 'Nothing waits.' })],
	);
}
