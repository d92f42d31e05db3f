/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TUPLE_READ_H
#define NETPROBE_TUPLE_READ_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "tuple.h"

/*
 * The reference of bpf/parse.h: cap bytes of a frame that has len on the wire.  For those who need the headers as the
 * kernel's programs see them; decode/packet.h knows more of them.
 */
void tuple_read(struct np_tuple *t, const uint8_t *frame, uint32_t cap, uint32_t len);
/* Without a link header: the first four bits tell. */
void tuple_read_l3(struct np_tuple *t, const uint8_t *packet, uint32_t cap, uint32_t len);
/* The tuple again, of what is inside the tunnel that it names.  False: it names none, and stays as it is. */
bool tuple_read_inner(struct np_tuple *t, const uint8_t *frame, uint32_t cap, uint32_t len);

#endif
