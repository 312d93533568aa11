#!/bin/sh
# Asks a polkitd of its own, on a bus of its own, what the rules let two users do; run in a mount namespace of its own.
# Usage: ask_polkit.sh RULES DIRECTORY QUESTION...   a question is "USER ACTION [UNIT VERB]"; each answer is a line, "yes" or "no".
set -eu
rules=$1 directory=$2
shift 2

# Users that this machine need not have.
cp /etc/passwd "$directory/passwd"
echo 'powerd:x:64001:64001::/:/usr/sbin/nologin' >>"$directory/passwd"
echo 'powerd-events:x:64002:64002::/:/usr/sbin/nologin' >>"$directory/passwd"
mount --bind "$directory/passwd" /etc/passwd
mount -t tmpfs -o mode=755 none /etc/polkit-1/rules.d
install -m 644 "$rules" /etc/polkit-1/rules.d/

# Without a file: polkitd is a user that may not enter the directory.
address=unix:abstract=powerd-polkit-$$
cat >"$directory/bus.conf" <<END
<busconfig>
  <type>custom</type>
  <listen>$address</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/>
    <allow send_type="method_call"/> <allow receive_type="method_call"/>
    <allow send_type="method_return"/> <allow receive_type="method_return"/>
    <allow send_type="error"/> <allow receive_type="error"/>
    <allow send_type="signal"/> <allow receive_type="signal"/>
  </policy>
</busconfig>
END
export DBUS_SYSTEM_BUS_ADDRESS="$address"
# What is left behind should this script be killed ends by itself.
timeout 300 dbus-daemon --config-file="$directory/bus.conf" --nofork 2>/dev/null &
bus=$!
trap 'kill $bus' EXIT
until busctl --list >/dev/null 2>&1; do
    kill -0 $bus || exit 1
    sleep 0.1
done
timeout 300 /usr/lib/polkit-1/polkitd >&2 &
polkit=$!
trap 'kill $polkit $bus' EXIT
until busctl --list 2>/dev/null | grep -q '^org.freedesktop.PolicyKit1 '; do
    kill -0 $polkit || exit 1
    sleep 0.1
done

for question; do
    # shellcheck disable=SC2086
    set -- $question
    id=$(awk -F: -v user="$1" '$1 == user { print $3 }' /etc/passwd)
    # A process of that user.
    setpriv --reuid "$id" --regid "$id" --clear-groups sleep 60 &
    asker=$!
    until [ "$(awk '/^Uid:/ { print $2 }' "/proc/$asker/status")" = "$id" ]; do sleep 0.05; done
    if pkcheck --action-id "$2" ${3:+--detail unit "$3" --detail verb "$4"} --process "$asker" >/dev/null 2>&1; then
        echo yes
    else
        echo no
    fi
    kill "$asker"
done
