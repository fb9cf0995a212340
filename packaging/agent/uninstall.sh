#!/bin/bash
# Removes the services of the device agent, and with --purge everything it ever wrote.
# Functions are called by step().
# shellcheck disable=SC2317
set -euo pipefail
# shellcheck source=packaging/agent/common.sh
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/common.sh"

purges=no

usage() {
	cat <<END
Removes the services of the device agent. Configuration, keys, audit, copies, and the users they belong to stay,
unless --purge is given. The npm package stays, too: npm uninstall -g n8n-nodes-secure-code

Usage: uninstall.sh [--purge] [--root DIR] [--dry-run]

  --purge      remove data, copies of upgrades, and both users as well; there is no way back
  --root DIR   work on DIR instead of this machine (also: DESTDIR=DIR); nothing is stopped
  --dry-run    only say what would be done
END
}

remove_user() {
	local user=$1
	if has_entry passwd "$user"; then step "Remove the user $user" account userdel "$user"; fi
	# userdel takes the group of the same name along, unless this system says otherwise.
	if [[ $is_dry == no ]] && has_entry group "$user"; then step "Remove the group $user" account groupdel "$user"; fi
}

remove() {
	[[ -e $root$1 ]] || return 0
	step "Remove $1" rm -rf -- "$root$1"
}

main() {
	[[ -z ${DESTDIR:-} ]] || set_root "$DESTDIR"
	while (($# > 0)); do
		case $1 in
			--help | -h) usage; return ;;
			--dry-run) is_dry=yes ;;
			--purge) purges=yes ;;
			--root) set_root "${2:-}"; shift ;;
			*) fail "$ex_usage" "unknown word \"$1\"; see --help" ;;
		esac
		shift
	done
	need_root
	say "Removing the services of the device agent${root:+ from $root}"
	local unit
	for unit in "$front_unit" "$exec_unit"; do
		if [[ -e $root$unit_folder/$unit ]]; then
			systemd disable --now "$unit"
			remove "$unit_folder/$unit"
		fi
	done
	systemd daemon-reload
	if [[ $purges == no ]]; then
		say "Kept: $data, $exec_data, $backups, and the users $front_user and $exec_user. uninstall.sh --purge removes them."
		return
	fi
	for unit in "${units[@]}"; do remove "$unit_folder/$unit.d"; done
	for folder in "$data" "$exec_data" "$backups"; do remove "$folder"; done
	remove_user "$exec_user"
	remove_user "$front_user"
}

main "$@"
exit
