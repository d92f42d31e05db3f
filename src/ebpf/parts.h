/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_EBPF_PARTS_H
#define NETPROBE_EBPF_PARTS_H

#include "ebpf/ebpf.h"

/* One more, all zero, which the next of its kind may move; NULL: no memory. */
struct ebpf_map *ebpf_map_slot(struct ebpf *e);
struct ebpf_rule *ebpf_rule_slot(struct ebpf *e);
struct ebpf_named *ebpf_named_slot(struct ebpf *e, bool label);
char **ebpf_text_slot(struct ebpf *e);		/* what is put there is freed with e */

#endif
