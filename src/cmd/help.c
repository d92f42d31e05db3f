// SPDX-License-Identifier: GPL-2.0-or-later
/* help, version, schema: what the program says about itself. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "decode/protocol.h"
#include "record.h"
#include "util/err.h"

/* What has no name is called by its letter. */
static bool is_called(const struct opt *o, const char *name)
{
	return o->name ? !strcmp(name, o->name) : name[0] == o->letter && !name[1];
}

static bool refuses(const struct command *c, const struct opt *o)
{
	const char *const *name = c ? c->without : NULL;

	while (name && *name && !is_called(o, *name))
		name++;
	return name && *name;
}

/* A letter or a name that the command, or its verb, has for something else is not the global option's any more; one
 * that the verb refuses is nobody's. */
static char letter_of(const struct opt *o, const struct command *c)
{
	if (refuses(c, o))
		return 0;
	for (const struct opt *own = c ? c->opts : NULL; own && own->type != OPT_END; own++)
		if (own->letter == o->letter)
			return 0;
	return o->letter;
}

static const char *name_of(const struct opt *o, const struct command *c)
{
	if (refuses(c, o))
		return NULL;
	for (const struct opt *own = c ? c->opts : NULL; own && o->name && own->type != OPT_END; own++)
		if (own->name && !strcmp(own->name, o->name))
			return NULL;
	return o->name;
}

enum { HELP_COLUMN = 31, HELP_WIDTH = 100 };

/* The words it takes, below what it does. */
static void print_choice(FILE *to, const struct opt *o)
{
	int at = HELP_WIDTH;
	const char *word;

	for (unsigned int i = 0; o->words && !o->words->of_machine && (word = opt_word(o, i)); i++) {
		if (at + (int)strlen(word) + 2 > HELP_WIDTH)
			at = fprintf(to, i ? ",\n%*s%s" : "%*s%s", HELP_COLUMN, "", word) - (i ? 2 : 0);
		else
			at += fprintf(to, ", %s", word);
	}
	if (o->words && !o->words->of_machine)
		putc('\n', to);
}

static void print_opts(FILE *to, const struct opt *o, const struct command *c, const struct command *verb)
{
	for (; o && o->type != OPT_END; o++) {
		char left[64], letter = letter_of(o, verb) ? letter_of(o, c) : '\0';
		const char *name = name_of(o, verb) ? name_of(o, c) : NULL, *arg = o->arg ? o->arg : "";
		bool optional = opt_is_optional(o);

		if (!letter && !name)
			continue;
		snprintf(left, sizeof(left), "%c%c%s%s%s%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
			 letter && name ? ", " :
			 letter		? "" :
					  "  ",
			 name ? "--" : "", name ? name : "",
			 optional ? "[=" :
			 *arg	  ? " " :
				    "",
			 arg, optional ? "]" : "");
		fprintf(to, "  %-28s %s\n", left, o->help);
		print_choice(to, o);
	}
}

static void print_keywords(FILE *to, const struct opt *o)
{
	for (; o && o->type != OPT_END; o++) {
		char left[64];

		snprintf(left, sizeof(left), "%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
		fprintf(to, "  %-28s %s\n", left, o->help);
		print_choice(to, o);
	}
}

static void print_program(FILE *to)
{
	fprintf(to, "usage: netprobe [GLOBAL] COMMAND [OPTION]... [ARG]...\n\n"
		    "See what is on the wire, who sent it, what it means, and what the kernel dropped and why.\n\n"
		    "commands:\n");
	for (const struct command *const *p = commands; *p; p++)
		fprintf(to, "  %-10s %s\n", (*p)->name, (*p)->summary);
	fprintf(to, "\nglobal options:\n");
	print_opts(to, global_opts, NULL, NULL);
	fprintf(to, "\n`netprobe help COMMAND` tells more; netprobe(8) tells all.\n");
}

static void print_verbs(FILE *to, const struct command *c)
{
	fprintf(to, "\nverbs:\n");
	for (const struct command *v = c->verbs; v->name; v++)
		fprintf(to, "  %-10s %s\n", v->name, v->summary);
	fprintf(to, "\n`netprobe help %s VERB` tells what else one takes.\n", c->name);
}

static bool has_opts(const struct command *c, const struct command *verb)
{
	const struct opt *o = c->opts;

	while (o && o->type != OPT_END && refuses(verb, o))
		o++;
	return (o && o->type != OPT_END) || (verb && verb->opts);
}

void help_print(FILE *to, const struct command *c, const struct command *verb)
{
	const struct command *what = verb ? verb : c;
	const struct command *rest = verb && verb->alone ? verb : c;

	if (!c) {
		print_program(to);
		return;
	}
	fprintf(to, "usage: netprobe %s%s%s%s%s\n\n%s.\n", c->name, verb ? " " : "", verb ? verb->name : "",
		what->usage ? " " : "", what->usage ? what->usage : "", what->summary);
	if (c->verbs && !verb)
		print_verbs(to, c);
	if (rest->keywords || what->keywords) {
		fprintf(to, "\nkeywords:\n");
		print_keywords(to, verb ? verb->keywords : NULL);
		print_keywords(to, rest == verb ? NULL : c->keywords);
	}
	if (rest == verb ? verb->opts != NULL : has_opts(c, verb)) {
		fprintf(to, "\noptions:\n");
		print_opts(to, verb ? verb->opts : NULL, NULL, NULL);
		print_opts(to, rest == verb ? NULL : c->opts, NULL, verb);
	}
	fprintf(to, "\nglobal options:\n");
	print_opts(to, global_opts, rest, verb);
	if (what->examples)
		fprintf(to, "\nexamples:\n%s", what->examples);
}

/*
 * A row for each word a shell may complete: kind, word, class of its argument, help.  What is left out at will is
 * "[ARG]".  Then the words that the argument may be: "word", or "item" of a list with commas, of what, and it.
 */
static void print_word(const char *kind, const char *dashes, const char *name, const struct opt *o)
{
	bool list = o->type == OPT_LIST || o->type == OPT_OPTSTR, optional = opt_is_optional(o);
	const char *word;

	printf("%s\t%s%s\t%s%s%s\t%s\n", kind, dashes, name, optional ? "[" : "", o->arg ? o->arg : "",
	       optional ? "]" : "", o->help);
	for (unsigned int i = 0; (word = opt_word(o, i)); i++)
		printf("%s\t%s%s\t%.*s\t\n", list ? "item" : "word", dashes, name, (int)strcspn(word, " "), word);
}

static void print_option_words(const struct opt *o, const struct command *c, const struct command *verb)
{
	for (; o && o->type != OPT_END; o++) {
		char letter[2] = { letter_of(o, verb) ? letter_of(o, c) : '\0' };

		if (name_of(o, verb) && name_of(o, c))
			print_word("option", "--", o->name, o);
		if (*letter)
			print_word("option", "-", letter, o);
	}
}

/* Of what stands alone: not followed by one of these. */
static void print_command_words(const struct command *c, const struct command *verb)
{
	const struct opt *operand = verb ? verb->operand : c->operand;
	bool alone = verb && verb->alone;

	for (const struct command *v = verb ? NULL : c->verbs; v && v->name; v++)
		printf("verb\t%s\t\t%s\n", v->name, v->summary);
	for (const struct opt *k = verb ? verb->keywords : NULL; k && k->type != OPT_END; k++)
		print_word("keyword", "", k->name, k);
	for (const struct opt *k = !alone && (verb || !c->verbs) ? c->keywords : NULL; k && k->type != OPT_END; k++)
		print_word("keyword", "", k->name, k);
	if (operand)
		print_word("operand", "", "-", operand);
	print_option_words(verb ? verb->opts : NULL, NULL, NULL);
	print_option_words(alone ? NULL : c->opts, NULL, verb);
}

static void print_words(const struct command *c, const struct command *verb)
{
	for (const struct command *const *p = commands; !c && *p; p++)
		printf("command\t%s\t\t%s\n", (*p)->name, (*p)->summary);
	if (c)
		print_command_words(c, verb);
	print_option_words(global_opts, verb && verb->alone ? verb : c, verb);
}

struct help_opts {
	bool words, fields;
};

#define H(member) offsetof(struct help_opts, member)

static const struct opt help_opts[] = {
	{ "words", 0, OPT_FLAG, H(words), NULL, "words a shell may complete, one a line, tab-separated" },
	{ "fields", 0, OPT_FLAG, H(fields), NULL,
	  "names of all fields, one a line, with type, datasets and meaning" },
	{ .type = OPT_END },
};

static const char *const type_names[] = {
	[FT_BOOL] = "boolean", [FT_U8] = "number",     [FT_U16] = "number",   [FT_U32] = "number",
	[FT_U64] = "number",   [FT_I32] = "number",   [FT_TIME] = "time",     [FT_ADDR] = "address", [FT_MAC] = "mac",
	[FT_WORD] = "word",    [FT_STR] = "text",      [FT_U16S] = "numbers", [FT_U32S] = "numbers",
	[FT_WORDS] = "words",
	[FT_STRS] = "texts",   [FT_ITEMS] = "objects", [FT_COUNTS] = "counts",
	[FT_I64] = "number",   [FT_F64] = "number",    [FT_MAP] = "map",
	[FT_DURATION] = "duration",
};

/* The datasets whose records have it, or all. */
static void print_datasets(unsigned int number)
{
	const char *between = "";

	if (field_get(number)->sections & SECTION_ALL) {
		printf("all");
		return;
	}
	for (unsigned int i = 0; i < n_datasets; i++) {
		if (!field_belongs(number, datasets[i]))
			continue;
		printf("%s%s", between, datasets[i]->name);
		between = " ";
	}
}

static void print_fields(void)
{
	const uint16_t *order = fields_order();

	for (unsigned int i = 0; i < fields_count(); i++) {
		const struct field *f = field_get(order[i]);

		printf("%s\t%s\t", f->name, type_names[f->type]);
		print_datasets(order[i]);
		printf("\t%s\n", f->help);
	}
}

static int help_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct help_opts *o = opts;
	const struct command *c = argc ? command_find(argv[0]) : NULL, *verb = NULL;

	if (argc && !c) {
		fail(0, "no command '%s' (try: netprobe help)", argv[0]);
		return EXIT_USAGE;
	}
	if (argc > 2 || (argc > 1 && !c->verbs)) {
		wrong_word(g, argv[c->verbs ? 2 : 1], "one word too many");
		return EXIT_USAGE;
	}
	if (argc > 1 && !(verb = command_verb(c, argv[1])))
		return EXIT_USAGE;
	if (o->words)
		print_words(c, verb);
	else if (o->fields)
		print_fields();
	else
		help_print(stdout, c, verb);
	return EXIT_DONE;
}

static int drops_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	return help_drops();
}

static const char *command_word(unsigned int i)
{
	return commands[i] ? commands[i]->name : NULL;
}

static const struct opt command_operand = {
	.type = OPT_STRS, .arg = "COMMAND", .help = "and one of its verbs", .words = OPT_WORDS_OF(command_word)
};

static const struct command help_verbs[] = {
	{
		.name = "drops",
		.summary = "List the reasons that watch --drops takes on this kernel",
		.run = drops_run,
	},
	{ .name = NULL },
};

const struct command cmd_help = {
	.name = "help",
	.summary = "Tell what a command does",
	.usage = "[COMMAND [VERB] | drops] [--words] [--fields]",
	.opts = help_opts,
	.operand = &command_operand,
	.size = sizeof(struct help_opts),
	.run = help_run,
	.verbs = help_verbs,
};

/* What was compiled in: a feature that silently vanishes should break somebody's script. */
static const char *const features[] = {
	"bpf",	"tcx",	"clsact", "af_packet", "drops",	  "pcap-filter", "pcap", "pcapng",
	"gzip", "json", "csv",	  "landlock",  "seccomp", "where", "devices", "flows", "stats", "alerts",
	"netpol", "block",
};

/* They, and the protocols. */
static const char *feature(size_t i)
{
	size_t n = sizeof(features) / sizeof(features[0]);

	return i < n ? features[i] : protocols[i - n] ? protocols[i - n]->name : NULL;
}

static int version_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	if (g->json || g->pretty) {
		printf("{\"version\":\"" NETPROBE_VERSION "\",\"libbpf\":\"%u.%u\",\"features\":{",
		       libbpf_major_version(), libbpf_minor_version());
		for (size_t i = 0; feature(i); i++)
			printf("%s\"%s\":true", i ? "," : "", feature(i));
		printf("}}\n");
		return EXIT_DONE;
	}
	printf("netprobe " NETPROBE_VERSION "\nlibbpf %u.%u\nfeatures:", libbpf_major_version(),
	       libbpf_minor_version());
	for (size_t i = 0; feature(i); i++)
		printf(" %s", feature(i));
	printf("\n");
	return EXIT_DONE;
}

const struct command cmd_version = {
	.name = "version",
	.summary = "Print the version and the features compiled in",
	.usage = "[-j]",
	.run = version_run,
};
