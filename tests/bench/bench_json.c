// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_json ROUNDS: a JSON line of ours against the same line by snprintf, inet_ntop
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

enum { LINES = 200000 };

#define STR(s) { s, sizeof(s) - 1 }

static const char *const flag_words[] = { "RD", "RA" };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* 14 fields, in the order of the table. */
static void make_record(struct record *r)
{
	static const unsigned int marks[] = {
		FIELD_TIME, FIELD_ACTION, FIELD_FRAME_NUMBER, FIELD_SRC_IP, FIELD_SRC_PORT,
		FIELD_DST_IP, FIELD_DST_PORT, FIELD_TRANSPORT, FIELD_DNS_ID, FIELD_DNS_TYPE,
		FIELD_DNS_HEADER_FLAGS, FIELD_DNS_QUESTION_NAME, FIELD_DNS_QUESTION_TYPE,
	};

	memset(r, 0, sizeof(*r));
	record_start(r, &dns_dataset);
	r->time_ns = 1763679043123456789;
	r->action = "response";
	r->frame_number = 48213;
	r->src = (struct addr){ 4, { 10, 0, 2, 10 } };
	r->dst = (struct addr){ 4, { 10, 0, 1, 57 } };
	r->sport = 53;
	r->dport = 45678;
	r->transport = "udp";
	dns_of(r)->id = 51966;
	dns_of(r)->type = "answer";
	dns_of(r)->header_flags = (struct list){ flag_words, 2 };
	dns_of(r)->question_name = (struct str)STR("api.default.svc.cluster.local");
	dns_of(r)->question_type = (struct str)STR("AAAA");
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		record_mark(r, marks[i]);
}

static int by_snprintf(char *o, size_t size, const struct record *r)
{
	char src[INET_ADDRSTRLEN], dst[INET_ADDRSTRLEN], stamp[32];
	time_t t = (time_t)(r->time_ns / 1000000000);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	inet_ntop(AF_INET, r->src.b, src, sizeof(src));
	inet_ntop(AF_INET, r->dst.b, dst, sizeof(dst));
	return snprintf(o, size, "{\"@timestamp\":\"%s.%09luZ\",\"event\":{\"dataset\":\"%s\","
			"\"action\":\"%s\"},\"frame\":{\"number\":%lu},\"source\":{\"ip\":\"%s\","
			"\"port\":%u},\"destination\":{\"ip\":\"%s\",\"port\":%u},\"network\":"
			"{\"transport\":\"%s\"},\"dns\":{\"id\":%u,\"type\":\"%s\",\"header_flags\":"
			"[\"%s\",\"%s\"],\"question\":{\"name\":\"%.*s\",\"type\":\"%.*s\"}}}\n",
			stamp, r->time_ns % 1000000000, r->dataset, r->action, r->frame_number, src,
			r->sport, dst, r->dport, r->transport, dns_of(r)->id, dns_of(r)->type,
			flag_words[0], flag_words[1], (int)dns_of(r)->question_name.n,
			dns_of(r)->question_name.p, (int)dns_of(r)->question_type.n,
			dns_of(r)->question_type.p);
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

static double bench_sink(struct record *r, struct sink *s)
{
	double t = now();

	for (int i = 0; i < LINES; i++) {
		r->time_ns += 10007;
		if (sink_record(s, r))
			return -1;
	}
	return (now() - t) / LINES;
}

static int check_same(struct sink *s, const struct record *r)
{
	char line[1024];
	int n = by_snprintf(line, sizeof(line), r);

	if (sink_record(s, r))
		return 1;
	if (s->out->buf.n == (size_t)n && !memcmp(s->out->buf.p, line, (size_t)n))
		return 0;
	fprintf(stderr, "lines differ:\n%.*s%.*s", (int)s->out->buf.n, s->out->buf.p, n, line);
	return 1;
}

int main(int argc, char **argv)
{
	long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 5;
	struct sink_options opt = { 0 };
	double ours, peer;
	struct record r;
	struct out *out;
	struct sink *s;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	make_record(&r);
	if (fd < 0 || out_open(&out, open("/dev/null", O_WRONLY | O_CLOEXEC), "/dev/null") ||
	    sink_open(&s, &sink_json, out, &opt) || check_same(s, &r))
		return 1;
	while (rounds-- > 0) {
		ours = bench_sink(&r, s);
		peer = bench_snprintf(&r, fd);
		if (ours < 0 || peer < 0)
			return 1;
		printf("%.1f %.1f\n", ours, peer);
	}
	sink_close(s);
	out_close(out);
	return 0;
}
