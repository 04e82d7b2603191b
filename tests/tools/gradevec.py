#!/usr/bin/python3
# gradevec.py [DATA] - prints grading vectors from the OpenColorIO that is installed: settings, colours in and out.
# DATA: the folder of test data, for CDL files as well.
# SPDX-License-Identifier: BSD-2-Clause
import random
import sys

import PyOpenColorIO as o

rnd = random.Random(7)
FIXED = [[0, 0, 0], [.18] * 3, [.5] * 3, [1] * 3, [.4, .2, .1], [-.1, .2, 1.3], [.02, .3, .7], [4, 2, .5]]
LOGISH = FIXED + [[round(rnd.uniform(-.3, 1.6), 4) for _ in range(3)] for _ in range(10)]
LIGHT = FIXED + [[round((2 ** rnd.uniform(-12, 7)) * rnd.choice([1, 1, 1, 1, -1]), 5) for _ in range(3)]
                 for _ in range(10)]
config = o.Config.CreateRaw()


def emit(name, node, transform, attrs, points, tolerance=2e-6):
    cpu = config.getProcessor(transform).getOptimizedCPUProcessor(o.OPTIMIZATION_LOSSLESS)
    print('transform %g %s %s' % (tolerance, node, name))
    print(';'.join(attrs))
    for p in points:
        print(*['%.9g' % v for v in p], *['%.9g' % v for v in cpu.applyRGB([float(v) for v in p])])


def text(v):
    return ' '.join('%g' % x for x in v)


def rgbm(v, neutral):
    return o.GradingRGBM(v[0], v[1], v[2], neutral)


def primary(name, style, points, **kw):
    styles = {'log': o.GRADING_LOG, 'linear': o.GRADING_LIN, 'video': o.GRADING_VIDEO}
    v = o.GradingPrimary(styles[style])
    v.pivot = kw.get('pivot', 0)
    attrs = ['style=' + style]
    for key, val in kw.items():
        if key in ('brightness', 'offset', 'exposure', 'lift'):
            setattr(v, key, rgbm(val, 0))
        elif key in ('gain', 'contrast', 'gamma'):
            setattr(v, key, rgbm(val, 1))
        elif key == 'pivot_black':
            v.pivotBlack = val
        elif key == 'pivot_white':
            v.pivotWhite = val
        else:
            setattr(v, key, val)
        attrs.append('%s=%s' % (key, text(val) if isinstance(val, (list, tuple)) else '%g' % val))
    t = o.GradingPrimaryTransform(styles[style])
    t.setValue(v)
    emit(name, 'primary', t, attrs, points)


def zones(name, style, points, tolerance=2e-6, s_contrast=1, **kw):
    styles = {'log': o.GRADING_LOG, 'linear': o.GRADING_LIN, 'video': o.GRADING_VIDEO}
    v = o.GradingTone(styles[style])
    attrs = ['style=' + style]
    for zone in ('blacks', 'shadows', 'midtones', 'highlights', 'whites'):
        z = getattr(v, zone)
        if zone in kw:
            z.master = kw[zone]
            attrs.append('%s=%g' % (zone, kw[zone]))
        if zone + '_rgb' in kw:
            z.red, z.green, z.blue = kw[zone + '_rgb']
            attrs.append('%s_rgb=%s' % (zone, text(kw[zone + '_rgb'])))
        if zone + '_range' in kw:
            z.start, z.width = kw[zone + '_range']
            attrs.append('%s_range=%s' % (zone, text(kw[zone + '_range'])))
        setattr(v, zone, z)
    v.scontrast = s_contrast
    attrs.append('s_contrast=%g' % s_contrast)
    t = o.GradingToneTransform(styles[style])
    t.setValue(v)
    emit(name, 'zones', t, attrs, points, tolerance)


def curves(name, points, tolerance=2e-6, **kw):
    def spline(pts):
        return o.GradingBSplineCurve([float(x) for p in pts for x in p])
    line = [(0, 0), (1, 1)]
    c = {k: spline(kw.get(k, line)) for k in ('red', 'green', 'blue', 'master')}
    v = o.GradingRGBCurve(c['red'], c['green'], c['blue'], c['master'])
    t = o.GradingRGBCurveTransform(o.GRADING_LOG)
    t.setValue(v)
    attrs = ['spline=smooth'] + ['%s=%s' % (k, ' '.join('%g,%g' % p for p in kw[k])) for k in kw]
    emit(name, 'curves', t, attrs, points, tolerance)


def cdl(name, points, clamp, **kw):
    t = o.CDLTransform()
    t.setStyle(o.CDL_ASC if clamp else o.CDL_NO_CLAMP)
    t.setSlope(kw['slope'])
    t.setOffset(kw['offset'])
    t.setPower(kw['power'])
    t.setSat(kw['saturation'])
    attrs = ['space=linear', 'clamp=' + ('asc' if clamp else 'none')]
    attrs += ['%s=%s' % (k, text(kw[k])) for k in ('slope', 'offset', 'power')] + ['saturation=%g' % kw['saturation']]
    emit(name, 'grade', t, attrs, points, 1e-6)


# Not those that say ASC_SOP or ASC_SAT: OpenColorIO 2.1.2 passes over them.
def cdl_file(data, name, cc, points):
    path = '%s/colour/%s' % (data, name)
    t = o.CDLTransform.CreateFromFile(path, cc)
    t.setStyle(o.CDL_NO_CLAMP)
    emit('%s %s' % (name, cc), 'grade', t, ['space=linear', 'cdl=' + path, 'cdl_id=' + cc], points, 1e-6)


def main():
    for name, cc in (('cdl_test1.cc', 'foo'), ('cdl_test_SATNode.cc', 'foo'), ('cdl_test1.ccc', 'cc0001'), ('cdl_test1.ccc', 'cc0002'),
                     ('cdl_test1.cdl', 'cc0003')):
        if len(sys.argv) > 1:
            cdl_file(sys.argv[1], name, cc, LOGISH)
    primary('video, the frozen settings', 'video', LOGISH, lift=[.03, .01, 0], offset=[0, .01, 0],
            gamma=[1.155, 1.05, .9975], gain=[1.0185, .97, .9506], saturation=1.1)
    primary('video, pivots', 'video', LOGISH, lift=[-.02, .05, .1], gain=[1.2, .8, 1], gamma=[.7, 1.3, 2.2],
            pivot_black=.05, pivot_white=.9, saturation=.6)
    primary('log, the frozen settings', 'log', LOGISH, brightness=[.07, .02, -.03], contrast=[1.21, 1.1, 1.1],
            gamma=[1.1, 1.1, 1.1], saturation=1.1, pivot=-.2)
    primary('log, strong', 'log', LOGISH, brightness=[12, -6, 3], contrast=[.7, 1.4, 1], gamma=[1.4, .8, 1],
            saturation=1.5, pivot=.1)
    primary('linear, the frozen settings', 'linear', LIGHT, offset=[.01, .01, .01], exposure=[.75, .25, -.25],
            contrast=[1.15, 1.15, 1.15], saturation=1.1, pivot=.18)
    # OpenColorIO 2.1.2 leaves contrast out altogether where one channel's is exactly 1
    primary('linear, strong', 'linear', LIGHT, offset=[-.02, 0, .03], exposure=[-2, 1.5, 0], contrast=[.6, .95, 1.3],
            saturation=.5, pivot=-1)
    zones('log, the frozen settings', 'log', LOGISH, highlights=.7, shadows=1.2, s_contrast=1.2)
    for style in ('log', 'linear', 'video'):
        pts = LIGHT if style == 'linear' else LOGISH
        tol = 2e-6
        for zone in ('blacks', 'shadows', 'midtones', 'highlights', 'whites'):
            for val in (.5, 1.6):
                zones('%s, %s %g' % (style, zone, val), style, pts, tol, **{zone: val})
        zones('%s, s-contrast 0.4' % style, style, pts, tol, s_contrast=.4)
        zones('%s, s-contrast 1.7' % style, style, pts, tol, s_contrast=1.7)
        # ten bends in a row, in single precision on both sides
        zones('%s, all' % style, style, pts, 5e-6, blacks=.8, shadows=1.3, midtones=1.2, highlights=.7, whites=1.2,
              s_contrast=1.1, blacks_rgb=[1.1, 1, .9], shadows_rgb=[.9, 1, 1.2], midtones_rgb=[1, .8, 1.1],
              highlights_rgb=[1.2, .9, 1], whites_rgb=[.8, 1.3, 1])
    zones('log, ranges', 'log', LOGISH, blacks=.7, whites=1.5, midtones=1.4, highlights=1.3, shadows=.6,
          blacks_range=[.3, .2], shadows_range=[.6, .1], midtones_range=[.7, .4], highlights_range=[.5, .9],
          whites_range=[.6, .3])
    curves('master, the frozen settings', LOGISH, master=[(0, 0), (.25, .2), (.75, .82), (1, 1)])
    curves('all four', LOGISH, master=[(0, .02), (.3, .25), (.5, .5), (.7, .8), (1, .98)],
           red=[(0, 0), (.1, .2), (.15, .21), (.9, .95), (1.2, 1.1)], green=[(0, .1), (1, .9)],
           blue=[(-.1, -.05), (.2, .2), (.4, .4), (.6, .6), (.8, .95), (1, 1)])
    for clamp in (False, True):
        cdl('CDL, clamp %s' % clamp, LOGISH, clamp, slope=[1.35, 1.1, .071], offset=[.05, -.23, .11],
            power=[.93, .81, 1.27], saturation=1.23)
        cdl('CDL mild, clamp %s' % clamp, LOGISH, clamp, slope=[.9, .7, .6], offset=[.1, .1, .1],
            power=[.9, 1, 1.2], saturation=.7)


main()
