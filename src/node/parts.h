/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_NODE_PARTS_H
#define NETPROBE_NODE_PARTS_H

#include "node/pods.h"

/* What the readers of names and of JSON share. */

/* n bytes and a NUL; false: they do not fit, or have a NUL. */
bool copy_text(char *to, size_t size, const char *s, size_t n);
/* A uid, POD_UID_MAX bytes, at the beginning of s, or all of it: in lower case and with dashes, however it stands. */
bool copy_uid(char *to, const char *s, size_t n, bool whole);
void told_addr(struct told_pod *t, const struct addr *a);

#endif
