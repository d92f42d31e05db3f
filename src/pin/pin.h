/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_PIN_PIN_H
#define NETPROBE_PIN_PIN_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi.h"

/*
 * State that outlives the process, of one service (accounting, a firewall) at one interface:
 *
 *	/sys/fs/bpf/netprobe/v<ABI>/<netns>-<ifindex>/<service>/{meta,MAP...,link_HOOK,prog_HOOK}
 *
 * netns is the cookie of the network namespace (before Linux 5.14 "i" and its inode).  Directories are 0700,
 * objects 0600.  Who changes anything holds the lock of /sys/fs/bpf/netprobe (flock, dropped by the kernel when
 * its holder dies).
 *
 * Making it: load -> pin_begin() (directory, meta) -> pin_put() the maps -> pin_attach() last.  Whoever is killed
 * in between leaves state that does nothing, or counts already; the next pin_begin() goes on with it, pin_remove()
 * takes it away.  Nothing is ever removed that is not ours: a directory that is someone else's or a symbolic link, an
 * object whose name does not begin with np_, a link whose program's does not.  State of a higher ABI is shown and
 * never touched.
 */
#define PIN_BPFFS "/sys/fs/bpf"
#define PIN_ROOT  PIN_BPFFS "/netprobe"

enum { PIN_PATH = 160,
       PIN_NAME = 32 };

struct pin_place {
	uint64_t netns;
	bool by_inode;
	uint32_t ifindex;
	char ifname[16];
};

enum pin_state {
	PIN_ABSENT,
	PIN_BARE, /* begun, and no more: nothing in it, or meta alone */
	PIN_OURS,
	PIN_OLDER,
	PIN_NEWER, /* of another ABI */
	PIN_FOREIGN, /* not ours: `why` */
};

struct pin_view {
	char path[PIN_PATH];
	uint32_t abi;
	struct pin_place place;
	char service[16];
	enum pin_state state;
	struct np_meta meta; /* of PIN_OURS, PIN_OLDER, PIN_NEWER; zero otherwise */
	char why[256];
};

/* What this binary writes: NP_ABI.  Tests set another. */
extern uint32_t pin_abi;

/* An interface of the current network namespace; says what failed. */
int pin_place(struct pin_place *p, const char *ifname);
/* The place without asking for the interface: netns alone. */
int pin_netns(struct pin_place *p);

/* ── reading, without the lock ───────────────────────────────────────────── */

/* What there is of this ABI at that place.  Says nothing.  -errno when it cannot be known. */
int pin_look(const struct pin_place *p, const char *service, struct pin_view *v);
/* All there is, of every ABI, place and service; stops at fn's first non-zero return, which is returned. */
typedef int (*pin_fn)(void *ctx, const struct pin_view *v);
int pin_each(pin_fn fn, void *ctx);
/* An object below a state, verified to be ours: descriptor or -errno (-EPERM: not ours).  */
int pin_get(const struct pin_view *v, const char *name, bool read_only);
/* The bytes of meta, of any source: PIN_OURS, PIN_OLDER, PIN_NEWER or PIN_FOREIGN. */
enum pin_state pin_meta_judge(const void *bytes, uint32_t n, struct np_meta *out);

/* ── changing ────────────────────────────────────────────────────────────── */

struct pin { /* locked */
	int lock;
	struct pin_view at;
};

/*
 * Take the lock and look.  Refuses (and says): no bpf file system, foreign state, state of a higher ABI, of any
 * service of that name at that place.  With `make` the root directory is made.  -ENOENT (nothing said) without, when
 * there is none.
 */
int pin_open(struct pin *p, const struct pin_place *place, const char *service, bool make);
/* The same for what pin_each() showed, of this ABI or a lower one. */
int pin_open_view(struct pin *p, const struct pin_view *v);
void pin_close(struct pin *p);

/* Directory and meta.  Does nothing when there is a state already. */
int pin_begin(struct pin *p, const uint8_t prog_tag[8]);
/* Pin an object under that name; what is there is replaced atomically. */
int pin_put(struct pin *p, const char *name, int fd);
int pin_drop(struct pin *p, const char *name);
/* Detach and remove all of it; -EPERM (said) leaves all as it is when anything in it is not ours. */
int pin_remove(struct pin *p);

/* ── hooks ───────────────────────────────────────────────────────────────── */

enum pin_hook { PIN_XDP,
		PIN_INGRESS,
		PIN_EGRESS,
		PIN_HOOKS };
extern const char *const pin_hook_names[PIN_HOOKS]; /* "xdp", "ingress", "egress" */

enum pin_mode { PIN_AUTO,
		PIN_NATIVE,
		PIN_GENERIC,
		PIN_OFFLOAD };

struct pin_want {
	enum pin_hook hook;
	int prog;
	enum pin_mode mode; /* xdp */
	bool last; /* tcx: behind what is there; else in front */
	uint8_t handle; /* clsact: of the service, from 1; one of its own each */
	/*
	 * clsact: the filter belongs to the interface and would go on when our directory is removed by hand.  Behind a
	 * gate it does not: the filter is a program that jumps into a pinned map of programs, and the kernel empties
	 * such a map when its last name goes.
	 */
	bool gate;
	/* xdp: that the driver, or a program of others, is in the way is told by got->note and by nothing else. */
	bool quiet;
};

struct pin_got {
	const char *kind; /* "tcx", "clsact", "xdp" */
	const char *mode; /* xdp: "native", "generic", "offload"; else, and where it cannot be told, NULL */
	bool replaced; /* there was one of ours, which now runs this program */
	char note[256]; /* what the user should know; empty: nothing */
	uint32_t prog_id, link_id;
};

/*
 * Attach, or replace what of ours is attached there: BPF_F_REPLACE, no packet sees none or both.  Says what failed;
 * -EBUSY names the program of others that is in the way.
 */
int pin_attach(struct pin *p, const struct pin_want *w, struct pin_got *got);
int pin_detach(struct pin *p, enum pin_hook hook);
/* Gates (clsact) of that handle with nothing behind them, for their directory was removed by hand: were there any? */
bool pin_drop_empty(uint32_t ifindex, uint8_t handle);
/*
 * Does it run?  1 and *got, 0 when nothing is attached (any more), or -errno: -EXDEV of a filter (clsact) in another
 * network namespace, which only tells there, and which pin_detach() and pin_remove() leave alone as well.
 */
int pin_attached(const struct pin_view *v, enum pin_hook hook, struct pin_got *got);

/* ── in the course of time ───────────────────────────────────────────────── */

/* An interface takes its links along to another network namespace; with it, they are gone. */
enum pin_life { PIN_GONE, PIN_HERE, PIN_AWAY };
/* Does anything of it run, and at an interface of this network namespace?  PIN_HERE: at *at. */
enum pin_life pin_life(const struct pin_view *v, struct pin_place *at);
/* Nothing runs it any more. */
bool pin_is_left(const struct pin_view *v);
/* As pin_look(), wherever it was when it was pinned: that of *p is moved there by the next pin_open(). */
int pin_find(const struct pin_place *p, const char *service, struct pin_view *v);
/* Remove what is left of interfaces that are gone, and say so. */
void pin_sweep(const char *service);

#endif
