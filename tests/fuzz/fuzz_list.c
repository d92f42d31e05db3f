// SPDX-License-Identifier: GPL-2.0-or-later
/* Any text as a list of entries: what is read can be printed and made into tables; any bytes as a frame to judge. */
#include "fuzz_help.h"

#include "rules/compile.h"
#include "rules/match.h"
#include "util/err.h"

static void ignore(void *ctx, const char *file, uint32_t line, const char *why)
{
	*(uint32_t *)ctx += line + (uint32_t)strlen(why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen seen;
	struct np_rule like = { .dir = NP_SRC, .action = NP_DROP };
	uint32_t sum = 0;
	struct list_report report = { .bad = ignore, .ctx = &sum };
	struct buf b = { 0 };
	struct compiled c;
	struct facts f;
	struct rules r;
	uint8_t *text = exact(data, size);

	err_quiet(1);
	if (rules_init(&r))
		abort();
	list_read(&r, "list", (const char *)text, size, &like, 1, &report);
	facts_read(&f, text, (uint32_t)size);
	rules_match(&r, &f, &seen, 2);
	seen.n = 0;
	for (uint32_t i = 0; i < r.n; i++)
		rule_print(&b, &r, &r.v[i], 2);
	if (r.n < 64 && !rules_compile(&c, &r, 1))
		compiled_free(&c);
	buf_free(&b);
	rules_free(&r);
	free(text);
	return 0;
}
