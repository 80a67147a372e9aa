#!/usr/bin/env bash
# Installs the servers that the tests and the demo start privately: RabbitMQ and Redis. Only the programs are wanted;
# the system's own services, where the installation starts any, are held back.
#
# Where that is impossible it says why and goes on: the tests that need them are then skipped, aloud. With CI set it fails.
set -euo pipefail

missing=()
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || command -v rabbitmq-server >/dev/null || missing+=(rabbitmq-server)
command -v redis-server >/dev/null || missing+=(redis-server)
[ ${#missing[@]} -eq 0 ] && exit 0

give_up() {
    echo "Not installed: ${missing[*]} ($1). The tests that need them can't run." >&2
    [ -z "${CI:-}" ] || exit 1
    exit 0
}

command -v apt-get >/dev/null || give_up "there is no apt-get here: install them by hand"
[ "$(id -u)" -eq 0 ] || give_up "only root may: run 'sudo apt-get install ${missing[*]}'"

policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    # Debian asks this program whether a package may start its service: 101 is no.
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -qq)
echo "Installing ${missing[*]} ..."
"${apt[@]}" update || echo "apt-get update failed; trying the lists at hand" >&2
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null || give_up "apt-get install failed"
