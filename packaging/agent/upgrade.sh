#!/bin/bash
# Takes the services of the device agent to the version of the package that this script is part of.
# Functions are called by step().
# shellcheck disable=SC2317
set -euo pipefail
# shellcheck source=packaging/agent/common.sh
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/common.sh"

usage() {
	cat <<END
Takes the services of the device agent to the version of this package: stops them, keeps a copy of configuration, keys,
policy and audit, writes the new units, starts them again, and says how to go back. Update the package with npm first.

Usage: upgrade.sh [--node PATH] [--root DIR] [--dry-run]

  --node PATH   Node.js (from 22.13 on) that the services use
  --root DIR    work on DIR instead of this machine (also: DESTDIR=DIR); nothing is stopped or started
  --dry-run     only say what would be done
END
}

# Output of commands may be large and does not last anyway, but it lies in the database; a stopped agent's files fit together.
back_up() {
	local archive=$1
	install -d -m 0700 "$root$backups"
	(umask 077 && tar -C "${root:-/}" --exclude="${data#/}/run/*" -czf "$root$archive" "${data#/}" "${units[@]/#/${unit_folder#/}/}")
}

# A second upgrade within a second must not write over the first one's copy.
new_archive() {
	local stamp count=0 archive
	stamp=$(date -u +%Y%m%dT%H%M%SZ)
	archive=$backups/$stamp.tar.gz
	while [[ -e $root$archive ]]; do archive=$backups/$stamp-$((++count)).tar.gz; done
	say "$archive"
}

hint() {
	local archive=$1 old=$2
	say "To go back:
  systemctl stop ${units[*]}
  npm install -g n8n-nodes-secure-code@${old:-VERSION}
  rm -rf $data && tar -C / -xpzf $archive
  systemctl daemon-reload && systemctl start ${units[*]}"
}

main() {
	[[ -z ${DESTDIR:-} ]] || set_root "$DESTDIR"
	while (($# > 0)); do
		case $1 in
			--help | -h) usage; return ;;
			--dry-run) is_dry=yes ;;
			--node) needed "$1" "${2:-}"; node=$2; shift ;;
			--root) set_root "${2:-}"; shift ;;
			*) fail "$ex_usage" "unknown word \"$1\"; see --help" ;;
		esac
		shift
	done
	need_root
	find_program
	refuse_hidden
	[[ -e $root$data/config.yaml && -e $root$unit_folder/$front_unit && -e $root$unit_folder/$exec_unit ]] ||
		fail "$ex_config" "no agent is installed here${root:+ (in $root)}; use install.sh"
	local old archive was_active=no
	old=$(installed_version)
	archive=$(new_archive)
	say "Upgrading the device agent from ${old:-an unknown version} to $(version)"
	if is_active "$front_unit"; then was_active=yes; fi
	systemd stop "${units[@]}"
	step "Keep a copy in $archive" back_up "$archive"
	step "Write the units ${units[*]} into $unit_folder" write_units
	systemd daemon-reload
	if [[ $was_active == yes ]] && ! systemd start "${units[@]}"; then
		hint "$archive" "$old" >&2
		fail 1 "the new version does not start; see: journalctl -u $front_unit"
	fi
	hint "$archive" "$old"
}

main "$@"
exit
