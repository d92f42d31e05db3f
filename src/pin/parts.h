/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_PIN_PARTS_H
#define NETPROBE_PIN_PARTS_H

#include <linux/bpf.h>
#include <stddef.h>

#include "pin/pin.h"

/* Between the files of the pinned state alone. */
enum pin_kind { KIND_OTHER,
		KIND_MAP,
		KIND_PROG,
		KIND_LINK };

/* A directory that is ours: descriptor, or -errno and why; -ENOTDIR: there is something that is not ours. */
int pin_dir(int at, const char *name, const char *path, char *why, size_t size);
int pin_root(char *why, size_t size);
void pin_view_path(struct pin_view *v);
/* Fill state and meta anew from abi, place and service. */
int pin_look_again(struct pin_view *v);
/* Open a pinned object: -EPERM when it is not ours. */
int pin_object(const char *path, bool read_only, enum pin_kind *kind);
bool pin_is_ours(int fd, enum pin_kind *kind);
bool pin_prog_is_ours(int fd, struct bpf_prog_info *info);

void pin_link_name(char out[PIN_NAME], enum pin_hook hook);
/* Is what runs of it at that interface? */
bool pin_is_at(const struct pin_view *v, const struct pin_place *place);

#endif
