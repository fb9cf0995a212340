#!/usr/bin/env bash
# Builds the package and installs it into an n8n, or shows it in a demo n8n of its own.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
package=n8n-nodes-secure-code

usage() {
	cat <<'HELP'
Installs the Secure Code nodes into an n8n on this machine, or shows them in a demo.

Usage
  ./deploy-to-n8n.sh                        into your own n8n ($N8N_USER_FOLDER, else your home folder)
  ./deploy-to-n8n.sh --user-folder DIR      into the n8n that keeps its data in DIR/.n8n
  ./deploy-to-n8n.sh --docker CONTAINER     into the n8n of a running Docker container
  ./deploy-to-n8n.sh --demo                 starts a fresh n8n with example workflows; touches nothing of yours
  ./deploy-to-n8n.sh --demo --once TEXT     asks the demo's agent one question, prints its answer and ends

Options
  --package FILE    installs this packed package (from "npm pack") instead of building one
  -h, --help        this text

Each way builds the package and replaces an older version. Other node packages stay as they are.

The demo brings what it needs: nsjail, Node.js and n8n. The first start downloads n8n, which takes some minutes;
later ones work offline. Its model is a small built-in stand-in, unless one of these is set:
  OPENAI_API_KEY                  OpenAI, or with OPENAI_BASE_URL another server that speaks its language
  OLLAMA_HOST, OLLAMA_BASE_URL    the models of an Ollama
  SECURE_CODE_DEMO_MODEL          the name of the model
HELP
}

say() { printf '%s\n' "$*" >&2; }

fail() {
	say "$1"
	exit "${2:-1}"
}

misused() { fail "$1 See ./deploy-to-n8n.sh --help" 64; }

mode=folder
container=
user_folder=${N8N_USER_FOLDER:-$HOME}
once=()
tarball=

read_arguments() {
	while (($# > 0)); do
		case $1 in
		-h | --help) usage && exit 0 ;;
		--demo) mode=demo ;;
		--user-folder | --docker | --once | --package)
			(($# > 1)) || misused "$1 needs a value."
			case $1 in
			--user-folder) user_folder=$2 ;;
			--docker) mode=docker container=$2 ;;
			--once) once=(--once "$2") ;;
			--package) tarball=$(realpath -e "$2") || misused "There is no file $2." ;;
			esac
			shift
			;;
		*) misused "Unknown argument: $1." ;;
		esac
		shift
	done
	[[ ${#once[@]} -eq 0 || $mode == demo ]] || misused "--once belongs to --demo."
}

need() { command -v "$1" >/dev/null || fail "$1 is needed and was not found. $2" 69; }

need_container() {
	need docker "Install it, or run this on the machine where the container runs."
	docker inspect --type container "$container" >/dev/null 2>&1 ||
		fail "Docker has no container called \"$container\". These are running: $(docker ps --format '{{.Names}}' | paste -sd ' ')" 69
	docker exec "$container" node --version >/dev/null 2>&1 ||
		fail "The container \"$container\" is not running or has no Node.js. Start it with: docker start $container" 69
}

fetch_tools() {
	need npm "It comes with Node.js 20 or later."
	cd "$here"
	[[ -d node_modules ]] || { say "Fetching the tools of the build." && npm ci >&2; }
}

# Leaves the packed package as $tarball.
pack() {
	need tar "Install it with your system's packages."
	[[ -z $tarball ]] || return 0
	fetch_tools
	say "Building."
	npm run --silent build >&2
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	tarball=$work/$(npm pack --silent --pack-destination "$work" | tail -n 1)
}

install_into_folder() { node "$here/scripts/n8n/install-package.mjs" "$tarball" "$1"; }

install_into_container() {
	local inside=/tmp/$package-install
	docker exec "$container" mkdir -p "$inside"
	docker cp "$tarball" "$container:$inside/package.tgz" >&2
	docker cp "$here/scripts/n8n/install-package.mjs" "$container:$inside/install-package.mjs" >&2
	docker exec "$container" node "$inside/install-package.mjs" "$inside/package.tgz"
	docker exec --user 0 "$container" rm -rf "$inside"
}

tell_next_steps() {
	local restart=$1 tool=$2
	say "
Next:
  1. Prepare the sandbox on the machine that runs n8n:  $tool setup
  2. See whether everything is in place:                $tool doctor
  3. Restart n8n:                                       $restart
  4. In a workflow, add \"Secure Code Tool\" to an AI Agent, or import $here/examples/secure-code-agent.json"
}

deploy_to_folder() {
	pack
	local installed
	installed=$(install_into_folder "$user_folder")
	tell_next_steps "stop it and start it again" "node $installed/dist/cli/main.js"
}

deploy_to_container() {
	need_container
	pack
	local installed
	installed=$(install_into_container)
	tell_next_steps "docker restart $container" "docker exec --user 0 $container node $installed/dist/cli/main.js"
}

# A folder for each demo, named after its process, so that what a killed demo left behind is found and removed.
demo_folder() {
	local cache=${XDG_CACHE_HOME:-$HOME/.cache}/$package old
	mkdir -p "$cache"
	for old in "$cache"/demo-*; do
		[[ -d /proc/${old##*-} ]] || rm -rf "$old"
	done
	printf '%s\n' "$cache/demo-$$"
}

demo() {
	fetch_tools
	local node=$here/node_modules/.bin/node folder installed
	[[ -x $node ]] || fail "The demo needs the Node.js 24 that \"npm ci\" brings on Linux (x64, arm64); run it and try again." 69
	pack
	folder=$(demo_folder)
	installed=$(install_into_folder "$folder")
	rm -rf "${work:-}"
	say "Preparing the sandbox."
	"$node" "$installed/dist/cli/main.js" setup --yes >&2 || {
		rm -rf "$folder"
		fail "The sandbox is not ready. See: node dist/cli/main.js doctor" 69
	}
	exec "$node" --disable-warning=MODULE_TYPELESS_PACKAGE_JSON "$here/scripts/n8n/demo.ts" \
		--user-folder "$folder" "${once[@]}"
}

read_arguments "$@"
case $mode in
folder) deploy_to_folder ;;
docker) deploy_to_container ;;
demo) demo ;;
esac
