/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_BLOCK_UNIT_H
#define NETPROBE_CMD_BLOCK_UNIT_H

#include <limits.h>
#include <stdbool.h>

#include "util/buf.h"

/* A service that applies a list at each boot; NULL and false are left out. */
struct unit {
	const char *binary, *file;	/* absolute */
	const char *ifname, *netns, *mode, *frag, *xdp;
	bool egress, force;
	char binary_path[PATH_MAX], file_path[PATH_MAX];
};

/* Where this program and the file are; says what failed. */
int  unit_find(struct unit *u, const char *file);
void unit_print(struct buf *out, const struct unit *u);

/* Of a command line: in the path of the program a dollar sign is one, elsewhere it begins a variable. */
enum unit_word_kind { UNIT_PROGRAM, UNIT_ARGUMENT };
void unit_word(struct buf *out, const char *word, enum unit_word_kind kind);
/* The device of an interface, as udev has it (systemd-escape(1)). */
void unit_device(struct buf *out, const char *ifname);

#endif
