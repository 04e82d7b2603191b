#!/bin/sh
# deps.sh - installs with apt what the build, or (with `test`) the tests need and the machine lacks.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
build="gcc libc6-dev make pkg-config libxml2-dev libopenexr-dev liblua5.4-dev libavcodec-dev libavformat-dev
libavfilter-dev libavutil-dev libswscale-dev libswresample-dev libxxhash-dev libdeflate-dev nettle-dev zlib1g-dev libpng-dev
g++ libopencolorio-dev libdnnl-dev"
tests="libxml2-utils ffmpeg libzimg-dev python3-numpy python3-scipy"
want="$build"
[ "${1:-}" = test ] && want="$build $tests"
missing=""
for p in $want; do
	case "$(dpkg-query -W -f '${Status}' "$p" 2>/dev/null || true)" in
	*"install ok installed"*) ;;
	*) missing="$missing $p" ;;
	esac
done
[ -z "$missing" ] && exit 0
sudo=""
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || { echo "deps: not root and no sudo; install by hand:$missing" >&2; exit 1; }
	sudo=sudo
fi
echo "deps: installing$missing"
$sudo apt-get update -qq || echo "deps: apt-get update failed, going on with the lists at hand" >&2
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
