/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `netprobe block` shares with its programs, and keeps in their maps.  The rules of abi.h hold
 * here too: host order, no implicit padding, sizes asserted.  Include <linux/types.h> first.
 */
#ifndef NETPROBE_BLOCK_ABI_H
#define NETPROBE_BLOCK_ABI_H

#include "tuple.h"

enum np_rule_kind { NP_KIND_NONE, NP_KIND_V4 = 4, NP_KIND_V6 = 6, NP_KIND_MAC = 8, NP_KIND_NAME = 9 };

enum np_rule_action { NP_DROP = 1, NP_AUDIT, NP_LIMIT, NP_ALLOW };

enum np_rule_dir { NP_SRC = 1, NP_DST = 2 };

enum np_rule_flags {
	NP_RULE_PROTO = 1 << 0,		/* `proto` must be the packet's */
	NP_RULE_PORT = 1 << 1,		/* its destination port must be in port_lo…port_hi */
	NP_RULE_EXPIRES = 1 << 2,
	NP_RULE_BYTES = 1 << 3,	/* limit: bytes, not packets */
	NP_RULE_SHARED = 1 << 4,	/* limit: one bucket for all that match, not one a source */
	NP_RULE_SUFFIX = 1 << 5,	/* name: *.NAME, any name below it */
};

/* One entry as the user wrote it.  Texts are offsets into the set's pool; 0 is the empty text. */
struct np_rule {
	__u8  addr[16];		/* network order; a MAC is the first six bytes */
	__u8  kind;		/* enum np_rule_kind */
	__u8  plen;
	__u8  dir;		/* bits of enum np_rule_dir: one match is enough */
	__u8  proto;
	__u8  action;		/* enum np_rule_action */
	__u8  flags;
	__u16 port_lo, port_hi;
	__u16 reserved;
	__u32 id;		/* from 1, ascending in the set, never used again */
	__u32 name, reason, file, line;
	__u64 expires_ns;	/* CLOCK_BOOTTIME of the host */
	__u64 rate, burst;	/* limit: thousandths of a packet or byte a second; as many at once */
};

/*
 * What decides, in 32 bits: the index of the entry in the set, its action above it.  NP_V_CHAIN: an index
 * of np_conds in place of an entry.  NP_V_MARK: nothing decides, but longer prefixes may follow.
 */
#define NP_V_INDEX 0x00ffffffu
#define NP_V_ACTION 24
#define NP_V_MARK 0x40000000u
#define NP_V_CHAIN 0x80000000u

/* At most so many entries with conditions cover one address. */
#define NP_CHAIN_MAX 64

/*
 * The tables: prefixes of one length are keys of one hash; the search over the lengths is binary, and
 * where it must go on to longer ones a mark stands.  A mark knows the answer for its own prefix, so what
 * was found last is the longest match.  (Waldvogel, Varghese, Turner, Plattner, SIGCOMM 1997.)
 */
enum np_table { NP_T_ALLOW_SRC, NP_T_ALLOW_DST, NP_T_BLOCK_SRC, NP_T_BLOCK_DST, NP_TABLES };

/* Tags name a length and a family; 0 is an empty slot. */
#define NP_TAG_V6(len) ((len) + 1)
#define NP_TAG_V4(len) ((len) + 131)
#define NP_TAG_MAC 200

struct np_bucket {
	__u64 hi[3], lo[3];
	__u32 value[3];
	__u8  tag[3];
	__u8  more;		/* keys of this bucket are in the next one too */
};
#define NP_BUCKETS_ROW 4	/* at most so many buckets are looked at */

/* Of a hash: random, and not known to whoever writes a list or sends packets; the multipliers are odd. */
struct np_hash_key {
	__u64 seed, first, second;
};

/*
 * Those of the tables, and of what outlives a set: rates and fragments.  In the program these stand for them, for the
 * real ones are put into its instructions (src/kern/block_load.c): read from memory they cost the verifier, which goes
 * through each probe on its own, twice as much.
 */
#define NP_KEY_TABLE ((struct np_hash_key){ 0x4e5054a1b2c3d401ull, 0x4e5054a1b2c3d403ull, 0x4e5054a1b2c3d405ull })
#define NP_KEY_STATE ((struct np_hash_key){ 0x4e5053a1b2c3d401ull, 0x4e5053a1b2c3d403ull, 0x4e5053a1b2c3d405ull })

/* Where a key lies, in the low bits: the high ones of a product are the good ones.  tag: less than 2^16. */
static inline __u64 np_hash(__u64 hi, __u64 lo, __u64 tag, struct np_hash_key key)
{
	__u64 h = (hi ^ key.seed) * key.first;

	h = (h ^ h >> 32 ^ lo ^ tag << 48) * key.second;
	return __builtin_bswap64(h);
}

struct np_length {
	__u64 hi, lo;		/* the mask */
	__u32 tag, reserved;
};

/*
 * Where a table has many prefixes of IPv4, those up to /24 are no keys of it: what decides seldom changes from one /24
 * to the next, so each run of those with the same value has a place in np_runs, in order.  With NP_V_MARK longer
 * prefixes lie in there, which are keys; where none of them holds, the rest of the value decides.  Which run it is
 * tells the step of the /16, and where more than NP_BEGIN_BYTES begin within that, one of NP_FINE steps elsewhere in
 * np_steps, each of 32 times a /24.  That is small enough to stay in a cache.
 */
#define NP_RUNS_MANY 1024
#define NP_STEPS (1 << 16)
#define NP_USE_RUNS 2
#define NP_BEGIN_BYTES 4
#define NP_FINE 8
#define NP_RUN_FINE 0x80000000u
struct np_step {
	__u32 run;		/* the one in which it begins; a /16, NP_RUN_FINE: the place of its finer steps */
	__u32 begin;		/* where other runs begin: a /16, a byte for each, less 1 (255: none); else bits */
};
struct np_run_pair {
	__u32 value[2];		/* an array's elements take no less */
};

/* The run of a /24 in the step of its /16: how many of the bytes are less, in four lanes of 16 bits. */
static inline __u32 np_run(const struct np_step *s, __u32 at)
{
	__u64 bytes = (s->begin & 0x00ff00ffu) | (__u64)(s->begin >> 8 & 0x00ff00ffu) << 32;
	__u64 x = ((at & 255) + 255) * 0x0001000100010001ull - bytes;

	return s->run + (__u32)((x >> 8 & 0x0001000100010001ull) * 0x0001000100010001ull >> 48);
}

/* In a finer one: how many of the bits up to there are set. */
static inline __u32 np_run_fine(const struct np_step *s, __u32 at)
{
	__u32 x = s->begin & ((2u << (at & 31)) - 1);

	x -= x >> 1 & 0x55555555u;
	x = (x & 0x33333333u) + (x >> 2 & 0x33333333u);
	x = (x + (x >> 4)) & 0x0f0f0f0fu;
	return s->run + (x * 0x01010101u >> 24);
}

struct np_index {		/* of one table */
	__u64 mask;		/* buckets - 1 */
	__u32 n_v4, n_v6, macs, reserved;	/* lengths; MAC addresses */
	struct np_length rows[512];	/* ascending: those of IPv4, from NP_ROWS_V6 on those of IPv6 */
};
#define NP_ROWS_V6 64

/* An entry with conditions, and what comes next when they do not hold. */
struct np_cond {
	__u32 value, next;	/* 0: nothing decides */
	__u16 port_lo, port_hi;
	__u8  proto, flags;	/* NP_RULE_PROTO, _PORT, _EXPIRES */
	__u16 reserved;
	__u64 expires_ns;
};

/* Of two candidates the one with the higher rank decides, the older one of equals. */
struct np_entry {
	__u16 rank;
	__u8  flags, reserved;
	__u32 id;		/* names the entry in the state that outlives the set */
	__u64 cost;		/* limit: what one packet or byte costs, 2^-16 ns */
	__u64 burst;		/* limit: how far ahead of now a bucket may be, 2^-8 ns */
};

struct np_hit {
	__u64 hits, bytes;
	__u64 last;		/* jiffies */
};

/*
 * What a CPU met last, and the counts of that entry, which go to np_hits when the slot is wanted.  Where the source,
 * the protocol and the port decide, and nothing else (conf.remember), a slot is theirs, and nothing is looked up for as
 * long as it stays so; else it is the entry's.
 */
struct np_recent {
	__u64 hi, lo;		/* the source */
	__u64 hits, bytes, last;
	__u32 index;		/* of the entry, + 1; 0: none */
	__u32 value;		/* what decides for that source */
	__u32 what;		/* NP_WHAT() of its packets; 0: the slot is no source's */
	__u32 reserved[3];
};
#define NP_WHAT(family, proto, port) ((family) << 28 | (proto) << 20 | (port))
#define NP_WHAT_PROTO(what) ((what) >> 20 & 255)
#define NP_WHAT_PORT(what) ((what) & 0xfffff)
#define NP_RECENT 1024

enum np_frag_policy { NP_FRAG_INHERIT, NP_FRAG_DROP, NP_FRAG_PASS };
enum np_mode { NP_MODE_BLOCK, NP_MODE_LOG, NP_MODE_DENY };	/* what happens to what no entry decides */

/* Why a packet went where it went.  Each is counted. */
#define NP_REASONS(X) \
	X(NONE, "no_entry", "no entry decides: passed") \
	X(ALLOW, "allowed", "an allow entry decides: passed") \
	X(DROP, "dropped", "a block entry decides: dropped") \
	X(AUDIT, "audited", "an audit entry decides: counted and passed") \
	X(LIMIT_PASS, "limit_passed", "within its rate: passed") \
	X(LIMIT_DROP, "limit_dropped", "above its rate: dropped") \
	X(NOT_IP, "not_ip", "neither IPv4 nor IPv6 (ARP and others): passed") \
	X(CUT, "cut", "ends inside a header: what is known decides; then the default") \
	X(BAD, "bad_header", "a header contradicts itself: what is known decides; then the default") \
	X(DEEP, "too_deep", "more VLAN tags or extension headers than 8: what is known decides; then the default") \
	X(FRAG_INHERITED, "fragment_inherited", "a later fragment: as its first one") \
	X(FRAG_EARLY, "fragment_early", "a later fragment whose first one is not known: no ports; then the default") \
	X(FRAG_TINY, "fragment_tiny", "a first fragment without its whole transport header: dropped") \
	X(FRAG_OVERLAP, "fragment_overlap", "a fragment that overlaps the transport header: dropped") \
	X(FRAG_POLICY, "fragment_dropped", "a fragment, with --frag drop: dropped") \
	X(NOT_PERMITTED, "not_permitted", "nothing allows it: logged or dropped, as the mode says") \
	X(FAILSAFE, "failsafe", "nothing allows it, but it keeps the machine reachable: passed") \
	X(EXPIRED, "expired_pass", "was not confirmed in time: passed")

enum np_reason {
#define NP_REASON_ID(id, name, text) NP_R_##id,
	NP_REASONS(NP_REASON_ID)
#undef NP_REASON_ID
	NP_REASONS_N
};

/* What a reading of the headers (tuple.h) means where no entry decides. */
#define NP_READING_REASONS(X) \
	X(WHOLE, NONE) X(NOT_IP, NOT_IP) X(CUT, CUT) X(BAD, BAD) X(DEEP, DEEP) X(FRAGMENT_LATER, FRAG_EARLY) \
	X(FRAGMENT_TINY, FRAG_TINY) X(FRAGMENT_OVERLAP, FRAG_OVERLAP)

static inline __u8 np_reason_of(__u32 reading)
{
#define NP_READING_REASON(reading, reason) [NP_##reading] = NP_R_##reason,
	static const __u8 reasons[NP_READINGS_N] = { NP_READING_REASONS(NP_READING_REASON) };
#undef NP_READING_REASON
	return reasons[reading & (NP_READINGS_N - 1)];
}

/* Counts that are not of packets. */
enum np_extra { NP_X_METER_EVICTED = 24, NP_X_FRAG_EVICTED, NP_STATS = 32 };

struct np_stats {		/* a CPU's */
	__u64 packets[NP_STATS], bytes[NP_STATS];
};

struct np_meter {
	__u64 hi, lo;
	__u64 tat;		/* when the bucket is full again, 2^-8 ns */
	__u32 id, reserved;	/* of the entry; 0: free */
};
struct np_meter_set {
	struct np_meter m[4];
};

struct np_frag {
	__u64 src[2], dst[2];
	__u32 id, proto;	/* with the family above */
	__u32 value;		/* what decided, and the number of that entry: the set may change in between */
	__u32 entry;
	__u32 drop, reserved;
	__u64 jiffies;		/* 0: free */
};
struct np_frag_set {
	struct np_frag f[4];
};
#define NP_FRAG_SETS 1024
#define NP_FRAG_SECONDS 30

/* The dead-man timer, and what time it is: one element, written by test runs. */
struct np_guard {
	__u64 deadline_ns;	/* CLOCK_BOOTTIME; 0: confirmed */
	__u64 armed_ns;
	__u64 now_ns, now_jiffies;
	__u64 expired;		/* the deadline was seen to pass */
	__u64 ask_ns;		/* in: arm it to go off so much later */
	__u64 readers;		/* the log was read once: is it still? */
	__u64 seed;		/* of the keys; goes over to the set that takes this one's place */
};

/* Constants of a program. */
struct np_block_conf {
	__u32 counts_tests;	/* frames of test runs are like any other: of measurements and tests */
	__u8  mode, frag;	/* enum np_mode, np_frag_policy */
	__u8  use[NP_TABLES];	/* 0: the table is empty; NP_USE_RUNS: it has runs */
	__u8  ports;		/* some entry asks for ports */
	__u8  n_failsafe;
	__u8  l3;		/* frames begin with the IP header */
	__u8  macs;		/* some entry is of a MAC address */
	__u8  egress;		/* what leaves is judged */
	__u8  remember;		/* no entry asks for destinations, MAC addresses or the time */
	__u32 steps[NP_TABLES];	/* where those of a table begin, NP_STEPS for as many /16 */
	struct np_hash_key key;		/* NP_KEY_TABLE: in the instructions */
	__u64 meter_mask;	/* sets of meters - 1 */
	__u64 frag_jiffies;
	__u64 log_jiffies;
	__u16 failsafe[16];	/* TCP ports that NP_MODE_DENY leaves open; egress: what answers from them */
};

/* The set itself: facts that the maps do not tell. */
struct np_set_meta {
	__u32 n_rules, next_id;
	__u32 text_bytes, mode, frag, n_failsafe;
	__u64 made_ns;		/* wall clock */
	__u16 failsafe[16];
	char  what[64];		/* the command that made it */
};

/*
 * The log: the newest packets that an entry, the mode or a rule of fragments stopped or took note of, the last
 * NP_LOG_PACKETS of each CPU.  Any number of readers map it and only look, so one that is killed leaves nothing
 * behind.  The programs write it while somebody reads: readers add to `beat` once a second.  What was
 * written over before it was read is told by `written`.
 */
#define NP_LOG_PACKETS 1024
#define NP_LOG_BYTES 136		/* of the frame */
#define NP_LOG_SECONDS 3		/* written for so long after the last beat */

struct np_log_packet {
	__u64 boot_ns;
	__u32 rule;			/* number of the entry; 0: none */
	__u32 len;			/* of the frame, without the tag below */
	__u16 cap;			/* bytes of `data` */
	__u16 tag_type, tag;		/* of the VLAN tag that is not in the data; 0: none */
	__u8  reason;			/* enum np_reason */
	__u8  drop;
	__u8  data[NP_LOG_BYTES];
};

struct np_log_cpu {			/* the CPU's alone */
	__u64 written;			/* packets, up to now */
	__u64 beat, beat_jiffies;	/* the last one seen, and when */
	__u64 reserved[5];
};

struct np_log_readers {
	__u64 beat;
	__u64 sets;			/* that took over from one before; entries may have come */
	__u64 ended;			/* the firewall was taken away */
	__u64 reserved[5];
};

/* A packet that `block test` sends: what the program made of it. */
struct np_probe {
	__u32 value, reason, drop, reserved;
};

_Static_assert(sizeof(struct np_rule) == 72, "np_rule is ABI");
_Static_assert(sizeof(struct np_bucket) == 64, "a line of the cache");
_Static_assert(sizeof(struct np_recent) == 64, "a line of the cache");
_Static_assert(sizeof(struct np_step) == 8 && sizeof(struct np_run_pair) == 8, "as an array has them");
_Static_assert(sizeof(struct np_cond) == 24, "np_cond is ABI");
_Static_assert(sizeof(struct np_entry) == 24, "np_entry is ABI");
_Static_assert(sizeof(struct np_meter) == 32, "np_meter is ABI");
_Static_assert(sizeof(struct np_frag) == 64, "np_frag is ABI");
_Static_assert(sizeof(struct np_log_packet) == 160, "np_log_packet is ABI");
_Static_assert((NP_LOG_PACKETS & (NP_LOG_PACKETS - 1)) == 0 && NP_LOG_BYTES % 8 == 0, "block_log.h");
_Static_assert((NP_READINGS_N & (NP_READINGS_N - 1)) == 0, "np_reason_of() masks");
_Static_assert((int)NP_REASONS_N <= (int)NP_X_METER_EVICTED, "one number space");

#endif
