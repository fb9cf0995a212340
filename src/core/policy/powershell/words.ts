/** Splits PowerShell and cmd into commands and words. No reader of the language: enough to see which commands stand in it. Pure. */

export interface WindowsCommand {
	/** In small letters, without folder and ending; an alias is replaced by what it stands for. */
	readonly name: string;
	readonly args: readonly string[];
	/** Its name as it was written. */
	readonly written: string;
	/** Every word was plain: no variable, no expression, no block. */
	readonly isPlain: boolean;
}

const aliases: Readonly<Record<string, string>> = {
	rm: 'remove-item',
	del: 'remove-item',
	erase: 'remove-item',
	ri: 'remove-item',
	rd: 'remove-item',
	rmdir: 'remove-item',
	iwr: 'invoke-webrequest',
	curl: 'invoke-webrequest',
	wget: 'invoke-webrequest',
	irm: 'invoke-restmethod',
	iex: 'invoke-expression',
	saps: 'start-process',
	start: 'start-process',
	spsv: 'stop-service',
	spps: 'stop-process',
	kill: 'stop-process',
	sc: 'set-content',
	ls: 'get-childitem',
	dir: 'get-childitem',
	gci: 'get-childitem',
	cat: 'get-content',
	gc: 'get-content',
	type: 'get-content',
	ps: 'get-process',
	gps: 'get-process',
	gsv: 'get-service',
	echo: 'write-output',
	write: 'write-output',
	pwd: 'get-location',
	gl: 'get-location',
	gi: 'get-item',
	gp: 'get-itemproperty',
	gcim: 'get-ciminstance',
	select: 'select-object',
	sort: 'sort-object',
	measure: 'measure-object',
	where: 'where-object',
	group: 'group-object',
	ft: 'format-table',
	fl: 'format-list',
	sls: 'select-string',
	hostname: 'hostname',
};

const token = /"(?:[^"`]|`[\s\S]|"")*"|'(?:[^']|'')*'|&&|\|\||[;|&\n{}()]|[^\s;|&{}()"']+|[ \t]+/g;

/** A word without its quotes and backticks; `isPlain` false where PowerShell would put something else in. */
function plainWord(written: string): { readonly text: string; readonly isPlain: boolean } {
	if (written.startsWith("'")) return { text: written.slice(1, -1).replaceAll("''", "'"), isPlain: true };
	const isQuoted = written.startsWith('"');
	const inner = isQuoted ? written.slice(1, -1).replaceAll('""', '"') : written;
	const isPlain = !/[$@`]/.test(inner) && (isQuoted || !/[,[\]=<>#%~!^*+]/.test(inner));
	return { text: inner.replaceAll('`', '').replaceAll('^', ''), isPlain };
}

export function windowsCommands(script: string): WindowsCommand[] {
	const commands: { words: string[]; isPlain: boolean }[] = [{ words: [], isPlain: true }];
	let isJoined = false;
	for (const [written] of script.matchAll(token)) {
		const last = commands.at(-1) as { words: string[]; isPlain: boolean };
		if (/^[ \t]+$/.test(written)) isJoined = false;
		else if (/^(&&|\|\||[;|\n])$/.test(written)) commands.push({ words: [], isPlain: true });
		else if (/^[{}()&]$/.test(written)) {
			last.isPlain = false;
			commands.push({ words: [], isPlain: false });
		} else {
			const { text, isPlain } = plainWord(written);
			last.isPlain &&= isPlain;
			if (isJoined && last.words.length > 0) last.words.push((last.words.pop() ?? '') + text);
			else last.words.push(text);
			isJoined = true;
			continue;
		}
		isJoined = false;
	}
	return commands.filter(({ words }) => words.length > 0).map(({ words, isPlain }) => commandOf(words, isPlain));
}

function commandOf([first = '', ...args]: readonly string[], isPlain: boolean): WindowsCommand {
	const name = first
		.slice(Math.max(first.lastIndexOf('/'), first.lastIndexOf('\\')) + 1)
		.toLowerCase()
		.replace(/\.(exe|com|cmd|bat|ps1)$/, '');
	return { name: Object.hasOwn(aliases, name) ? (aliases[name] ?? name) : name, written: first, args, isPlain };
}
