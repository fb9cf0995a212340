#!/bin/bash
# Installs the device agent as two services of systemd.
# Functions are called by step().
# shellcheck disable=SC2317
set -euo pipefail
# shellcheck source=packaging/agent/common.sh
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/common.sh"

starts=yes
sets_up=yes

usage() {
	cat <<END
Installs the device agent as two services of systemd: a front that holds the keys, and an exec side that runs commands.
Doing it again changes only what is missing or old. Every step is said before it is done.

Usage: install.sh [--node PATH] [--no-start] [--no-setup] [--root DIR] [--dry-run] [-- FLAGS OF "secure-code agent init"]

  --node PATH   Node.js (from 22.13 on) that the services use
  --no-start    install, but do not enable and start
  --no-setup    do not fetch nsjail where it is missing
  --root DIR    fill DIR instead of this machine (also: DESTDIR=DIR); nothing is started or fetched
  --dry-run     only say what would be done

Example:
  install.sh -- --faces native --device-id web-1
END
}

make_user() {
	local user=$1 home=$2
	if has_entry passwd "$user"; then say "- The user $user is there already"; return; fi
	step "Make the user $user, with a group of its own and without a login" \
		account useradd --system --user-group --no-create-home --home-dir "$home" --shell /usr/sbin/nologin "$user"
}

# A folder that is filled may have no accounts yet.
prepare_root() {
	install -d -m 0755 "$root/etc" "$root/var/lib"
	local file
	for file in passwd group; do [[ -e $root/etc/$file ]] || install -m 0644 /dev/null "$root/etc/$file"; done
	for file in shadow gshadow; do [[ -e $root/etc/$file ]] || install -m 0640 /dev/null "$root/etc/$file"; done
}

# Makes it beside its place and moves it there when it is whole.
make_agent() {
	local unfinished=$root$data.new
	rm -rf -- "$unfinished"
	cli agent init --dir "$unfinished" "$@" | sed "s|$unfinished|$data|g; /^Next: /d"
	printf '# Commands run on the exec side, as another user than the one that holds the keys.\nrunner:\n  socket: %s\n' \
		"$exec_socket" >>"$unfinished/config.yaml"
	# These units name the place where they were made; those of systemd are written below.
	rm -rf -- "$unfinished/units"
	chown -hR "$(ids_of "$front_user")" "$unfinished"
	# Takes an empty folder away, and ends here for any other.
	[[ ! -e $root$data ]] || rmdir -- "$root$data"
	mv -- "$unfinished" "$root$data"
}

make_exec_folder() { install -d -m 0700 -o "$(ids_of "$exec_user" | cut -d: -f1)" -g "$(ids_of "$front_user" | cut -d: -f2)" "$root$exec_data"; }

has_nsjail() { PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin command -v nsjail >/dev/null || compgen -G "$exec_data/nsjail/*/nsjail/bin/nsjail" >/dev/null; }

fetch_nsjail() {
	SECURE_CODE_HOME=$exec_data cli setup --yes || say '  "secure-code setup" found something to mend; the agent refuses to run commands until then.'
	chown -hR "$(ids_of "$exec_user" | cut -d: -f1):$(ids_of "$front_user" | cut -d: -f2)" "$exec_data"
}

main() {
	[[ -z ${DESTDIR:-} ]] || set_root "$DESTDIR"
	while (($# > 0)); do
		case $1 in
			--help | -h) usage; return ;;
			--dry-run) is_dry=yes ;;
			--no-start) starts=no ;;
			--no-setup) sets_up=no ;;
			--node) needed "$1" "${2:-}"; node=$2; shift ;;
			--root) set_root "${2:-}"; shift ;;
			--) shift; break ;;
			*) fail "$ex_usage" "unknown word \"$1\"; see --help" ;;
		esac
		shift
	done
	need_root
	find_program
	refuse_hidden
	say "Installing the device agent of n8n-nodes-secure-code $(version)${root:+ into $root}"
	[[ -z $root || $is_dry == yes ]] || prepare_root
	make_user "$front_user" "$data"
	make_user "$exec_user" "$exec_data"
	if [[ -e $root$data/config.yaml ]]; then
		say "- The agent in $data is there already; nothing in it is changed"
	else
		step "Make an agent in $data; its keys are shown this one time" make_agent "$@"
	fi
	if [[ ! -d $root$exec_data ]]; then step "Make $exec_data for the exec side" make_exec_folder; fi
	if [[ $sets_up == yes && -z $root ]] && ! has_nsjail; then step "Fetch nsjail into $exec_data" fetch_nsjail; fi
	step "Write the units ${units[*]} into $unit_folder" write_units
	systemd daemon-reload
	if [[ $starts == yes ]]; then systemd enable --now "${units[@]}"; fi
	say "Done. Is it safe and can it work:
  sudo -u $front_user '$node' '$main' agent doctor --dir $data"
}

main "$@"
exit
