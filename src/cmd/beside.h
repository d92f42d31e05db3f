/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_BESIDE_H
#define NETPROBE_CMD_BESIDE_H

#include "cmd/cmd.h"
#include "pipeline.h"

/*
 * What `policy counters` tells, beside the rows of another command: packets of this node's pods by policy, from files
 * of objects, or kubectl.  The stage is the pipeline's, the descriptors are the session's private ones, and the rows
 * its `beside`.  0 or a negative errno, said.
 */
struct beside;

int  beside_open(struct beside **out, const struct globals *g, const struct strs *files, const char *kubectl);
const struct frame_stage *beside_stage(const struct beside *s);
const int *beside_fds(const struct beside *s, unsigned int *n);
int  beside_rows(void *ctx, uint64_t now_ns, record_fn fn, void *fn_ctx);
void beside_close(struct beside *s);

#endif
