// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A table row and a CSV row of ours against the same text by snprintf, inet_ntop
 * and strftime.  Prints nanoseconds of both and the ratio; fails when ours is slower.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sink/out.h"
#include "sink/sink.h"

enum { LINES = 100000, ROUNDS = 7 };

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
	record_start(r, REC_DNS);
	r->time_ns = 1763679043123456789;
	r->src = (struct addr){ 4, { 10, 0, 2, 10 } };
	r->dst = (struct addr){ 4, { 10, 0, 1, 57 } };
	r->sport = 53;
	r->dport = 45678;
	r->transport = "udp";
	r->frame_len = 1200;
	r->dns.question_name = (struct str){ "api.default.svc.cluster.local", 29 };
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
			r->frame_len, (int)r->dns.question_name.n, r->dns.question_name.p);
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

static double bench_sink(struct record *r, const struct sink_ops *ops, const struct sink_options *opt)
{
	struct out *out;
	struct sink *s;
	double t;

	if (out_open(&out, open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null") ||
	    sink_open(&s, ops, out, opt))
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

/* What a line printer that costs nothing leaves: stamp, copy, newline. */
static void no_line(void *state, const struct record *r, struct buf *b)
{
	buf_lit(b, "IP 10.0.2.10.53 > 10.0.1.57.45678: 51966 1/0/0 AAAA fd00::1 (74)");
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

int main(void)
{
	struct sink_options opt = { .fields = fields, .n_fields = 8, .utf8 = true, .width = 160 };
	struct sink_options lines = { .line = no_line, .utf8 = true };
	double table = 1e9, csv = 1e9, line = 1e9, by_printf = 1e9;
	struct record r;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	make_record(&r);
	if (fd < 0)
		return 1;
	for (int i = 0; i < ROUNDS; i++) {
		table = least(table, bench_sink(&r, &sink_table, &opt));
		csv = least(csv, bench_sink(&r, &sink_csv, &opt));
		line = least(line, bench_sink(&r, &sink_table, &lines));
		by_printf = least(by_printf, bench_snprintf(&r, fd));
	}
	printf("table ours %.0f ns, snprintf %.0f ns, ratio 1/%.1f\n", table, by_printf, by_printf / table);
	printf("csv ours %.0f ns\nline around its text %.0f ns\n", csv, line);
	return table <= 0 || csv <= 0 || line <= 0 || table > by_printf;
}
