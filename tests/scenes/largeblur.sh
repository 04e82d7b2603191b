#!/bin/sh
# largeblur.sh - blurs that are halved and doubled: against scipy.ndimage.gaussian_filter on noise and on points, and the
# same bits through the oracle, tiles, threads, fusion and instruction sets.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
py=/usr/bin/python3
if ! $py -c 'import scipy.ndimage' 2> /dev/null || ! command -v ffmpeg > /dev/null; then
	echo "skip largeblur: /usr/bin/python3 with scipy, or ffmpeg, is not here"
	exit 0
fi
cat > "$tmp/make.py" <<'END'
import sys, numpy as np
h, w = 211, 307
a = np.random.RandomState(1).rand(h, w).astype(np.float32)
b = np.zeros((h, w), np.float32)
b[100, 150] = b[3, 2] = 1e4
for n, p in (("noise", a), ("points", b)): np.stack([p, p, p]).tofile(f"{sys.argv[1]}/{n}.raw")
END
cat > "$tmp/compare.py" <<'END'
import sys, numpy as np
from scipy import ndimage
src, out, sx, sy, mode = sys.argv[1:]
a, o = (np.fromfile(f, np.float32).reshape(3, 211, 307)[2].astype(float) for f in (src, out))
g = ndimage.gaussian_filter(a, (float(sy), float(sx)), mode=mode, truncate=6)
d = np.abs(g - o).max() / g.max()
print("ok" if d < 2e-6 else "not ok", "%.2g of the peak" % d)
END
$py "$tmp/make.py" "$tmp"
for im in noise points; do
	ffmpeg -v error -y -f rawvideo -pix_fmt gbrpf32le -s 307x211 -i "$tmp/$im.raw" -c:v exr -format float "$tmp/$im.exr" < /dev/null
done
scene() { # picture sigma sigma_y edges more-attributes
	printf '<graph version="1" name="t" fps="24" working="acescg"><read id="a" file="%s.exr" color="acescg"/><pass id="p" kind="integrate"><blur id="b" in="a" sigma="%s" sigma_y="%s" edges="%s" %s/></pass><write id="w" in="b" file="o.####.exr" color="acescg"/></graph>\n' "$@" > "$tmp/s.xml"
}
hash() { # options... : the frame's hash
	rm -f "$tmp"/o.0001.exr
	"$INTERNEG" render "$tmp/s.xml" --no-cache --progress json "$@" 2> "$tmp/err" |
		sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p'
}
try() { # picture sigma sigma_y edges scipy's mode
	scene "$1" "$2" "$3" "$4" ""
	name="largeblur $1 sigma $2 $3 $4"
	want=$(hash --oracle --threads 1)
	[ -n "$want" ] || { echo "not ok $name: $(head -1 "$tmp/err")"; return; }
	ffmpeg -v error -y -i "$tmp/o.0001.exr" -f rawvideo -pix_fmt gbrpf32le "$tmp/o.raw" < /dev/null
	set -- $($py "$tmp/compare.py" "$tmp/$1.raw" "$tmp/o.raw" "$2" "$3" "$5" 2>&1 | tail -1)
	if [ "$1" = ok ]; then echo "ok $name: scipy's ($2 of the peak)"; else echo "not ok $name: scipy's: $*"; fi
	for o in "--threads 2 --tile 32" "--threads 1 --tile 100000" "--threads 2 --isa baseline" "--no-fuse"; do
		if [ "$(hash $o)" = "$want" ]; then echo "ok $name $o"; else echo "not ok $name $o: differs from the oracle"; fi
	done
}
try noise 6 6 mirror reflect
try noise 15 15 black constant
try noise 60 60 hold nearest
try noise 31 31 mirror reflect
try noise 2 13 black constant
try points 5 5 mirror reflect
try points 15 15 hold nearest
try points 9.7 1.6 mirror reflect
try points 60 60 hold nearest
# a mix stands on the last doubling, where the untouched picture is at hand
scene noise 20 20 hold 'mix="0"'
a=$(hash)
sed 's/<blur[^>]*>//; s/in="b"/in="a"/; s/<pass.*<.pass>//' "$tmp/s.xml" > "$tmp/t.xml" && mv "$tmp/t.xml" "$tmp/s.xml"
if [ -n "$a" ] && [ "$a" = "$(hash)" ]; then echo "ok largeblur mix 0 is the input"; else echo "not ok largeblur mix 0 is the input: $(head -1 "$tmp/err")"; fi
