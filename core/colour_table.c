/* colour_table - the named colour spaces: primaries, white, transfer curve.
 * Sources: ITU-R BT.601-7, 709-6, 2020-2, 2100-2; SMPTE EG 432-1, ST 2065-1; Academy S-2014-004;
 * makers' papers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "colour_table.h"
#include "px_colour.h"

#define D65 0.3127, 0.3290
#define D60 0.32168, 0.33767

const struct gamut colour_gamuts[] = {
	[GAMUT_709]     = { "rec709", { 0.640, 0.330, 0.300, 0.600, 0.150, 0.060, D65 }, false },
	[GAMUT_2020]    = { "rec2020", { 0.708, 0.292, 0.170, 0.797, 0.131, 0.046, D65 }, false },
	[GAMUT_P3]      = { "p3", { 0.680, 0.320, 0.265, 0.690, 0.150, 0.060, D65 }, false },
	[GAMUT_SMPTEC]  = { "smpte170m", { 0.630, 0.340, 0.310, 0.595, 0.155, 0.070, D65 }, false },
	[GAMUT_BG]      = { "bt470bg", { 0.640, 0.330, 0.290, 0.600, 0.150, 0.060, D65 }, false },
	[GAMUT_AP0]     = { "ap0", { 0.7347, 0.2653, 0.0000, 1.0000, 0.0001, -0.0770, D60 }, false },
	[GAMUT_AP1]     = { "ap1", { 0.713, 0.293, 0.165, 0.830, 0.128, 0.044, D60 }, false },
	[GAMUT_AWG3]    = { "awg3", { 0.6840, 0.3130, 0.2210, 0.8480, 0.0861, -0.1020, D65 }, true },
	[GAMUT_AWG4]    = { "awg4", { 0.7347, 0.2653, 0.1424, 0.8576, 0.0991, -0.0308, D65 }, true },
	[GAMUT_SG3]     = { "sgamut3", { 0.730, 0.280, 0.140, 0.855, 0.100, -0.050, D65 }, true },
	[GAMUT_SG3CINE] = { "sgamut3cine", { 0.766, 0.275, 0.225, 0.800, 0.089, -0.087, D65 }, true },
	[GAMUT_VGAMUT]  = { "vgamut", { 0.730, 0.280, 0.165, 0.840, 0.100, -0.030, D65 }, false },
	[GAMUT_RWG]     = { "rwg", { 0.780308, 0.304253, 0.121595, 1.493994, 0.095612, -0.084589, D65 },
	                    false },
	[GAMUT_DWG]     = { "dwg", { 0.8000, 0.3130, 0.1682, 0.9877, 0.0790, -0.1155, D65 }, false },
	[GAMUT_BMD5]    = { "bmd5", { 0.7177215, 0.3171181, 0.2280410, 0.8615690, 0.1005841, -0.0820452, 0.3127170,
	                    0.3290312 }, false },
	[GAMUT_DGAMUT]  = { "dgamut", { 0.71, 0.31, 0.21, 0.88, 0.09, -0.08, D65 }, false },
	[GAMUT_CINEMA]  = { "cgamut", { 0.740, 0.270, 0.170, 1.140, 0.080, -0.100, D65 }, true },
	[GAMUT_NONE]    = { "none", { 0.640, 0.330, 0.300, 0.600, 0.150, 0.060, D65 }, false },
};

#define SPACES(X) \
	X("rec709", "BT.709 primaries, display-referred, pure 2.4 (BT.1886 with black 0)", GAMUT_709, CURVE_GAMMA24, true) \
	X("rec709-camera", "BT.709 primaries and its camera curve (OETF)", GAMUT_709, CURVE_CAMERA, true) \
	X("srgb", "BT.709 primaries, sRGB curve", GAMUT_709, CURVE_SRGB, true) \
	X("gamma22", "BT.709 primaries, pure 2.2", GAMUT_709, CURVE_GAMMA22, true) \
	X("rec601", "525-line primaries (SMPTE 170M), pure 2.4", GAMUT_SMPTEC, CURVE_GAMMA24, true) \
	X("rec601-625", "625-line primaries (BT.470 BG), pure 2.4", GAMUT_BG, CURVE_GAMMA24, true) \
	X("rec2020", "BT.2020 primaries, display-referred, pure 2.4", GAMUT_2020, CURVE_GAMMA24, true) \
	X("p3-d65", "P3 primaries, D65, pure 2.6", GAMUT_P3, CURVE_GAMMA26, true) \
	X("display-p3", "P3 primaries, D65, sRGB curve", GAMUT_P3, CURVE_SRGB, true) \
	X("pq", "BT.2020 primaries, ST 2084; linear 1.0 is 100 cd/m2", GAMUT_2020, CURVE_PQ, true) \
	X("hlg", "BT.2020 primaries, HLG scene light; signal 1 is linear 1", GAMUT_2020, CURVE_HLG, true) \
	X("aces2065-1", "ACES interchange: AP0, linear", GAMUT_AP0, CURVE_LINEAR, false) \
	X("acescg", "ACES working space: AP1, linear", GAMUT_AP1, CURVE_LINEAR, false) \
	X("acescct", "ACES grading space: AP1, log with a toe", GAMUT_AP1, CURVE_ACESCCT, false) \
	X("acescc", "ACES grading space: AP1, pure log", GAMUT_AP1, CURVE_ACESCC, false) \
	X("logc3", "ARRI Wide Gamut 3, LogC3 at EI 800", GAMUT_AWG3, CURVE_LOGC3, false) \
	X("logc4", "ARRI Wide Gamut 4, LogC4", GAMUT_AWG4, CURVE_LOGC4, false) \
	X("slog3", "Sony S-Gamut3, S-Log3", GAMUT_SG3, CURVE_SLOG3, false) \
	X("slog3-cine", "Sony S-Gamut3.Cine, S-Log3", GAMUT_SG3CINE, CURVE_SLOG3, false) \
	X("slog2", "Sony S-Gamut (the primaries of S-Gamut3), S-Log2", GAMUT_SG3, CURVE_SLOG2, false) \
	X("vlog", "Panasonic V-Gamut, V-Log", GAMUT_VGAMUT, CURVE_VLOG, false) \
	X("log3g10", "RED Wide Gamut, Log3G10", GAMUT_RWG, CURVE_LOG3G10, false) \
	X("applelog", "BT.2020 primaries, Apple Log", GAMUT_2020, CURVE_APPLELOG, false) \
	X("clog2", "Canon Cinema Gamut, Canon Log 2", GAMUT_CINEMA, CURVE_CLOG2, false) \
	X("clog3", "Canon Cinema Gamut, Canon Log 3", GAMUT_CINEMA, CURVE_CLOG3, false) \
	X("davinci-intermediate", "DaVinci Wide Gamut, Intermediate", GAMUT_DWG, CURVE_DAVINCI, false) \
	X("bmdfilm-gen5", "Blackmagic Wide Gamut Gen 5, Film Gen 5", GAMUT_BMD5, CURVE_BMD5, false) \
	X("flog", "BT.2020 primaries, Fujifilm F-Log", GAMUT_2020, CURVE_FLOG, false) \
	X("flog2", "BT.2020 primaries, Fujifilm F-Log2", GAMUT_2020, CURVE_FLOG2, false) \
	X("dlog", "DJI D-Gamut, D-Log", GAMUT_DGAMUT, CURVE_DLOG, false) \
	X("nlog", "BT.2020 primaries, Nikon N-Log", GAMUT_2020, CURVE_NLOG, false) \
	X("llog", "BT.2020 primaries, Leica L-Log", GAMUT_2020, CURVE_LLOG, false) \
	X("linear-rec709", "BT.709 primaries, linear", GAMUT_709, CURVE_LINEAR, false) \
	X("linear-rec2020", "BT.2020 primaries, linear", GAMUT_2020, CURVE_LINEAR, false) \
	X("linear-p3-d65", "P3 primaries, D65, linear", GAMUT_P3, CURVE_LINEAR, false) \
	X("linear-rec601", "525-line primaries, linear", GAMUT_SMPTEC, CURVE_LINEAR, false) \
	X("linear-rec601-625", "625-line primaries, linear", GAMUT_BG, CURVE_LINEAR, false) \
	X("linear-awg3", "ARRI Wide Gamut 3, linear", GAMUT_AWG3, CURVE_LINEAR, false) \
	X("linear-awg4", "ARRI Wide Gamut 4, linear", GAMUT_AWG4, CURVE_LINEAR, false) \
	X("linear-sgamut3", "Sony S-Gamut3, linear", GAMUT_SG3, CURVE_LINEAR, false) \
	X("linear-sgamut3cine", "Sony S-Gamut3.Cine, linear", GAMUT_SG3CINE, CURVE_LINEAR, false) \
	X("linear-vgamut", "Panasonic V-Gamut, linear", GAMUT_VGAMUT, CURVE_LINEAR, false) \
	X("linear-rwg", "RED Wide Gamut, linear", GAMUT_RWG, CURVE_LINEAR, false) \
	X("linear-cinema-gamut", "Canon Cinema Gamut, linear", GAMUT_CINEMA, CURVE_LINEAR, false) \
	X("linear-dwg", "DaVinci Wide Gamut, linear", GAMUT_DWG, CURVE_LINEAR, false) \
	X("linear-bmd5", "Blackmagic Wide Gamut Gen 5, linear", GAMUT_BMD5, CURVE_LINEAR, false) \
	X("linear-dgamut", "DJI D-Gamut, linear", GAMUT_DGAMUT, CURVE_LINEAR, false) \
	X("raw", "no colour: never converted", GAMUT_NONE, CURVE_LINEAR, false)

#define X(name, doc, gamut, curve, display) { name, doc, gamut, curve, display },
const struct space colour_spaces[] = { SPACES(X) };
#undef X
#define X(name, doc, gamut, curve, display) name,
const char *const colour_space_names[] = { SPACES(X) };
#undef X
const int colour_nspaces = IN_COUNT(colour_spaces);
