// SPDX-License-Identifier: GPL-2.0-or-later
/* A systemd unit that applies a list again at each boot: systemd.service(5), systemd.syntax(7), systemd.unit(5). */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/block_unit.h"
#include "util/err.h"

void unit_word(struct buf *out, const char *word, enum unit_word_kind kind)
{
	buf_chr(out, '"');
	for (const char *p = word; *p; p++) {
		uint8_t c = (uint8_t)*p;

		if (c < 0x20 || c == 0x7f)
			buf_fmt(out, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			buf_fmt(out, "\\%c", c);
		else if (c == '%' || (c == '$' && kind == UNIT_ARGUMENT))
			buf_fmt(out, "%c%c", c, c);
		else
			buf_chr(out, *p);
	}
	buf_chr(out, '"');
}

void unit_device(struct buf *out, const char *ifname)
{
	buf_lit(out, "sys-subsystem-net-devices-");
	for (const char *p = ifname; *p; p++) {
		uint8_t c = (uint8_t)*p;
		bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ':' ||
			     c == '_' || (c == '.' && p > ifname);

		if (plain)
			buf_chr(out, *p);
		else
			buf_fmt(out, "\\x%02x", c);
	}
	buf_lit(out, ".device");
}

/* What a name of ours may be: a percent sign would be a specifier, a line would end. */
static void text(struct buf *out, const char *p)
{
	for (; *p; p++)
		if (*p == '%')
			buf_lit(out, "%%");
		else if ((uint8_t)*p >= 0x20 && *p != 0x7f)
			buf_chr(out, *p);
}

static void option(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	buf_fmt(out, " --%s ", name);
	unit_word(out, value, UNIT_ARGUMENT);
}

static void command(struct buf *out, const struct unit *u, const char *directive, const char *verb)
{
	buf_fmt(out, "%s=", directive);
	unit_word(out, u->binary, UNIT_PROGRAM);
	option(out, "netns", u->netns);
	buf_fmt(out, " block %s", verb);
	if (u->egress)
		buf_lit(out, " --egress");
	buf_lit(out, " --interface ");
	unit_word(out, u->ifname, UNIT_ARGUMENT);
}

void unit_print(struct buf *out, const struct unit *u)
{
	buf_lit(out, "[Unit]\nDescription=netprobe block at ");
	text(out, u->ifname);
	if (!u->netns) {
		buf_lit(out, "\nAfter=");
		unit_device(out, u->ifname);
		buf_lit(out, "\nBindsTo=");
		unit_device(out, u->ifname);
	}
	buf_lit(out, "\nBefore=network-pre.target\nWants=network-pre.target\n\n"
		     "[Service]\nType=oneshot\nRemainAfterExit=yes\n");
	command(out, u, "ExecStart", "apply");
	option(out, "mode", u->mode);
	option(out, "frag", u->frag);
	option(out, "xdp-mode", u->xdp);
	if (u->force)
		buf_lit(out, " --force-lockout");
	buf_lit(out, " --commit ");
	unit_word(out, u->file, UNIT_ARGUMENT);
	buf_chr(out, '\n');
	command(out, u, "ExecStop", "del");
	buf_str(out, u->egress ? "" : " --ingress");
	buf_lit(out, " --all\n\n[Install]\nWantedBy=multi-user.target\n");
}

int unit_find(struct unit *u, const char *file)
{
	ssize_t n = readlink("/proc/self/exe", u->binary_path, sizeof(u->binary_path) - 1);

	if (!strcmp(file, "-"))
		return fail(0, "--persist: standard input is not there at the next boot: name a file");
	if (n <= 0)
		return fail(n ? errno : EIO, "--persist: the path of this program");
	u->binary_path[n] = '\0';
	if (access(u->binary_path, X_OK))
		return fail(errno, "--persist: %s, as this program was", u->binary_path);
	u->binary = u->binary_path;
	if (!realpath(file, u->file_path))
		return fail(errno, "%s", file);
	u->file = u->file_path;
	return 0;
}
