/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECT_HELP_H
#define DETECT_HELP_H

#include "detect/detect.h"

#include "decode_help.h"
#include "detect/fields.h"

/* Records of our making, and the alerts that come of them. */
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32 };

static struct detect *d;
static struct detect_options options;
static uint64_t now;
static struct lines alerts;

static int give(void *ctx, const struct record *r)
{
	char *to = alerts.text[alerts.n];

	assert_ptr_equal(r->set, &alert_dataset);
	snprintf(to, LINE_ROOM, "%.*s", (int)r->rule_name.n, r->rule_name.p);
	line_add(&alerts, r, NULL, FIELD_SRC_IP, "from");
	line_add(&alerts, r, NULL, FIELD_SRC_MAC, "mac");
	line_add(&alerts, r, NULL, FIELD_DST_IP, "to");
	line_add(&alerts, r, NULL, FIELD_DST_PORT, "port");
	line_add(&alerts, r, &alert_dataset, FIELD_ALERT_SUPPRESSED, "more");
	alerts.n++;
	return alerts.n == 64;
}

static inline int open_all(void **state)
{
	detect_defaults(&options);
	options.seed = 7;
	now = 1700000000 * SECOND;
	memset(&alerts, 0, sizeof(alerts));
	return detect_open(&d, &options);
}

static inline int close_all(void **state)
{
	detect_close(d);
	return 0;
}

/* Again, with one rule set otherwise. */
static inline void with(enum detect_rule rule, uint64_t n, uint64_t window_ns)
{
	detect_close(d);
	options.limits[rule] = (struct detect_limit){ n, window_ns, true };
	assert_int_equal(detect_open(&d, &options), 0);
}

static struct addr host(unsigned int n)
{
	return (struct addr){ 4, { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

static void take(struct record *r)
{
	r->time_ns = now;
	record_mark(r, FIELD_TIME);
	assert_int_equal(detect_record(d, r, give, NULL), 0);
}

static void packet(unsigned int src, unsigned int sport, unsigned int dst, unsigned int dport, uint8_t proto, uint8_t flags,
		   uint32_t bytes)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	record_start(&r, &packet_dataset);
	r.src = host(src);
	r.dst = host(dst);
	r.sport = (uint16_t)sport;
	r.dport = (uint16_t)dport;
	r.iana_number = proto;
	r.tcp_flag_bits = flags;
	r.payload_len = bytes;
	record_mark(&r, FIELD_PAYLOAD_LEN);
	r.tcp_seq = sport * 1000;
	record_mark(&r, FIELD_SRC_IP);
	record_mark(&r, FIELD_DST_IP);
	if (proto != 1) {
		record_mark(&r, FIELD_SRC_PORT);
		record_mark(&r, FIELD_DST_PORT);
	}
	if (proto == 6)
		record_mark(&r, FIELD_TCP_FLAGS);
	take(&r);
	now += 1000000;
}

static inline void tcp(unsigned int src, unsigned int sport, unsigned int dst, unsigned int dport, uint8_t flags)
{
	packet(src, sport, dst, dport, 6, flags, 0);
}

/* A connection that does something. */
static inline void session(unsigned int src, unsigned int sport, unsigned int dst, unsigned int dport, uint32_t bytes)
{
	tcp(src, sport, dst, dport, SYN);
	tcp(dst, dport, src, sport, SYN | ACK);
	tcp(src, sport, dst, dport, ACK);
	packet(src, sport, dst, dport, 6, PSH | ACK, 30);
	packet(dst, dport, src, sport, 6, PSH | ACK, bytes);
	tcp(src, sport, dst, dport, FIN | ACK);
	tcp(dst, dport, src, sport, FIN | ACK);
}

static inline void later(uint64_t seconds)
{
	now += seconds * SECOND;
	assert_int_equal(detect_tick(d, now, give, NULL), 0);
}

static inline void told(unsigned int n, const char *const *wanted)
{
	for (unsigned int i = 0; i < n && i < alerts.n; i++)
		assert_string_equal(alerts.text[i], wanted[i]);
	assert_int_equal(alerts.n, n);
}

#define TOLD(...) told(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *), (const char *const[]){ __VA_ARGS__ })

static inline void nothing(void)
{
	later(5);
	assert_int_equal(detect_finish(d, give, NULL), 0);
	told(0, NULL);
}

#endif
