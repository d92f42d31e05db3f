// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>

#include "decode/http/hpack.h"

/*
 * RFC 7541, appendix B.  The code is canonical: codes of one length follow each other in the
 * order of their symbols, and the next length goes on where they end.  So lengths say it all.
 */
enum { SYMBOLS = 257, EOS = 256, SHORTEST = 5, LONGEST = 30 };

static const uint8_t lengths[SYMBOLS] = {
	13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
	28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
	6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
	5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
	13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
	15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
	6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
	20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
	24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
	22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
	21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
	26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
	19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
	20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
	26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
	30,
};

static struct {
	bool ready;
	uint16_t symbols[SYMBOLS];	/* in the order of their codes */
	/* By length: codes from `first` up to, not with, `end`; where their symbols stand */
	uint32_t first[LONGEST + 1], end[LONGEST + 1], at[LONGEST + 1];
} code;

static void make_code(void)
{
	uint32_t next = 0, n = 0;

	for (int len = SHORTEST; len <= LONGEST; len++) {
		next <<= 1;
		code.first[len] = next;
		code.at[len] = n;
		for (uint32_t s = 0; s < SYMBOLS; s++) {
			if (lengths[s] != len)
				continue;
			code.symbols[n++] = (uint16_t)s;
			next++;
		}
		code.end[len] = next;
	}
	code.ready = true;
}

int hpack_huffman(const uint8_t *p, uint32_t n, char *out, uint32_t room)
{
	uint32_t bits = 0, done = 0, word = 0;
	int len = 0;

	if (!code.ready)
		make_code();
	for (bits = 0; bits < n * 8; bits++) {
		word = word << 1 | (p[bits / 8] >> (7 - bits % 8) & 1);
		if (++len < SHORTEST || word >= code.end[len] || word < code.first[len]) {
			if (len == LONGEST)
				return -1;
			continue;
		}
		word = code.symbols[code.at[len] + word - code.first[len]];
		if (word == EOS || done == room)
			return -1;
		out[done++] = (char)word;
		word = 0;
		len = 0;
	}
	/* 5.2: what is left are the first bits of EOS, fewer than eight, all ones */
	return len > 7 || word != (1u << len) - 1 ? -1 : (int)done;
}
