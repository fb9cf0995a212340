/** Reads filters of jq, which compute and nothing else, but for modules that are loaded from files. Pure. */

export const objectionToJq = (text: string): string | undefined =>
	/\b(import|include|modulemeta|get_search_list)\b/.test(text) ? 'a filter that loads a module' : undefined;
