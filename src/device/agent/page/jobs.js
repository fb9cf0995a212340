/** The latest jobs, and the output of one of them as it comes. */
import { events, read } from './api.js';
import { clock, element, replaceIfChanged, visible } from './view.js';

const shownJobs = 30;
/** What stays on the screen of a long output. */
const shownCharacters = 100_000;

let watching = new AbortController();

const commandOf = ({ command }) => (command.mode === 'argv' ? command.argv.join(' ') : command.script);

const stateOf = ({ state, result }) => (state === 'ended' && result ? result.status : state);

function append(text) {
	const log = document.querySelector('#log-text');
	const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
	log.textContent = (log.textContent + visible(text, '\n\t')).slice(-shownCharacters);
	if (isAtEnd) log.scrollTop = log.scrollHeight;
}

/** Characters may be cut between two events, so each stream is decoded as one. */
async function follow(jobId, signal) {
	const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
	for await (const event of events(`/v2/jobs/${encodeURIComponent(jobId)}/events`, signal)) {
		if (event.type !== 'output') continue;
		const bytes = Uint8Array.from(atob(event.base64), (character) => character.charCodeAt(0));
		append(decoders[event.stream].decode(bytes, { stream: true }));
	}
}

async function open(jobId, report) {
	watching.abort();
	watching = new AbortController();
	const { signal } = watching;
	document.querySelector('#log').hidden = false;
	document.querySelector('#log-job').textContent = jobId;
	document.querySelector('#log-text').textContent = '';
	await report(() => follow(jobId, signal).catch((error) => (signal.aborted ? undefined : Promise.reject(error))));
}

function row(job, report) {
	const show = element('button', { type: 'button', textContent: visible(commandOf(job)).slice(0, 300) });
	show.onclick = () => void open(job.jobId, report);
	return element(
		'tr',
		{ id: `job-${job.jobId}` },
		element('td', { textContent: clock(job.acceptedAt) }),
		element('td', { className: 'state', textContent: stateOf(job) }),
		element('td', { textContent: visible(job.principal) }),
		element('td', { className: 'command' }, show),
	);
}

export async function showJobs(report) {
	const { jobs } = await read(`/v2/jobs?limit=${shownJobs}`);
	const signature = JSON.stringify(jobs.map((job) => [job.jobId, stateOf(job)]));
	replaceIfChanged(document.querySelector('#jobs'), signature, () => jobs.map((job) => row(job, report)));
}

export const closeLog = () => watching.abort();
