// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes as the blocks after a section's head, so that no luck is needed to get
 * there.  What is read is written again, and must be read again the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "record.h"
#include "sink/out.h"
#include "sink/sink.h"
#include "source/capfile.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WINDOW = 512 };

struct tally {
	struct sink *sink;		/* NULL: count only */
	uint64_t frames, sum;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	stderr = fopen("/dev/null", "w");
	return 0;
}

static void add(struct tally *t, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		t->sum = (t->sum ^ ((const uint8_t *)p)[i]) * 1099511628211u;
}

static int look(void *ctx, const struct frame *f)
{
	struct tally *t = ctx;
	uint32_t n = f->cap_len < 262144 ? f->cap_len : 262144;
	struct record r;

	t->frames++;
	add(t, f->data, n);
	add(t, &f->len, sizeof(f->len));
	add(t, &f->time_ns, sizeof(f->time_ns));
	add(t, &f->link, sizeof(f->link));
	add(t, &f->direction, sizeof(f->direction));
	add(t, f->iface->name, strlen(f->iface->name));
	if (f->segments > 1)
		add(t, &f->segments, sizeof(f->segments));
	if (f->drop) {
		add(t, f->drop->reason, strlen(f->drop->reason));
		add(t, f->drop->location, strlen(f->drop->location));
		add(t, f->drop->hook, strlen(f->drop->hook));
	}
	if (!t->sink)
		return 0;
	record_start(&r, &packet_dataset);
	r.frame = f;
	r.time_ns = f->time_ns;
	if (sink_record(t->sink, &r))
		abort();
	return 0;
}

static void read_all(int fd, struct tally *t, struct source **keep)
{
	int rc;

	if (lseek(fd, 0, SEEK_SET) || capfile_from(keep, fd, "fuzz", WINDOW))
		abort();
	do {
		rc = (*keep)->ops->read(*keep, 16, look, t);
	} while (rc >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t head[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, ~0u, ~0u, 28 };
	struct sink_options opt = { .filter = "udp", .os = "Linux" };
	struct tally first = { 0 }, second = { 0 };
	int fd = memfd_create("in", MFD_CLOEXEC), copy = memfd_create("out", MFD_CLOEXEC);
	struct source *a, *b;
	struct out *out;

	if (write(fd, head, sizeof(head)) != (ssize_t)sizeof(head) ||
	    write(fd, data, size) != (ssize_t)size || out_open(&out, dup(copy), "fuzz") ||
	    sink_open(&first.sink, &sink_pcapng, out, &opt))
		abort();
	read_all(fd, &first, &a);
	if (sink_close(first.sink) || out_close(out))
		abort();
	read_all(copy, &second, &b);
	if (first.frames != second.frames || first.sum != second.sum)
		abort();
	a->ops->close(a);
	b->ops->close(b);
	return 0;
}
