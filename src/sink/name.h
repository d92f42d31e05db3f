/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SINK_NAME_H
#define NETPROBE_SINK_NAME_H

#include <stddef.h>

/*
 * Short names, made of those of fields by one rule.  What is counted: without a "stats." in front and a ".count"
 * behind.  What it is counted by: without a "network.", "server.", "device." or "lost." in front and an ".ip"
 * behind.  Dots that are left become underscores.
 *   stats.captured_bytes  captured_bytes     lost.count    lost
 *   network.interface     interface          host.ip       host
 * At most `size` bytes with the NUL.
 */
void name_metric(char *out, size_t size, const char *field);
void name_label(char *out, size_t size, const char *field);

#endif
