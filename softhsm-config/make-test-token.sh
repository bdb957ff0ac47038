#!/bin/sh
# Makes an empty SoftHSM token directory and its configuration under a directory of your own:
#
#     make-test-token.sh <directory> [label]
#
# With a label, a token is made too, and its PINs are left in <directory>/pin and <directory>/so-pin (0600).
# The system's configuration and tokens are never read nor written. The last line says how to use the result.
set -eu
umask 077

if [ $# -lt 1 ] || [ $# -gt 2 ]; then
    echo "usage: $0 <directory> [label]" >&2
    exit 2
fi
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p -- "$1"
home=$(CDPATH='' cd -- "$1" && pwd)
conf=$home/softhsm2.conf
label=${2:-}

if [ -e "$conf" ]; then
    echo "$0: $conf is there already; a token is never overwritten" >&2
    exit 5
fi
case $home in
    *[!A-Za-z0-9/._-]*)
        echo "$0: the directory's path may only contain letters, digits and / . _ -" >&2
        exit 2
        ;;
esac
mkdir -- "$home/tokens"
sed "s|@TOKENDIR@|$home/tokens|" "$here/softhsm2.conf.in" >"$conf"

if [ -n "$label" ]; then
    command -v softhsm2-util >/dev/null || {
        echo "$0: softhsm2-util is missing: install softhsm2" >&2
        exit 69
    }
    # Digits only, because some tokens take nothing else.
    random_pin() { od -An -N8 -tu8 /dev/urandom | tr -d ' \n' | cut -c1-12; }
    random_pin >"$home/pin"
    random_pin >"$home/so-pin"
    SOFTHSM2_CONF=$conf softhsm2-util --init-token --free --label "$label" \
        --pin "$(cat "$home/pin")" --so-pin "$(cat "$home/so-pin")" >&2
fi
echo "SOFTHSM2_CONF=$conf"
