/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_CMD_H
#define NETPROBE_CMD_CMD_H

#include <stdio.h>

#include "cmd/opt.h"

/* Options that every command takes, before or after its name. */
struct globals {
	bool json, pretty, csv, no_header, numeric, v4, v6, quiet, debug, fail_on_loss, version, help;
	unsigned int verbose;
	const char *fields, *netns, *color, *time;
	/* What was asked for. */
	const struct command *command, *verb;	/* verb NULL: none */
};

/* A command, or a verb of one: `block add`.  Rows of both fill the command's struct. */
struct command {
	const char *name;
	const char *summary;		/* one line, no final stop */
	const char *usage;		/* after "netprobe NAME "; NULL: nothing */
	const struct opt *opts;		/* ends with OPT_END; NULL: none */
	const struct opt *keywords;	/* likewise */
	const char *const *without;	/* of a verb: options refused, by name or letter; ended by NULL */
	const struct opt *operand;	/* other words: OPT_STRS any number, OPT_STR or OPT_WORD one; NULL: none */
	size_t size;			/* of the options struct; zeroed before parsing */
	/*
	 * argv: what is left after the options and keywords.  Returns an exit status (enum np_exit).
	 * Of a command with verbs: for other words; NULL: it wants one of them.  Of a verb: NULL: the command's.
	 */
	int (*run)(const struct globals *g, const void *opts, int argc, char **argv);
	const char *examples;		/* for --help: lines */
	const struct command *verbs;	/* ended by one without a name; NULL: none */
	const void *data;		/* run's own */
	bool alone;			/* of a verb: it takes none of the command's options and keywords */
};

enum { VERBS_MAX = 24 };

extern const struct command cmd_attach, cmd_watch, cmd_stats, cmd_flows, cmd_policy, cmd_block, cmd_help,
	cmd_version, cmd_schema;
extern const struct opt global_opts[];
extern const char *const records_only[];	/* a `without`: options of how records look, and of which */
extern const struct opt filter_operand;		/* a pcap filter */
extern const struct command *const commands[];	/* NULL-terminated */

const struct command *command_find(const char *name);
/* Says what is wrong when there is none; `name` NULL: that it is missing. */
const struct command *command_verb(const struct command *c, const char *name);
/* --help of one command, of one of its verbs (NULL: all), or of the program (c NULL). */
void help_print(FILE *to, const struct command *c, const struct command *verb);

/* `help drops`: the reasons that --drops takes on this kernel.  An exit status. */
int help_drops(void);

/* Parse and run.  Returns the process's exit status. */
int command_main(int argc, char **argv);

/* "block add: 'prot' is WHAT: did you mean proto?", of what was asked for; -EINVAL. */
int wrong_word(const struct globals *g, const char *word, const char *what);

/* The exit status for a negative errno: -EPERM/-EACCES permission, -EBUSY busy, -EOPNOTSUPP kernel, else failed. */
int exit_status(int err);

#endif
