/** The page of an approver: asks for a key, then shows requests, jobs and the state of the audit, and asks again every two seconds. */
import { forget, keep, key, Refused, read } from './api.js';
import { showApprovals } from './approvals.js';
import { closeLog, showJobs } from './jobs.js';

const everyMs = 2_000;
const part = (id) => document.querySelector(id);

/** Runs something and says on the page why it did not work; a key that is not good any more leads back to the entry. */
async function report(act) {
	try {
		await act();
		return true;
	} catch (error) {
		if (error instanceof Refused && error.status === 401) leave(error.message);
		else part('#fault').textContent = error.message;
		return false;
	}
}

async function showHealth() {
	const { deviceId } = await read('/v2/health');
	part('#device').textContent = deviceId;
}

async function showAudit() {
	const audit = await read('/v2/audit/status');
	const isIntact = audit.status === 'intact';
	part('#audit').className = isIntact ? 'intact' : 'broken';
	part('#audit').textContent = isIntact ? `Audit intact, ${audit.rows} lines` : `Audit ${audit.status}: stop and look`;
}

async function refresh() {
	if (key() === null) return;
	const shown = [() => showApprovals(report), () => showJobs(report), showAudit];
	const worked = [];
	for (const show of shown) worked.push(await report(show));
	if (worked.every(Boolean)) part('#fault').textContent = '';
}

async function enter() {
	part('#enter').hidden = true;
	part('#desk').hidden = false;
	part('#leave').hidden = false;
	await report(showHealth);
	await refresh();
}

function leave(message = '') {
	forget();
	closeLog();
	part('#desk').hidden = true;
	part('#leave').hidden = true;
	part('#enter').hidden = false;
	part('#entry-fault').textContent = message;
	part('#key').value = '';
	part('#key').focus();
}

part('#enter').onsubmit = (event) => {
	event.preventDefault();
	keep(part('#key').value.trim());
	void enter();
};
part('#leave').onclick = () => leave();

async function loop() {
	await refresh();
	setTimeout(loop, everyMs);
}

if (key() === null) leave();
else await enter();
void loop();
