// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_table ROUNDS: a table row of ours against the same text by snprintf, inet_ntop
 * and strftime; nanoseconds of both, a line a round.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "decode/dns/fields.h"
#include "sink/out.h"
#include "sink/sink.h"

enum { LINES = 100000 };

static const uint16_t fields[] = { FIELD_TIME, FIELD_SRC_IP, FIELD_SRC_PORT, FIELD_DST_IP,
				   FIELD_DST_PORT, FIELD_TRANSPORT, FIELD_FRAME_LEN,
				   FIELD_DNS_QUESTION_NAME };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void make_record(struct record *r)
{
	memset(r, 0, sizeof(*r));
	record_start(r, &dns_dataset);
	r->time_ns = 1763679043123456789;
	r->src = (struct addr){ 4, { 10, 0, 2, 10 } };
	r->dst = (struct addr){ 4, { 10, 0, 1, 57 } };
	r->sport = 53;
	r->dport = 45678;
	r->transport = "udp";
	r->frame_len = 1200;
	dns_of(r)->question_name = (struct str){ "api.default.svc.cluster.local", 29 };
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		record_mark(r, fields[i]);
}

static int by_snprintf(char *o, size_t size, const struct record *r)
{
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN], stamp[32];
	time_t t = (time_t)(r->time_ns / 1000000000);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
	inet_ntop(AF_INET, r->src.b, src, sizeof(src));
	inet_ntop(AF_INET, r->dst.b, dst, sizeof(dst));
	return snprintf(o, size, "%s.%06lu  %-15s  %11u  %-15s  %16u  %-17s  %9u  %.*s\n", stamp,
			r->time_ns % 1000000000 / 1000, src, r->sport, dst, r->dport, r->transport,
			r->frame_len, (int)dns_of(r)->question_name.n, dns_of(r)->question_name.p);
}

static double bench_snprintf(struct record *r, int fd)
{
	static char buf[OUT_BATCH + 1024];
	size_t n = 0;
	double t = now();

	for (int i = 0; i < LINES; i++) {
		r->time_ns += 10007;
		n += (size_t)by_snprintf(buf + n, 1024, r);
		if (n >= OUT_BATCH) {
			if (write(fd, buf, n) < 0)
				return -1;
			n = 0;
		}
	}
	return (now() - t) / LINES;
}

static double bench_sink(struct record *r)
{
	struct sink_options opt = { .fields = fields, .n_fields = 8, .utf8 = true, .width = 160 };
	struct out *out;
	struct sink *s;
	double t;

	if (out_open(&out, open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null") ||
	    sink_open(&s, &sink_table, out, &opt))
		return -1;
	t = now();
	for (int i = 0; i < LINES; i++) {
		r->time_ns += 10007;
		if (sink_record(s, r))
			return -1;
	}
	t = (now() - t) / LINES;
	sink_close(s);
	out_close(out);
	return t;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 5;
	struct record r;
	double ours, peer;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	make_record(&r);
	if (fd < 0)
		return 1;
	while (rounds-- > 0) {
		ours = bench_sink(&r);
		peer = bench_snprintf(&r, fd);
		if (ours < 0 || peer < 0)
			return 1;
		printf("%.1f %.1f\n", ours, peer);
	}
	return 0;
}
