#!/usr/bin/env bash
# Reads the stand-ins through public clients of the real services.
#
#   tests/simulators/clients/run.sh SIMULATORS
#
# SIMULATORS is the built binary. The clients are installed in an environment of their own, which goes
# with the run. Ends with 77 where that can't be done: it needs python3 with venv, and a way to the
# packages.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
simulators=$(readlink -f "$1")
films=60 series=8 anime=5
scratch=$(mktemp -d)
served=
ended() {
    [ -z "$served" ] || kill "$served" 2>/dev/null || true
    rm -rf "$scratch"
}
trap ended EXIT

cant() {
    echo "SKIPPED: the public clients were not tried: $*" >&2
    exit 77
}

python3 -m venv "$scratch/python" >&2 || cant "python3 has no venv"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
timeout 180 "$scratch/python/bin/pip" install --quiet --retries 1 --timeout 15 \
    --requirement "$here/requirements.txt" >&2 || cant "pip can't install them"

# Once at the root of the address, once below a path.
for below in "" --url-base; do
    "$simulators" --library "$scratch/library" --films $films --series $series --anime $anime \
        ${below:+"$below"} >"$scratch/addresses" &
    served=$!
    for _ in $(seq 100); do
        ! grep -q ^ready "$scratch/addresses" || break
        kill -0 "$served"
        sleep 0.1
    done
    address() {
        awk -v name="$1" '$1 == name { print $2; print $3 }' "$scratch/addresses"
    }
    mapfile -t addresses < <(address radarr && address sonarr && address jellyfin)
    timeout 60 "$scratch/python/bin/python" "$here/read.py" "${addresses[@]}" $films $series $anime
    kill "$served"
    wait "$served" || true
    served=
done
echo "the public clients read all of it"
