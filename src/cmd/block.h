/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_BLOCK_H
#define NETPROBE_CMD_BLOCK_H

#include "cmd/cmd.h"
#include "cmd/firewall.h"
#include "kern/block.h"
#include "kern/peers.h"
#include "pin/pin.h"
#include "record.h"
#include "rules/match.h"

struct block_opts {
	struct strs iface, list, files, domains, ids, failsafe;
	struct passed conditions;	/* src … shared: rule_words() reads them */
	struct rest reason;
	const char *read, *mode, *xdp, *frag, *where;
	uint64_t confirm_ns;
	bool dry_run, commit, force, persist, hits, expired, all, egress, ingress;
};

/* A file of entries, as it was read: they have numbers from 1, and times that count from now on. */
struct block_list {
	const char *path;
	struct rules rules;
	struct list_report report;
	uint32_t met[RULES_MET];	/* what became of its entries in the set */
};

/* One call of `netprobe block`. */
struct block_run {
	const struct globals *g;
	const struct block_opts *o;
	int argc;			/* words behind that of the command */
	char **argv;
	struct pin_place place;
	struct pin pin;			/* pin.lock -1: not taken */
	struct pin_view view;
	enum pin_hook hook;		/* where the set is, or is to be */
	bool running;			/* there is one: `set` */
	bool unreadable;		/* there is one, of which nothing can be read (del --all) */
	struct pin_got got;		/* how it is attached */
	struct block_set set;
	struct rules rules;		/* as it is, then as it is to be */
	struct np_rule like;		/* what each entry of this call begins as */
	struct rules words;		/* its texts */
	struct where *where;		/* records that are told; NULL: all */
	struct block_list *lists;	/* all of its files: read before anything is locked */
	unsigned int n_lists;
	struct np_guard guard;		/* of what runs, as it was found */
	uint32_t dropped;		/* expired entries that are left out */
	uint32_t *going, n_going;	/* numbers of entries that del takes away */
	uint64_t seed;			/* of keys: choose_seed() */
	uint64_t now_ns;		/* CLOCK_BOOTTIME */
	uint64_t boot_wall_ns;		/* wall clock when that was 0: host_clock_boot() */
	struct peers peers;
};

/* block.c: words of --mode and --frag, ended by NULL, in the order of enum np_mode and np_frag_policy */
extern const char *const block_modes[], *const block_frags[];
int  block_set_failsafe(struct block_run *b);		/* without a machine: ports of options, or 22 -> rules */
void block_set_modes(struct block_run *b);		/* what the options say -> rules */

/* Each rule that a word stands for: one, two of `any`, as many as a range has prefixes.  Stops when each() fails. */
int  block_each(struct block_run *b, const char *word, const struct np_rule *like,
		int (*each)(struct block_run *b, const struct np_rule *rule));
int  block_change(struct block_run *b, const char *what);	/* the rules as they are now, in force */

/* block_words.c */
bool block_is_name(const char *word);			/* a host's, with a dot */
int  block_check_ranges(const struct block_run *b);	/* says where one has blanks */
int  block_check_interfaces(struct strs *iface);	/* each once, or it says what is wrong */

/* block_del.c */
uint32_t block_number(const char *word);		/* of an entry; 0: it is none */
int  block_prepare_del(struct block_run *b);
int  block_del(struct block_run *b);

/* block_state.c */
int  block_find(struct block_run *b, bool change);	/* the interface, its set and rules; says what failed */
void block_done(struct block_run *b);
int  block_take_rules(struct block_run *b);		/* those of b->set -> b->rules */
void block_failsafe(struct block_run *b);		/* ports of b->peers -> b->rules */
int  block_commit(struct block_run *b, const char *what);	/* rules -> kernel, in one step */
void block_tell_weaker(const struct block_run *b);	/* the rules pass what b->set drops by its mode: says so */
uint64_t block_now(void);				/* CLOCK_BOOTTIME of the kernel, whatever our own says */

/* block_confirm.c */
bool block_is_expired(const struct block_run *b);	/* when it was found */
void block_warn_expired(const struct block_run *b);	/* says so, where it is */
/* What a change begins from: the rules of what runs, or when that was not confirmed in time of what was before it;
 * without entries whose time is over. */
int  block_base(struct block_run *b);
/* How long a set that is about to run waits for a confirmation; 0: it does not. */
int  block_time_to_confirm(struct block_run *b, const char *what, uint64_t *ns);
/* Say that all is undone when so many nanoseconds are over; 0: it is not. */
void block_tell_timer(const struct block_run *b, uint64_t ns);
int  block_swap(struct block_run *b, struct pin_want *want, struct pin_got *got);
int  block_rollback(struct block_run *b);
int  block_confirm(struct block_run *b);
int  block_remove(struct block_run *b);			/* this set: everything passes there */
int  block_remove_all(struct block_run *b);		/* those of all hooks, or of --egress or --ingress; says so */

/* block_same.c: the rules and *next are what runs, and the timer stays; says that nothing is changed */
bool block_is_same(const struct block_run *b, const struct block_set *next, const char *what);
int  block_tell_same(struct block_run *b);

/* block_guard.c: -ECANCELED, said, when the rules would cut somebody off who must not be. */
int  block_guard(struct block_run *b);

/* block_list.c: files of entries.  Read one more; then the set with its entries as well, or with no others. */
int  block_read(struct block_run *b, const char *path);
int  block_add_list(struct block_run *b, struct block_list *l);
int  block_give(struct block_run *b, const struct np_rule *rule, enum rules_met *met);	/* one; says what contradicts */
int  block_take_list(struct block_run *b, struct block_list *l);
void block_lists_free(struct block_run *b);

/*
 * block_sets.c: the sets at the interfaces that are named, or at all of this network namespace, at all hooks or, with
 * --egress, at that of what leaves; each a run of its own.  Says when there are none.
 */
struct block_sets {
	struct block_run **v;
	unsigned int n;
};
/* rules: read theirs as well. */
int  block_sets_open(struct block_sets *s, const struct block_run *b, bool rules);
void block_sets_close(struct block_sets *s);
/* What is not ours, in the way to a set of that network namespace: says so, where it is. */
bool block_tell_foreign(const struct pin_view *v, uint64_t netns);
/* 1: another set took its place, 0: none did, -ENOENT: it is gone */
int  block_renew(struct block_run *one);

/* block_record.c: records of entries and sets.  What they point to: */
struct block_texts {
	struct buf reference, target, rate;
};
void block_texts_free(struct block_texts *t);
void block_put_place(struct record *r, const struct block_run *b);
void block_put_entry(struct record *r, const struct rules *rules, const struct np_rule *rule, struct block_texts *t);
void block_rule_record(struct record *r, const struct block_run *b, const struct np_rule *rule,
		       const struct np_hit *hit, const struct np_guard *now, struct block_texts *t);
void block_set_record(struct record *r, const struct block_run *b, const struct np_stats *s, const struct np_guard *g,
		      struct firewall_counts *c);
uint64_t block_ago_ns(const struct np_hit *h, const struct np_guard *now);	/* since the last hit */

/* block_show.c (list, entries), block_status.c, block_poll.c, block_test.c: exit statuses */
struct block_row {
	uint32_t index;
	struct np_hit hit;
};
struct block_row *block_hits(const struct block_run *b);	/* malloced; NULL: no memory, said */
int  block_by_hits(const void *a, const void *b);		/* most first, for qsort() */
int  block_list(struct block_run *b);
int  block_status(struct block_run *b);
int  block_poll(struct block_run *b);
int  block_prepare_test(struct block_run *b);
int  block_test(struct block_run *b);
void block_print_entry(struct buf *out, const struct rules *r, const struct np_rule *rule, uint64_t now_ns);
/* For fail() and note(), which escape it. */
void block_say_entry(struct buf *out, const struct rules *r, const struct np_rule *rule, uint64_t now_ns);
void block_print_size(char out[16], uint64_t bytes);	/* "96 KiB", "9.2 MiB" */
const char *block_entries(uint64_t n);		/* "entry" or "entries" */
void block_put_clean(struct buf *b, const char *before, const char *text, size_t n);	/* escaped */
void block_print_place(struct buf *out, const struct record *r);	/* "eth0 xdp native" */
void block_print_confirmation(struct buf *b, const struct firewall_body *f);

#endif
