/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_FEATURES_H
#define NETPROBE_KERN_FEATURES_H

/*
 * What of the kernel netprobe uses, each found out by trying it, never by the kernel's version.  Nothing is left
 * behind, nor is anything of the current network namespace touched: what only an interface can tell is tried at the
 * loopback of a namespace of its own.
 */
enum feature_state {
	FEATURE_UNKNOWN,	/* it could not be asked: the reason */
	FEATURE_YES,
	FEATURE_NO,
};

enum { FEATURE_USERS_MAX = 6 };

struct feature {
	const char *name;
	const char *since;			/* the Linux that brought it: for who reads, nothing depends on it */
	const char *used_by[FEATURE_USERS_MAX];	/* commands */
	unsigned int n_used_by;
	enum feature_state state;
	char reason[192];			/* why it is not there, or not known; of some that are, a remark */
};

typedef int (*feature_fn)(void *ctx, const struct feature *f);

/* Each; stops at fn's first non-zero return, which is returned. */
int features_each(feature_fn fn, void *ctx);
/* One, by its name; -ENOENT: there is none of that name. */
int feature_ask(const char *name, struct feature *f);

#endif
