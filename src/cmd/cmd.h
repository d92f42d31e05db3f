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
};

struct command {
	const char *name;
	const char *summary;		/* one line, no final stop */
	const char *usage;		/* after "netprobe NAME " */
	const struct opt *opts;		/* ends with OPT_END; NULL: none */
	size_t size;			/* of the options struct; zeroed before parsing */
	/* argv: what is left after the options.  Returns an exit status (enum np_exit). */
	int (*run)(const struct globals *g, const void *opts, int argc, char **argv);
	const char *examples;		/* for --help: lines */
};

extern const struct command cmd_watch, cmd_stats, cmd_flows, cmd_policy, cmd_block, cmd_help,
	cmd_version, cmd_schema;
extern const struct opt global_opts[];
extern const struct command *const commands[];	/* NULL-terminated */

const struct command *command_find(const char *name);
/* --help of one command, or of the program (c NULL). */
void help_print(FILE *to, const struct command *c);

/* `help drops`: the reasons that --drops takes on this kernel.  An exit status. */
int help_drops(void);

/* Parse and run.  Returns the process's exit status. */
int command_main(int argc, char **argv);

/* Says that the command takes no such word; EXIT_USAGE. */
int extra_word(const char *command, const char *word);

/* The exit status for a negative errno: -EPERM/-EACCES permission, -EBUSY busy, -EOPNOTSUPP kernel, else failed. */
int exit_status(int err);

#endif
