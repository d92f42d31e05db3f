/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capture files in memory, for the tests of readers and writers. */
#ifndef CAP_HELP_H
#define CAP_HELP_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/capfile.h"

enum { SEEN_MAX = 64, SEEN_DATA = 128 };

/* What came out of a source: the frames with their first bytes, names and drops copied. */
struct seen {
	unsigned int n;
	int rc;				/* what ended the reading */
	struct source_counts counts;
	struct {
		struct frame f;
		uint8_t data[SEEN_DATA];
		char name[64], reason[64], location[128], hook[16];
		const struct iface *iface;
	} v[SEEN_MAX];
};

/* A file being made, in little-endian order unless `swapped`. */
struct made {
	uint8_t p[1 << 16];
	size_t n;
	int swapped;
};

static inline void made_add(struct made *m, const void *p, size_t n)
{
	assert_true(m->n + n <= sizeof(m->p));
	if (n)
		memcpy(m->p + m->n, p, n);
	m->n += n;
}

static inline void made_u32(struct made *m, uint32_t v)
{
	v = m->swapped ? __builtin_bswap32(v) : v;
	made_add(m, &v, 4);
}

static inline void made_u16(struct made *m, uint16_t v)
{
	v = m->swapped ? __builtin_bswap16(v) : v;
	made_add(m, &v, 2);
}

static inline void made_u64(struct made *m, uint64_t v)
{
	v = m->swapped ? __builtin_bswap64(v) : v;
	made_add(m, &v, 8);
}

static inline int memory_file(const void *p, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static inline int seen_add(void *ctx, const struct frame *f)
{
	struct seen *s = ctx;
	unsigned int i = s->n++;

	if (i >= SEEN_MAX)
		return 0;
	s->v[i].f = *f;
	s->v[i].iface = f->iface;
	if (f->cap_len)
		memcpy(s->v[i].data, f->data, f->cap_len < SEEN_DATA ? f->cap_len : SEEN_DATA);
	if (f->iface)
		memcpy(s->v[i].name, f->iface->name, sizeof(s->v[i].name));
	if (f->drop) {
		snprintf(s->v[i].reason, sizeof(s->v[i].reason), "%s", f->drop->reason);
		snprintf(s->v[i].location, sizeof(s->v[i].location), "%s", f->drop->location);
		snprintf(s->v[i].hook, sizeof(s->v[i].hook), "%s", f->drop->hook);
	}
	return 0;
}

/* Read all of fd, `window` bytes at a time. */
static inline void seen_read(struct seen *s, int fd, size_t window)
{
	struct source *src;
	int rc;

	memset(s, 0, sizeof(*s));
	assert_int_equal(capfile_from(&src, fd, "test", window), 0);
	do {
		rc = src->ops->read(src, 3, seen_add, s);
	} while (rc >= 0);
	s->rc = rc;
	assert_int_equal(src->ops->read(src, 3, seen_add, s), rc);
	src->ops->counts(src, &s->counts);
	src->ops->close(src);
}

static inline void seen_made(struct seen *s, const struct made *m)
{
	seen_read(s, memory_file(m->p, m->n), 64);
}

#endif
