/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_CONV_CONV_H
#define NETPROBE_DECODE_CONV_CONV_H

#include "decode/conv/requests.h"
#include "decode/protocol.h"

/*
 * Whose bytes are these?  Packets go to protocols, and those of TCP and UDP by what they say.
 *
 * A connection is a protocol's once its decoder has recognised the contents; a port that
 * the protocol is known by only makes it the first to be asked, and --decode-as the only one.
 * Until then each says no, yes or "more"; nobody is waited for longer than CONV_GUESS_MAX
 * bytes.  Bytes that are nobody's are passed over, a segment at a time, and after
 * FAILURES_MAX of them the direction is ignored until the other one is recognised.  A decoder
 * that finds it was wrong says PROTOCOL_WRONG, and the others are asked about the same bytes.
 */
enum { CONV_GUESS_MAX = 512 };

/* -EINVAL: the rows of the protocols contradict themselves, which was said. */
int  conv_open(struct conv **out, const struct decode_options *opt);
void conv_close(struct conv *a);
void conv_packet(struct conv *a, const struct packet *pk, struct emit *e);
/* Of the packet before. */
const struct decode_whose *conv_whose(const struct conv *a);
void conv_tick(struct conv *a, uint64_t now_ns, struct emit *e);
/* No more packets will come; a last tick follows. */
void conv_finish(struct conv *a, struct emit *e);
void conv_counts(const struct conv *a, struct decode_counts *c);

/* For the decoders. */

/* Start a record of this packet: its fields, network.protocol, event.action, tcp.conflict. */
void conv_record(const struct call *c, const struct stream_data *d, struct record *r,
		 const struct dataset *set, const char *protocol, const char *action);
/*
 * The connection goes on as another protocol, or (NULL) as one to be recognised, but not
 * as this one.  The old state ends: return right after it, with the bytes taken.  False:
 * nobody wants that protocol, and the rest is passed over.
 */
bool conv_switch(struct call *c, struct stream_conn *conn, const char *name);
/* Likewise, but what begins now may be anything, this protocol too: a tunnel. */
void conv_tunnel(struct call *call, struct stream_conn *conn);
/* For pairing over UDP: the same number for both directions of a pair of ends. */
uint64_t conv_ends(const struct call *c);
/*
 * Likewise over anything, and another when the other one asks.  anybody: whoever answers, as what was
 * asked went to a group.
 */
uint64_t conv_asker(const struct call *c, bool response, bool anybody);
/* Of what is asked, never 0: request_key.what. */
uint64_t conv_digest(const struct call *c, const uint64_t *words, unsigned int n);

/*
 * Has who speaks acknowledged bytes of the other direction that were not seen yet?  Then what is
 * said answers them: they come out of order.
 */
bool conv_overtakes(const struct call *c, const struct stream_data *d);

#endif
