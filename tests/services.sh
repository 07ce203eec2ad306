#!/bin/sh
# The tests use the real things: Chromium, PostgreSQL, Redis, and kubectl to render ops/kubernetes. What is there is used, the rest is Debian's.
set -eu
wanted=""
has() { command -v "$1" >/dev/null 2>&1; }
has chromium || has chromium-browser || has google-chrome || wanted="$wanted chromium"
has initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
has redis-server || wanted="$wanted redis-server"
has kubectl || wanted="$wanted kubernetes-client"
has openssl || wanted="$wanted openssl"
has strace || wanted="$wanted strace"
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || wanted="$wanted faketime"
[ -n "$wanted" ] || exit 0
if ! has apt-get; then
    echo "Error: the tests need$wanted; install what is missing and run make test again." >&2
    exit 1
fi
as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo"
$as_root apt-get update -qq
DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq $wanted >/dev/null
