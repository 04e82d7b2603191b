# setup.sh - sourced by test scripts: $top is the project's folder, $I the program; the script goes on in $tmp, an empty
# folder of its own.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
I=${INTERNEG:-$PWD/interneg}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
say() { # good-or-bad name why
	if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2: $(echo "$3" | head -c 300 | tr '\n' ' ')"; fi
}
cd "$tmp" || exit 1
