#!/usr/bin/env bash
# Proves at full size what `.ci/run` only tries: `bench` runs the benches and prints the figures,
# `core` lets 500,000 random histories happen to the core, `kills` ends the daemon 1,000 times in the
# middle of deletions. Each prints the date, the machine and the commands.
#
# The benches make trees of a million files: in memory, where there is room for it, so that the disk
# is not what is measured. They are gone when it ends.
set -euo pipefail
cd "$(dirname "$0")/.."
exec </dev/null

# A million files in a tmpfs take 4 GB.
room_kib=6000000

place() {
    local free
    free=$(df --output=avail /dev/shm 2>/dev/null | tail -n 1) || free=0
    if [ "${free:-0}" -ge "$room_kib" ]; then echo /dev/shm; else echo "${TMPDIR:-/tmp}"; fi
}

run() {
    printf '\n+ %s\n' "$*"
    "$@"
}

proof_bench() {
    export OBITUARR_BENCH=full OBITUARR_BENCH_DIR=${OBITUARR_BENCH_DIR:-$(place)}
    date --utc '+%F %T UTC'
    printf '%s, %s cores, Linux %s, commit %s, trees on %s\n' \
        "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(uname -r)" \
        "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" \
        "$(stat -f -c %T "$OBITUARR_BENCH_DIR")"
    printf 'load before: %s\n' "$(cut -d ' ' -f 1-3 /proc/loadavg)"
    run cargo bench --quiet --bench walks
    run cargo bench --quiet --bench changes
    run cargo bench --quiet --bench sweeps
    printf 'load after: %s\n' "$(cut -d ' ' -f 1-3 /proc/loadavg)"
}

proof_core() {
    date --utc '+%F %T UTC'
    PROPTEST_CASES=500000 run cargo test --release --lib core::tests::whatever_happens
}

proof_kills() {
    date --utc '+%F %T UTC'
    OBITUARR_TEST_KILLS=1000 run cargo test --release --test suite killed_at_random_moments
}

case ${1:-} in
bench) proof_bench ;;
core) proof_core ;;
kills) proof_kills ;;
*)
    echo "usage: tests/proof.sh bench|core|kills" >&2
    exit 2
    ;;
esac
