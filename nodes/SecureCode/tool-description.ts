/** What a model is told about the tool: how to use it, and what this node allows. */
import { megabyte, secondMs } from './parameters.ts';
import type { Settings } from './settings.ts';

const networkSentence = (network: Settings['network']): string => {
	if (network === 'full') return 'Network: every public host.';
	if (network === 'none' || network.length === 0) return 'Network: none.';
	return `Network: only ${network.join(', ')}.`;
};

const importSentence = (modules: Settings['allowedImports']): string => {
	if (modules === undefined) return 'Modules: those that are installed; nothing can be installed.';
	return modules.length === 0 ? 'Modules: none may be imported.' : `Modules: only ${modules.join(', ')}.`;
};

/** The author's text, followed by the limits that hold for every call of this node. */
export function describeTool(text: string, settings: Settings): string {
	const { timeoutMs, memoryBytes, codeCharacters, network, allowedImports } = settings;
	const limits = `Limits: ${timeoutMs / secondMs} s, ${memoryBytes / megabyte} MB of memory, ${codeCharacters} characters of code.`;
	return [text.trim(), [limits, networkSentence(network), importSentence(allowedImports)].join(' ')].join('\n\n');
}
