#!/bin/sh
# train.sh - `make train`: fetches photographs from Debian 12's packages and learns the filters of upscale method="learned".
# train.sh TRAIN FOLDER [DEBS]: TRAIN is the built tests/tools/train.c; x2, x3 and x4.weights are written to FOLDER. Packages
# are downloaded with apt-get (or taken from DEBS), unpacked, not installed. A picture of another sha256 ends the run. Needs
# ffmpeg, 1 GB under $TMPDIR, a minute of one core. The same pictures give the same files byte by byte, whatever the compiler's
# options, ffmpeg's assembly or the locale; the last lines say whether what lay in FOLDER has changed.
# SPDX-License-Identifier: BSD-2-Clause
train=$1 out=$2 debs=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d "${TMPDIR:-/tmp}/train.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
fail() { echo "train: $*" >&2; exit 1; }
[ -x "$train" ] || fail "build it first: make train"
fetch() { # package version
	deb=$(find "${debs:-$tmp}" -maxdepth 1 -name "$1_$2_*.deb" | head -1)
	if [ -z "$deb" ]; then
		(cd "$tmp" && apt-get -q download "$1=$2") > "$tmp/log" 2>&1 || fail "cannot download $1 $2: $(tail -1 "$tmp/log")"
		deb=$(find "$tmp" -maxdepth 1 -name "$1_*.deb" | head -1)
	fi
	dpkg-deb -x "$deb" "$tmp/$1" || fail "cannot unpack $deb"
}
: > "$tmp/list"
package= version=
while read -r a b c d e; do
	case $a in
	''|'#'*) ;;
	package) package=$b version=$c; fetch "$b" "$c" ;;
	*) # sha256 shrink path licence
		file=$tmp/$package/$c
		[ "$(sha256sum < "$file" | cut -d' ' -f1)" = "$a" ] || fail "$package: $c is not the picture that was trained on"
		name=$(basename "$c")
		ffmpeg -nostdin -v error -y -threads 1 -flags bitexact -i "$file" -vf scale=flags=accurate_rnd+full_chroma_int+bitexact \
			-pix_fmt rgb24 "$tmp/$name.ppm" || fail "$package: cannot decode $c"
		echo "$tmp/$name.ppm $b $package $version $name $d $a" >> "$tmp/list" ;;
	esac
	: "$e"
done < "$here/train-pictures.txt"
mkdir -p "$out"
for f in 2 3 4; do "$train" $f "$tmp/list" "$tmp/x$f.weights" || exit 1; done
for f in 2 3 4; do
	if cmp -s "$tmp/x$f.weights" "$out/x$f.weights"; then said=same; else said=changed; fi
	mv "$tmp/x$f.weights" "$out/x$f.weights" || exit 1
	echo "$(cd "$out" && sha256sum "x$f.weights") ($said)"
done
