/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_FEATURES_PARTS_H
#define NETPROBE_KERN_FEATURES_PARTS_H

#include <stdbool.h>

/* Between the files of the features alone. */

struct said;

struct attempt {
	const char *name, *since;
	unsigned int used_by;		/* bits of enum user */
	unsigned int needs;		/* enum cap_need */
	/* 0: it is there; else why it is not, as a negative errno.  May say more in `said`. */
	int (*run)(const struct attempt *a, struct said *said);
	unsigned int type, of;		/* run's own */
	bool apart;			/* in a network namespace of its own */
};

struct said {
	bool sure;			/* it is not there, whatever permission is missing */
	bool hidden;			/* whether it is there is not to be seen: `why` */
	bool apart_failed;		/* it was not tried: there is no namespace to try it in */
	char why[160];			/* empty: the errno's text */
};

/* It is not to be seen, for this reason: `err`. */
int features_hide(const char *path, int err, struct said *said);
/* False: the directory is not to be seen, so neither is whether something is in it. */
bool features_sees(const char *dir, struct said *said);
#define FEATURES_BTF "/sys/kernel/btf/vmlinux"
struct btf;
/* The kernel's own types: the caller's; or a negative errno, with the reason said. */
int features_btf(struct btf **btf, struct said *said);

int try_bpf(const struct attempt *a, struct said *said);
int try_map(const struct attempt *a, struct said *said);
int try_program(const struct attempt *a, struct said *said);
int try_tracing(const struct attempt *a, struct said *said);
int try_link(const struct attempt *a, struct said *said);
int try_xdp_link(const struct attempt *a, struct said *said);
int try_replace(const struct attempt *a, struct said *said);
int try_ids(const struct attempt *a, struct said *said);
int try_lock(const struct attempt *a, struct said *said);
int try_helper(const struct attempt *a, struct said *said);
int try_atomic(const struct attempt *a, struct said *said);
int try_loop(const struct attempt *a, struct said *said);
int try_run(const struct attempt *a, struct said *said);
int try_live(const struct attempt *a, struct said *said);
int try_batch(const struct attempt *a, struct said *said);
int try_bind(const struct attempt *a, struct said *said);
int try_jit(const struct attempt *a, struct said *said);
int try_clsact(const struct attempt *a, struct said *said);
int try_cls_bpf(const struct attempt *a, struct said *said);

#endif
