# motion_peer.py OURS TMP IMAGE... - flow of photographs moved by known warps, sigma 2 noise, 1280x720: OURS against OpenCV's
# dense inverse search. Prints lines "warp quality ours_epe peer_epe ours_ms peer_ms", averages over the images.
# SPDX-License-Identifier: BSD-2-Clause
import subprocess, sys, time
import cv2
import numpy as np

W, H, PAD = 1280, 720, 80
ours, tmp, images = sys.argv[1], sys.argv[2], sys.argv[3:]
yy, xx = np.mgrid[0:H, 0:W].astype(np.float64)
noise = np.random.RandomState(1)
cv2.setNumThreads(1)


def warp(kind, mag):
    if kind == 'waves':
        return (mag * (.6 * np.sin(xx / 170 + yy / 230) + .4 * np.cos(yy / 90)), mag * (.5 * np.cos(xx / 140 - yy / 260) + .3))
    if kind == 'turn':
        a, x, y = mag / 400, xx - W / 2, yy - H / 2
        return (np.cos(a) - 1) * x - np.sin(a) * y + mag * .2, np.sin(a) * x + (np.cos(a) - 1) * y
    disc = (xx - 640) ** 2 / 360 ** 2 + (yy - 360) ** 2 / 220 ** 2 < 1
    return np.where(disc, mag, -.5 * mag), np.where(disc, .3 * mag, .1 * mag)


def pair(path, u, v):
    im = cv2.imread(path, 0).astype(np.float32)
    im = im if im.shape[1] > im.shape[0] else im.T
    im = cv2.resize(im, (W + 2 * PAD, round(im.shape[0] * (W + 2 * PAD) / im.shape[1])), interpolation=cv2.INTER_CUBIC)
    oy = (im.shape[0] - H) // 2
    to = im[oy:oy + H, PAD:PAD + W]
    frm = cv2.remap(im, (xx + u + PAD).astype(np.float32), (yy + v + oy).astype(np.float32), cv2.INTER_CUBIC,
                    borderMode=cv2.BORDER_REFLECT)
    return [np.clip(np.round(i + noise.randn(H, W) * 2), 0, 255) for i in (frm, to)]


for kind in ('waves', 'turn', 'disc'):
    for mag in (4, 16):
        u, v = warp(kind, mag)
        seen = (xx + u >= 0) & (xx + u < W) & (yy + v >= 0) & (yy + v < H)
        sums = {}
        for path in images:
            a, b = pair(path, u, v)
            (a / 255).astype(np.float32).tofile(tmp + '/a.raw')
            (b / 255).astype(np.float32).tofile(tmp + '/b.raw')
            for quality, preset in ((0, cv2.DISOPTICAL_FLOW_PRESET_FAST), (1, cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)):
                ms = float(subprocess.check_output([ours, tmp + '/a.raw', tmp + '/b.raw', str(W), str(H), str(quality),
                                                    tmp + '/o.raw']).split()[0])
                own = np.fromfile(tmp + '/o.raw', np.float32).reshape(2, H, W)
                dis = cv2.DISOpticalFlow_create(preset)
                best = 1e9
                for _ in range(3):
                    t = time.process_time()
                    peer = dis.calc(a.astype(np.uint8), b.astype(np.uint8), None)
                    best = min(best, time.process_time() - t)
                epe = [np.hypot(f[0] - u, f[1] - v)[seen].mean() for f in (own, (peer[..., 0], peer[..., 1]))]
                sums.setdefault(quality, []).append((*epe, ms, best * 1e3))
        for quality, rows in sums.items():
            print('%s-%d %s %.3f %.3f %.1f %.1f' % (kind, mag, ('fast', 'medium')[quality], *np.mean(rows, axis=0)))
