/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SINK_DUMP_H
#define NETPROBE_SINK_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "frame.h"
#include "util/buf.h"

/* A frame's bytes below its line, laid out as tcpdump does.  Each ends with a newline. */

/* -x; with the characters beside: -X */
void dump_hex(struct buf *b, const uint8_t *p, uint32_t n, bool chars);
/* -A.  Line feeds and tabs of the packet stay, as in tcpdump; all else that is not printing
 * ASCII is a dot. */
void dump_ascii(struct buf *b, const uint8_t *p, uint32_t n);

/* Bytes of the link header, VLAN tags, LLC and SNAP included: where -x begins.  0 when the
 * frame is too short to have one.  decoded: where the decoders found the network header, for other link types. */
uint32_t dump_link_len(const struct frame *f, uint32_t decoded);

#endif
