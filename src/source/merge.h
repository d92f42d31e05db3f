/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SOURCE_MERGE_H
#define NETPROBE_SOURCE_MERGE_H

#include "source/source.h"

/*
 * Several sources read as one, in turn.  Takes the members over, not the array; on
 * failure they stay the caller's.  A member that fails, having said so, is left out from
 * then on; the last one's failure is the whole's.
 */
int merge_open(struct source **out, struct source *const *members, unsigned int n);

#endif
