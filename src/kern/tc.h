/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_TC_H
#define NETPROBE_KERN_TC_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

/* One message of an answer; non-zero ends it. */
typedef int (*tc_fn)(void *ctx, const struct nlmsghdr *h);

/* What rtnetlink lists for RTM_GETQDISC or RTM_GETTFILTER: fn's first non-zero return, or a negative errno. */
int tc_dump(int type, const struct tcmsg *m, tc_fn fn, void *ctx);

#endif
