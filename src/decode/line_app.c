// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/dhcp/fields.h"
#include "decode/http/fields.h"
#include "decode/kafka/fields.h"
#include "decode/line_parts.h"
#include "decode/redis/fields.h"
#include "decode/tls/fields.h"
#include "detect/fields.h"
#include "util/addr.h"

/*
 * The lines of HTTP, TLS, Redis, Kafka and DHCP: protocol, what was said, and of a response
 * how long it took.
 */

enum { PROTO_TCP = 6, WORDS_SHOWN = 4 };

static void word(struct buf *b, const char *name, const struct record *r, unsigned int f)
{
	const struct str *s = record_at(r, f);

	if (!record_has(r, f))
		return;
	buf_chr(b, ' ');
	buf_str(b, name);
	line_text(b, s->p, s->n);
}

static void number(struct buf *b, const char *name, uint64_t v)
{
	buf_chr(b, ' ');
	buf_str(b, name);
	buf_u64(b, v);
}

static void put_addr(struct buf *b, const char *name, const struct record *r, unsigned int f)
{
	if (!record_has(r, f) || !buf_room(b, ADDR_TEXT_MAX + 40))
		return;
	buf_chr(b, ' ');
	buf_str(b, name);
	b->n += addr_text(b->p + b->n, record_at(r, f));
}

/* The first of a list, and how many more there are. */
static void list(struct buf *b, const char *name, const struct record *r, unsigned int f, uint32_t total)
{
	const struct list *l = record_at(r, f);
	const struct str *s = l->p;

	if (!record_has(r, f))
		return;
	for (uint32_t i = 0; i < l->n && i < WORDS_SHOWN; i++) {
		buf_str(b, i ? "," : " ");
		if (!i)
			buf_str(b, name);
		line_text(b, s[i].p, s[i].n);
	}
	if (total > WORDS_SHOWN) {
		buf_lit(b, ",+");
		buf_u64(b, total - WORDS_SHOWN);
	}
}

static void put_http(const struct record *r, struct buf *b)
{
	buf_lit(b, "HTTP/");
	buf_str(b, http_of(r)->version);
	if (r->set == &http2_dataset) {
		number(b, "stream ", http_of(r)->stream_id);
		buf_chr(b, ',');
		if (!strcmp(r->action, "trailers"))
			buf_lit(b, " trailers");
		else if (!strcmp(r->action, "push_promise"))
			buf_lit(b, " push promise");
	}
	word(b, "", r, FIELD_HTTP_METHOD);
	word(b, "", r, FIELD_URL_ORIGINAL);
	word(b, "host ", r, FIELD_URL_DOMAIN);
	if (record_has(r, FIELD_HTTP_STATUS))
		number(b, "", http_of(r)->status);
	word(b, "", r, FIELD_HTTP_REQUEST_MIME);
	word(b, "", r, FIELD_HTTP_RESPONSE_MIME);
	if (record_has(r, FIELD_GRPC_STATUS))
		number(b, "grpc-status ", http_of(r)->grpc_status);
}

static void put_tls(const struct record *r, struct buf *b)
{
	buf_str(b, !strcmp(r->protocol, "quic") ? "QUIC TLS" : !strcmp(r->protocol, "dtls") ? "DTLS" : "TLS");
	word(b, "", r, FIELD_TLS_VERSION);
	buf_str(b, record_has(r, FIELD_TLS_CIPHER_ID) ? " server hello" : " client hello");
	word(b, "", r, FIELD_TLS_SERVER_NAME);
	list(b, "alpn ", r, FIELD_TLS_ALPN, tls_of(r)->alpn.n);
	word(b, "", r, FIELD_TLS_CIPHER_ID);
	word(b, "alpn ", r, FIELD_TLS_NEXT_PROTOCOL);
	word(b, "ja4 ", r, FIELD_TLS_JA4);
}

static void put_redis(const struct record *r, struct buf *b)
{
	buf_lit(b, "Redis");
	if (record_has(r, FIELD_REDIS_COMMAND)) {
		const struct str *args = redis_of(r)->args.p;

		word(b, "", r, FIELD_REDIS_COMMAND);
		for (uint32_t i = 0; i < redis_of(r)->args.n && i < WORDS_SHOWN; i++) {
			buf_chr(b, ' ');
			line_text(b, args[i].p, args[i].n);
		}
		if (redis_of(r)->args_count > WORDS_SHOWN)
			number(b, "+", redis_of(r)->args_count - WORDS_SHOWN);
		return;
	}
	buf_chr(b, ' ');
	if (!strcmp(r->action, "push"))
		buf_lit(b, "push ");
	buf_str(b, redis_of(r)->type);
	if (record_has(r, FIELD_REDIS_REPLY_COUNT))
		number(b, "", redis_of(r)->count);
	word(b, "", r, FIELD_REDIS_REPLY_VALUE);
}

static void put_kafka(const struct record *r, struct buf *b)
{
	bool response = !strcmp(r->action, "response");
	int64_t id = kafka_of(r)->correlation_id;

	buf_lit(b, "Kafka");
	if (record_has(r, FIELD_KAFKA_API_NAME)) {
		buf_chr(b, ' ');
		buf_str(b, kafka_of(r)->api_name);
		number(b, "v", kafka_of(r)->api_version);
	}
	buf_str(b, response ? " response" : " request");
	buf_lit(b, " id ");
	if (id < 0)
		buf_chr(b, '-');
	buf_u64(b, id < 0 ? 0 - (uint64_t)id : (uint64_t)id);
	word(b, "client ", r, FIELD_KAFKA_CLIENT_ID);
	list(b, "", r, FIELD_KAFKA_TOPICS, kafka_of(r)->topics.n);
}

static void put_mac(const struct record *r, struct buf *b)
{
	if (!record_has(r, FIELD_DHCPV4_CLIENT_MAC))
		return;
	for (int i = 0; i < 6; i++) {
		buf_chr(b, i ? ':' : ' ');
		buf_hex(b, dhcp_of(r)->client_mac[i], 2);
	}
}

static void put_dhcp(const struct record *r, struct buf *b)
{
	bool six = !strcmp(r->protocol, "dhcpv6");

	buf_str(b, six ? "DHCPv6 " : "DHCP ");
	if (record_has(r, six ? FIELD_DHCPV6_MESSAGE_TYPE : FIELD_DHCPV4_MESSAGE_TYPE))
		buf_str(b, dhcp_of(r)->message_type);
	else
		buf_str(b, six ? "message" : dhcp_of(r)->op_code);
	put_mac(r, b);
	if (record_has(r, six ? FIELD_DHCPV6_XID : FIELD_DHCPV4_XID)) {
		buf_lit(b, " xid 0x");
		buf_hex(b, dhcp_of(r)->xid, six ? 6 : 8);
	}
	put_addr(b, "address ", r, six ? FIELD_DHCPV6_ASSIGNED_IP : FIELD_DHCPV4_ASSIGNED_IP);
	if (six) {
		word(b, "client ", r, FIELD_DHCPV6_CLIENT_DUID);
		word(b, "fqdn ", r, FIELD_DHCPV6_FQDN);
		return;
	}
	put_addr(b, "requested ", r, FIELD_DHCPV4_REQUESTED_IP);
	put_addr(b, "server ", r, FIELD_DHCPV4_SERVER_ID);
	word(b, "host ", r, FIELD_DHCPV4_HOSTNAME);
	if (record_has(r, FIELD_DHCPV4_LEASE))
		number(b, "lease ", dhcp_of(r)->lease_s);
}

/* Milliseconds, to the microsecond. */
static void put_duration(const struct record *r, struct buf *b)
{
	uint64_t us = (r->duration_ns + 500) / 1000;

	buf_lit(b, " (");
	buf_u64(b, us / 1000);
	buf_chr(b, '.');
	buf_chr(b, (char)('0' + us / 100 % 10));
	buf_chr(b, (char)('0' + us / 10 % 10));
	buf_chr(b, (char)('0' + us % 10));
	buf_lit(b, " ms)");
}

void line_app(const struct line_state *st, const struct record *r, struct buf *b)
{
	if (st->opt.quiet && r->frame) {
		buf_str(b, r->iana_number == PROTO_TCP ? "tcp " : "UDP, length ");
		buf_u64(b, r->payload_len);
		return;
	}
	if (r->set == &tls_dataset)
		put_tls(r, b);
	else if (r->set == &redis_dataset)
		put_redis(r, b);
	else if (r->set == &kafka_dataset)
		put_kafka(r, b);
	else if (r->set == &dhcp_dataset)
		put_dhcp(r, b);
	else
		put_http(r, b);
	if (record_has(r, FIELD_DURATION))
		put_duration(r, b);
	if (record_has(r, FIELD_TCP_CONFLICT))
		buf_lit(b, " !conflict");
	if (record_has(r, FIELD_ACTION) && !strcmp(r->action, "no_answer"))
		buf_lit(b, " !no_answer");
}

/* "ALERT port_scan: 192.0.2.1 probed ...; 3 more were not told" */
void line_alert(const struct record *r, struct buf *b)
{
	buf_lit(b, "ALERT ");
	buf_str(b, alert_of(r)->rule);
	buf_lit(b, ": ");
	line_text(b, alert_of(r)->message.p, alert_of(r)->message.n);
	if (record_has(r, FIELD_ALERT_SUPPRESSED)) {
		buf_lit(b, "; ");
		buf_u64(b, alert_of(r)->suppressed);
		buf_lit(b, " more since the last were not told");
	}
}
