/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SOURCE_MANY_H
#define NETPROBE_SOURCE_MANY_H

#include "source/source.h"

/*
 * Several sources read as one, in turn.  Takes the members over, not the array; on
 * failure they stay the caller's.  A member that ends or fails ends the whole.
 */
int many_open(struct source **out, struct source *const *members, unsigned int n);

#endif
