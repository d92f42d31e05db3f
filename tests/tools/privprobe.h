/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_TESTS_PRIVPROBE_H
#define NETPROBE_TESTS_PRIVPROBE_H

#include <stdio.h>
#include <sys/types.h>

/*
 * Try everything that a process after priv_drop() must not be able to do, and print
 * one line each: "open: denied (EPERM)" or "open: ALLOWED".  helper: a process
 * that must not be killed, 0: none.  link: a descriptor to try BPF_LINK_UPDATE on, and to send on.  mute:
 * one that must not be written to.  Returns how many were allowed.
 */
int priv_probe(FILE *out, pid_t helper, int link, int mute);

#endif
