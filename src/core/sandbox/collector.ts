/** The command that hands over what a dead program left in /work/out: first what stays behind and why, then a tar archive. Pure. */
import { fixedLimits } from '../../contract/limits.ts';
import { sessionPath } from './image.ts';

/** Why a file stays behind, by the word that the collector uses. */
export const reasonsToLeave = {
	kind: 'not an ordinary file',
	depth: `deeper than ${fixedLimits.outDepth} folders`,
	size: `larger than ${fixedLimits.outBytes / 1024 / 1024} MiB`,
	count: `more than ${fixedLimits.outFiles} files`,
	total: `more than ${fixedLimits.outBytes / 1024 / 1024} MiB in all`,
	/** What the program wrote in other places, and may have meant to hand over. */
	place: 'not in /work/out',
} as const;
export type LeaveReason = keyof typeof reasonsToLeave;

/** More of them are only counted. */
export const mostNamed = 100;

/** So many files in other places are named; one word more says that there are others. */
export const mostElsewhere = 10;

/** How deep they may lie in /work and in /tmp. */
const elsewhereDepth = 2;

/** What is wanted of a dead program. */
export interface CollectorWish {
	readonly files: boolean;
	/** An archive of /work, without /work/in and /work/out, for the next job of the session. */
	readonly session: boolean;
}

/**
 * Names may hold anything but NUL. Sizes are counted twice: files go by the blocks they really fill, so that neither holes
 * nor empty files take the place of real ones, and the archive holds what they claim, holes included, up to the limit.
 * Output: "COUNT MORE BYTES\n", COUNT words "REASON/NAME" that end in NUL, and the archive of BYTES, or of all that is left for "-";
 * MORE were left behind without a word. Behind it, if it is wanted, the archive of the session.
 */
const chooseFiles = (countsBytes: boolean): string => `
{ ${findElsewhere} | sort -z
	if ${hasFiles}; then
		chmod -R u+rX out
		find out ! -type d -printf '%y/%b/%s/%d/%P\\0' | sort -z -t/ -k2,2nr -k5
	fi
} | {
	take=() left=() elsewhere=0 more=0 total=0
	while IFS=/ read -r -d '' kind blocks size depth path; do
		why=
		if [ "$kind" = place ]; then
			[ ! -e "out/\${path##*/}" ] && [ "$((elsewhere += 1))" -le ${mostElsewhere + 1} ] || continue
			why=place
		elif [ "$kind" != f ]; then why=kind
		elif [ "$depth" -gt ${fixedLimits.outDepth} ]; then why=depth
		elif [ "$size" -gt ${fixedLimits.outBytes} ]; then why=size
		elif [ "\${#take[@]}" -ge ${fixedLimits.outFiles} ]; then why=count
		elif [ $((total + size)) -gt ${fixedLimits.outBytes} ]; then why=total
		fi
		if [ -n "$why" ] && [ "\${#left[@]}" -ge ${mostNamed} ]; then more=$((more + 1))
		elif [ -n "$why" ]; then left+=("$why/$path")
		else take+=("out/$path") total=$((total + size))
		fi
	done
	archive() {
		[ "\${#take[@]}" = 0 ] || printf '%s\\0' "\${take[@]}" |
			tar --create --file=- --null --no-recursion --files-from=-
	}
	bytes=-
	${countsBytes ? 'bytes=$(archive | wc -c)' : '[ "${#take[@]}" != 0 ] || bytes=0'}
	printf '%d %d %s\\n' "\${#left[@]}" "$more" "$bytes"
	[ "\${#left[@]}" = 0 ] || printf '%s\\0' "\${left[@]}"
	archive
}
`;

/** Names of files that interpreters, libraries and tools leave behind; of what is hidden nobody wants to hear either. */
const scratchFiles = ['.*', '*.pyc', 'fontlist-*.json', 'nohup.out', 'tmp????????', 'tmp.??????????'];
const scratchFolders = ['.*', '*cache*', 'matplotlib-*', 'node_modules', 'pymp-*', 'joblib_*', 'tmp????????'];

const anyOf = (names: readonly string[]): string => names.map((name) => `-name '${name}'`).join(' -o ');

/** What the program has written there: what a session found in /work is older than the archive that it comes in. */
const findElsewhere = `since=()
	[ ! -s ${sessionPath} ] || since=(-newer ${sessionPath})
	find /work /tmp -mindepth 1 -maxdepth ${elsewhereDepth} \
	\\( -path /work/in -o -path /work/out -o -type d \\( ${anyOf(scratchFolders)} \\) \\) -prune -o \
	-type f ! \\( ${anyOf(scratchFiles)} \\) "\${since[@]}" -printf 'place/0/0/0/%p\\0'`;

const hasFiles = '[ -d out ] && [ ! -L out ]';

/** Holes stay holes, so that the archive is no larger than what it holds. */
const keepSession = `
chmod -R u+rX . 2> /dev/null
tar --create --file=- --sparse --anchored --exclude=./in --exclude=./out .
`;

function scriptFor({ files, session }: CollectorWish): string {
	const first = files ? chooseFiles(session) : "printf '0 0 0\\n'";
	return `chmod u+rwx /work; cd /work || exit\n${first}\n${session ? keepSession : ''}`;
}

/** Started when nothing of the program is alive, without anything of its environment. Empty when nothing is wanted. */
export const collectorFor = (wish: CollectorWish): string[] =>
	wish.files || wish.session
		? [
				...['/usr/bin/env', '-i', 'PATH=/usr/bin', 'LC_ALL=C'],
				...['/usr/bin/bash', '--noprofile', '--norc', '-c', scriptFor(wish)],
			]
		: [];
