/* deltae - CIE L*a*b* and the CIEDE2000 colour difference.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "deltae.h"

#include "colour.h"
#include "mathx.h"

#define DEG (MX_PI / 180)

static double lab_f(double t)
{
	return t > 216.0 / 24389 ? mx_cbrt(t) : (24389.0 / 27 * t + 16) / 116;
}

void lab_of_xyz(const double xyz[3], const double white_xy[2], double lab[3])
{
	double x = lab_f(xyz[0] / (white_xy[0] / white_xy[1])), y = lab_f(xyz[1]);
	double z = lab_f(xyz[2] / ((1 - white_xy[0] - white_xy[1]) / white_xy[1]));
	lab[0] = 116 * y - 16;
	lab[1] = 500 * (x - y);
	lab[2] = 200 * (y - z);
}

void lab_of_linear(int space, const double rgb[3], double lab[3])
{
	double m[9], xy[8], v[3];
	colour_rgb_to_xyz(space, m);
	colour_primaries(space, xy);
	for (int i = 0; i < 3; i++) v[i] = m[i * 3] * rgb[0] + m[i * 3 + 1] * rgb[1] + m[i * 3 + 2] * rgb[2];
	lab_of_xyz(v, xy + 6, lab);
}

/* Degrees from 0 up to 360; 0 for grey. */
static double hue_of(double b, double a)
{
	double h = a == 0 && b == 0 ? 0 : mx_atan2(b, a) / DEG;
	return h < 0 ? h + 360 : h;
}

static double pow7(double v) { return v * v * v * v * v * v * v; }

/* Mean hue: the middle of the shorter way round; the sum where one of the colours is grey. */
static double mean_hue(double h1, double h2, bool grey)
{
	double d = h1 > h2 ? h1 - h2 : h2 - h1;
	if (grey) return h1 + h2;
	if (d <= 180) return (h1 + h2) / 2;
	return h1 + h2 < 360 ? (h1 + h2 + 360) / 2 : (h1 + h2 - 360) / 2;
}

double deltae_2000(const double a[3], const double b[3])
{
	double c1 = __builtin_sqrt(a[1] * a[1] + a[2] * a[2]), c2 = __builtin_sqrt(b[1] * b[1] + b[2] * b[2]);
	double m7 = pow7((c1 + c2) / 2), g = 0.5 * (1 - __builtin_sqrt(m7 / (m7 + pow7(25))));
	double a1 = (1 + g) * a[1], a2 = (1 + g) * b[1];
	c1 = __builtin_sqrt(a1 * a1 + a[2] * a[2]);
	c2 = __builtin_sqrt(a2 * a2 + b[2] * b[2]);
	double h1 = hue_of(a[2], a1), h2 = hue_of(b[2], a2), dh = h2 - h1;
	bool grey = c1 * c2 == 0;
	if (grey) dh = 0;
	else if (dh > 180) dh -= 360;
	else if (dh < -180) dh += 360;
	double dl = b[0] - a[0], dc = c2 - c1, dhh = 2 * __builtin_sqrt(c1 * c2) * mx_sin(dh / 2 * DEG);
	double l = (a[0] + b[0]) / 2, c = (c1 + c2) / 2, h = mean_hue(h1, h2, grey);
	double t = 1 - 0.17 * mx_cos((h - 30) * DEG) + 0.24 * mx_cos(2 * h * DEG)
	         + 0.32 * mx_cos((3 * h + 6) * DEG) - 0.20 * mx_cos((4 * h - 63) * DEG);
	double u = (h - 275) / 25, turn = 30 * mx_exp(-u * u), c7 = pow7(c);
	double rc = 2 * __builtin_sqrt(c7 / (c7 + pow7(25))), d = (l - 50) * (l - 50);
	double sl = 1 + 0.015 * d / __builtin_sqrt(20 + d), sc = 1 + 0.045 * c, sh = 1 + 0.015 * c * t;
	double x = dl / sl, y = dc / sc, z = dhh / sh;
	return __builtin_sqrt(x * x + y * y + z * z - mx_sin(2 * turn * DEG) * rc * y * z);
}
