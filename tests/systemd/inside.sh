#!/bin/sh
# The installed unit under a real systemd. Runs inside a system that may be thrown away, as root:
# it makes a user, writes to /etc, and starts and ends obituarr. `tests/systemd/run` makes one.
#
# It expects the daemon as /usr/bin/obituarr, one built with the feature test-hooks as
# /usr/bin/obituarr-hooks, and the unit where it will be installed.
set -eu

config=/etc/obituarr/obituarr.toml
media=/var/obituarr-media

say() { printf '%s\n' "- $*"; }
fail() {
    printf '%s\n' "FAILED: $*" >&2
    systemctl status --no-pager --full obituarr >&2 || true
    journalctl --no-pager -u obituarr | tail -n 40 >&2
    exit 1
}
# Waits at most $1 seconds until the rest of the arguments succeeds.
await() {
    left=$(($1 * 10))
    shift
    until "$@"; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || return 1
        sleep 0.1
    done
}
of() { systemctl show --value -p "$1" obituarr; }
status_has() { of StatusText | grep -q "$1"; }
# The journal's lines of one kind, as JSON.
lines() { journalctl --no-pager -o json -u obituarr "OBITUARR_KIND=$1"; }
has_line() { lines "$1" | grep -q "$2"; }
write_config() { printf '%s\n' "$1" '[roots.movies]' "path = \"$media\"" '[confirm]' 'settle = "1s"' >"$config"; }

say 'the unit has no mistakes'
said=$(systemd-analyze verify /usr/lib/systemd/system/obituarr.service 2>&1) || fail "$said"
[ -z "$said" ] || fail "$said"

id obituarr >/dev/null 2>&1 || useradd --system --no-create-home obituarr
mkdir -p /etc/obituarr "$media/Heat (1995)" "$media/Ran (1985)"
touch "$media/Heat (1995)/Heat.mkv" "$media/Ran (1985)/Ran.mkv"
write_config ''

say 'it starts, is ready and says how it is'
systemctl start obituarr || fail 'it does not start'
[ "$(of ActiveState)" = active ] || fail 'it is not active'
await 10 status_has 'all is well' || fail "its status is: $(of StatusText)"
obituarr status >/dev/null || fail 'it does not answer'
[ "$(stat -c %U:%G:%a /run/obituarr/control.sock)" = obituarr:obituarr:660 ] || fail 'control.sock'

say 'it reads the configuration again, a good one and a bad one'
[ ! -e /bin/kill ] || say '(this system has a /bin/kill, so the unit may have used it)'
systemctl reload obituarr || fail 'it does not reload'
await 10 has_line reloaded MESSAGE_ID || fail 'the journal has no line of the reload'
write_config 'nonsense = 1'
systemctl reload obituarr || fail 'it does not reload'
await 10 status_has 'configuration is wrong' || fail "its status is: $(of StatusText)"
[ "$(of ActiveState)" = active ] || fail 'it did not survive a mistake in the configuration'
write_config ''
systemctl reload obituarr
await 10 status_has 'all is well' || fail "its status is: $(of StatusText)"

say 'a title dies, and the journal says so with fields'
rm -r "$media/Heat (1995)"
await 30 has_line confirmed '"OBITUARR_TITLE":"Heat"' || fail 'the journal has no line of it'
has_line confirmed '"MESSAGE_ID":"[0-9a-f]\{32\}"' || fail 'it has no MESSAGE_ID'
has_line confirmed '"PRIORITY":"6"' || fail 'it has another priority'
has_line confirmed '"_SYSTEMD_UNIT":"obituarr.service"' || fail 'it is of no unit'
for kind in ready online adopted lost forwarded; do
    has_line "$kind" MESSAGE_ID || fail "the journal has no line of the kind $kind"
done
order=$(journalctl --no-pager -o cat --output-fields=OBITUARR_KIND -u obituarr | grep -E -m 3 '^(adopted|online|ready)$' | tr '\n' ' ')
[ "$order" = 'adopted online ready ' ] || fail "the first lines are: $order"

say 'it stops within five seconds'
before=$(date +%s)
systemctl stop obituarr || fail 'it does not stop'
[ $(($(date +%s) - before)) -le 5 ] || fail 'it took too long to stop'
[ "$(of Result):$(of ExecMainStatus)" = success:0 ] || fail "$(of Result), $(of ExecMainStatus)"
has_line stopping MESSAGE_ID || fail 'the journal has no line of the end'

say 'with a mistake in the configuration it does not start, and is not tried again'
write_config 'nonsense = 1'
! systemctl start obituarr 2>/dev/null || fail 'it started'
[ "$(of ExecMainStatus):$(of NRestarts):$(of ActiveState)" = 78:0:failed ] || fail 'wrong end'
write_config ''
systemctl reset-failed obituarr

far() {
    far=/var/obituarr-far
    mkdir -p "$far" /run/systemd/system/obituarr.service.d
    # Nobody serves it: whoever looks at it waits.
    (
        exec 9<>/dev/fuse
        mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0,allow_other far "$far"
        exec sleep 300
    ) &
    holder=$!
    await 10 grep -q " $far " /proc/mounts || fail 'no file system that hangs'
    cat >/run/systemd/system/obituarr.service.d/far.conf <<END
[Service]
ExecStart=
ExecStart=/usr/bin/obituarr-hooks run
Environment=OBITUARR__ROOTS__FAR__PATH=$far OBITUARR_TEST_STALLED=6
TimeoutStartSec=3
END
    systemctl daemon-reload
    before=$(date +%s)
    systemctl start obituarr || fail 'it was not given the time that it asked for'
    [ $(($(date +%s) - before)) -ge 5 ] || fail 'the root did not hang'
    await 10 status_has 'stalled: far' || fail "its status is: $(of StatusText)"
    obituarr status --json | grep -q '"health": "stalled"' || fail 'it does not answer'
    systemctl stop obituarr || fail 'it does not stop'
    [ "$(of Result):$(of ExecMainStatus)" = success:0 ] || fail "$(of Result), $(of ExecMainStatus)"
    kill "$holder"
    umount -l "$far"
    rm /run/systemd/system/obituarr.service.d/far.conf
}
if grep -qw fuse /proc/filesystems; then
    say 'a root that hangs holds up the start for longer than the unit allows, and is named'
    far
else
    say 'SKIPPED: a root that hangs; this kernel has no FUSE'
fi

say 'a loop that stands still is killed by the watchdog and started again'
mkdir -p /run/systemd/system/obituarr.service.d
cat >/run/systemd/system/obituarr.service.d/wedge.conf <<END
[Service]
ExecStart=
ExecStart=/usr/bin/obituarr-hooks run
Environment=OBITUARR_TEST_WEDGE=4
WatchdogSec=2
RestartSec=1
END
systemctl daemon-reload
systemctl start obituarr || fail 'it does not start'
restarted() { [ "$(of NRestarts)" -ge 1 ] && [ "$(of ActiveState)" = active ]; }
await 30 restarted || fail 'it was not started again'
journalctl --no-pager -u obituarr | grep -q 'Watchdog timeout' || fail 'it was not the watchdog'
[ "$(lines ready | wc -l)" -ge 3 ] || fail 'it was not ready again'
systemctl stop obituarr
say 'all is well'
