# shellcheck shell=bash disable=SC2034
# What install.sh, upgrade.sh and uninstall.sh share: names, places, and how a step is announced and done.

readonly front_user=secure-code-agent exec_user=secure-code-exec
readonly data=/var/lib/secure-code-agent exec_data=/var/lib/secure-code-exec
readonly backups=/var/backups/secure-code-agent
readonly unit_folder=/etc/systemd/system
readonly front_unit=secure-code-agent.service exec_unit=secure-code-agent-exec.service
readonly units=("$exec_unit" "$front_unit")
readonly exec_socket=/run/secure-code-agent/exec.sock

# Exit codes of sysexits.h.
readonly ex_usage=64 ex_noperm=77 ex_config=78

# Tools for accounts are not on everybody's path.
PATH=$PATH:/usr/sbin:/sbin

root=''
is_dry=no
node=''
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
main=$here/../cli/main.js

say() { printf '%s\n' "$*"; }

fail() {
	printf 'Error: %s\n' "$2" >&2
	exit "$1"
}

# Says what comes, then does it, unless this is a dry run: step "words" command argument...
step() {
	say "- $1"
	shift
	[[ $is_dry == yes ]] || "$@"
}

needed() { [[ -n ${2:-} ]] || fail "$ex_usage" "$1 needs a value"; }

set_root() {
	needed --root "$1"
	# The path is put into patterns of sed, so it must be plain.
	[[ $1 =~ ^/[A-Za-z0-9/._-]+$ && $1 != *..* ]] || fail "$ex_usage" "--root $1: must be a whole, plain path"
	root=${1%/}
}

need_root() {
	[[ $is_dry == yes || $EUID -eq 0 ]] || fail "$ex_noperm" 'this makes users and services, so it needs root: use sudo'
}

# systemd is told only where it runs, and never about a folder that is only being filled.
has_systemd() { [[ -z $root && -d /run/systemd/system ]]; }

systemd() {
	has_systemd || return 0
	step "systemctl $*" systemctl "$@"
}

is_active() { has_systemd && systemctl --quiet is-active "$1"; }

# Lines of passwd or group: those of this machine, or of the folder that is filled.
entry() {
	if [[ -n $root ]]; then
		[[ -f $root/etc/$1 ]] && grep "^$2:" "$root/etc/$1"
	else
		getent "$1" "$2"
	fi
}

has_entry() { entry "$1" "$2" >/dev/null; }

# uid:gid of a user, as numbers, because a folder that is filled has numbers of its own.
ids_of() { entry passwd "$1" | cut -d: -f3,4; }

# shadow's tools for accounts, on this machine or in the folder.
account() {
	local tool=$1
	shift
	if [[ -n $root ]]; then "$tool" --prefix "$root" "$@"; else "$tool" "$@"; fi
}

is_fit() { [[ -x $1 ]] && "$1" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 13) ? 0 : 1)' 2>/dev/null; }

# The Node.js that the services use: the one that was named, the one that came with the package, or the one on PATH.
find_program() {
	[[ -f $main ]] || fail "$ex_config" "$main is not there; start this script where the npm package put it"
	main=$(realpath -- "$main")
	local modules candidate
	modules=$(dirname -- "$main")/../../node_modules
	if [[ -n $node ]]; then
		is_fit "$node" || fail "$ex_config" "--node $node: this is no Node.js from 22.13 on"
	else
		for candidate in "$modules"/node-linux-*/bin/node "$(command -v node || true)"; do
			if is_fit "$candidate"; then
				node=$candidate
				break
			fi
		done
	fi
	[[ -n $node ]] || fail "$ex_config" 'there is no Node.js from 22.13 on; say where with --node PATH'
	node=$(realpath -- "$node")
}

# The units hide these folders, and nothing else can be started from there.
refuse_hidden() {
	[[ -z $root ]] || return 0
	local path
	for path in "$node" "$main"; do
		[[ ! $path =~ ^/(home|root|run/user|tmp|var/tmp)/ ]] ||
			fail "$ex_config" "the services cannot see $path; install Node.js and the package for everybody, for example below /usr/local"
	done
}

cli() { "$node" "$main" "$@"; }

version() { "$node" -p 'require(process.argv[1]).version' "$here/../../package.json"; }

put_unit() {
	local made=$1 unit=$2 place=$root$unit_folder/$2
	{
		say "# n8n-nodes-secure-code $(version)"
		sed "s|$made|$data|g" "$made/units/$unit"
	} >"$place.new"
	chmod 0644 "$place.new"
	mv -f -- "$place.new" "$place"
}

# Units are what "agent init" of this version writes; a throw-away agent lends them.
write_units() {
	local lender unit
	lender=$(mktemp -d /tmp/secure-code-units.XXXXXXXX)
	cli agent init --dir "$lender/agent" --json >/dev/null
	install -d -m 0755 "$root$unit_folder"
	for unit in "${units[@]}"; do put_unit "$lender/agent" "$unit"; done
	rm -rf -- "$lender"
}

# Which version the installed units are of; nothing when there are none.
installed_version() { sed -n '1s/^# n8n-nodes-secure-code //p' "$root$unit_folder/$front_unit" 2>/dev/null || true; }

