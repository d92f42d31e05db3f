// SPDX-License-Identifier: GPL-2.0-or-later
/* Files of entries. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/block.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { LIST_BYTES_MAX = 512 << 20, SAID_MAX = 20 };

struct said {
	unsigned int n;
};

static void bad_line(void *ctx, const char *file, uint32_t line, const char *why)
{
	struct said *s = ctx;

	if (s->n++ < SAID_MAX)
		fail(0, "%s:%u: %s", file, line, why);
}

static int read_all(int fd, const char *path, struct buf *b)
{
	ssize_t n;

	b->max = LIST_BYTES_MAX;
	do {
		if (!buf_room(b, 1 << 16))
			return fail(EFBIG, "%s", path);
		n = read(fd, b->p + b->n, b->cap - b->n);
		if (n < 0 && errno != EINTR)
			return fail(errno, "%s", path);
		b->n += n > 0 ? (size_t)n : 0;
	} while (n);
	return 0;
}

int block_read(struct block_run *b, struct rules *r, const char *path, const struct np_rule *like)
{
	struct said said = { 0 };
	struct list_report report = { .bad = bad_line, .ctx = &said };
	bool in = !strcmp(path, "-");
	owned_fd int fd = in ? dup(0) : open(path, O_RDONLY | O_CLOEXEC);
	struct buf text = { 0 };
	int err;

	if (fd < 0)
		return fail(errno, "%s", path);
	err = read_all(fd, path, &text);
	if (!err)
		err = list_read(r, in ? "standard input" : path, text.p ? text.p : "", text.n, like, b->now_ns,
				&report);
	buf_free(&text);
	if (err > 0) {
		if (said.n > SAID_MAX)
			fail(0, "%s: %u more bad lines", path, said.n - SAID_MAX);
		fail(0, "%s: %u of %u lines are bad: nothing was changed", path, report.bad_lines, report.lines);
		return -EINVAL;
	}
	if (err)
		return err;
	if (report.permitted && r->mode == NP_MODE_BLOCK)
		r->mode = NP_MODE_LOG;
	note("%s: %u lines, %u entries%s", path, report.lines, report.added,
	     report.same ? ", others were there already" : "");
	return 0;
}
