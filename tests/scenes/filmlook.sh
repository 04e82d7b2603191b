#!/bin/sh
# filmlook.sh - halation and bloom against scipy's Gaussians on points and noise, their energy and colour, and the same bits
# through the oracle, tiles, threads, fusion and instruction sets.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
py=/usr/bin/python3
if ! $py -c 'import scipy.ndimage' 2> /dev/null || ! command -v ffmpeg > /dev/null; then
	echo "skip filmlook: /usr/bin/python3 with scipy, or ffmpeg, is not here"
	exit 0
fi
cat > "$tmp/make.py" <<'END2'
import sys, numpy as np
h, w = 212, 308
a = np.random.RandomState(1).rand(3, h, w).astype(np.float32)
b = np.zeros((3, h, w), np.float32)
b[:, 100, 150] = 1e4
b[:, 3, 2] = 500
for n, p in (("noise", a), ("points", b), ("flat", np.full((3, h, w), 0.37, np.float32))):
    p.tofile(f"{sys.argv[1]}/{n}.raw")
END2
# planes of gbrpf32le are G, B, R
cat > "$tmp/compare.py" <<'END2'
import sys, numpy as np
from scipy import ndimage
src, out, sigma, k, threshold = sys.argv[1:]
a, o = (np.fromfile(f, np.float32).reshape(3, 212, 308)[[2, 0, 1]].astype(float) for f in (src, out))
s, k, t = float(sigma), [float(v) for v in k.split(",")], float(threshold)
y = sum(w * p for w, p in zip((0.2722287168, 0.6740817658, 0.0536895174), a))
q = np.clip(y - t, 0, 1)
share = q * q * (3 - 2 * q) if t > 0 else 1
g = lambda p, s: ndimage.gaussian_filter(p, s, mode="reflect", truncate=6)
worst = bad = 0
for c in range(3):
    l = a[c] * share
    want = a[c] + k[c] / (1 + k[c]) * (0.7 * g(l, s) + 0.3 * g(l, 2.5 * s) - l)
    worst = max(worst, np.abs(want - o[c]).max() / np.abs(want).max())
    bad = max(bad, abs(o[c].sum() / a[c].sum() - 1))
print("ok" if worst < 2e-6 and bad < 1e-6 else "not_ok", "%.2g" % worst, "%.2g" % bad)
END2
cat > "$tmp/halo.py" <<'END2'
import sys, numpy as np
o = np.fromfile(sys.argv[1], np.float32).reshape(3, 212, 308).astype(float)
ring = np.s_[106:118, 138:163]
r = o[2][ring].sum() / o[0][ring].sum()
print("ok" if 8 <= r <= 12 and o[2][100, 150] > 9000 else "not_ok", "%.2f" % r)
END2
$py "$tmp/make.py" "$tmp"
for im in noise points flat; do
	ffmpeg -v error -y -f rawvideo -pix_fmt gbrpf32le -s 308x212 -i "$tmp/$im.raw" -c:v exr -format float "$tmp/$im.exr" < /dev/null
done
scene() { # picture node
	printf '<graph version="1" name="t" fps="24" working="acescg"><read id="a" file="%s.exr" color="acescg"/><pass id="p" kind="integrate">%s</pass><write id="w" in="p" file="o.####.exr" color="acescg"/></graph>\n' "$@" > "$tmp/s.xml"
}
hash() { # options... : the frame's hash
	rm -f "$tmp"/o.0001.exr
	"$INTERNEG" render "$tmp/s.xml" --no-cache --progress json "$@" 2> "$tmp/err" |
		sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p'
}
raw() { ffmpeg -v error -y -i "$tmp/o.0001.exr" -f rawvideo -pix_fmt gbrpf32le "$tmp/o.raw" < /dev/null; }
try() { # picture node sigma k,k,k threshold
	scene "$1" "$2"
	name="filmlook $1 $2"
	want=$(hash --oracle --threads 1)
	[ -n "$want" ] || { echo "not ok $name: $(head -1 "$tmp/err")"; return; }
	raw
	got=$($py "$tmp/compare.py" "$tmp/$1.raw" "$tmp/o.raw" "$3" "$4" "$5" 2>&1 | tail -1)
	case $got in ok*) echo "ok $name: scipy's, and energy (${got#ok })" ;; *) echo "not ok $name: $got" ;; esac
	for o in "--threads 2 --tile 32" "--threads 1 --tile 100000" "--threads 2 --isa baseline" "--no-fuse"; do
		if [ "$(hash $o)" = "$want" ]; then echo "ok $name $o"; else echo "not ok $name $o: differs from the oracle"; fi
	done
}
K=0.03,0.003,0.001
try points '<halation id="b" in="a" sigma="15"/>' 15 $K 0
got=$($py "$tmp/halo.py" "$tmp/o.raw")
case $got in ok*) echo "ok filmlook halo: red over green ${got#ok }" ;; *) echo "not ok filmlook halo: red over green $got" ;; esac
try noise '<halation id="b" in="a" sigma="9.3" amount="10"/>' 9.3 0.3,0.03,0.01 0
try noise '<halation id="b" in="a" sigma="3" strength="0.2 0.1 0.05"/>' 3 0.2,0.1,0.05 0
try noise '<bloom id="b" in="a" sigma="20" amount="0.2"/>' 20 0.25,0.25,0.25 0
try points '<bloom id="b" in="a" sigma="4%h" amount="0.2" threshold="0.5"/>' 8.48 0.25,0.25,0.25 0.5
try noise '<halation id="b" in="a" sigma="12" strength="0.5" threshold="0.3"/>' 12 0.5,0.5,0.5 0.3
try flat '<halation id="b" in="a" sigma="15" amount="30"/>' 15 0.9,0.09,0.03 0
try flat '<bloom id="b" in="a" sigma="40" amount="0.5"/>' 40 1,1,1 0
# an amount that moves, and a mix
scene noise '<halation id="b" in="a" sigma="12" amount="{4 * frame}"/>'
a=$(hash)
scene noise '<halation id="b" in="a" sigma="12" amount="4"/>'
if [ -n "$a" ] && [ "$a" = "$(hash)" ]; then echo "ok filmlook an amount that moves"; else echo "not ok filmlook an amount that moves: $(head -1 "$tmp/err")"; fi
scene noise '<bloom id="b" in="a" sigma="12" amount="0.4" mix="0"/>'
a=$(hash)
scene noise '<blur id="b" in="a" sigma="0"/>'
if [ -n "$a" ] && [ "$a" = "$(hash)" ]; then echo "ok filmlook mix 0 is the input"; else echo "not ok filmlook mix 0 is the input: $(head -1 "$tmp/err")"; fi

# deband on an 8-bit gradient and deblock on MJPEG, against what they were, and FFmpeg's filters at the best of some settings.
cat > "$tmp/clean.py" <<'END2'
import sys, os, subprocess, numpy as np
t, tool = sys.argv[1], sys.argv[2]
h, w = 256, 384
y, x = np.mgrid[0:h, 0:w].astype(float)
b = np.exp(-3 * ((x - 300) ** 2 + (y - 40) ** 2) / 4e5)
sky = np.stack([.15 + .5 * b, .25 + .45 * b, .45 + .3 * b])
rng = np.random.RandomState(2)
f = np.fft.rfft2(rng.normal(size=(h, w)))
r = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None])
n = np.fft.irfft2(f / np.maximum(r, .01) ** 2.2, (h, w))
scene = np.clip(np.round(128 + 45 * n / n.std()), 16, 235).astype(np.uint8)
run = lambda c, d=None: subprocess.run(c, input=d, stdout=subprocess.PIPE, check=True, cwd=t).stdout
ff = lambda *c, d=None: run(["ffmpeg", "-v", "error", "-y", *c], d)
psnr = lambda a, b: -10 * np.log10(((a - b) ** 2).mean())
raw = lambda pix: ["-f", "rawvideo", "-pix_fmt", pix, "-s", f"{w}x{h}", "-i", "-"]
def ours(src, node, attr):
    open(t + "/c.xml", "w").write(f'<graph version="1" name="c"><read id="a" file="{src}" color="rec709" {attr}/><pass id="p" kind="cleanup">'
        f'<{node} id="b" in="a"/></pass><write id="w" in="b" file="c.####.exr" color="rec709"/></graph>')
    for f in os.listdir(t):
        if f.startswith("c.0"): os.remove(t + "/" + f)
    run([tool, "render", t + "/c.xml", "--no-cache", "--progress", "none", "-F", "1"])
    return np.frombuffer(ff("-i", "c.0001.exr", "-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-"), np.float32).reshape(3, h, w)[[2, 0, 1]]
q = np.round(sky * 255)
ff(*raw("gbrpf32le"), "-c:v", "exr", "-format", "float", "q.exr", d=(q[[1, 2, 0]] / 255).astype(np.float32).tobytes())
peer = max(psnr(sky, np.frombuffer(ff(*raw("gbrp16le"), "-vf", f"deband=1thr={k}:2thr={k}:3thr={k}:range={g}", "-f", "rawvideo", "-pix_fmt",
    "gbrp16le", "-", d=(q[[1, 2, 0]] * 257).astype(np.uint16).tobytes()), np.uint16).reshape(3, h, w)[[2, 0, 1]] / 65535)
    for k in (.003, .005, .008) for g in (8, 16, 32))
o = psnr(sky, ours("q.exr", "deband", ""))
print("ok" if o > peer + 3 and o > psnr(sky, q / 255) + 6 else "not ok", f"filmlook deband: 8 bit {psnr(sky, q / 255):.2f} dB, FFmpeg's deband {peer:.2f} dB, deband {o:.2f} dB")
ff(*raw("gray"), "-vf", "format=yuvj420p", "-c:v", "mjpeg", "-q:v", "20", "m.mov", d=scene.tobytes())
grey = lambda vf: np.frombuffer(ff("-i", "m.mov", "-vf", vf + ",extractplanes=y", "-f", "rawvideo", "-pix_fmt", "gray", "-"), np.uint8).reshape(h, w) / 255
s, was = scene / 255, psnr(scene / 255, grey("null"))
peer = max(psnr(s, grey(f"deblock=filter={k}:block=8:alpha={a}:beta={c}:gamma={c}:delta={c}")) for k in ("weak", "strong") for a in (.06, .15, .3) for c in (.03, .08))
o = psnr(s, ours("m.mov", "deblock", 'range="full" matrix="bt601"')[1])
print("ok" if o > was + 0.1 else "not ok", f"filmlook deblock: MJPEG {was:.2f} dB, FFmpeg's deblock {peer:.2f} dB, deblock {o:.2f} dB")
END2
$py "$tmp/clean.py" "$tmp" "$INTERNEG" 2> "$tmp/err" || echo "not ok filmlook deband, deblock: $(tail -1 "$tmp/err")"
