/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_PROTOCOL_H
#define NETPROBE_DECODE_PROTOCOL_H

#include "decode/conv/stream.h"
#include "decode/decode.h"

/*
 * A protocol is a folder below decode/ and a row in protocols.c.  Its folder has:
 *
 *   fields.[ch]  the dataset: what its records say
 *   NAME.c       a struct protocol: how bytes become records
 *   text.c       the line of text, made from records alone
 *
 * What is asked of a protocol, and when, is told in conv/conv.h.
 */
enum { PROTOCOL_PORTS = 8, PROTOCOLS_MAX = 32 };

/* What take() returns when the bytes are not of its protocol after all. */
#define PROTOCOL_WRONG UINT32_MAX

enum guess { GUESS_NO, GUESS_MORE, GUESS_YES };

struct conv;
struct request_rules;
struct requests;

/* One packet on its way to records. */
struct call {
	struct conv *conv;
	const struct packet *pk;
	struct emit *e;
	struct requests *requests;	/* the protocol's, or those that all others share */
	bool show_secrets;
	void *ctx;		/* the protocol's, from its open() */
};

struct protocol {
	const char *name;	/* --decode-as; network.protocol, unless the decoder knows better */
	struct dataset *set;
	struct dataset *beside;	/* NULL; else another one that its records may be of */
	bool heads_tell;	/* its bytes over TCP look like no other: they are wanted on any port */
	uint16_t tcp_ports[PROTOCOL_PORTS], udp_ports[PROTOCOL_PORTS];	/* hints; 0 ends them */
	/* With heads_tell: where its bytes stand behind those of another, which would be missed before them. */
	uint16_t behind_ports[PROTOCOL_PORTS];

	/* Each of the following may be NULL. */
	const struct request_rules *requests;	/* its requests have a table of their own: requests.h */
	int  (*open)(void **ctx, const struct decode_options *opt);
	void (*close)(void *ctx);
	void (*counts)(const void *ctx, struct decode_counts *c);	/* adds to them */
	/* A packet with neither TCP nor UDP.  True: it was ours. */
	bool (*packet)(struct call *c);
	/* A UDP payload; hinted: its port is ours, or the user says so.  True: it was ours. */
	bool (*datagram)(struct call *c, bool hinted);
	/* As datagram(), of a first fragment: see firsts.h. */
	bool (*first)(struct call *c);
	/* The next bytes of a direction of which nothing is known. */
	enum guess (*guess)(struct call *c, const struct stream_data *d, bool hinted);
	/* As stream_fn, or PROTOCOL_WRONG.  conn->state and the side's phase, mark and want are its own. */
	uint32_t (*take)(struct call *c, const struct stream_data *d);
	/* Release conn->state, with stream_free(). */
	void (*end)(void *ctx, struct stream_conn *conn);
};

/* Start a record of the packet: its fields, as far as the dataset has them, and record.packet. */
void call_record(const struct call *c, struct record *r, const struct dataset *set);

/* protocols.c: those whose contents say most come first, and NULL last. */
extern const struct protocol *const protocols[];

/* The one called so, or NULL. */
const struct protocol *protocol_find(const char *name, size_t n);
/* Are its records of one of these datasets (bits)? */
bool protocol_gives(const struct protocol *p, uint64_t sets);
/* The names of those over TCP and UDP, with commas between them. */
const char *protocol_names(void);
/*
 * Bits of the TCP ports whose bytes the protocols of these datasets want from the first on,
 * whatever they look like: all but those whose heads tell, and of these the ports that have something before.
 */
void protocol_tcp_ports(uint64_t sets, const struct decode_as *as, uint32_t n_as, uint8_t bits[8192]);
/* What is wrong with the rows, or NULL: rows that contradict themselves or each other. */
const char *protocol_mistake(const struct protocol *const *rows);

#endif
