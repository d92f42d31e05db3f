// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "priv/priv.h"
#include "util/err.h"

#define G(member) offsetof(struct globals, member)

const struct opt global_opts[] = {
	{ "json", 'j', OPT_FLAG, G(json), NULL, "JSON lines: one object a record" },
	{ "pretty", 'p', OPT_FLAG, G(pretty), NULL, "one indented JSON document" },
	{ "csv", 0, OPT_FLAG, G(csv), NULL, "comma-separated values (RFC 4180)" },
	{ "fields", 'o', OPT_STR, G(fields), "FIELDS", "show these fields, comma-separated, as columns" },
	{ "no-header", 'H', OPT_FLAG, G(no_header), NULL, "no column titles" },
	{ "numeric", 'n', OPT_FLAG, G(numeric), NULL,
	  "no names for numbers (the default; hosts are never looked up)" },
	{ NULL, '4', OPT_FLAG, G(v4), NULL, "IPv4 only" },
	{ NULL, '6', OPT_FLAG, G(v6), NULL, "IPv6 only" },
	{ "quiet", 'q', OPT_FLAG, G(quiet), NULL, "less: shorter lines, no banner, no trailer" },
	{ "verbose", 'v', OPT_COUNT, G(verbose), NULL, "more; may be given again" },
	{ "debug", 0, OPT_FLAG, G(debug), NULL, "tell what the kernel and libraries say" },
	{ "netns", 'N', OPT_STR, G(netns), "NETNS",
	  "enter a network namespace: NAME, PATH or PID; any: drops of all of them" },
	{ "color", 0, OPT_WORD, G(color), "WHEN", "colored lines", OPT_WORDS("auto", "always", "never") },
	{ "time", 0, OPT_WORD, G(time), "STYLE", "time stamps", OPT_WORDS("local", "utc", "rel", "epoch") },
	{ "fail-on-loss", 0, OPT_FLAG, G(fail_on_loss), NULL, "exit with status 3 when anything was lost" },
	{ "version", 'V', OPT_FLAG, G(version), NULL, "print the version" },
	{ "help", 'h', OPT_FLAG, G(help), NULL, "print this" },
	{ .type = OPT_END },
};

const struct command *const commands[] = {
	&cmd_watch,
	&cmd_flows,
	&cmd_stats,
	&cmd_policy,
	&cmd_block,
	&cmd_help,
	&cmd_schema,
	&cmd_version,
	NULL,
};

const struct command *command_find(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

static int unknown_command(const char *word)
{
	const char *words[16], *near;
	unsigned int n = 0;

	for (const struct command *const *c = commands; *c && n < 16; c++)
		words[n++] = (*c)->name;
	near = opt_near(word, words, n);
	if (near)
		fail(0, "no command '%s': did you mean '%s'?", word, near);
	else
		fail(0, "no command '%s' (try: netprobe help)", word);
	return EXIT_USAGE;
}

int extra_word(const char *command, const char *word)
{
	fail(0, "%s: '%s' is one word too many", command, word);
	return EXIT_USAGE;
}

int exit_status(int err)
{
	switch (err) {
	case 0:
		return EXIT_DONE;
	case -EPERM:
	case -EACCES:
		return EXIT_PERM;
	case -EBUSY:
		return EXIT_BUSY;
	case -EOPNOTSUPP:
		return EXIT_KERNEL;
	default:
		return EXIT_FAILED;
	}
}

static int run(struct globals *g, const struct command *c, int argc, char **argv)
{
	static const struct opt none[] = { { .type = OPT_END } };
	void *opts = calloc(1, c->size ? c->size : 1);
	struct opt_set sets[] = { { c->opts ? c->opts : none, opts }, { global_opts, g } };
	int n, rc;

	if (!opts) {
		fail(ENOMEM, "%s", c->name);
		return EXIT_FAILED;
	}
	n = opt_parse(sets, 2, argc, argv, false);
	if (n < 0) {
		rc = EXIT_USAGE;
	} else if (g->help) {
		help_print(stdout, c);
		rc = EXIT_DONE;
	} else if (g->version) {
		rc = cmd_version.run(g, NULL, 0, argv);
	} else {
		err_quiet(g->quiet);
		rc = c->run(g, opts, n, argv);
		if (priv_refused() && !rc)
			rc = EXIT_FAILED;
	}
	free(opts);
	return rc;
}

/* Standard output is records; failing to write them is a failure, a reader who left is not. */
static int finish(int rc)
{
	if (!fflush(stdout) && !ferror(stdout))
		return rc;
	if (errno == EPIPE)
		return rc;
	fail(errno, "standard output");
	return rc ? rc : EXIT_FAILED;
}

int command_main(int argc, char **argv)
{
	struct globals g = { 0 };
	struct opt_set set = { global_opts, &g };
	const struct command *c;
	int n;

	priv_fds_begin();
	if (argc < 2) {
		help_print(stderr, NULL);
		return EXIT_USAGE;
	}
	n = opt_parse(&set, 1, argc, argv, true);
	if (n < 0)
		return EXIT_USAGE;
	if (g.version)
		return finish(cmd_version.run(&g, NULL, 0, argv));
	if (!n) {
		help_print(g.help ? stdout : stderr, NULL);
		return finish(g.help ? EXIT_DONE : EXIT_USAGE);
	}
	c = command_find(argv[0]);
	if (!c)
		return unknown_command(argv[0]);
	return finish(run(&g, c, n, argv));
}
