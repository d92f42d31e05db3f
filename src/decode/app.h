/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_APP_H
#define NETPROBE_DECODE_APP_H

#include "decode/decode.h"
#include "decode/requests.h"
#include "decode/stream.h"

/*
 * Application protocols over TCP and UDP: whose octets are these?
 *
 * A connection is its decoder's once the decoder has recognised the contents; a port that
 * the protocol is known by only makes it the first to be asked.  Until then each decoder
 * says no, yes or "more"; nobody is waited for longer than APP_GUESS_MAX octets.  Octets
 * that are nobody's are passed over, a segment at a time, and after FAILURES_MAX of them
 * the direction is ignored until the other one is recognised.  A decoder that finds it was
 * wrong says APP_WRONG, and the others are asked about the same octets.
 *
 * A decoder of a new protocol is one struct app_decoder, and a row in app.c.
 */
enum { APP_PORTS = 8, APP_GUESS_MAX = 512 };
#define APP_WRONG UINT32_MAX

enum app_guess { APP_NO, APP_MORE, APP_YES };

/* One packet on its way to records. */
struct app_call {
	struct app *app;
	const struct packet *pk;
	struct emit *e;
	struct requests *requests;
	bool show_secrets;
	void *ctx;		/* the decoder's, from its open() */
};

struct app_decoder {
	const char *name;	/* for --decode-as; network.protocol, unless the decoder says better */
	const struct dataset *set;
	bool heads_tell;	/* its octets over TCP look like no other: they are wanted on any port */
	uint16_t tcp_ports[APP_PORTS], udp_ports[APP_PORTS];	/* 0 ends */

	/* Each of the following may be NULL. */
	int  (*open)(void **ctx, const struct decode_options *opt);
	void (*close)(void *ctx);
	void (*counts)(const void *ctx, struct decode_counts *c);	/* adds to them */
	void (*tick)(void *ctx, uint64_t now_ns, struct emit *e);
	void (*finish)(void *ctx);	/* before the last tick */
	/* A UDP payload; hinted: its port is ours, or the user says so.  True: it was ours. */
	bool (*datagram)(struct app_call *c, bool hinted);
	/* As datagram(), of a first fragment: see firsts.h. */
	bool (*first)(struct app_call *c);
	/* The next octets of a direction of which nothing is known. */
	enum app_guess (*guess)(struct app_call *c, const struct stream_data *d, bool hinted);
	/* As stream_fn, or APP_WRONG.  conn->state and the side's phase, mark and want are its own. */
	uint32_t (*take)(struct app_call *c, const struct stream_data *d);
	/* Give conn->state back, with stream_free(). */
	void (*end)(void *ctx, struct stream_conn *conn);
};

struct app;

int  app_open(struct app **out, const struct decode_options *opt);
void app_close(struct app *a);
/* Any packet with UDP or TCP. */
void app_packet(struct app *a, const struct packet *pk, struct emit *e);
void app_tick(struct app *a, uint64_t now_ns, struct emit *e);
/* No more packets will come; a last tick follows. */
void app_finish(struct app *a, struct emit *e);
void app_counts(const struct app *a, struct decode_counts *c);

/*
 * Bits of the TCP ports whose octets the decoders of these kinds want from the first on, whatever
 * they look like: all but those whose heads tell.
 */
void app_tcp_ports(uint32_t kinds, const struct decode_as *as, uint32_t n_as, uint8_t bits[8192]);
/* The kinds of records that applications give. */
uint32_t app_kinds(void);
/* The decoders' names, with commas between them. */
const char *app_names(void);
/* The decoder called so, or NULL. */
const struct app_decoder *app_find(const char *name, size_t n);

/* For the decoders. */

/* Start a record of this packet: its fields, network.protocol, event.action, tcp.conflict. */
void app_record(const struct app_call *c, const struct stream_data *d, struct record *r,
		const struct dataset *set, const char *protocol, const char *action);
/*
 * The connection goes on as another protocol, or (NULL) as one to be recognised, but not
 * as this one.  The old state ends: return right after it, with the octets taken.  False:
 * nobody wants that protocol, and the rest is passed over.
 */
bool app_switch(struct app_call *c, struct stream_conn *conn, const char *name);
/* Likewise, but what begins now may be anything, this protocol too: a tunnel. */
void app_tunnel(struct app_call *call, struct stream_conn *conn);
/* For pairing over UDP: the same number for both directions of a pair of ends. */
uint64_t app_conversation(const struct app_call *c);

/*
 * Has who speaks acknowledged octets of the other direction that were not seen yet?  Then what is
 * said answers them: they come out of order.
 */
bool app_overtakes(const struct app_call *c, const struct stream_data *d);

extern const struct app_decoder dns_decoder, http_decoder, http2_decoder, redis_decoder, kafka_decoder,
	dhcp_decoder, tls_decoder, quic_decoder, dtls_decoder;

#endif
