/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_RULES_RULE_H
#define NETPROBE_RULES_RULE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "block_abi.h"
#include "util/buf.h"
#include "util/hash.h"

/*
 * The entries of `netprobe block`, without a kernel.
 *
 * Which entry decides (rules_match() is this text; compile.c and bpf/verdict.h must agree with it):
 *
 *  1. An entry matches a packet when its address covers the packet's source (src), destination (dst) or one of
 *     them (both), and all its conditions hold: the protocol, the destination port, the time before it expires.
 *     A condition on something that the packet does not tell (a later fragment has no ports) does not hold.
 *  2. If an allow entry matches, the packet passes, whatever else matches.
 *  3. Else, of the block entries that match (drop, audit, limit), the most specific decides: a name before a MAC
 *     address, that before the longest prefix; of equal prefixes the one with more of proto and port; of equals
 *     the older one, which has the lower number.  The same order names the allow entry in 2.
 *  4. If none matches, the mode decides: block passes it, log counts and passes it, deny drops it.
 */
struct rules {
	struct np_rule *v;
	uint32_t n, cap;
	struct buf text;		/* the pool; offset 0 is "" */
	uint32_t next_id;
	uint32_t *index;		/* hash of what is matched -> position + 1 */
	uint32_t index_mask;
	uint8_t *given;			/* which of them this reading gave: rules_give() */
	uint32_t given_cap;
	struct hash_key key;
	uint32_t last_reason, last_file;	/* offsets: lists repeat them */
	uint8_t mode, frag;		/* enum np_mode, np_frag_policy */
	bool egress;			/* it judges what leaves */
	bool unsorted;			/* numbers were given anew: rules_sort() */
	uint8_t n_failsafe;
	uint16_t failsafe[16];
};

enum { RULE_BURST_BYTES = 1514 };	/* a frame: none passes where there is less */
enum { RULES_MAX = 4 << 20, RULES_TEXT_MAX = 512 << 20, RULE_NAME_MAX = 253 };
/* A rate in thousandths, a burst, and for how long an entry may be. */
#define RULE_RATE_MIN 10ull
#define RULE_RATE_MAX 1000000000000000ull
#define RULE_BURST_MAX 1000000000000ull
#define RULE_FOR_MAX_NS (3200000000ull * 1000000000)

int  rules_init(struct rules *r);
void rules_free(struct rules *r);
/* Room for n entries in all; says what failed. */
int  rules_reserve(struct rules *r, uint32_t n);
/* n bytes as a text of the pool; 0 for none, UINT32_MAX when there is no room. */
uint32_t rules_text(struct rules *r, const char *p, size_t n);
const char *rules_string(const struct rules *r, uint32_t offset);
/*
 * Give it a number and add it.  One that matches the same packets is replaced (*replaced), and keeps its number where
 * the action stays; with another action it is another entry, and its number a new one: then rules_sort() is due.
 */
int  rules_add(struct rules *r, const struct np_rule *rule, bool *replaced);
/*
 * The same, of a list: what it gave itself stays as it was given first; what was there before is replaced.  *at: where
 * it stands.  All that is given from rules_init(), or since entries were taken away, is one reading.
 */
enum rules_met { RULES_NEW, RULES_RENEWED, RULES_OTHER, RULES_AS_IT_WAS, RULES_GIVEN, RULES_CONTRADICTS, RULES_MET };
int  rules_give(struct rules *r, const struct np_rule *rule, enum rules_met *met, uint32_t *at);
/* RULES_CONTRADICTS, in words: `rule` has another action than what stands at `at`. */
void rules_contradiction(const struct rules *r, const struct np_rule *rule, uint32_t at, char *why);
/* By number. */
void rules_sort(struct rules *r);
/* Remove where keep() says no; returns how many went. */
uint32_t rules_remove(struct rules *r, bool (*keep)(const struct np_rule *rule, const void *ctx), const void *ctx);
/* Entries that match what an entry of `from` matches, with the same action, get its number. */
int  rules_keep_numbers(struct rules *r, struct rules *from);
/* Do both match the same packets? */
bool rule_same(const struct rules *r, const struct np_rule *a, const struct np_rule *b);
unsigned int rule_rank(const struct np_rule *rule);

/*
 * "192.0.2.0/24", "2001:db8::1", "::ffff:192.0.2.1" (of IPv4), a MAC, "any" (NP_KIND_V4 and /0; the caller doubles it).
 * False: none of these.
 */
bool rule_target(struct np_rule *rule, const char *text, size_t n);
/* "192.0.2.1-192.0.2.9", "2001:db8::1-2001:db8::ff", as prefixes.  1; 0: it is none; -EINVAL: its ends are swapped. */
struct range {
	uint8_t kind;
	bool done;
	unsigned __int128 first, last;
};
int  range_parse(struct range *g, const char *text, size_t n);
/* An address and a dash: no name, whatever follows. */
bool range_begins(const char *text, size_t n);
#define RANGE_FORM "two whole addresses of one family are, 192.0.2.1-192.0.2.9"
/* The next of them, into kind, plen and addr; false: there is none any more. */
bool range_next(struct range *g, struct np_rule *rule);
/* Letters, digits, - and _ in labels, the last of them no number, nor several. */
bool rule_name_ok(const char *text, size_t n);
/* A host name, "*.NAME" for all below it; lower case, checked.  False: not one. */
bool rule_domain(struct rules *r, struct np_rule *rule, const char *text, size_t n);
/*
 * Words behind the targets: [src|dst|both] [proto P] [port N[-M]] [for TIME] [action A [RATE[/BURST]]] [shared]
 * [reason TEXT...], each once.  now_ns: CLOCK_BOOTTIME, for `for`.  Says nothing: `why` (of 160) does.
 */
int  rule_words(struct rules *r, struct np_rule *rule, int n, char *const *words, uint64_t now_ns, char *why);
/* Is its protocol one that its address has?  (ICMP of the other family; `any` has both.)  `why` as above. */
int  rule_family(const struct np_rule *rule, char *why);
int  rule_rate(const char *text, struct np_rule *rule);
/* As the user would write it, without reason and source. */
void rule_print(struct buf *b, const struct rules *r, const struct np_rule *rule, uint64_t now_ns);
void rule_print_match(struct buf *b, const struct rules *r, const struct np_rule *rule);	/* what it matches */
void rule_print_target(struct buf *b, const struct rules *r, const struct np_rule *rule);
void rule_print_action(struct buf *b, const struct np_rule *rule);
void rule_print_rate(struct buf *b, const struct np_rule *rule);
extern const char *const rule_actions[];

/* Lists: list.c, list_json.c.  With now_ns 0, expires_ns is for how long an entry is.
 * Every bad line is told to `bad` (at most once a line; of JSON each element); returns how many were bad, or
 * a negative errno (said).  `like` is what every entry begins as: direction, action, expiry. */
struct list_report {
	void (*bad)(void *ctx, const char *file, uint32_t line, const char *why);
	void *ctx;
	uint32_t lines, added, same, bad_lines;
	bool permitted;			/* it was a list of what is permitted */
};
int list_read(struct rules *r, const char *name, const char *text, size_t n, const struct np_rule *like,
	      uint64_t now_ns, struct list_report *report);
int list_json(struct rules *r, const char *name, const char *text, size_t n, const struct np_rule *like,
	      struct list_report *report);

/*
 * What one process read of a list, for another that does not trust it (list_pack.c): written to a descriptor; checked,
 * each member of each entry, and added to r, which is empty.  -EBADMSG: it is not what list_read() makes; nothing is
 * said, why (of 160) tells.
 */
int list_pack(int fd, const struct rules *r, const struct list_report *report);
int list_unpack(struct rules *r, const char *name, const void *bytes, size_t n, struct list_report *report, char *why);
/* The most bytes that list_pack() writes. */
uint64_t list_pack_max(void);

#endif
