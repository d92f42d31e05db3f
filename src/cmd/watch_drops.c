// SPDX-License-Identifier: GPL-2.0-or-later
/* --drops: the reasons it names. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cmd/watch.h"
#include "util/err.h"

enum { WORDS_MAX = 1024 };

static const char prefix[] = "SKB_DROP_REASON_";

/* The names that can be chosen: those of the core; a subsystem's have no name of their own. */
static unsigned int reason_words(const struct drop_names *d, const char **words)
{
	unsigned int n = 0;

	for (uint32_t i = 0; i < WORDS_MAX; i++) {
		const char *name = drop_reason_name(d, i);

		if (strcmp(name, "UNKNOWN") && strncmp(name, "SKB_", 4) && (!n || strcmp(name, words[n - 1])))
			words[n++] = name;
	}
	return n;
}

static const char *bare(const char *name)
{
	return strncasecmp(name, prefix, sizeof(prefix) - 1) ? name : name + sizeof(prefix) - 1;
}

static int unknown(const char *name, const char *const *words, unsigned int n)
{
	char upper[64];
	const char *near;
	size_t len = strnlen(name, sizeof(upper) - 1);

	for (size_t i = 0; i < len; i++) {
		upper[i] = name[i] == '-' ? '_' : name[i];
		if (name[i] >= 'a' && name[i] <= 'z')
			upper[i] = (char)(name[i] - 0x20);
	}
	upper[len] = '\0';
	near = opt_near(upper, words, n);
	return fail(0, "--drops: '%s' is not a drop reason of this kernel%s%s (see: netprobe help drops)", name,
		    near ? ": did you mean " : "", near ? near : "");
}

static int check_name(const char *name, const char *const *words, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcasecmp(words[i], name))
			return 0;
	return unknown(name, words, n);
}

/* Empty ones are skipped; "any" is all of them. */
static int split(struct watch *w, char *text)
{
	for (char *p = text, *end; *p; p = end) {
		end = p + strcspn(p, ",");
		if (*end)
			*end++ = '\0';
		if (!*p || !strcasecmp(p, "any"))
			continue;
		if (w->n_reasons == sizeof(w->reasons) / sizeof(w->reasons[0]))
			return fail(0, "--drops: at most %u reasons", w->n_reasons);
		w->reasons[w->n_reasons++] = bare(p);
	}
	return 0;
}

int watch_check_drops(struct watch *w)
{
	const char *words[WORDS_MAX];
	struct drop_names *d = NULL;
	unsigned int n;
	int err;

	if (!w->o->drops)
		return 0;
	w->reason_text = strdup(w->o->drops);
	if (!w->reason_text)
		return fail(ENOMEM, "--drops");
	err = split(w, w->reason_text);
	if (err || !w->n_reasons)
		return err;
	err = drop_reasons_read(&d, w->o->btf);
	if (err)
		return err;
	n = reason_words(d, words);
	for (unsigned int i = 0; i < w->n_reasons && !err && n; i++) /* a kernel without any says so later */
		err = check_name(w->reasons[i], words, n);
	drop_names_close(d);
	return err;
}

/* Of this kernel; 0, or a negative errno, said. */
static int kernel_words(const char *const **words, unsigned int *n)
{
	static const char *room[WORDS_MAX];
	static struct drop_names *names;	/* for good: what has them printed ends soon */
	static unsigned int many;
	int err = names ? 0 : drop_reasons_read(&names, NULL);

	if (!err && !many)
		many = reason_words(names, room);
	*words = room;
	*n = many;
	return err;
}

const char *watch_drop_word(unsigned int i)
{
	const char *const *words;
	unsigned int n;

	return !kernel_words(&words, &n) && i < n ? words[i] : NULL;
}

int help_drops(void)
{
	const char *const *words;
	unsigned int n;
	int err = kernel_words(&words, &n);

	if (err)
		return exit_status(err);
	for (unsigned int i = 0; i < n; i++)
		puts(words[i]);
	if (n)
		return EXIT_DONE;
	fail(0, "this kernel tells no drop reasons: they came with Linux 5.17, and are read from its types, "
		"/sys/kernel/btf/vmlinux");
	return EXIT_KERNEL;
}
