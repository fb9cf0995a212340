/** The calls of the native protocol about approvals; who may answer which one is decided by the desk behind them. */
import { KnownError } from '../../../contract/error.ts';
import type { FaceParts } from '../face.ts';
import type { Handlers } from './native-call.ts';

type ApprovalHandlers = Pick<Handlers, 'listApprovals' | 'getApproval' | 'answerApproval'>;

export function approvalHandlers({ approvals }: Pick<FaceParts, 'approvals'>): ApprovalHandlers {
	return {
		listApprovals({ caller, query: { state, limit } }) {
			const seen = approvals.list(caller.principal).filter((approval) => !state || approval.state === state);
			return { approvals: seen.slice(0, limit) };
		},
		getApproval({ caller, params }) {
			const approval = approvals.get(caller.principal, params.approvalId);
			if (!approval) throw new KnownError('APPROVAL_NOT_FOUND');
			return approval;
		},
		async answerApproval({ caller, params: { approvalId }, body }) {
			if (!approvals.get(caller.principal, approvalId)) throw new KnownError('APPROVAL_NOT_FOUND');
			return approvals.answer(caller.principal, approvalId, body);
		},
	};
}
