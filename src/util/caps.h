/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_CAPS_H
#define NETPROBE_UTIL_CAPS_H

#include <stdint.h>

/*
 * capabilities(7): which this process has, which it needs for what, which of those are missing, and what
 * helps.  What a message says of a capability comes from here.
 */
#define CAP_BIT(cap) (UINT64_C(1) << (cap))

struct cap_sets {
	uint64_t effective, permitted, inheritable;
};

/* 0 or -errno, and then *s is empty. */
int caps_get(struct cap_sets *s);

enum cap_need {
	NEED_BPF       = 1 << 0,	/* bpf(2); includes the memory that its maps take */
	NEED_HOOK      = 1 << 1,	/* any hook that packets pass: traffic control or a packet socket */
	NEED_NET_ADMIN = 1 << 2,
	NEED_NET_RAW   = 1 << 3,
	NEED_PERFMON   = 1 << 4,	/* tracing */
	NEED_SYSLOG    = 1 << 5,	/* addresses of kernel symbols */
	NEED_NETNS     = 1 << 6,	/* to enter a network namespace */
	NEED_USER      = 1 << 7,	/* to become another user */
	NEED_FILES     = 1 << 8,	/* to write where others own the directory, and give files away */
	NEED_ADMIN     = 1 << 9,	/* to ask the kernel for programs, maps and links by their numbers */
};

/* Of a live capture, with or without drops. */
#define NEED_CAPTURE(tracing) (NEED_BPF | NEED_HOOK | ((tracing) ? NEED_PERFMON : 0))

/* Those that serve these needs, whether we have them or not. */
uint64_t caps_for(unsigned int needs);
/* Those that are missing for these needs, on this kernel and in this user namespace, as text
 * ("CAP_BPF, CAP_NET_ADMIN"); returns how many. */
int caps_missing(unsigned int needs, char *text, unsigned int size);
/* The name of the first that serves this need. */
const char *caps_name(enum cap_need need);

#define CAPS_REMEDY "run with sudo"
/* What helps against what caps_missing() found, and `text` contains: sudo is of no use to root of a user namespace. */
const char *caps_remedy(const char *text);
/* Say what caps_missing() found, and the remedy. */
void caps_tell(const char *missing);

#endif
