/** What a model is told about the tool: how to use it, and what this node allows. */
import { describeExposed, type ExposedSecret } from '../shared/exposed-secrets.ts';
import { type AvailableFile, describeFiles } from '../shared/item-files.ts';
import { megabyte, secondMs } from './parameters.ts';
import type { Settings } from './settings.ts';

const networkSentence = (network: Settings['network']): string => {
	if (network === 'full') return 'Network: every public host.';
	if (network === 'none' || network.length === 0) return 'Network: none.';
	return `Network: only ${network.join(', ')}.`;
};

/** Nobody guesses which packages there are, and a program cannot bring its own. */
function importSentence(modules: Settings['allowedImports'], packages: readonly string[]): string {
	const installed = packages.length === 0 ? '' : packages.join(', ');
	if (modules !== undefined) {
		const allowed = [...modules, ...packages];
		return allowed.length === 0 ? 'Modules: none may be imported.' : `Modules: only ${allowed.join(', ')}.`;
	}
	const beside = installed === '' ? '' : ` Packages: ${installed}.`;
	return `Modules: those that are installed; nothing can be installed.${beside}`;
}

/** A model that does not know would decode, sign or print what is no value. */
function boundSentence(exposed: readonly ExposedSecret[]): string[] {
	const bound = exposed.filter(({ hosts }) => hosts.length > 0);
	if (bound.length === 0) return [];
	const where = bound.map(({ variable, hosts }) => `${variable} for ${hosts.join(', ')}`).join('; ');
	return [`A placeholder stands for some (${where}): send it unchanged in a request header, over HTTP or HTTPS.`];
}

/** Names and what they are for; a program reads values from its environment, where the model never sees them. */
function secretSentence(secrets: Settings['secrets']): string[] {
	if (secrets === undefined || secrets.exposed.length === 0) return [];
	const variables = secrets.exposed.map(({ variable }) => variable).join(', ');
	const known = describeExposed(secrets.exposed);
	const read = ['Values are masked in the output.', ...boundSentence(secrets.exposed)].join(' ');
	return secrets.mode === 'always'
		? [`Secrets, as environment variables of every program (${variables}): ${known}. ${read}`]
		: [
				`Secrets: ${known}. Ask with "credentials": [{ "name": "…" }] and read the environment variable (${variables}). ${read}`,
			];
}

function filesInSentence({ mode }: Settings['files'], available: readonly AvailableFile[]): string[] {
	if (available.length === 0) return [];
	const known = describeFiles(available);
	return mode === 'always'
		? [`Files in /work/in, read-only: ${known}.`]
		: [`Files: ${known}. Ask with "files": [{ "name": "…" }] and read them in /work/in.`];
}

/** A model that does not know repeats everything, or counts on what is gone. */
function sessionSentence(session: Settings['session']): string {
	if (session === undefined) return 'Each call starts fresh; nothing is kept from earlier calls.';
	const variables = session.keepsState
		? ', and of Python (not of JavaScript and Bash) also variables, functions and imports'
		: '';
	return `Kept for later calls of this conversation: files in /work and in /work/in${variables}; not those in /work/out.`;
}

/** A picture that nobody is shown is of no use; only the model writes to the user. */
const filesOutSentence = ({ isReturned, linkHours }: Settings['files']): string[] => [
	...(isReturned ? [] : ['Files in /work/out do not come back here.']),
	...(linkHours === undefined
		? []
		: [
				'Each file of the answer has a "link": show it to the user as ![name](link) if it is a picture, else as [name](link).',
			]),
];

/**
 * The author's text, followed by the limits that hold for every call of this node.
 * @param available files that a program may get
 * @param packages what the bundle was made of
 */
export function describeTool(
	text: string,
	settings: Settings,
	available: readonly AvailableFile[] = [],
	packages: readonly string[] = [],
): string {
	const { timeoutMs, memoryBytes, codeCharacters, network, allowedImports, secrets, files, session } = settings;
	const limits = `Limits: ${timeoutMs / secondMs} s, ${memoryBytes / megabyte} MB of memory, ${codeCharacters} characters of code.`;
	const sentences = [
		...[limits, networkSentence(network), importSentence(allowedImports, packages), ...secretSentence(secrets)],
		...[sessionSentence(session), ...filesInSentence(files, available), ...filesOutSentence(files)],
	];
	return [text.trim(), sentences.join(' ')].join('\n\n');
}
