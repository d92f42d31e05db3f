/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_VERDICT_PARTS_H
#define NETPROBE_VERDICT_PARTS_H

#include "util/hash.h"
#include "util/steady.h"
#include "verdict/verdict.h"

#define NONE UINT32_MAX

/* ── read.c: what a frame says of a connection ── */

/* Whose packet it is.  Addresses as in bpf/tuple.h. */
struct ends {
	uint64_t src[2], dst[2];
	uint32_t serial;	/* TCP: the SYN's sequence number; SCTP: INIT's tag; else 0 */
	uint16_t sport, dport;	/* ICMP: identifier, 0 */
	uint8_t family, proto;
};

enum seen {
	SEEN_NOTHING,		/* nothing that has connections */
	SEEN_UNREAD,
	SEEN_LATER,
	SEEN_FIRST,
	SEEN_DATAGRAM,		/* a first one, or one back, or any */
	SEEN_ANSWER,
	SEEN_REFUSAL,
	SEEN_PROHIBITED,
	SEEN_UNREACHABLE,	/* somebody said so, for another reason */
};

enum where { WHERE_IN, WHERE_OUT, WHERE_DROP };

struct sight {
	uint8_t what, where;	/* enum seen, enum where */
	bool inner;		/* inside a tunnel */
	bool has_mark;
	struct ends ends;	/* of the connection: an answer's turned round, an ICMP error's are those quoted */
	uint64_t mark;		/* what no translation of addresses changes, of this very packet */
	uint64_t time_ns;
	uint32_t ifindex;
	bool through;		/* its interface is no end: see iface.through */
	uint64_t place;		/* which interface, also of a file, where all have no index */
	const char *name;	/* "" not known */
	const struct drop_info *drop;
};

void sight_read(struct sight *s, const struct hash_key *key, const struct frame *f);
struct ends ends_turned(const struct ends *e);

/* ── table.c: who waits, and who was seen lately ── */

enum { KEYS = 8 };		/* of one connection */
enum { TEXT_MAX = 128, HOOK_MAX = 32 };

/* What a key is of: it goes into its hash. */
enum key_kind { KEY_EXACT = 1, KEY_SRC, KEY_DST, KEY_EARLY_ANSWER, KEY_EARLY_REFUSAL };

/* Number n is of the connection n / KEYS. */
struct node {
	uint64_t hash;
	uint32_t next;		/* in its bucket */
	uint8_t used, exact;
	uint8_t shared;		/* another connection has it too: it tells nothing */
};

enum sign {
	SIGN_LEFT, SIGN_DROPPED, SIGN_ANSWERED, SIGN_REFUSED, SIGN_PROHIBITED, SIGN_SAID,
	SIGN_UNHEARD,		/* its answer was dropped */
	SIGNS
};
enum list { LIST_UNDECIDED, LIST_SIGNED, LISTS };

struct entry {
	struct verdict_conn c;
	uint64_t mark, attempt_ns;	/* of the last attempt */
	uint64_t drop_mark;
	uint64_t at_ns[SIGNS];		/* the latest of each */
	uint64_t began_ns, sign_ns;	/* it, and its first sign, by our time, which grows: so lists are in order */
	char reason[TEXT_MAX], location[TEXT_MAX], hook[HOOK_MAX];
	uint64_t in_ns, out_ns;
	uint64_t place;			/* where the first packet was seen first, */
	uint8_t place_where;		/* and in which direction: enum where */
	uint8_t signs;			/* 1 << enum sign */
	uint8_t next_key, list;
	bool has_in, in_is_end, has_out;
	uint8_t before;			/* as recent.again: what was told of it when it was not a datagram */
	uint32_t newer, older;		/* in its list; free: older is the next free one */
};

struct recent {
	uint64_t hash, last_ns;
	uint32_t next, newer, older;
	/* 1 + enum verdict_what of what came to nothing: what is sent next that way is a first one; 0: none is. */
	uint8_t again;
};

struct verdicts {
	struct verdict_options opt;
	struct verdict_counts n;
	struct hash_key key;
	struct steady clock;
	uint64_t now_ns;
	struct entry *v;
	struct node *nodes;
	uint32_t *buckets, mask;
	uint32_t top, free;		/* entries touched so far; the first that is free again */
	uint32_t newest[LISTS], oldest[LISTS];
	struct recent *recents;
	uint32_t *recent_buckets, recent_mask;
	uint32_t n_recents, max_recents, recent_newest, recent_oldest;
};

int  waiting_open(struct verdicts *v);
void waiting_close(struct verdicts *v);

uint64_t key_exact(const struct verdicts *v, enum key_kind kind, const struct ends *e);
/* Of one end and the packet's mark: KEY_SRC, KEY_DST. */
uint64_t key_end(const struct verdicts *v, enum key_kind kind, const struct sight *s);

/* NULL: nobody has it, or (not exact) more than one. */
struct entry *waiting_find(const struct verdicts *v, uint64_t hash);
/* There must be room.  The entry is in no list yet. */
struct entry *waiting_new(struct verdicts *v);
void waiting_free(struct verdicts *v, struct entry *e);
/* One more key; the oldest gives way, an exact one last.  One that another has stays the other's, and is shared. */
void waiting_key(struct verdicts *v, struct entry *e, uint64_t hash, bool exact);
void waiting_drop_keys(struct verdicts *v, struct entry *e);
const struct node *waiting_nodes(const struct verdicts *v, const struct entry *e);	/* KEYS of them */
void waiting_link(struct verdicts *v, struct entry *e, enum list list);
void waiting_unlink(struct verdicts *v, struct entry *e);

/* Not older than 30 seconds; NULL: there is none. */
struct recent *recent_find(struct verdicts *v, uint64_t hash);
void recent_touch(struct verdicts *v, struct recent *r);
/* The one that was silent longest gives way. */
struct recent *recent_put(struct verdicts *v, uint64_t hash);
void recent_clear(struct verdicts *v);

#endif
