// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * hex2pcap FILE.hex OUT.pcap: packets written down by hand.  Each line is a packet in
 * hexadecimal, blanks where they help; "N*XX" is the byte XX N times; # begins a comment;
 * a line that ends with a backslash goes on.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_MAX = 65535, LINE_MAX_ = 1 << 18 };

/* One word; returns the bytes it stands for, or -1. */
static long word(const char *w, uint8_t *out, size_t room)
{
	char *end;
	unsigned long n = strtoul(w, &end, 10);
	size_t len = strlen(w);

	if (*end == '*') {
		if (n > room)
			return -1;
		memset(out, (int)strtoul(end + 1, NULL, 16), n);
		return (long)n;
	}
	if (len % 2 || len / 2 > room)
		return -1;
	for (size_t i = 0; i < len; i += 2) {
		char two[3] = { w[i], w[i + 1], '\0' };

		if (!isxdigit((unsigned char)two[0]) || !isxdigit((unsigned char)two[1]))
			return -1;
		out[i / 2] = (uint8_t)strtoul(two, NULL, 16);
	}
	return (long)len / 2;
}

static void flush_frame(FILE *to, const uint8_t *frame, size_t n, uint32_t number)
{
	uint32_t rec[4] = { 1700000000 + number, 0, (uint32_t)n, (uint32_t)n };

	fwrite(rec, sizeof(rec), 1, to);
	fwrite(frame, n, 1, to);
}

int main(int argc, char **argv)
{
	static char line[LINE_MAX_];
	static uint8_t frame[FRAME_MAX];
	uint32_t head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 262144, 1 }, number = 0;
	FILE *from = argc == 3 ? fopen(argv[1], "r") : NULL, *to = argc == 3 ? fopen(argv[2], "w") : NULL;
	size_t n = 0;
	long got;

	if (!from || !to) {
		fprintf(stderr, "usage: hex2pcap FILE.hex OUT.pcap\n");
		return 2;
	}
	fwrite(head, sizeof(head), 1, to);
	while (fgets(line, sizeof(line), from)) {
		char *rest = NULL, *more = strchr(line, '\\');

		line[strcspn(line, "#\\\n")] = '\0';
		for (char *w = strtok_r(line, " \t", &rest); w; w = strtok_r(NULL, " \t", &rest)) {
			got = word(w, frame + n, sizeof(frame) - n);
			if (got < 0) {
				fprintf(stderr, "hex2pcap: %s: '%s' is not hexadecimal, or too long\n", argv[1], w);
				return 1;
			}
			n += (size_t)got;
		}
		if (n && !more) {
			flush_frame(to, frame, n, number++);
			n = 0;
		}
	}
	fclose(from);
	return fclose(to) ? 1 : 0;
}
