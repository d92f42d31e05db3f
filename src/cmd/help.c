// SPDX-License-Identifier: GPL-2.0-or-later
/* help, version, schema: what the program says about itself. */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "record.h"
#include "util/err.h"

static void print_opts(FILE *to, const struct opt *o)
{
	for (; o->type != OPT_END; o++) {
		char left[64];
		bool optional = o->type == OPT_OPTSTR;

		snprintf(left, sizeof(left), "%c%c%s%s%s%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ',
			 o->letter && o->name ? ", " :
			 o->letter	      ? "" :
						"  ",
			 o->name ? "--" : "", o->name ? o->name : "",
			 optional ? "[=" :
			 o->arg	  ? " " :
				    "",
			 o->arg ? o->arg : "", optional ? "]" : "");
		fprintf(to, "  %-28s %s\n", left, o->help);
	}
}

void help_print(FILE *to, const struct command *c)
{
	if (!c) {
		fprintf(to,
			"usage: netprobe [GLOBAL] COMMAND [OPTION]... [ARG]...\n\n"
			"See what is on the wire, who sent it, what it means, and what the kernel dropped and why.\n\n"
			"commands:\n");
		for (const struct command *const *p = commands; *p; p++)
			fprintf(to, "  %-10s %s\n", (*p)->name, (*p)->summary);
		fprintf(to, "\nglobal options:\n");
		print_opts(to, global_opts);
		fprintf(to, "\n`netprobe help COMMAND` tells more; netprobe(8) tells all.\n");
		return;
	}
	fprintf(to, "usage: netprobe %s %s\n\n%s.\n", c->name, c->usage, c->summary);
	if (c->opts) {
		fprintf(to, "\noptions:\n");
		print_opts(to, c->opts);
	}
	fprintf(to, "\nglobal options:\n");
	print_opts(to, global_opts);
	if (c->examples)
		fprintf(to, "\nexamples:\n%s", c->examples);
}

/* A row for each word a shell may complete: kind, word, class of its argument, help. */
static void print_option_words(const struct opt *o)
{
	for (; o->type != OPT_END; o++) {
		const char *arg = o->arg ? o->arg : "";

		if (o->name)
			printf("option\t--%s\t%s\t%s\n", o->name, arg, o->help);
		if (o->letter)
			printf("option\t-%c\t%s\t%s\n", o->letter, arg, o->help);
	}
}

static int print_words(const char *name)
{
	const struct command *c = name ? command_find(name) : NULL;

	if (name && !c) {
		fail(0, "no command '%s'", name);
		return EXIT_USAGE;
	}
	if (!c)
		for (const struct command *const *p = commands; *p; p++)
			printf("command\t%s\t\t%s\n", (*p)->name, (*p)->summary);
	if (c && c->opts)
		print_option_words(c->opts);
	print_option_words(global_opts);
	return EXIT_DONE;
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
	[FT_WORD] = "word",    [FT_STR] = "text",      [FT_U16S] = "numbers", [FT_WORDS] = "words",
	[FT_STRS] = "texts",   [FT_ITEMS] = "objects", [FT_COUNTS] = "counts",
};

static int help_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	const struct help_opts *o = opts;
	const struct command *c = argc ? command_find(argv[0]) : NULL;

	if (o->words)
		return print_words(argc ? argv[0] : NULL);
	if (o->fields) {
		for (int i = 0; i < FIELDS; i++)
			printf("%s\t%s\t%s\t%s\n", record_fields[i].name, type_names[record_fields[i].type],
			       record_fields[i].kinds, record_fields[i].help);
		return EXIT_DONE;
	}
	if (argc && !c) {
		fail(0, "no command '%s' (try: netprobe help)", argv[0]);
		return EXIT_USAGE;
	}
	help_print(stdout, c);
	return EXIT_DONE;
}

const struct command cmd_help = {
	.name = "help",
	.summary = "Tell what a command does",
	.usage = "[COMMAND] [--words] [--fields]",
	.opts = help_opts,
	.size = sizeof(struct help_opts),
	.run = help_run,
};

/* What was compiled in: a feature that silently vanishes should break somebody's script. */
static const char *const features[] = {
	"bpf",	"tcx",	"clsact", "af_packet", "drops",	  "pcap-filter", "pcap", "pcapng",
	"gzip", "json", "csv",	  "landlock",  "seccomp", "arp",	 "icmp", "dns",
	"http", "http2", "tls",	  "quic",      "dtls",	  "redis",	 "kafka", "dhcp", "where",
	"devices", "flows", "stats", "alerts", "netpol",
	"block",
};

static int version_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	size_t n = sizeof(features) / sizeof(features[0]);

	if (g->json || g->pretty) {
		printf("{\"version\":\"" NETPROBE_VERSION "\",\"libbpf\":\"%u.%u\",\"features\":{",
		       libbpf_major_version(), libbpf_minor_version());
		for (size_t i = 0; i < n; i++)
			printf("%s\"%s\":true", i ? "," : "", features[i]);
		printf("}}\n");
		return EXIT_DONE;
	}
	printf("netprobe " NETPROBE_VERSION "\nlibbpf %u.%u\nfeatures:", libbpf_major_version(),
	       libbpf_minor_version());
	for (size_t i = 0; i < n; i++)
		printf(" %s", features[i]);
	printf("\n");
	return EXIT_DONE;
}

const struct command cmd_version = {
	.name = "version",
	.summary = "Print the version and the features compiled in",
	.usage = "[-j]",
	.run = version_run,
};
