/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_PRIV_SANDBOX_H
#define NETPROBE_PRIV_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "priv/priv.h"

/* Shared by drop.c, helper.c and watcher.c. */

/* ── caps.c: giving them up; what they are is util/caps.h ── */
/* True when any of the four sets that a process could use again is not empty (permitted, effective,
 * inheritable, ambient). */
bool caps_any(void);
/* Empty the bounding and the ambient set, as far as we may. */
void caps_unbound(void);
/* Permitted and effective become what they share with `keep`, inheritable becomes empty. */
int  caps_keep(uint64_t keep);

/* ── sandbox.c ── */
enum sandbox_role {
	SANDBOX_READER,		/* descriptors it has, memory, time */
	SANDBOX_WRITER,		/* and cutting and syncing files it has open */
	SANDBOX_HELPER,		/* attaches, listens to rtnetlink, opens files */
	SANDBOX_WATCHER,	/* reads files and asks the kernel by netlink; changes nothing */
};

/* Sanitizers read /proc, trace themselves and map terabytes: in their builds, which are
 * never released, the sandbox and the limits on memory and processes are left out. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_LEFT_OUT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANDBOX_LEFT_OUT 1
#endif
#endif
#ifndef SANDBOX_LEFT_OUT
#define SANDBOX_LEFT_OUT 0
#endif

/* Both need no_new_privs.  They return what was put in force: Landlock's ABI version, 1 for seccomp;
 * 0 when the kernel has it not, of which seccomp, as old as any kernel we run on, warns; or, said, -errno. */
int sandbox_landlock(enum sandbox_role role, int dir);	/* dir: where the helper may make files; -1: nowhere */
/* fds: NULL for the helper and the watcher. */
int sandbox_seccomp(enum sandbox_role role, const struct reader_fds *fds);

#endif
