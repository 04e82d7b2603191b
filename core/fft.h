/* fft - the discrete Fourier transform of squares whose side is a power of two, in double: what measures grain and
 * sharpness. Equal bits on every machine.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_FFT_H
#define IN_FFT_H

/* Columns that go together; the least and the most side. */
enum { FFT_STRIP = 16, FFT_MOST = 128 };

/* Tables of side n. Threads: frozen. */
struct fft { int n, rev[FFT_MOST]; double cos[FFT_MOST / 2], sin[FFT_MOST / 2]; };
void fft_make(struct fft *t, int n);

/* n by n values re + i im become sums of them times exp(-2 pi i (x u + y v) / n), in place. room: for 2 n n. */
void fft_square(const struct fft *t, double *re, double *im, double *room);

#endif
