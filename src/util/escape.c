// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/escape.h"

#include <string.h>

#include "util/utf8.h"

bool escape_harmful(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe0fff);
}

static size_t put_escape(char *out, uint32_t c, bool is_byte)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;
	int shift;

	out[n++] = '\\';
	if (is_byte || c < 0x80) {
		out[n++] = 'x';
		out[n++] = hex[c >> 4 & 15];
		out[n++] = hex[c & 15];
		return n;
	}
	out[n++] = 'u';
	out[n++] = '{';
	for (shift = c > 0xffff ? 20 : 12; shift >= 0; shift -= 4)
		out[n++] = hex[c >> shift & 15];
	out[n++] = '}';
	return n;
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '\\';
}

/* Copies what needs no care at the start of `in`, at most `room` bytes. */
static size_t put_plain(char *out, size_t room, const char *in, size_t n)
{
	size_t i = 0;

	if (n > room)
		n = room;
	for (; i < n && is_plain((uint8_t)in[i]); i++)
		out[i] = in[i];
	return i;
}

size_t escape_text(char *out, size_t size, const char *in, size_t n, enum escape_mode mode)
{
	char piece[12];
	size_t used = 0, i = 0, len, step;
	uint32_t c;

	if (!size)
		return 0;
	while (i < n) {
		step = put_plain(out + used, size - 1 - used, in + i, n - i);
		used += step;
		i += step;
		if (i == n)
			break;
		step = utf8_decode((const uint8_t *)in + i, n - i, &c);
		if (!step) {
			len = put_escape(piece, (uint8_t)in[i], true);
			step = 1;
		} else if (mode == ESCAPE_LINES && (c == '\n' || c == '\t' || c == '\\')) {
			piece[0] = (char)c;
			len = 1;
		} else if (c == '\\') {
			memcpy(piece, "\\\\", len = 2);
		} else if (escape_harmful(c)) {
			len = put_escape(piece, c, false);
		} else {
			memcpy(piece, in + i, len = step);
		}
		if (used + len >= size)
			break;
		memcpy(out + used, piece, len);
		used += len;
		i += step;
	}
	out[used] = '\0';
	return used;
}
