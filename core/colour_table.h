/* colour_table - the named colour spaces: primaries, white, transfer curve.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_COLOUR_TABLE_H
#define IN_COLOUR_TABLE_H

#include "base.h"

/* cat02: its maker adapts to the ACES white by CIECAM02's matrix rather than Bradford's. */
struct gamut { const char *name; double xy[8]; bool cat02; };          /* xy of R,G,B,W */
struct space { const char *name, *doc; int gamut, curve; bool display; };

extern const struct gamut colour_gamuts[];
extern const struct space colour_spaces[];
extern const char *const colour_space_names[];
extern const int colour_nspaces;

enum gamut_id {
	GAMUT_709, GAMUT_2020, GAMUT_P3, GAMUT_SMPTEC, GAMUT_BG, GAMUT_AP0, GAMUT_AP1, GAMUT_AWG3,
	    GAMUT_AWG4,
	GAMUT_SG3, GAMUT_SG3CINE, GAMUT_VGAMUT, GAMUT_RWG, GAMUT_DWG, GAMUT_BMD5, GAMUT_DGAMUT,
		GAMUT_CINEMA, GAMUT_NONE };

#endif
