/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SOURCE_LINKHEAD_H
#define NETPROBE_SOURCE_LINKHEAD_H

#include "frame.h"

/* What a link header tells of how a frame was captured: its direction, where the file says none; its interface. */
void linkhead_read(struct frame *f);

#endif
