// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats/vendors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { NAME_MAX_ = 64, TABLE_BYTES_MAX = 64 << 20, ROWS_MAX = 1 << 20 };

struct row {
	uint64_t prefix;	/* left-aligned in 48 bits, the number of bits below: sorts by both */
	uint32_t name, len;	/* in names */
};

struct vendors {
	struct row *rows;
	uint32_t n, room;
	char *names;
	uint32_t n_names, names_room;
};

static uint64_t key(uint64_t mac, unsigned int bits)
{
	return (mac >> (48 - bits) << (48 - bits)) << 8 | bits;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
	       c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 :
				      -1;
}

/* The prefix at the start of a line: 6 to 12 digits, maybe apart, maybe with a length.  Bits, or 0. */
static unsigned int read_prefix(const char **pp, const char *end, uint64_t *mac)
{
	const char *p = *pp;
	unsigned int digits = 0, bits = 0;

	*mac = 0;
	for (; p < end && digits <= 12; p++) {
		int d = hex_digit(*p);

		if (d >= 0 && digits++ < 12)
			*mac = *mac << 4 | (unsigned int)d;
		else if (d >= 0 || (*p != ':' && *p != '-' && *p != '.') || !digits)
			break;
	}
	if (digits < 6 || digits > 12)
		return 0;
	*mac <<= 4 * (12 - digits);
	if (p < end && *p == '/') {
		for (p++; p < end && *p >= '0' && *p <= '9' && bits < 100; p++)
			bits = bits * 10 + (unsigned int)(*p - '0');
	} else {
		bits = 4 * digits;
	}
	*pp = p;
	return bits >= 24 && bits <= 48 ? bits : 0;
}

/* The long name: the last column; in front of it may stand "(hex)" or a short name. */
static struct str read_name(const char *p, const char *end)
{
	size_t n = end > p ? (size_t)(end - p) : 0;
	const char *tab;

	while (n && (p[n - 1] == ' ' || p[n - 1] == '\t' || p[n - 1] == '\r'))
		n--;
	end = p + n;
	tab = memrchr(p, '\t', n);
	if (tab)
		p = tab;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return (struct str){ p, (uint32_t)(end - p < NAME_MAX_ ? end - p : NAME_MAX_) };
}

static int grow(void **p, uint32_t *room, uint32_t wanted, size_t size)
{
	uint32_t n = *room ? *room : 1024;
	void *q;

	while (n < wanted)
		n *= 2;
	if (n == *room)
		return 0;
	q = realloc(*p, n * size);
	if (!q)
		return -ENOMEM;
	*p = q;
	*room = n;
	return 0;
}

static int add(struct vendors *v, uint64_t mac, unsigned int bits, struct str name)
{
	if (v->n == ROWS_MAX)
		return 0;
	if (grow((void **)&v->rows, &v->room, v->n + 1, sizeof(*v->rows)) ||
	    grow((void **)&v->names, &v->names_room, v->n_names + name.n, 1))
		return -ENOMEM;
	memcpy(v->names + v->n_names, name.p, name.n);
	v->rows[v->n++] = (struct row){ key(mac, bits), v->n_names, name.n };
	v->n_names += name.n;
	return 0;
}

static int by_prefix(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->prefix < y->prefix ? -1 : x->prefix > y->prefix;
}

static int read_line(struct vendors *v, const char *p, const char *end)
{
	unsigned int bits;
	struct str name;
	uint64_t mac;

	bits = read_prefix(&p, end, &mac);
	if (!bits || p == end || (*p != ' ' && *p != '\t'))
		return 0;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	/* The IEEE's own form has each assignment twice, and its registry of ranges in the third form. */
	if (end - p > 9 && !memcmp(p, "(base 16)", 9))
		return 0;
	name = read_name(p, end);
	return name.n ? add(v, mac, bits, name) : 0;
}

int vendors_parse(struct vendors **out, const char *text, size_t n)
{
	struct vendors *v = calloc(1, sizeof(*v));
	const char *p = text, *end = text + n, *eol;
	int err = v ? 0 : -ENOMEM;

	for (; !err && p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (!eol)
			eol = end;
		err = read_line(v, p, eol);
	}
	if (err) {
		vendors_close(v);
		return err;
	}
	if (v->n)
		qsort(v->rows, v->n, sizeof(*v->rows), by_prefix);
	*out = v;
	return 0;
}

static int read_table(struct vendors **out, int fd, const char *path)
{
	struct stat st;
	char *p;
	int err;

	if (fstat(fd, &st))
		return fail(errno, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > TABLE_BYTES_MAX)
		return fail(0, "%s: not a table of MAC address prefixes", path);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return fail(errno, "%s", path);
	err = vendors_parse(out, p, (size_t)st.st_size);
	munmap(p, (size_t)st.st_size);
	return err ? fail(-err, "%s", path) : 0;
}

int vendors_open(struct vendors **out, const char **path)
{
	/* In the order of what they know: the last two have no prefixes of 28 and 36 bits. */
	static const char *const paths[] = {
		"/usr/share/wireshark/manuf",		"/usr/share/arp-scan/ieee-oui.txt",
		"/usr/share/nmap/nmap-mac-prefixes",	"/var/lib/ieee-data/oui.txt",
		"/usr/share/ieee-data/oui.txt",		"/usr/share/hwdata/oui.txt",
	};

	*out = NULL;
	*path = NULL;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		owned_fd int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		*path = paths[i];
		return read_table(out, fd, paths[i]);
	}
	return 0;
}

void vendors_close(struct vendors *v)
{
	if (!v)
		return;
	free(v->rows);
	free(v->names);
	free(v);
}

struct str vendors_find(const struct vendors *v, const uint8_t mac[6])
{
	static const uint8_t lengths[] = { 48, 36, 28, 24 };
	uint64_t m = (uint64_t)be16(mac) << 32 | be32(mac + 2);

	for (size_t i = 0; v && v->n && i < sizeof(lengths); i++) {
		struct row k = { .prefix = key(m, lengths[i]) };
		const struct row *r = bsearch(&k, v->rows, v->n, sizeof(k), by_prefix);

		if (r)
			return (struct str){ v->names + r->name, r->len };
	}
	return (struct str){ NULL, 0 };
}
