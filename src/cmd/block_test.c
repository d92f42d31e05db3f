// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * block test: what would become of a packet, or of each frame of a capture.  Of the set that runs, the kernel itself is
 * asked (BPF_PROG_TEST_RUN); of a file (--list), the reference evaluator, which needs no privilege.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/block.h"
#include "cmd/listing.h"
#include "cmd/session.h"
#include "decode/packet.h"
#include "numbers/ipproto.h"
#include "numbers/linktype.h"
#include "util/addr.h"
#include "util/bytes.h"
#include "util/err.h"

enum { FRAME_MAX = 4096 - 512 };

struct tester {
	struct block_run *b;
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct block_texts texts;
	struct packet_state *walk;
	struct seen *seen;
	int kernel;			/* to the process that may ask the kernel; -1: this one may */
	bool offline;
	uint64_t counts[2], refused;
	/* What the next line is of. */
	const char *what;		/* NULL: a frame */
	bool drop;
	const struct np_rule *rule;
};

struct answer {
	bool drop;
	uint32_t reason;
	const struct np_rule *rule;	/* NULL: no entry */
};

/* ── asking ───────────────────────────────────────────────────────────────── */

/* From the process that reads, without privileges, to the one that may ask the kernel, and back. */
struct message {
	uint32_t n;
	uint8_t data[FRAME_MAX];
};

struct reply {
	int32_t err;
	struct np_probe probe;
};

static int ask_over(int fd, const uint8_t *frame, uint32_t n, struct np_probe *p)
{
	struct message m = { .n = n < FRAME_MAX ? n : FRAME_MAX };
	struct reply r;

	memcpy(m.data, frame, m.n);
	if (write(fd, &m, sizeof(m)) != (ssize_t)sizeof(m) || read(fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
		return fail(EPIPE, "the process that asks the kernel");
	*p = r.probe;
	return r.err;
}

static int judge_kernel(struct tester *t, const uint8_t *frame, uint32_t n, struct answer *a)
{
	struct np_probe p = { 0 };
	int err = t->kernel < 0 ? block_probe(&t->b->set, frame, n < FRAME_MAX ? n : FRAME_MAX, &p) :
				  ask_over(t->kernel, frame, n, &p);
	uint32_t i;

	if (err == -EPIPE || (err == -EINVAL && n < 60))	/* the kernel takes none so short for a test */
		return err;
	if (err)
		return fail(err, "the firewall does not answer");
	i = p.value & NP_V_INDEX;
	*a = (struct answer){ .drop = p.drop, .reason = p.reason < NP_REASONS_N ? p.reason : NP_R_NONE };
	if (p.value && i < t->b->rules.n)
		a->rule = &t->b->rules.v[i];
	return 0;
}

/* ip: where the IP header begins, of a frame that is not of Ethernet; -1: it is. */
static int judge(struct tester *t, const uint8_t *frame, uint32_t n, int64_t ip, struct answer *a)
{
	struct facts f;
	struct verdict v;

	if (!t->offline)
		return judge_kernel(t, frame, n, a);
	if (ip >= 0)
		facts_read_ip(&f, frame + ip, n - (uint32_t)ip);
	else
		facts_read(&f, frame, n);
	v = rules_match(&t->b->rules, &f, t->seen, t->b->now_ns);
	*a = (struct answer){ .drop = v.drop, .reason = v.reason, .rule = v.rule };
	return 0;
}

/* ── telling ──────────────────────────────────────────────────────────────── */

static const char *action_of(const struct answer *a)
{
	if (a->reason == NP_R_LIMIT_DROP || a->reason == NP_R_LIMIT_PASS)
		return "limit";
	if (a->drop)
		return "drop";
	return a->reason == NP_R_AUDIT ? "audit" : a->reason == NP_R_ALLOW ? "allow" : "pass";
}

static void put_answer(struct tester *t, struct record *r, const struct answer *a)
{
	const struct block_run *b = t->b;

	r->action = action_of(a);
	*block_of(r) = (struct block_body){ .reason = firewall_reasons[a->reason] };
	record_mark(r, FIELD_ACTION);
	record_mark(r, FIELD_BLOCK_REASON);
	if (!t->offline) {
		block_of(r)->hook = firewall_hook(&b->got, b->hook);
		record_mark(r, FIELD_BLOCK_HOOK);
		if (!record_has(r, FIELD_INTERFACE)) {
			r->interface = (struct str){ b->place.ifname, (uint32_t)strlen(b->place.ifname) };
			record_mark(r, FIELD_INTERFACE);
		}
	}
	if (a->rule)
		block_put_entry(r, &b->rules, a->rule, &t->texts);
	t->rule = a->rule;
	t->drop = a->drop;
	t->counts[a->drop]++;
}

static void put_end(struct buf *b, const struct addr *addr, bool has_port, uint16_t port)
{
	char text[ADDR_TEXT_MAX];
	unsigned int n = addr_text(text, addr);

	buf_fmt(b, has_port && addr->family == 6 ? "[%.*s]" : "%.*s", (int)n, text);
	if (has_port)
		buf_fmt(b, ":%u", port);
}

/* "3: 192.0.2.7:1234 > 198.51.100.1:80 tcp: " */
static void put_frame(struct buf *b, const struct record *r)
{
	buf_fmt(b, "%llu: ", (unsigned long long)r->frame_number);
	if (record_has(r, FIELD_SRC_IP)) {
		put_end(b, &r->src, record_has(r, FIELD_SRC_PORT), r->sport);
		buf_lit(b, " > ");
		put_end(b, &r->dst, record_has(r, FIELD_DST_PORT), r->dport);
		buf_chr(b, ' ');
	}
	if (record_has(r, FIELD_TRANSPORT) || record_has(r, FIELD_NET_TYPE))
		buf_fmt(b, "%s: ", record_has(r, FIELD_TRANSPORT) ? r->transport : r->net_type);
}

static void verdict_line(void *ctx, const struct record *r, struct buf *b)
{
	const struct tester *t = ctx;

	if (t->what)
		block_put_clean(b, "", t->what, strlen(t->what));
	else
		put_frame(b, r);
	buf_fmt(b, "%s%s, %s", t->what ? ": " : "", t->drop ? "drop" : "pass", block_of(r)->reason);
	if (!t->rule)
		return;
	buf_lit(b, ", entry ");
	block_print_entry(b, &t->b->rules, t->rule, t->b->now_ns);
}

/* ── ADDR[:PORT][/PROTO] ──────────────────────────────────────────────────── */

struct question {
	struct np_rule who;
	unsigned int port;
	uint8_t proto;
};

/* Cut off at the colon behind the address, whose brackets go.  NULL: it is written in no such way; "": no port. */
static char *cut_port(char *text)
{
	char *first = strchr(text, ':'), *end = *text == '[' ? strchr(text, ']') : NULL;

	if (*text == '[') {
		if (!end || (end[1] && end[1] != ':'))
			return NULL;
		first = end[1] ? end + 1 : NULL;
		*end = '\0';
		memmove(text, text + 1, (size_t)(end - text));
	} else if (first && strchr(first + 1, ':')) {
		return text + strlen(text);	/* of IPv6 without brackets: they are its own */
	}
	if (!first)
		return text + strlen(text);
	*first = '\0';
	return first[1] ? first + 1 : NULL;
}

static int parse_proto(struct question *q, const char *text, const char *word, bool has_port)
{
	char *words[] = { (char *)"proto", (char *)word }, why[160];
	struct np_rule proto = { 0 };

	if (!has_port && !word[strspn(word, "0123456789")])
		return fail(0, "'%s' reads as a prefix: test takes one address, and a protocol by its name, or by its "
			       "number behind a port: ADDR:0/%s", text, *word ? word : "N");
	if (rule_words(NULL, &proto, 2, words, 0, why))
		return fail(0, "'%s': no protocol", text);
	q->proto = proto.proto;
	return 0;
}

static int parse_question(struct question *q, const char *text)
{
	char copy[96], *slash, *port;

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	port = strlen(text) < sizeof(copy) ? cut_port(copy) : NULL;
	if (!port || !rule_target(&q->who, copy, strlen(copy)) || q->who.plen < 32 || q->who.kind == NP_KIND_MAC)
		return fail(0, "'%s' is not ADDR[:PORT][/PROTO]", text);
	if (*port) {
		q->port = (unsigned int)strtoul(port, NULL, 10);
		if (port[strspn(port, "0123456789")] || strlen(port) > 5 || q->port > 65535)
			return fail(0, "'%s': no port", text);
	}
	q->proto = *port ? PROTO_TCP : PROTO_EXPERIMENT;
	return slash ? parse_proto(q, text, slash, *port) : 0;
}

/* The question as a frame: from there to us, or with --egress from us to there. */
static uint32_t make_frame(const struct question *q, bool egress, uint8_t *p)
{
	bool v6 = q->who.kind == NP_KIND_V6;
	uint32_t at = v6 ? 54 : 34;

	memset(p, 0, 96);
	p[12] = v6 ? 0x86 : 0x08;
	p[13] = v6 ? 0xdd : 0x00;
	if (v6) {
		p[14] = 0x60;
		p[19] = 20;
		p[20] = q->proto;
		p[21] = 64;
		memcpy(p + (egress ? 38 : 22), q->who.addr, 16);
	} else {
		p[14] = 0x45;
		p[17] = 40;
		p[22] = 64;
		p[23] = q->proto;
		memcpy(p + (egress ? 30 : 26), q->who.addr, 4);
	}
	put_be16(p + at + 2, q->port);
	return at + 20 < 60 ? 60 : at + 20;
}

/* What the question says of the packet. */
static void put_question(struct record *r, const struct question *q, bool egress)
{
	struct addr *a = egress ? &r->dst : &r->src;

	*a = (struct addr){ .family = q->who.kind == NP_KIND_V6 ? 6 : 4 };
	memcpy(a->b, q->who.addr, a->family == 6 ? 16 : 4);
	record_mark(r, egress ? FIELD_DST_IP : FIELD_SRC_IP);
	if (q->proto == PROTO_EXPERIMENT)
		return;
	r->transport = ipproto_name(q->proto);
	record_mark(r, FIELD_TRANSPORT);
	if (q->port) {
		r->dport = (uint16_t)q->port;
		record_mark(r, FIELD_DST_PORT);
	}
}

static int ask(struct tester *t, const char *text)
{
	struct question q = { 0 };
	struct answer a = { 0 };
	struct record r;
	uint8_t frame[96];
	int err = parse_question(&q, text);
	uint32_t n;

	if (err)
		return err;
	n = make_frame(&q, t->b->o->egress, frame);
	err = judge(t, frame, n, -1, &a);
	if (err)
		return err;
	record_start(&r, &block_dataset);
	put_question(&r, &q, t->b->o->egress);
	put_answer(t, &r, &a);
	t->what = text;
	return listing_put(&t->pipe, &r);
}

/* ── -r CAPTURE ───────────────────────────────────────────────────────────── */

static int one_frame(void *ctx, const struct frame *f)
{
	struct tester *t = ctx;
	struct packet pk;
	struct answer a = { 0 };
	struct record r;
	int64_t ip = -1;
	int err;

	if (f->link != LINK_ETHERNET && !t->offline)
		return fail(0, "frame %llu is not of Ethernet: the firewall's program would not see it so",
			    (unsigned long long)f->number);
	packet_walk(t->walk, &pk, f);
	if (f->link != LINK_ETHERNET)
		ip = f->link == LINK_RAW ? 0 : pk.net_off;
	if (ip > f->cap_len || (!ip && f->link != LINK_RAW)) {
		t->refused++;
		return 0;
	}
	err = judge(t, f->data, f->cap_len, ip, &a);
	if (err == -EINVAL) {
		t->refused++;
		return 0;
	}
	if (err)
		return err;
	packet_record(&pk, &r, &block_dataset);
	put_answer(t, &r, &a);
	t->what = NULL;
	return sink_record(t->pipe.sinks[0], &r);
}

static int read_capture(struct tester *t, struct source *s)
{
	int err = packet_open(&t->walk);

	if (!err)
		err = batch_read(s, one_frame, t);
	packet_close(t->walk);
	if (err >= 0)
		note("%llu frame%s, %llu would be dropped", (unsigned long long)t->counts[0],
		     t->counts[0] == 1 ? " passes" : "s pass", (unsigned long long)t->counts[1]);
	if (t->refused)
		note("%llu frame%s left out: %s", (unsigned long long)t->refused, t->refused == 1 ? " is" : "s are",
		     t->offline ? "of links where no IP header was found" : "too short for the kernel to test");
	return err;
}

/* ── all of it ────────────────────────────────────────────────────────────── */

static int answer_all(struct tester *t, struct source *s)
{
	int err = 0;

	for (int i = 0; i < t->b->argc && !err; i++)
		err = ask(t, t->b->argv[i]);
	memset(t->counts, 0, sizeof(t->counts));
	return err || !s ? err : read_capture(t, s);
}

static int tell(struct tester *t, struct source *s)
{
	static const uint16_t columns[] = {
		FIELD_FRAME_NUMBER, FIELD_SRC_IP, FIELD_SRC_PORT, FIELD_DST_IP, FIELD_DST_PORT, FIELD_TRANSPORT,
		FIELD_ACTION, FIELD_BLOCK_REASON, FIELD_BLOCK_HOOK, FIELD_RULE_ID, FIELD_RULE_NAME,
		FIELD_RULE_REFERENCE,
	};
	int err = listing_open(&t->out, &t->pipe, &block_dataset, columns, sizeof(columns) / sizeof(columns[0]));

	/* What came from the wire is read by nobody who has privileges. */
	if (!err && s)
		err = batch_confine();
	if (!err)
		err = answer_all(t, s);
	return err == -EINVAL ? (listing_close(&t->out, &t->pipe, 0), EXIT_USAGE) :
				listing_close(&t->out, &t->pipe, err);
}

static void answer(struct tester *t, int fd)
{
	struct message m;
	struct reply r;

	while (read(fd, &m, sizeof(m)) == (ssize_t)sizeof(m) && m.n <= FRAME_MAX) {
		memset(&r, 0, sizeof(r));
		r.err = block_probe(&t->b->set, m.data, m.n, &r.probe);
		if (write(fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
			return;
	}
}

/* The reader is another process, which asks this one, and tells all itself. */
static int tell_from_child(struct tester *t, struct source *s)
{
	int fds[2], status = 0;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return exit_status(fail(errno, "a socket"));
	pid = fork();
	if (pid < 0)
		return exit_status(fail(errno, "a process for reading"));
	if (!pid) {
		close(fds[0]);
		t->kernel = fds[1];
		_exit(tell(t, s));
	}
	close(fds[1]);
	answer(t, fds[0]);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   exit_status(fail(0, "the process that reads ended by signal %d", WTERMSIG(status)));
}

int block_prepare_test(struct block_run *b)
{
	int err = 0;

	for (unsigned int i = 0; i < b->o->list.n && !err; i++)
		err = block_read(b, b->o->list.v[i]);
	return err;
}

static int take_lists(struct block_run *b)
{
	int err = 0;

	b->now_ns = block_now();
	b->rules.egress = b->o->egress;
	err = block_set_failsafe(b);
	for (unsigned int i = 0; i < b->n_lists && !err; i++)
		err = block_add_list(b, &b->lists[i]);
	block_set_modes(b);
	return err;
}

static int find(struct tester *t)
{
	struct block_run *b = t->b;
	int err;

	if (!b->argc && !b->o->read)
		return fail(0, "what? ADDR[:PORT][/PROTO] or -r CAPTURE");
	err = t->offline ? take_lists(b) : block_find(b, false);
	if (!err && !t->offline && !b->running)
		err = (fail(0, "%s has no firewall (--list FILE asks a file)", b->place.ifname), -ENOENT);
	if (!err && !t->offline)
		block_begin_tests(&b->set);
	return err;
}

int block_test(struct block_run *b)
{
	struct tester t = { .b = b, .kernel = -1, .offline = b->o->list.n };
	struct source *s = NULL;
	int err, rc;

	t.o = (struct output_options){ .g = b->g, .records = true,
				       .text = { .line = verdict_line, .line_state = &t } };
	if (output_check(&t.out, &t.o))
		return EXIT_USAGE;
	t.seen = calloc(1, sizeof(*t.seen));
	err = t.seen ? find(&t) : fail(ENOMEM, "test");
	if (!err && b->o->read)
		err = capfile_open(&s, b->o->read);
	if (err)
		rc = err == -EINVAL ? EXIT_USAGE : exit_status(err);
	else
		rc = s && !t.offline ? tell_from_child(&t, s) : tell(&t, s);
	if (s)
		s->ops->close(s);
	block_texts_free(&t.texts);
	free(t.seen);
	return rc;
}
