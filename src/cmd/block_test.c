// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * block test: what would become of a packet, or of each frame of a capture.  Of the set that runs, the kernel itself is
 * asked (BPF_PROG_TEST_RUN); of a file (--list), the reference evaluator, which needs no privilege.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/block.h"
#include "cmd/session.h"
#include "numbers/ipproto.h"
#include "numbers/linktype.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { FRAME_MAX = 4096 - 512 };

struct tester {
	struct block_run *b;
	struct seen *seen;
	uint64_t counts[2], refused;
};

static const char *const reason_names[] = {
#define REASON_NAME(id, name, text) name,
	NP_REASONS(REASON_NAME)
#undef REASON_NAME
};

static void print_verdict(const struct block_run *b, const char *what, bool drop, uint32_t reason,
			  const struct np_rule *rule)
{
	struct buf t = { 0 };

	buf_fmt(&t, "%s: %s, %s", what, drop ? "drop" : "pass", reason < NP_REASONS_N ? reason_names[reason] : "?");
	if (rule) {
		buf_lit(&t, ", entry ");
		block_print_entry(&t, &b->rules, rule, b->now_ns);
	}
	printf("%.*s\n", (int)t.n, t.p ? t.p : "");
	buf_free(&t);
}

static int judge_here(struct tester *t, const uint8_t *frame, uint32_t n, bool ip, const char *what)
{
	struct facts f;
	struct verdict v;

	if (ip)
		facts_read_ip(&f, frame, n);
	else
		facts_read(&f, frame, n);
	v = rules_match(&t->b->rules, &f, t->seen, t->b->now_ns);
	t->counts[v.drop]++;
	print_verdict(t->b, what, v.drop, v.reason, v.rule);
	return 0;
}

static int judge_kernel(struct tester *t, const uint8_t *frame, uint32_t n, const char *what)
{
	const struct np_rule *rule = NULL;
	struct np_probe p;
	int err = block_probe(&t->b->set, frame, n, &p);
	uint32_t i;

	if (err == -EINVAL && n < 60) {		/* the kernel takes none so short for a test */
		t->refused++;
		return 0;
	}
	if (err)
		return fail(err, "the firewall does not answer");
	i = p.value & NP_V_INDEX;
	if (p.value && i < t->b->rules.n)
		rule = &t->b->rules.v[i];
	t->counts[p.drop != 0]++;
	print_verdict(t->b, what, p.drop, p.reason, rule);
	return 0;
}

/* ── ADDR[:PORT][/PROTO] ──────────────────────────────────────────────────── */

struct question {
	struct np_rule who;
	unsigned int port;
	uint8_t proto;
};

static int parse_question(struct question *q, const char *text)
{
	struct np_rule proto = { 0 };
	char copy[96], why[160], *slash, *colon, *words[2] = { (char *)"proto", NULL };

	snprintf(copy, sizeof(copy), "%s", text);
	slash = strchr(copy, '/');
	if (slash)
		*slash++ = '\0';
	colon = *copy == '[' ? strstr(copy, "]:") : strchr(copy, ':') == strrchr(copy, ':') ? strchr(copy, ':') : NULL;
	if (colon) {
		char *port = colon + 1 + (*copy == '['), *end;

		q->port = (unsigned int)strtoul(port, &end, 10);
		if (*end || end == port || q->port > 65535)
			return fail(0, "'%s': no port", text);
		*colon = '\0';
	}
	if (*copy == '[')
		memmove(copy, copy + 1, strlen(copy));
	if (!rule_target(&q->who, copy, strlen(copy)) || q->who.plen < 32 || q->who.kind == NP_KIND_MAC)
		return fail(0, "'%s' is not ADDR[:PORT][/PROTO]", text);
	q->proto = colon ? PROTO_TCP : PROTO_EXPERIMENT;
	words[1] = slash;
	if (slash && rule_words(NULL, &proto, 2, words, 0, why))
		return fail(0, "'%s': no protocol", text);
	if (slash)
		q->proto = proto.proto;
	return 0;
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

static int ask(struct tester *t, const char *text, bool offline)
{
	struct question q = { 0 };
	uint8_t frame[96];
	int err = parse_question(&q, text);
	uint32_t n;

	if (err)
		return err;
	n = make_frame(&q, t->b->o->egress, frame);
	return offline ? judge_here(t, frame, n, false, text) : judge_kernel(t, frame, n, text);
}

/* ── -r CAPTURE ───────────────────────────────────────────────────────────── */

static int frame_here(void *ctx, const struct frame *f)
{
	char what[32];

	snprintf(what, sizeof(what), "%llu", (unsigned long long)f->number);
	return judge_here(ctx, f->data, f->cap_len, f->link == LINK_RAW, what);
}

/* From the process that reads the capture, without privileges, to the one that may ask the kernel. */
struct message {
	uint64_t number;
	uint32_t n;
	uint8_t data[FRAME_MAX];
};

static int frame_over(void *ctx, const struct frame *f)
{
	struct message m;

	if (f->link != LINK_ETHERNET)
		return fail(0, "frame %llu is not of Ethernet: the firewall's program would not see it so",
			    (unsigned long long)f->number);
	m.number = f->number;
	m.n = f->cap_len < FRAME_MAX ? f->cap_len : FRAME_MAX;
	memcpy(m.data, f->data, m.n);
	return write(*(const int *)ctx, &m, sizeof(m)) == (ssize_t)sizeof(m) ? 0 : -EPIPE;
}

static int child(struct source *s, int to)
{
	int err = batch_confine();

	return err ? err : batch_read(s, frame_over, &to);
}

static bool next_message(int fd, struct message *m)
{
	size_t have = 0;
	ssize_t n;

	while (have < sizeof(*m)) {
		n = read(fd, (char *)m + have, sizeof(*m) - have);
		if (n <= 0)
			return false;
		have += (size_t)n;
	}
	return m->n <= FRAME_MAX;
}

static int capture_in_kernel(struct tester *t, struct source *s)
{
	struct message m;
	char what[32];
	int fds[2], status = 0, err = 0;
	pid_t pid;

	if (pipe(fds))
		return fail(errno, "a pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return fail(errno, "a process for reading");
	if (!pid) {
		close(fds[0]);
		_exit(child(s, fds[1]) ? 1 : 0);
	}
	close(fds[1]);
	while (!err && next_message(fds[0], &m)) {
		snprintf(what, sizeof(what), "%llu", (unsigned long long)m.number);
		err = judge_kernel(t, m.data, m.n, what);
	}
	close(fds[0]);
	waitpid(pid, &status, 0);
	return err ? err : status ? -EIO : 0;
}

static int capture(struct tester *t, bool offline)
{
	struct source *s = NULL;
	int err = capfile_open(&s, t->b->o->read);

	if (!err && offline)
		err = batch_confine();
	if (!err)
		err = offline ? batch_read(s, frame_here, t) : capture_in_kernel(t, s);
	if (s)
		s->ops->close(s);
	return err;
}

/* ── both ─────────────────────────────────────────────────────────────────── */

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
	for (unsigned int i = 0; i < b->n_lists && !err; i++)
		err = block_add_list(b, &b->lists[i]);
	block_set_modes(b);
	return err;
}

int block_test(struct block_run *b)
{
	bool offline = b->o->list.n;
	struct tester t = { .b = b, .seen = calloc(1, sizeof(struct seen)) };
	int err = t.seen ? 0 : fail(ENOMEM, "test");

	if (!b->argc && !b->o->read)
		err = fail(0, "what? ADDR[:PORT][/PROTO] or -r CAPTURE");
	if (!err && offline)
		err = take_lists(b);
	else if (!err && !b->running)
		err = (fail(0, "%s has no firewall (--list FILE asks a file)", b->place.ifname), -ENOENT);
	for (int i = 0; i < b->argc && !err; i++)
		err = ask(&t, b->argv[i], offline);
	if (!err && b->o->read) {
		err = capture(&t, offline);
		note("%llu frames pass, %llu would be dropped%s", (unsigned long long)t.counts[0],
		     (unsigned long long)t.counts[1], t.refused ? "; some are too short for the kernel to test" : "");
	}
	free(t.seen);
	return err == -EINVAL ? EXIT_USAGE : exit_status(err);
}
