// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any text as a list of entries: what is read can be printed and made into tables, and comes over whole; any bytes as
 * what a reader that was taken over hands over, and as a frame to judge.
 */
#include "fuzz_help.h"

#include <sys/mman.h>
#include <unistd.h>

#include "rules/compile.h"
#include "rules/match.h"
#include "util/err.h"

static void ignore(void *ctx, const char *file, uint32_t line, const char *why)
{
	*(uint32_t *)ctx += line + (uint32_t)strlen(why);
}

/* A list without names and with as few entries as this is taken as well. */
static void use(struct rules *r)
{
	struct buf b = { 0 };
	struct compiled c;

	for (uint32_t i = 0; i < r->n; i++)
		rule_print(&b, r, &r->v[i], 2);
	if (r->n < 64 && !rules_compile(&c, r, 1))
		compiled_free(&c);
	buf_free(&b);
}

/* n bytes, or fewer, as what was handed over. */
static int unpack(const void *bytes, size_t n)
{
	struct list_report report = { .bad = ignore };
	struct rules r;
	char why[160];
	int err;

	if (rules_init(&r))
		abort();
	err = list_unpack(&r, "list", bytes, n, &report, why);
	if (!err)
		use(&r);
	rules_free(&r);
	return err;
}

/* What list_read() makes is taken; with some of its bytes changed as the input says, nothing goes wrong. */
static void hand_over(const struct rules *r, const struct list_report *report, const uint8_t *data, size_t size)
{
	int fd = memfd_create("list", 0);
	size_t n;
	uint8_t *p;

	if (fd < 0 || list_pack(fd, r, report))
		abort();
	n = (size_t)lseek(fd, 0, SEEK_END);
	p = malloc(n);
	if (!p || pread(fd, p, n, 0) != (ssize_t)n || unpack(p, n))
		abort();
	close(fd);
	for (size_t i = 0; i + 4 <= size && i < 64; i += 4) {
		p[(data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16) % n] ^= data[i + 3];
		unpack(p, n);
	}
	free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen seen;
	struct np_rule like = { .dir = NP_SRC, .action = NP_DROP };
	uint32_t sum = 0;
	struct list_report report = { .bad = ignore, .ctx = &sum };
	struct facts f;
	struct rules r;
	uint8_t *text = exact(data, size);

	err_quiet(1);
	if (rules_init(&r))
		abort();
	unpack(text, size);
	if (!list_read(&r, "list", (const char *)text, size, &like, 0, &report))
		hand_over(&r, &report, data, size);
	facts_read(&f, text, (uint32_t)size);
	rules_match(&r, &f, &seen, 2);
	seen.n = 0;
	use(&r);
	rules_free(&r);
	free(text);
	return 0;
}
