/**
 * The reading half of git. Left out is what starts programs (-c, --ext-diff, --textconv, --help, signatures, aliases, pagers),
 * what writes (--output), and what looks elsewhere for its configuration (--git-dir, --exec-path). Settings of a repository are
 * code: those that can be are switched off by variables that every command has, and no job writes into .git. Pure.
 */
import type { ProgramInput } from '../../schema.ts';

const diff = `-p -u -s -U=integer -W -w -b -M[=text] -C[=text] -R -a -z -S=text -G=text --patch --no-patch --unified=integer --raw --patch-with-raw --minimal
	--patience --histogram --diff-algorithm=name --stat[=text] --numstat --shortstat --dirstat[=text] --summary --name-only --name-status
	--color[=(always|never|auto)] --no-color --word-diff[=(color|plain|porcelain|none)] --word-diff-regex=text --color-words --no-renames --check
	--full-index --abbrev[=integer] --find-renames[=text] --find-copies[=text] --diff-filter=text --pickaxe-all --pickaxe-regex
	--relative[=path] --text --ignore-space-at-eol --ignore-space-change --ignore-all-space --ignore-blank-lines --inter-hunk-context=integer
	--function-context --exit-code --quiet --no-ext-diff --no-textconv --no-prefix --ignore-submodules[=name] --no-indent-heuristic --cc -c -m`;

/** Anything but "%G", for which gpg is started. */
const format = '/([^%]|%[-+\\x20]?[^-+\\x20G])*/';
/** The same for what lists references: "%(signature)". */
const refFormat = '/([^%]|%%|%[0-9a-fA-F]{2}|%\\(\\*?([^*s)][^)]*|s(ubject|ymref)[^)]*)?\\))*/';
const sortKey = '/-?(v:|version:)?[a-rt-z*][a-z:.*-]*|-?(subject|symref).*/';

const log = `${diff} -# -n=integer -i -E -F -P -g -L=text --max-count=integer --skip=integer --since=text --after=text --until=text --before=text --author=text --committer=text
	--grep=text --all-match --invert-grep --regexp-ignore-case --extended-regexp --fixed-strings --perl-regexp --merges --no-merges --first-parent
	--all --branches[=text] --tags[=text] --remotes[=text] --glob=text --exclude=text --reflog --walk-reflogs --cherry-pick --left-right --reverse
	--topo-order --date-order --author-date-order --oneline --pretty[=${format}] --format=${format} --abbrev-commit --no-abbrev-commit --decorate[=(short|full|auto|no)]
	--no-decorate --source --graph --no-graph --date=text --relative-date --parents --children --follow --full-history --simplify-by-decoration
	--boundary --no-walk --show-notes[=text] --no-notes --encoding=name --count --stdin`;

const revisions = 'path*';

const show = { flags: log.replace('--stdin', ''), positionals: revisions };

export const gitPrograms: readonly ProgramInput[] = [
	{
		name: 'git',
		isExecCapable: true,
		flags: '-C=folder --no-pager --no-optional-locks --literal-pathspecs --version',
		subcommands: {
			status: {
				flags: `-s -b -u[=(no|normal|all)] -v -z --short --branch --show-stash --porcelain[=(1|2|v1|v2)] --long --verbose --untracked-files[=(no|normal|all)]
					--ignored[=(traditional|no|matching)] --ahead-behind --no-ahead-behind --renames --no-renames --find-renames[=text] --column[=text] --no-column`,
				positionals: revisions,
			},
			log: show,
			show,
			whatchanged: show,
			shortlog: {
				flags: '-n -s -e -c --numbered --summary --email --committer --since=text --until=text --all --no-merges',
				positionals: revisions,
			},
			diff: { flags: `${diff} --cached --staged --merge-base`, positionals: revisions },
			'diff-tree': {
				flags: `${diff} -r -t --root --no-commit-id --pretty[=${format}] --format=${format}`,
				positionals: revisions,
			},
			branch: {
				flags: `-a -r -v -vv -l --all --remotes --verbose --list --show-current --color[=(always|never|auto)] --no-color --column[=text] --no-column --sort=${sortKey} --format=${refFormat}
					--contains=path --no-contains=path --merged[=path] --no-merged[=path] --points-at=path --ignore-case -i`,
				positionals: '',
				positionalsWith: { '--list': 'text*', '-l': 'text*' },
			},
			tag: {
				flags: `-l -n[=integer] --list --sort=${sortKey} --format=${refFormat} --contains=path --no-contains=path --merged[=path] --points-at=path --column[=text] --color[=text] -i --ignore-case`,
				positionals: '',
				positionalsWith: { '--list': 'text*', '-l': 'text*' },
			},
			remote: { flags: '-v --verbose', subcommands: { 'get-url': { flags: '--all --push', positionals: 'name' } } },
			'rev-parse': {
				flags:
					`-q --verify --quiet --short[=integer] --abbrev-ref[=(strict|loose)] --symbolic --symbolic-full-name --all --branches --tags --remotes --git-dir --absolute-git-dir
					--show-toplevel --show-prefix --show-cdup --is-inside-work-tree --is-inside-git-dir --is-bare-repository --show-superproject-working-tree --git-common-dir HEAD`.replace(
						' HEAD',
						'',
					),
				positionals: revisions,
			},
			'rev-list': { flags: log.replace('--stdin', ''), positionals: revisions },
			describe: {
				flags:
					'--all --tags --long --always --abbrev=integer --exact-match --dirty[=name] --match=text --exclude=text --contains --first-parent',
				positionals: revisions,
			},
			blame: {
				flags:
					'-b -c -e -f -l -L=text -M[=integer] -C[=integer] -n -p -s -t -w --date=text --line-porcelain --porcelain --since=text --show-email --show-name --show-number --root --color-lines --color-by-age',
				positionals: revisions,
			},
			'ls-files': {
				flags:
					'-c -d -m -o -i -s -u -k -t -v -f -z --cached --deleted --modified --others --ignored --stage --unmerged --killed --directory --exclude-standard --full-name --error-unmatch -x=text --exclude=text',
				positionals: revisions,
			},
			'ls-tree': {
				flags: '-d -r -t -l -z --long --name-only --name-status --full-name --full-tree --abbrev[=integer]',
				positionals: revisions,
			},
			'cat-file': { flags: '-e -p -s -t', positionals: 'text? path' },
			'name-rev': { flags: '--tags --name-only --always --all', positionals: revisions },
			'merge-base': { flags: '-a --all --is-ancestor --octopus --independent --fork-point', positionals: revisions },
			'for-each-ref': {
				flags: `--count=integer --sort=${sortKey} --format=${refFormat} --points-at=path --merged[=path] --no-merged[=path] --contains[=path]`,
				positionals: 'text*',
			},
			'show-ref': {
				flags: '-d -h --head --heads --tags -s --hash[=integer] --verify -q --quiet --abbrev[=integer]',
				positionals: 'text*',
			},
			'count-objects': { flags: '-v -H --verbose --human-readable' },
			reflog: { flags: '-n=integer --date=text', subcommands: { show } },
			stash: {
				subcommands: { list: { flags: log.replace('--stdin', '') }, show: { flags: diff, positionals: revisions } },
				positionals: 'name',
			},
			config: {
				flags:
					'-l --list --get=name --get-all=name --get-regexp=text --show-origin --show-scope --name-only --local --global --system -z --bool --int',
				positionals: '',
			},
			'check-ignore': { flags: '-q -v -n --quiet --verbose --non-matching', positionals: 'path+' },
			version: { flags: '--build-options' },
		},
		allows: [
			'git status',
			'git log --oneline -5',
			'git diff --stat HEAD~1',
			'git -C /tmp show HEAD:README.md',
			'git branch -a',
			'git remote -v',
			'git log --pretty=format:%h -- src',
			"git log --format='%h %an %s%%G' -3",
			"git for-each-ref --sort=-committerdate --format='%(refname:short) %(subject)'",
			'git -C src diff a b',
			'git stash list',
		],
		denies: [
			'git -c core.pager=id log',
			'git -c alias.x=!id x',
			'git --exec-path=/tmp status',
			'git diff --output=/tmp/x',
			'git diff --no-index /etc/shadow /dev/null',
			'git diff --ext-diff',
			'git show --textconv x',
			'git log --outp=/tmp/x',
			'git grep -O x',
			'git branch evil',
			'git branch -D main',
			'git push',
			'git fetch',
			'git clone x',
			'git config core.pager id',
			'git config alias.x !id',
			'git stash',
			'git remote add x y',
			'git tag x',
			'git bisect run id',
			'git --git-dir=/tmp/x log',
			'git -p log',
			'git help log',
			'git difftool',
			'git archive --remote=x HEAD',
			'git stash pop',
			'git reflog delete x',
			'git diff /etc/shadow x',
			'git log --format=%G?',
			"git log --pretty='format:%h %+GK'",
			"git for-each-ref --format='%(signature:key)'",
			'git --help log',
			'git -C /etc diff shadow passwd',
			'git -C / -C etc diff shadow passwd',
			'git -C /root status',
			'git -C .. status',
		],
	},
];
