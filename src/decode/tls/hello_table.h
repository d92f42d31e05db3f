/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_TLS_HELLO_TABLE_H
#define NETPROBE_DECODE_TLS_HELLO_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "decode/tls/hello.h"

/*
 * Conversations over UDP whose hellos are put together from pieces.  HELLO_TALKS of them,
 * in sets: the one longest silent of a set goes.  HELLO_MEMORY bytes of pieces: then the
 * pieces of one chosen in turn go.  Both are counted when a hello was not complete.
 */
enum {
	HELLO_TALKS = 2048, HELLO_WAYS = 8, HELLO_MEMORY = 4 << 20, HELLO_BYTES = 16384,
	QUIC_CID_MAX = 20,
};

/* The bytes of one direction, from 0 on. */
struct hello_pieces {
	uint8_t p[HELLO_BYTES];
	uint8_t there[HELLO_BYTES / 8];	/* a bit for each byte */
	uint32_t have;				/* how many from 0 on are there */
};

struct hello_talk {
	uint64_t key, used;		/* used 0: free */
	struct hello_pieces *pieces[2];	/* 0 of the client, 1 of the server */
	uint32_t base[2];		/* QUIC: where in the stream of CRYPTO bytes the pieces begin */
	uint8_t given[2];		/* QUIC: the hello was told; DTLS: 1 + the last message's number */
	/* QUIC */
	uint8_t cid[QUIC_CID_MAX], cid_len;	/* the client's first destination; keys come from it */
						/* DTLS: the beginning of its first hello's random number */
	uint8_t client;			/* 1 + the direction that asks; 0: not known */
	bool retried;
	struct tls_session session;	/* DTLS: that the client offers */
};

struct hello_table;

/* Which of the two ends sends: the lower one is 0. */
uint8_t hello_direction(const struct packet *pk);
int  hello_table_open(struct hello_table **out);
void hello_table_close(struct hello_table *t);
/* The conversation, if it is known; else, if asked to, a new one. */
struct hello_talk *hello_talk(struct hello_table *t, uint64_t key, bool make);
/* n bytes at `at`.  False: there is no room for them. */
bool hello_put(struct hello_table *t, struct hello_talk *talk, int way, uint32_t at, const uint8_t *p, uint32_t n);
void hello_drop(struct hello_table *t, struct hello_talk *talk, int way);
uint64_t hello_table_evicted(const struct hello_table *t);

#endif
