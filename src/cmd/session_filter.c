// SPDX-License-Identifier: GPL-2.0-or-later
/* The filter of a session: words, a file, -4 and -6. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd/session_parts.h"
#include "kern/link.h"
#include "util/cleanup.h"
#include "util/err.h"

/* -F FILE: lines; '#' begins a comment, which becomes blanks, as tcpdump has it. */
static int read_filter(struct buf *b, const char *path)
{
	bool in = !strcmp(path, "-"), comment = false;
	owned_fd int fd = in ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	ssize_t n = 0;

	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			comment = chunk[i] == '#' || (comment && chunk[i] != '\n');
			if (comment)
				chunk[i] = ' ';
		}
		buf_add(b, chunk, (size_t)n);
	}
	return fd < 0 || n < 0 ? fail(errno, "%s", in ? "standard input" : path) : 0;
}

/* Only -4's or -6's part of what `text` says; a text of blanks says nothing. */
static void add_family(struct buf *b, const struct globals *g, const struct buf *text)
{
	const char *family = g->v4 ? "ip" : g->v6 ? "ip6" : NULL;
	bool blank = true;

	for (size_t i = 0; i < text->n; i++)
		blank = blank && strchr(" \t\r\n", text->p[i]) && text->p[i];
	if (family)
		buf_str(b, family);
	if (family && !blank)
		buf_str(b, " and (");
	buf_add(b, text->p, text->n);
	if (family && !blank)
		buf_chr(b, ')');
}

/* The filter: trailing words, or -F FILE, and -4 or -6 in front. */
static int make_filter(struct session *s, int argc, char **argv)
{
	struct buf text = { .max = 65536 }, b = { .max = 65536 };
	int err = s->o->filter_file ? read_filter(&text, s->o->filter_file) : 0;

	for (int i = 0; i < argc; i++) {
		if (i)
			buf_chr(&text, ' ');
		buf_str(&text, argv[i]);
	}
	add_family(&b, s->o->g, &text);
	if (!err && b.n)
		buf_chr(&b, '\0');
	if (!err && (text.full || b.full || (b.n && memchr(b.p, '\0', b.n) != b.p + b.n - 1)))
		err = fail(0, "the filter is too long or not text");
	if (!err && b.n)
		s->filter_text = b.p;
	else
		buf_free(&b);
	buf_free(&text);
	return err;
}

/* `netprobe watch eth0`: say what was meant instead of libpcap's "syntax error". */
static int check_bare_interface(int argc, char **argv)
{
	struct link_info l;

	if (argc == 1 && !link_get(argv[0], 0, &l))
		return fail(0, "'%s' is an interface, not a filter: did you mean -i %s?", argv[0], argv[0]);
	return 0;
}

/*
 * A syntax error is a usage error, told before anything is opened.  Of a file the link type is not known yet; live,
 * what its words imply is said once, here.
 */
static int check_syntax(struct session *s)
{
	struct pipeline *p = &s->pipe;
	struct filter *probe = NULL;
	int err;

	if (!s->filter_text)
		return 0;
	if (s->o->read)
		return filter_check(s->filter_text, &p->strict, &p->inner);
	err = filter_compile(&probe, s->filter_text, 1, p->strict, p->inner);
	if (err)
		return err;
	p->strict = probe->strict;
	p->inner = probe->inner;
	filter_free(probe);
	return 0;
}

int session_filter(struct session *s, int argc, char **argv)
{
	const struct session_options *o = s->o;
	int err = 0;

	if (o->g->v4 && o->g->v6)
		return fail(0, "-4 and -6 exclude each other: without either both are taken");
	if (o->filter_file && argc)
		return fail(0, "-F %s is the filter: '%s' is one too many", o->filter_file, argv[0]);
	if (!o->read)
		err = check_bare_interface(argc, argv);
	if (!err)
		err = make_filter(s, argc, argv);
	return err ? err : check_syntax(s);
}
