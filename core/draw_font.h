/* draw_font - the bitmap font of draw.c: nine rows of five dots a character,
 * a digit of base 32 (0-9, a-v) each.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_DRAW_FONT_H
#define IN_DRAW_FONT_H

#include <stdint.h>

/* From the space to the tilde. */
static const char font_ascii[95][10] = {
	"000000000", "444440400", "aaa000000", "aavavaa00", "4fke5u400", "pq248bj00",
	"cik8lid00", "444000000", "248884200", "842224800", "04lel4000", "044v44000",
	"00000cc48", "000v00000", "00000cc00", "11248gg00", "ehjlphe00", "4c4444e00",
	"eh1248v00", "eh161he00", "26aiv2200", "vgu11he00", "68guhhe00", "v11244400",
	"ehhehhe00", "ehhf12c00", "006606600", "006606624", "124842100", "00v0v0000",
	"g84248g00", "eh1240400", "ehnlnge00", "4ahhvhh00", "uhhuhhu00", "ehggghe00",
	"sihhhis00", "vgguggv00", "vgguggg00", "ehgnhhf00", "hhhvhhh00", "e44444e00",
	"72222ic00", "hikokih00", "ggggggv00", "hrllhhh00", "hppljjh00", "ehhhhhe00",
	"uhhuggg00", "ehhhlid00", "uhhukih00", "fgge11u00", "v44444400", "hhhhhhe00",
	"hhhhaa400", "hhhllrh00", "hha4ahh00", "hha444400", "v1248gv00", "e88888e00",
	"gg8421100", "e22222e00", "4ah000000", "0000000v0", "842000000", "00e1fhf00",
	"gguhhhu00", "00ehghe00", "11fhhhf00", "00ehvge00", "698u88800", "00fhhhf1e",
	"gguhhhh00", "40c444e00", "2062222ic", "ggiksih00", "c44444600", "00qllll00",
	"00uhhhh00", "00ehhhe00", "00uhhhugg", "00fhhhf11", "00mpggg00", "00fge1u00",
	"88u889600", "00hhhhf00", "00hhaa400", "00hllla00", "00ha4ah00", "00hhhhf1e",
	"00v248v00", "244844200", "444444400", "844244800", "00di00000",
};

/* The last stands for whatever is missing. */
struct font_glyph { uint32_t ch; char rows[10]; };
static const struct font_glyph font_more[] = {
	{ 0x00b0, "cic000000" },
	{ 0x00b1, "44v440v00" },
	{ 0x00d7, "0ha4ah000" },
	{ 0x00b7, "000400000" },
	{ 0x0394, "44aahhv00" },
	{ 0x00b2, "ci48u0000" },
	{ 0x00b5, "00hhhjtgg" },
	{ 0x2013, "000f00000" },
	{ 0xfffd, "vhhhhhv00" },
};

#endif
