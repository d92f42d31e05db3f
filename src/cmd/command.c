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

const struct opt filter_operand = { .type = OPT_STRS, .arg = "FILTER", .help = "a pcap filter: tcp port 443" };

const struct command *const commands[] = {
	&cmd_watch,
	&cmd_attach,
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

/* "block add" */
static const char *asked_for(const struct globals *g, char to[48])
{
	snprintf(to, 48, "%s%s%s", g->command->name, g->verb ? " " : "", g->verb ? g->verb->name : "");
	return to;
}

int wrong_word(const struct globals *g, const char *word, const char *what)
{
	const struct opt *const tables[] = { g->verb ? g->verb->keywords : NULL, g->command->keywords };
	const char *words[32], *near;
	unsigned int n = 0;
	char where[48];

	for (int i = 0; i < 2; i++)
		for (const struct opt *k = tables[i]; k && k->type != OPT_END && n < 32; k++)
			words[n++] = k->name;
	near = opt_near(word, words, n);
	return fail(0, "%s: '%s' is %s%s%s%s", asked_for(g, where), word, what, near ? ": did you mean " : "",
		    near ? near : "", near ? "?" : "");
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

static const struct command *find_verb(const struct command *c, const char *name)
{
	for (const struct command *v = c->verbs; v && v->name; v++)
		if (!strcmp(v->name, name))
			return v;
	return NULL;
}

const struct command *command_verb(const struct command *c, const char *name)
{
	const struct command *v = name ? find_verb(c, name) : NULL;
	const char *names[VERBS_MAX + 1] = { NULL };
	unsigned int n = 0;

	if (v)
		return v;
	for (v = c->verbs; v && v->name && n < VERBS_MAX; v++)
		names[n++] = v->name;
	if (name)
		opt_none_of(c->name, name, strlen(name), &(const struct opt_words){ .list = names });
	else
		fail(0, "%s: what?  (try: netprobe help %s)", c->name, c->name);
	return NULL;
}

/*
 * The first word says whose rows those of the rest are, and of the options before it: read over
 * once for that, with the rows of all.  0, or a negative errno (said).
 */
static int find_first_word(struct globals *g, void *opts, int argc, char **argv)
{
	struct globals unused = *g;
	struct opt_set sets[VERBS_MAX + 2] = { { g->command->opts, opts }, { global_opts, &unused } };
	unsigned int many = 2;
	int n;

	for (const struct command *v = g->command->verbs; v && v->name && many < VERBS_MAX + 2; v++)
		sets[many++] = (struct opt_set){ v->opts, opts };
	n = opt_parse(sets, many, argc, argv, true);
	if (n < 0)
		return n;
	g->verb = n ? find_verb(g->command, argv[0]) : NULL;
	if (g->verb || unused.help || unused.version || g->command->run)
		return 0;
	command_verb(g->command, n ? argv[0] : NULL);
	return -EINVAL;
}

/* With copies of all that parsing changes. */
static int parse_verb(struct globals *g, int argc, char **argv)
{
	void *opts = calloc(1, g->command->size ? g->command->size : 1);
	char **words = calloc((size_t)argc + 1, sizeof(*words));
	int err;

	if (opts && words) {
		memcpy(words, argv, (size_t)argc * sizeof(*words));
		err = find_first_word(g, opts, argc, words);
	} else {
		err = fail(ENOMEM, "%s", g->command->name);
	}
	free(opts);
	free(words);
	return err;
}

/* What the other words must be. */
static int check_operands(const struct globals *g, int n, char **argv)
{
	const struct opt *o = (g->verb ? g->verb : g->command)->operand;
	int most = !o ? 0 : o->type == OPT_STRS ? n : 1;
	char where[48];

	if (n > most)
		return wrong_word(g, argv[most], "one word too many");
	return n && o && o->type == OPT_WORD ? opt_check_word(asked_for(g, where), o, argv[0]) : 0;
}

const char *const records_only[] = { "json", "pretty", "csv", "fields", "no-header", "4", "6", NULL };

static bool is_in(const char *const *list, const char *name)
{
	while (*list && strcmp(*list, name))
		list++;
	return *list;
}

/* What would be ignored would be taken for done. */
static int check_without(const struct globals *g)
{
	const struct {
		bool given;
		const char *name, *shown;
	} options[] = {
		{ g->json, "json", "-j" },	{ g->pretty, "pretty", "-p" },	      { g->csv, "csv", "--csv" },
		{ g->fields, "fields", "-o" },	{ g->no_header, "no-header", "-H" },  { g->v4, "4", "-4" },
		{ g->v6, "6", "-6" },		{ g->time, "time", "--time" },	      { g->netns, "netns", "-N" },
		{ g->fail_on_loss, "fail-on-loss", "--fail-on-loss" },
	};
	char where[48];

	for (size_t i = 0; g->verb && g->verb->without && i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i].given && is_in(g->verb->without, options[i].name))
			return fail(0, "%s: %s is for what prints records", asked_for(g, where), options[i].shown);
	return 0;
}

/* Options, keywords, and the words left: how many, or a negative errno. */
static int parse(struct globals *g, void *opts, int argc, char **argv)
{
	const struct command *c = g->command;
	struct opt_set sets[3] = { { c->opts, opts }, { global_opts, g } }, keywords[2] = { { c->keywords, opts } };
	char where[48];
	int n, err = c->verbs ? parse_verb(g, argc, argv) : 0;

	if (err)
		return err;
	if (g->verb && g->verb->alone) {
		sets[0] = (struct opt_set){ 0 };
		keywords[0] = (struct opt_set){ 0 };
	}
	if (g->verb) {
		sets[2] = (struct opt_set){ g->verb->opts, opts };
		keywords[1] = (struct opt_set){ g->verb->keywords, opts };
	}
	n = opt_parse(sets, 3, argc, argv, false);
	if (n < 0 || g->help || g->version)
		return n;
	if (g->verb)			/* it is the first of the words */
		memmove(argv, argv + 1, (size_t)--n * sizeof(*argv));
	n = opt_keywords(asked_for(g, where), keywords, 2, n, argv);
	err = n < 0 ? n : check_operands(g, n, argv);
	if (!err)
		err = check_without(g);
	return err ? err : n;
}

static int run(struct globals *g, const struct command *c, int argc, char **argv)
{
	void *opts = calloc(1, c->size ? c->size : 1);
	int n, rc;

	if (!opts) {
		fail(ENOMEM, "%s", c->name);
		return EXIT_FAILED;
	}
	g->command = c;
	n = parse(g, opts, argc, argv);
	if (n < 0) {
		rc = EXIT_USAGE;
	} else if (g->help) {
		help_print(stdout, c, g->verb);
		rc = EXIT_DONE;
	} else if (g->version) {
		rc = cmd_version.run(g, NULL, 0, argv);
	} else {
		err_quiet(g->quiet);
		rc = (g->verb && g->verb->run ? g->verb : c)->run(g, opts, n, argv);
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
		help_print(stderr, NULL, NULL);
		return EXIT_USAGE;
	}
	n = opt_parse(&set, 1, argc, argv, true);
	if (n < 0)
		return EXIT_USAGE;
	if (g.version)
		return finish(cmd_version.run(&g, NULL, 0, argv));
	if (!n) {
		help_print(g.help ? stdout : stderr, NULL, NULL);
		return finish(g.help ? EXIT_DONE : EXIT_USAGE);
	}
	c = command_find(argv[0]);
	if (!c)
		return unknown_command(argv[0]);
	return finish(run(&g, c, n, argv));
}
