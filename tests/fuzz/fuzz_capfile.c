// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a capture file: plain, gzip, pcap, pcapng. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/capfile.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WINDOW = 512, ROUNDS_MAX = 1 << 20 };

struct tally {
	uint64_t frames, sum;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	stderr = fopen("/dev/null", "w");	/* our messages; libFuzzer writes to descriptor 2 */
	return 0;
}

/* Touches every byte, so that the sanitizer sees where the frame lies. */
static int look(void *ctx, const struct frame *f)
{
	struct tally *t = ctx;

	if (f->cap_len > f->len || f->cap_len > CAPFILE_FRAME_MAX || f->number != ++t->frames)
		abort();
	for (uint32_t i = 0; i < f->cap_len; i++)
		t->sum += f->data[i];
	if (f->iface)
		t->sum += f->iface->link + strlen(f->iface->name);
	if (f->drop)
		t->sum += strlen(f->drop->reason) + strlen(f->drop->location) + strlen(f->drop->hook);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC), rc, rounds = 0;
	struct source_counts counts;
	struct tally t = { 0, 0 };
	struct source *s;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) ||
	    capfile_from(&s, fd, "fuzz", WINDOW))
		abort();
	do {
		rc = s->ops->read(s, 16, look, &t);
		if (rounds++ > ROUNDS_MAX)
			abort();
	} while (rc >= 0);
	s->ops->counts(s, &counts);
	if (counts.emitted != t.frames)
		abort();
	s->ops->close(s);
	return 0;
}
