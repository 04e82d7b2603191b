/* media_tags - the four colour tags (ITU-T H.273) and the siting of a written clip.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "colour.h"
#include "media_out.h"

/* Spaces without a code of their own are tagged unspecified: no tag is better than a wrong one. */
static const struct { const char *space; enum AVColorPrimaries pri;
                     enum AVColorTransferCharacteristic trc; } known[] = {
	{ "rec709", AVCOL_PRI_BT709, AVCOL_TRC_BT709 },
	    { "rec709-camera", AVCOL_PRI_BT709, AVCOL_TRC_BT709 },
	{ "srgb", AVCOL_PRI_BT709, AVCOL_TRC_IEC61966_2_1 },
	    { "gamma22", AVCOL_PRI_BT709, AVCOL_TRC_GAMMA22 },
	{ "rec601", AVCOL_PRI_SMPTE170M, AVCOL_TRC_SMPTE170M },
	    { "rec601-625", AVCOL_PRI_BT470BG, AVCOL_TRC_SMPTE170M },
	{ "rec2020", AVCOL_PRI_BT2020, AVCOL_TRC_BT2020_10 },
	    { "p3-d65", AVCOL_PRI_SMPTE432, AVCOL_TRC_SMPTE428 },
	{ "display-p3", AVCOL_PRI_SMPTE432, AVCOL_TRC_IEC61966_2_1 },
	    { "pq", AVCOL_PRI_BT2020, AVCOL_TRC_SMPTE2084 },
	{ "hlg", AVCOL_PRI_BT2020, AVCOL_TRC_ARIB_STD_B67 },
	    { "linear-rec709", AVCOL_PRI_BT709, AVCOL_TRC_LINEAR },
	{ "linear-rec2020", AVCOL_PRI_BT2020, AVCOL_TRC_LINEAR },
	    { "linear-p3-d65", AVCOL_PRI_SMPTE432, AVCOL_TRC_LINEAR },
};

static enum AVColorSpace spc_of(enum yuv_matrix m)
{
	switch (m) {
	case YM_RGB:       return AVCOL_SPC_RGB;
	case YM_BT601:     return AVCOL_SPC_SMPTE170M;
	case YM_BT2020:    return AVCOL_SPC_BT2020_NCL;
	case YM_FCC:       return AVCOL_SPC_FCC;
	case YM_SMPTE240M: return AVCOL_SPC_SMPTE240M;
	case YM_YCGCO:     return AVCOL_SPC_YCGCO;
	default:           return AVCOL_SPC_BT709;
	}
}

struct colour_tags tags_of(const struct write_spec *s)
{
	static const enum AVChromaLocation loc[] =
	    { AVCHROMA_LOC_UNSPECIFIED, AVCHROMA_LOC_LEFT, AVCHROMA_LOC_CENTER,
		AVCHROMA_LOC_TOPLEFT, AVCHROMA_LOC_TOP, AVCHROMA_LOC_BOTTOMLEFT, AVCHROMA_LOC_BOTTOM };
	struct colour_tags t = { AVCOL_PRI_UNSPECIFIED, AVCOL_TRC_UNSPECIFIED,
	                        spc_of(s->desc.rgb ? YM_RGB : s->matrix),
		s->range == YR_FULL ? AVCOL_RANGE_JPEG : AVCOL_RANGE_MPEG,
		s->desc.lw || s->desc.lh ? loc[s->siting] : AVCHROMA_LOC_UNSPECIFIED };
	const char *name = s->space >= 0 ? colour_name(s->space) : "";
	for (size_t i = 0; i < IN_COUNT(known); i++)
		if (!strcmp(known[i].space, name)) t.pri = known[i].pri, t.trc = known[i].trc;
	if (t.trc == AVCOL_TRC_BT2020_10 && s->desc.depth >= 12) t.trc = AVCOL_TRC_BT2020_12;
	return t;
}
