/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_STATS_VENDORS_H
#define NETPROBE_STATS_VENDORS_H

#include <stddef.h>
#include <stdint.h>

#include "record.h"

/*
 * Whose MAC addresses are: the IEEE's assignments of 24, 28 and 36 bits, from the
 * table of whichever Debian package is there: ieee-data, arp-scan, nmap, hwdata or
 * Wireshark's.
 */
struct vendors;

/*
 * The first table there is; *path says which (static; NULL: none).  No table is not
 * an error: *out is NULL then.  0 or a negative errno (said).
 */
int  vendors_open(struct vendors **out, const char **path);
void vendors_close(struct vendors *v);
/* Rows of any of those formats: "28-6F-B9  (hex)  NAME", "00:1B:C5:00:10:00/36  SHORT  NAME", "286FB9 NAME". */
int  vendors_parse(struct vendors **out, const char *text, size_t n);
/* The longest prefix that is known; empty when none is.  v may be NULL. */
struct str vendors_find(const struct vendors *v, const uint8_t mac[6]);

#endif
