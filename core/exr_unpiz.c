/* exr_unpiz - chunks of PIZ taken apart: a Huffman code over 16-bit words, a wavelet, a table of the
 * values that occur.
 *
 * A chunk is the table's bitmap, then the code's lengths and bits. Codes are canonical, the longest from 0
 * on, so a code's length follows from its first bits, and its place among all codes in order of (length,
 * word) from its value. Everything a chunk says is checked before it is used.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "exr_int.h"

enum {
	WORDS = 1 << 16,               /* words; the code has one more, which stands for repeats */
	MAX_BITS = 56,                 /* a code of 57 bits needs more words than a chunk can have */
	FIRST_BITS = 12,
	SCAN = 255,                    /* in first[]: several lengths begin so */
	HUF_HEADER = 20
};

/* Threads: worker. */
struct exr_unpiz {
	uint16_t value[WORDS];         /* the k-th value that occurs */
	uint8_t bits[WORDS + 1];       /* length of each word's code; 0: has none */
	uint16_t word[WORDS + 1];      /* words by (length, word) */
	uint8_t first[1 << FIRST_BITS];/* length of codes that begin so */
	uint64_t start[MAX_BITS + 1];  /* the lowest code of a length, at the top of 64 bits */
	uint32_t base[MAX_BITS + 1];   /* its place in word[], less its value */
	uint32_t count[MAX_BITS + 1];
	int shortest, longest;
	uint32_t repeat;               /* place of the code that repeats */
	uint16_t *low;                 /* the wavelet's smaller pictures */
	size_t room;
};

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t get_be64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return __builtin_bswap64(v);
}

/* --- the values that occur --- */

/* The bitmap of words that occur at *src; 0 always does. Returns the highest place in value[], -1: damage. */
static int values(struct exr_unpiz *z, const uint8_t **src, const uint8_t *end)
{
	const uint8_t *p = *src;
	if (end - p < 4)
		return -1;
	uint32_t a = p[0] | (uint32_t)p[1] << 8, b = p[2] | (uint32_t)p[3] << 8, n = 1;
	p += 4;
	if (a >= WORDS / 8 || b >= WORDS / 8 || (a <= b && (uint32_t)(end - p) < b - a + 1))
		return -1;
	z->value[0] = 0;
	for (uint32_t i = a; i <= b; i++, p++)
		for (uint32_t m = i ? *p : *p & ~1u; m; m &= m - 1)
			z->value[n++] = (uint16_t)(i * 8 + (uint32_t)__builtin_ctz(m));
	*src = p;
	memset(z->value + n, 0, (WORDS - n) * sizeof *z->value);
	return (int)n - 1;
}

/* --- the code --- */

/* Bits from the top of a buffer; zeros follow the end. Threads: worker. */
struct bits { const uint8_t *p, *end; uint64_t buf; int n; };

/* At least 56 bits. */
static inline void refill(struct bits *b)
{
	if (b->end - b->p >= 8) {
		b->buf |= get_be64(b->p) >> b->n;
		b->p += (63 - b->n) >> 3;
		b->n |= 56;
		return;
	}
	while (b->n <= 56 && b->p < b->end) {
		b->buf |= (uint64_t)*b->p++ << (56 - b->n);
		b->n += 8;
	}
}

static inline uint32_t take(struct bits *b, int n)
{
	uint32_t v = (uint32_t)(b->buf >> (64 - n));
	b->buf <<= n;
	b->n -= n;
	return v;
}

/* Lengths of the codes of words first..last in six bits each: 59 to 62 are 2 to 5 words without a code, 63
 * and a byte 6 and more. *p is moved behind them. */
static int lengths(struct exr_unpiz *z, uint32_t first, uint32_t last, const uint8_t **p, const uint8_t *end)
{
	struct bits b = { .p = *p, .end = end };
	memset(z->bits, 0, sizeof z->bits);
	memset(z->count, 0, sizeof z->count);
	for (uint32_t i = first; i <= last;) {
		refill(&b);
		uint32_t k = take(&b, 6), run = k < 59 ? 1 : k < 63 ? k - 57 : take(&b, 8) + 6;
		if (b.n < 0 || run > last + 1 - i || (k < 59 && k > MAX_BITS))
			return -1;
		if (k && k < 59) {
			z->bits[i] = (uint8_t)k;
			z->count[k]++;
		}
		i += run;
	}
	*p = b.p - b.n / 8;
	return 0;
}

/* Codes from the longest to the shortest, each length's first is half of what is above the longer ones. They
 * must fill their room exactly: no code begins another, and all bits mean something. */
static int canonical(struct exr_unpiz *z, uint32_t last)
{
	uint64_t c = 0;
	uint32_t at[MAX_BITS + 1], n = 0;
	z->shortest = z->longest = 0;
	for (int l = 1; l <= MAX_BITS; l++) {
		if (!z->count[l])
			continue;
		if (!z->shortest)
			z->shortest = l;
		z->longest = l;
		at[l] = n;
		n += z->count[l];
	}
	if (!n || !z->bits[last])
		return -1;
	for (int l = z->longest; l >= z->shortest; l--) {
		uint64_t end = c + z->count[l], room = (uint64_t)1 << l;
		z->start[l] = c << (64 - l);
		z->base[l] = z->count[l] ? at[l] - (uint32_t)c : 0;
		if (l > z->shortest ? end > room || end % 2 : end != room)
			return -1;
		c = end / 2;
	}
	for (uint32_t i = 0; i <= last; i++)
		if (z->bits[i]) {
			if (i == last)
				z->repeat = at[z->bits[i]];
			z->word[at[z->bits[i]]++] = (uint16_t)i;
		}
	return 0;
}

/* The length of the code that the buffer begins with: the shortest whose lowest code is not above it. */
static inline int length_of(const struct exr_unpiz *z, uint64_t buf)
{
	int l = z->shortest;
	while (l < z->longest && (!z->count[l] || buf < z->start[l]))
		l++;
	return l;
}

static void first_bits(struct exr_unpiz *z)
{
	const uint64_t step = (uint64_t)1 << (64 - FIRST_BITS);
	for (uint64_t i = 0; i < 1 << FIRST_BITS; i++) {
		int a = length_of(z, i * step), b = length_of(z, i * step + (step - 1));
		z->first[i] = a == b ? (uint8_t)a : SCAN;
	}
}

/* --- words --- */

/* Where words go. */
struct sink { uint16_t *at, *end; };

/* One word: 0; repeats of the one before: 1; -1: damage. */
IN_INLINE int one(const struct exr_unpiz *z, struct bits *b, struct sink *s, const uint16_t *begin)
{
	uint32_t l = z->first[b->buf >> (64 - FIRST_BITS)];
	if (IN_UNLIKELY(l == SCAN))
		l = (uint32_t)length_of(z, b->buf);
	uint32_t i = (uint32_t)(b->buf >> (64 - l)) + z->base[l];
	b->buf <<= l;
	b->n -= (int)l;
	if (IN_LIKELY(i != z->repeat)) {
		*s->at++ = z->word[i];
		return 0;
	}
	if (b->n < 0 || s->at == begin)
		return -1;
	refill(b);
	uint32_t n = take(b, 8);
	if (b->n < 0 || n > (size_t)(s->end - s->at))
		return -1;
	for (uint16_t w = s->at[-1]; n; n--)
		*s->at++ = w;
	return 1;
}

/* As long as k codes (a constant) fit between two refills. */
IN_INLINE int several(const struct exr_unpiz *z, struct bits *b, struct sink *s, const uint16_t *begin, int k)
{
	while (s->end - s->at >= k && b->end - b->p >= 8) {
		refill(b);
		for (int i = 0, rc = 0; i < k && !rc; i++) {
			rc = one(z, b, s, begin);
			if (rc < 0)
				return -1;
		}
	}
	return 0;
}

/* nbits of codes make exactly the n words of out. */
static int words(const struct exr_unpiz *z, const uint8_t *p, uint64_t nbits, uint16_t *out, size_t n)
{
	struct bits b = { .p = p, .end = p + (nbits + 7) / 8 };
	struct sink s = { out, out + n };
	int rc = 0;
	if (z->longest <= 14)
		rc = several(z, &b, &s, out, 4);
	else if (z->longest <= 18)
		rc = several(z, &b, &s, out, 3);
	else if (z->longest <= 28)
		rc = several(z, &b, &s, out, 2);
	while (!rc && s.at < s.end) {
		refill(&b);
		rc = one(z, &b, &s, out) < 0 || b.n < 0;
	}
	uint64_t used = (uint64_t)(b.p - p) * 8 - (uint64_t)b.n;
	return rc || used != nbits ? -1 : 0;
}

/* The n words that len bytes hold. */
static int huffman(struct exr_unpiz *z, const uint8_t *src, size_t len, uint16_t *out, size_t n)
{
	if (len < HUF_HEADER)
		return -1;
	uint32_t a = get32(src), b = get32(src + 4), nbits = get32(src + 12);
	const uint8_t *p = src + HUF_HEADER, *end = src + len;
	if (a > b || b > WORDS || lengths(z, a, b, &p, end) || ((uint64_t)nbits + 7) / 8 > (size_t)(end - p))
		return -1;
	if (canonical(z, b))
		return -1;
	first_bits(z);
	return words(z, p, nbits, out, n);
}

/* --- the wavelet --- */

/* Each step takes an average l and a difference h apart: words of 14 bits signed, all others modulo 2^16. */
static inline void apart(bool small, uint16_t l, uint16_t h, uint16_t *a, uint16_t *b)
{
	if (small) {
		*a = (uint16_t)(l + (h & 1) + (uint16_t)((int16_t)h >> 1));
		*b = (uint16_t)(*a - h);
	} else {
		*b = (uint16_t)(l - (h >> 1));
		*a = (uint16_t)(h + *b - 0x8000);
	}
}

/* A picture of w x h pixels of n words each, without gaps. */
struct wave { uint16_t *v; int w, h, n; };

static inline uint16_t *word_at(const struct wave *p, int x, int y)
{
	return p->v + ((size_t)y * (size_t)p->w + (size_t)x) * (size_t)p->n;
}

/* Word k of pixels (x, y) to (x + 1, y + 1); l: their average, decoded already. */
static void square(bool small, const struct wave *p, int x, int y, int k, uint16_t l)
{
	uint16_t *a = word_at(p, x, y) + k, *b = a + p->n, *c = word_at(p, x, y + 1) + k, *d = c + p->n;
	uint16_t top, under, top2, under2;
	apart(small, l, *c, &top, &under);
	apart(small, *b, *d, &top2, &under2);
	apart(small, top, top2, a, b);
	apart(small, under, under2, c, d);
}

#if defined __SSE2__
#include <emmintrin.h>

static inline void apart8(bool small, __m128i l, __m128i h, __m128i *a, __m128i *b)
{
	if (small) {
		__m128i odd = _mm_and_si128(h, _mm_set1_epi16(1));
		*a = _mm_add_epi16(_mm_add_epi16(l, odd), _mm_srai_epi16(h, 1));
		*b = _mm_sub_epi16(*a, h);
	} else {
		*b = _mm_sub_epi16(l, _mm_srli_epi16(h, 1));
		*a = _mm_add_epi16(_mm_add_epi16(h, *b), _mm_set1_epi16(-0x8000));
	}
}

/* The even and the odd pixels of 16 words. */
static inline void split(int n, const uint16_t *p, __m128i *even, __m128i *odd)
{
	__m128i a = _mm_loadu_si128((const __m128i *)p), b = _mm_loadu_si128((const __m128i *)(p + 8));
	if (n == 2) {
		__m128 x = _mm_castsi128_ps(a), y = _mm_castsi128_ps(b);
		*even = _mm_castps_si128(_mm_shuffle_ps(x, y, 0x88));
		*odd = _mm_castps_si128(_mm_shuffle_ps(x, y, 0xdd));
		return;
	}
	*even = _mm_packs_epi32(_mm_srai_epi32(_mm_slli_epi32(a, 16), 16),
	                        _mm_srai_epi32(_mm_slli_epi32(b, 16), 16));
	*odd = _mm_packs_epi32(_mm_srai_epi32(a, 16), _mm_srai_epi32(b, 16));
}

static inline void join(int n, uint16_t *p, __m128i even, __m128i odd)
{
	__m128i a = n == 2 ? _mm_unpacklo_epi32(even, odd) : _mm_unpacklo_epi16(even, odd);
	__m128i b = n == 2 ? _mm_unpackhi_epi32(even, odd) : _mm_unpackhi_epi16(even, odd);
	_mm_storeu_si128((__m128i *)p, a);
	_mm_storeu_si128((__m128i *)(p + 8), b);
}

/* As square for a pair of rows, 8 words of averages at a time; returns the words done. small and n are
 * constants. */
IN_INLINE size_t squares(bool small, int n, uint16_t *up, uint16_t *down, const uint16_t *low, size_t words)
{
	size_t i = 0;
	for (; i + 8 <= words; i += 8) {
		__m128i none, a, b, c, d, top, under, top2, under2;
		split(n, up + 2 * i, &none, &b);
		split(n, down + 2 * i, &c, &d);
		apart8(small, _mm_loadu_si128((const __m128i *)(low + i)), c, &top, &under);
		apart8(small, b, d, &top2, &under2);
		apart8(small, top, top2, &a, &b);
		apart8(small, under, under2, &c, &d);
		join(n, up + 2 * i, a, b);
		join(n, down + 2 * i, c, d);
	}
	return i;
}

static size_t every_other(int n, uint16_t *to, const uint16_t *from, size_t words)
{
	size_t i = 0;
	for (; i + 8 <= words; i += 8) {
		__m128i even, odd;
		split(n, from + 2 * i, &even, &odd);
		_mm_storeu_si128((__m128i *)(to + i), even);
	}
	return i;
}
#else
static size_t squares(bool small, int n, uint16_t *up, uint16_t *down, const uint16_t *low, size_t words)
{
	return (void)small, (void)n, (void)up, (void)down, (void)low, (void)words, 0;
}

static size_t every_other(int n, uint16_t *to, const uint16_t *from, size_t words)
{
	return (void)n, (void)to, (void)from, (void)words, 0;
}
#endif

/* Every other pixel of every other row. */
static void shrink(const struct wave *p, const struct wave *low)
{
	size_t n = (size_t)p->n, words = (size_t)low->w * n;
	for (int y = 0; y < low->h; y++) {
		uint16_t *to = word_at(low, 0, y);
		const uint16_t *from = word_at(p, 0, 2 * y);
		for (size_t i = every_other(p->n, to, from, words); i < words; i++)
			to[i] = from[i / n * 2 * n + i % n];
	}
}

static size_t squares_of(bool small, int n, uint16_t *up, uint16_t *down, const uint16_t *low, size_t words)
{
	if (n == 2)
		return small ? squares(true, 2, up, down, low, words) : squares(false, 2, up, down, low, words);
	return small ? squares(true, 1, up, down, low, words) : squares(false, 1, up, down, low, words);
}

/* One step: p from its differences and the decoded averages. A last odd column or row has differences one
 * way only. */
static void step_back(bool small, const struct wave *p, const struct wave *low)
{
	size_t words = (size_t)low->w * (size_t)low->n;
	for (int y = 0; y < low->h; y++) {
		const uint16_t *l = word_at(low, 0, y);
		uint16_t *up = word_at(p, 0, 2 * y), *down = word_at(p, 0, 2 * y + 1);
		size_t i = squares_of(small, p->n, up, down, l, words);
		for (; i < words; i++)
			square(small, p, (int)i / p->n * 2, 2 * y, (int)i % p->n, l[i]);
		for (int k = 0; p->w % 2 && k < p->n; k++) {
			uint16_t *a = word_at(p, p->w - 1, 2 * y) + k, *b = word_at(p, p->w - 1, 2 * y + 1) + k;
			apart(small, *a, *b, a, b);
		}
	}
	for (int x = 0; p->h % 2 && x + 1 < p->w; x += 2)
		for (int k = 0; k < p->n; k++) {
			uint16_t *a = word_at(p, x, p->h - 1) + k, *b = a + p->n;
			apart(small, *a, *b, a, b);
		}
}

/* Undoes the wavelet of all words of a picture. most: the highest place in value[]. */
static void unwave(struct exr_unpiz *z, struct wave top, int most)
{
	struct wave step[32] = { top };
	uint16_t *free = z->low;
	int n = 0;
	while (step[n].w > 1 && step[n].h > 1) {
		struct wave *p = &step[n], *low = &step[n + 1];
		*low = (struct wave){ free, p->w / 2, p->h / 2, p->n };
		free += (size_t)low->w * (size_t)low->h * (size_t)low->n;
		shrink(p, low);
		n++;
	}
	for (; n > 0; n--)
		step_back(most < 1 << 14, &step[n - 1], &step[n]);
}

/* --- whole chunks --- */

/* Words to the values they stand for, in the file's order of bytes. */
static void put_values(const struct exr_unpiz *z, bool same, uint8_t *dst, const uint16_t *src, size_t n)
{
	if (same) {
		memcpy(dst, src, n * sizeof *src);
		return;
	}
	for (size_t i = 0; i < n; i++)
		memcpy(dst + 2 * i, &z->value[src[i]], 2);
}

/* Channels one after the other to rows of all channels. */
static void put_chunk(const struct exr_unpiz *z, struct exr_piz_channel *ch, int nch, int y0, int rows,
                      int most, uint8_t *dst)
{
	for (int y = y0; y < y0 + rows; y++)
		for (int c = 0; c < nch; c++) {
			size_t w = (size_t)ch[c].w * (size_t)ch[c].words;
			if (ch[c].h == 0 || y % ch[c].step != 0)
				continue;
			put_values(z, most == WORDS - 1, dst, ch[c].at, w);
			ch[c].at += w;
			dst += 2 * w;
		}
}

static int room_for(struct exr_unpiz *z, size_t words)
{
	if (z->room >= words)
		return 0;
	free(z->low);
	z->low = malloc(words * sizeof *z->low);
	z->room = z->low ? words : 0;
	return z->low ? 0 : -1;
}

int exr_unpiz(struct exr_unpiz *z, struct exr_piz_channel *ch, int nch, int y0, int rows, uint16_t *tmp,
              uint8_t *dst, const uint8_t *src, size_t len)
{
	const uint8_t *end = src + len;
	size_t n = 0;
	for (int c = 0; c < nch; c++) {
		ch[c].at = tmp + n;
		n += (size_t)ch[c].w * (size_t)ch[c].h * (size_t)ch[c].words;
	}
	int most = room_for(z, n / 2 + 1) ? -1 : values(z, &src, end);
	if (most < 0 || n == 0 || end - src < 4)
		return -1;
	uint32_t size = get32(src);
	src += 4;
	if (size > (size_t)(end - src) || huffman(z, src, size, tmp, n))
		return -1;
	for (int c = 0; c < nch; c++)
		unwave(z, (struct wave){ ch[c].at, ch[c].w, ch[c].h, ch[c].words }, most);
	put_chunk(z, ch, nch, y0, rows, most, dst);
	return 0;
}

struct exr_unpiz *exr_unpiz_new(void)
{
	return calloc(1, sizeof(struct exr_unpiz));
}

void exr_unpiz_free(struct exr_unpiz **z)
{
	if (*z)
		free((*z)->low);
	free(*z);
	*z = NULL;
}
