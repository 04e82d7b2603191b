"""parity-lut - largest error of each LUT file against OpenColorIO (and FFmpeg), as a Markdown table.

usage: parity-lut.py APPLY_PROGRAM DATA_FOLDER [--freeze]   (APPLY_PROGRAM: build/unit/lut)
SPDX-License-Identifier: BSD-2-Clause
"""
import array, math, os, random, re, struct, subprocess, sys, tempfile
try:
    import PyOpenColorIO as ocio
except ImportError:
    ocio = None

PIXELS = 4096


def pixels():
    """Random colours, corners, greys and ties in 0..1 and around it; the last quarter well outside."""
    rnd = random.Random(7)
    v = []
    for i in range(PIXELS):
        lo, hi = (0, 1) if i < PIXELS // 2 else (-0.25, 1.25) if i < PIXELS * 3 // 4 else (-2, 5)
        p = [rnd.uniform(lo, hi) for _ in range(3)]
        if i < 8:
            p = [float(i >> k & 1) for k in range(3)]
        elif i < 40:
            p = [(i - 8) / 31] * 3
        elif i % 7 == 0:
            p[1] = p[0]
        elif i % 11 == 0:
            p[2] = p[1]
        v += p
    return array.array("f", v)


def run(program, lut, a):
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/in", "wb") as f:
            a.tofile(f)
        r = subprocess.run([program, "apply", lut, d + "/in", d + "/out"], capture_output=True, text=True)
        if r.returncode:
            return None, r.stderr.strip()
        out = array.array("f")
        with open(d + "/out", "rb") as f:
            out.frombytes(f.read())
        return out, ""


def loadable(lut, folder):
    """OpenColorIO 2.1 knows no TITLE in Resolve's files, and leaves out the range of a cube that names the 1D one."""
    if not lut.endswith(".cube"):
        return lut
    with open(lut) as f:
        lines = [x for x in f if not x.startswith("TITLE")]
    if not one_dim(lut):
        lines = [x.replace("LUT_1D_INPUT_RANGE", "LUT_3D_INPUT_RANGE") for x in lines]
    copy = os.path.join(folder, os.path.basename(lut))
    with open(copy, "w") as f:
        f.writelines(lines)
    return copy


def by_ocio(lut, a):
    """Tetrahedral where the file does not say, no approximated powers."""
    with tempfile.TemporaryDirectory() as d:
        return ocio_apply(loadable(lut, d), a)


def ocio_apply(lut, a):
    t = ocio.FileTransform(lut, interpolation=ocio.INTERP_TETRAHEDRAL)
    if lut.endswith((".clf", ".ctf")):
        t = ocio.FileTransform(lut)
    cpu = ocio.Config.CreateRaw().getProcessor(t).getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE)
    b = array.array("f", a)
    cpu.applyRGB(b)
    return b


def one_dim(lut):
    with open(lut) as f:
        return "LUT_1D_SIZE" in f.read(2000)


def by_ffmpeg(lut, a):
    """lut3d on gbrpf32; it clamps, so only what lies in 0..1 is asked."""
    n = len(a) // 3
    with tempfile.TemporaryDirectory() as d:
        with open(d + "/in", "wb") as f:
            for c in (1, 2, 0):
                array.array("f", [min(1, max(0, x)) for x in a[c::3]]).tofile(f)
        kind = "lut1d=file=%s:interp=linear" if one_dim(lut) else "lut3d=file=%s:interp=tetrahedral"
        r = subprocess.run(["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-s", "%dx1" % n, "-i",
                            d + "/in", "-vf", kind % lut, "-f", "rawvideo", "-pix_fmt", "gbrpf32le", d + "/out"],
                           capture_output=True)
        if r.returncode:
            return None
        p = array.array("f")
        with open(d + "/out", "rb") as f:
            p.frombytes(f.read())
        out = array.array("f", [0.0]) * (3 * n)
        for k, c in enumerate((1, 2, 0)):
            out[c::3] = p[k * n:(k + 1) * n]
        return out


def ffmpeg_reads(lut):
    """A .cube of one table over 0..1: FFmpeg 5.1 leaves the minimum of a domain out and knows no shaper."""
    if not lut.endswith(".cube"):
        return False
    with open(lut) as f:
        head = [x.split() for x in f.readlines()[:20]]
    return not any(x and ("RANGE" in x[0] or x[0] == "DOMAIN_MIN" and any(float(y) for y in x[1:])
                          or x[0] == "DOMAIN_MAX" and any(float(y) != 1 for y in x[1:])) for x in head)


def params(tag, name):
    """Numbers of the LogParams or ExponentParams of each channel."""
    by = {}
    for m in re.finditer("<%s([^>]*)>" % name, tag):
        at = dict(re.findall(r"(\w+)=[\"']([^\"']*)[\"']", m.group(1)))
        for c in ([at.pop("channel")] if "channel" in at else "RGB"):
            by[c] = {k: float(v) for k, v in at.items()}
    return by


def log_step(style, p, x):
    base = p.get("base", 10 if style.endswith("10") else 2)
    ls, lo = p.get("logSideSlope", 1), p.get("logSideOffset", 0)
    s, o, brk = p.get("linSideSlope", 1), p.get("linSideOffset", 0), p.get("linSideBreak")
    curve = lambda v: ls * math.log(max(v * s + o, 2.0 ** -126), base) + lo
    if brk is not None:
        line = p.get("linearSlope", ls * s / ((s * brk + o) * math.log(base)))
        off = curve(brk) - line * brk
    if style in ("linToLog", "log2", "log10"):
        return curve(x)
    if style == "cameraLinToLog":
        return line * x + off if x <= brk else curve(x)
    if style == "cameraLogToLin" and x <= curve(brk):
        return (x - off) / line
    return (base ** ((x - lo) / ls) - o) / s


def exponent_step(style, p, x):
    if p is None or (p["exponent"] == 1 and not p.get("offset", 0)):
        return x
    g, rev = p["exponent"], style.endswith("Rev")
    if "Mirror" in style and x < 0:
        return -exponent_step(style, p, -x)
    if style.startswith("basic"):
        return (x if "Pass" in style else 0) if x <= 0 else x ** (1 / g if rev else g)
    o = max(p["offset"], 1e-6)
    knee = (o * g / ((g - 1) * (1 + o))) ** g
    if not rev:
        return x * (g - 1) / o * knee if x <= o / (g - 1) else ((x + o) / (1 + o)) ** g
    slope = ((g - 1) / o) ** (g - 1) * ((1 + o) / g) ** g
    return x * slope if x <= knee else x ** (1 / g) * (1 + o) - o


def in_doubles(tag, a):
    """A Log or Exponent step by the specification's formulas in doubles; None for other steps."""
    style = re.search(r'style="([^"]*)"', tag).group(1) if 'style="' in tag else ""
    if tag.startswith("<Log"):
        by = params(tag, "LogParams")
        return [log_step(style, by.get("RGB"[i % 3]) or {}, x) for i, x in enumerate(a)]
    if tag.startswith("<Exponent"):
        by = params(tag, "ExponentParams")
        return [exponent_step(style, by.get("RGB"[i % 3]), x) for i, x in enumerate(a)]
    return None


def line_in_doubles(lut, a):
    """A .cube of one 1D table in doubles."""
    lo, hi = [0] * 3, [1] * 3
    with open(lut) as f:
        text = f.readlines()
    for y in text:
        w = y.split()
        if w and w[0] in ("DOMAIN_MIN", "DOMAIN_MAX"):
            lo, hi = ([float(x) for x in w[1:]], hi) if w[0] == "DOMAIN_MIN" else (lo, [float(x) for x in w[1:]])
        elif w and w[0] == "LUT_1D_INPUT_RANGE":
            lo, hi = [float(w[1])] * 3, [float(w[2])] * 3
    rows = [[float(x) for x in y.split()] for y in text if re.match(r"[-0-9. e+]+$", y.strip())]
    out = []
    for i, x in enumerate(a):
        t = min(max((x - lo[i % 3]) / (hi[i % 3] - lo[i % 3]), 0), 1) * (len(rows) - 1)
        k = min(int(t), len(rows) - 2)
        out.append(rows[k][i % 3] + (t - k) * (rows[k + 1][i % 3] - rows[k][i % 3]))
    return out


def steps(program, lut, a):
    """Largest error of any one step of a CLF file alone (a chain of floats adds up what each one rounds), of logs and
    exponents against doubles: OpenColorIO's own floats are further away."""
    most = 0
    with open(lut) as f:
        text = f.read()
    root = re.search(r"<ProcessList.*?>", text, re.S).group(0)
    for tag in re.finditer(r"<(Matrix|LUT1D|LUT3D|Range|Log|Exponent|ASC_CDL)\b[^>]*?(/>|>.*?</\1>)", text, re.S):
        with tempfile.TemporaryDirectory() as d:
            one = d + "/one" + os.path.splitext(lut)[1]
            with open(one, "w") as f:
                f.write('<?xml version="1.0" encoding="UTF-8"?>\n' + root + tag.group(0) + "</ProcessList>\n")
            ours, why = run(program, one, a)
            exact = in_doubles(re.sub(r"<!--.*?-->", "", tag.group(0), flags=re.S), a)
            most = max(most, worst(ours, exact or by_ocio(one, a))) if ours else 9
    return most


def worst(ours, theirs, part=slice(None)):
    """Largest difference as a share of the largest value of the oracle (at least 1)."""
    ours, theirs = ours[part], theirs[part]
    top = max([1.0] + [abs(x) for x in theirs if abs(x) < 1e30])
    return max(abs(x - y) for x, y in zip(ours, theirs)) / top


CLF = '<?xml version="1.0"?><ProcessList compCLFversion="3" id="made">%s</ProcessList>\n'


def made(folder):
    """What the data does not hold: half domains, raw halves, hue kept, .spi1d, a bent ramp in a .3dl."""
    rnd, paths = random.Random(3), []

    def put(name, text):
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "w") as f:
            f.write(text)
    bend = lambda x: math.copysign(min(abs(x), 60000.0) ** 0.7, x)
    halves = [struct.unpack("<e", struct.pack("<H", h))[0] for h in range(65536)]
    halves = [x if abs(x) < 1e30 else 0.0 for x in halves]
    lut = '<LUT1D inBitDepth="16f" outBitDepth="%s" %s><Array dim="%d %d">%s</Array></LUT1D>'
    put("made half domain.clf", CLF % lut % ("32f", 'halfDomain="true"', 65536, 1, "\n".join("%.9g" % bend(x) for x in halves)))
    put("made half domain, raw.clf", CLF % lut % ("16f", 'halfDomain="true" rawHalfs="true"', 65536, 1, "\n".join(
        str(struct.unpack("<H", struct.pack("<e", bend(x)))[0]) for x in halves)))
    rows = "\n".join("%.7g %.7g %.7g" % (1023 * x ** 0.5, 1023 * x ** 0.9, 1100 * x ** 1.4) for x in [i / 40 for i in range(41)])
    put("made hue kept.clf", CLF % lut % ("10i", 'hueAdjust="dw3"', 41, 3, rows))
    cube = '<LUT3D inBitDepth="8i" outBitDepth="16i" interpolation="%s"><Array dim="7 7 7 3">%s</Array></LUT3D>'
    rows = "\n".join("%.6g" % rnd.uniform(-6000, 70000) for _ in range(3 * 343))
    for how in ("trilinear", "tetrahedral"):
        put("made %s.clf" % how, CLF % cube % (how, rows))
    bounds = '<Range inBitDepth="8i" outBitDepth="10i">%s</Range>'
    put("made lower bound.clf", CLF % bounds % "<minInValue>51</minInValue><minOutValue>204.6</minOutValue>")
    put("made upper bound.clf", CLF % bounds % "<maxInValue>51</maxInValue><maxOutValue>204.6</maxOutValue>")
    rows = "\n".join("%.7g %.7g %.7g" % (x ** 0.5, x, x * x - 0.1) for x in [i / 99 for i in range(100)])
    put("made.spi1d", "Version 1\nFrom -0.125 1.5\nLength 100\nComponents 3\n{\n%s\n}\n" % rows)
    put("made one.spi1d", "Version 1\nFrom 0 1\nLength 3\nComponents 1\n{\n 0\n .2\n 1.1\n}\n")
    rows = "\n".join("%d %d %d" % (4095 * (i // 25 / 4) ** 0.7, 900 * (i // 5 % 5) + 50 * (i % 5), 4095 * (i % 5 / 4) ** 1.5)
                     for i in range(125))
    put("made ramp.3dl", "0 100 300 600 1023\n" + rows + "\n")
    put("made mesh.3dl", "3DMESH\nMesh 2 12\n0 256 512 768 1023\n\n" + rows + "\nLUT8\ngamma 1.0\n")
    return paths


def freeze(data):
    """Rows for tests/unit/lut_vectors.h."""
    print("/* lut_vectors - what OpenColorIO %s makes of the files of ../shared/data/colour (tests/tools/parity-lut.py PROGRAM" % ocio.__version__)
    print(" * DATA --freeze): optimisation none, tetrahedral where the file does not say.\n * SPDX-License-Identifier: BSD-2-Clause */")
    for f in sorted(lut_files(data)):
        if "illegal" in f:
            continue
        a = array.array("f", [0, 0, 0, 1, 1, 1, 0.18, 0.18, 0.18, 0.9, 0.35, 0.1, 0.2, 0.45, 0.8, 0.61, 0.62, 0.05])
        b = by_ocio(f, a)
        for i in range(0, len(a), 3):
            print('{ "%s", { %s }, { %s } },' % (os.path.relpath(f, data), ", ".join("%.9gf" % x if "." in "%.9g" % x else "%g" % x for x in a[i:i + 3]),
                                               ", ".join("%.9g" % x for x in b[i:i + 3])))


def lut_files(data):
    files = []
    for folder, _, names in os.walk(data):
        files += [os.path.join(folder, n) for n in names if n.endswith((".cube", ".3dl", ".spi3d", ".spi1d", ".clf", ".ctf"))]
    return files


def main():
    if sys.argv[3:] == ["--freeze"]:
        return freeze(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        return table(folder)


def table(folder):
    program, data = sys.argv[1:3]
    files = lut_files(data)
    if ocio:
        files += made(folder)
    a, bad = pixels(), 0
    inside = slice(0, PIXELS // 2 * 3)
    print("| LUT | OpenColorIO %s | FFmpeg |\n| --- | --- | --- |" % (ocio.__version__ if ocio else "not installed"))
    for f in sorted(files):
        name = os.path.basename(f) if f.startswith(folder) else os.path.relpath(f, data)
        ours, why = run(program, f, a)
        if "illegal" in f:
            bad += ours is not None
            print("| %s | %s | |" % (name, "ACCEPTED" if ours else "refused: " + why.split("clf:", 1)[-1]))
            continue
        if ours is None:
            bad += 1
            print("| %s | REFUSED: %s | |" % (name, why))
            continue
        cells = ["", ""]
        if ocio:
            e = worst(ours, by_ocio(f, a))
            cells[0] = "%.1e" % e
            if e > 3e-7 and f.endswith((".clf", ".ctf")):
                e = steps(program, f, a)
                cells[0] += "; each step alone %.1e" % e
            elif e > 3e-7 and one_dim(f):
                e = worst(ours, line_in_doubles(f, a))
                cells[0] += "; doubles %.1e" % e
            bad += not e <= 3e-7
        g = by_ffmpeg(f, a) if ffmpeg_reads(f) else None
        if g:
            cells[1] = "%.1e" % worst(ours, g, inside)
        print("| %s | %s | %s |" % (name, *cells))
    return bad > 0


sys.exit(main())
