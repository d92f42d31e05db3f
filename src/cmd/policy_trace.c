// SPDX-License-Identifier: GPL-2.0-or-later
/* policy watch --trace-rules: which rules the first packet of a connection passed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/policy_cause.h"
#include "cmd/policy_network.h"
#include "util/err.h"

enum { TRACED_MAX = 4096, WAY_MAX = 4096 };

/* What is read of a packet is read after it was there, by clocks that agree so far; and not long after. */
#define AGREE_NS UINT64_C(1000000)
#define READ_NS UINT64_C(1000000000)
/* Paths come in the order in which they end: each is at most so much earlier than one before it. */
#define ORDER_NS UINT64_C(500000000)

struct traced {
	struct rule_ends came, left;
	uint8_t proto, end;
	uint8_t family, kind;		/* of the last step */
	uint64_t handle;
	char table[128], chain[128];
	uint64_t first_ns;		/* wall clock: when we read the first message of it */
	char *way;			/* owned; NULL: no step, or no memory */
};

struct traces {
	struct traced v[TRACED_MAX];	/* a ring */
	uint64_t n;
};

int traces_open(struct traces **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : fail(ENOMEM, "--trace-rules");
}

static const char *step_word(const struct rule_step *s)
{
	switch (s->verdict) {
	case NF_ACCEPTS: return "accept";
	case NF_DROPS: return "drop";
	case NF_JUMPS: return "jump";
	case NF_GOES: return "goto";
	case NF_RETURNS: return "return";
	case NF_QUEUES: return "queue";
	case NF_TARGET: return "stolen";
	}
	return "continue";
}

static void put_step(struct buf *b, const struct rule_step *s)
{
	const char *family = network_family(s->family);

	buf_fmt(b, "%s%s %s %s ", b->n ? "\n" : "", family ? family : "?", s->table, s->chain);
	if (s->kind == TRACE_RULE && s->handle)
		buf_fmt(b, "%llu ", (unsigned long long)s->handle);
	else if (s->kind == TRACE_POLICY)
		buf_str(b, "policy ");
	buf_str(b, step_word(s));
	if ((s->verdict == NF_JUMPS || s->verdict == NF_GOES) && s->target)
		buf_fmt(b, " %s", s->target);
}

static char *way_of(const struct rule_path *p)
{
	struct buf b = { .max = WAY_MAX };

	for (uint32_t i = 0; i < p->n_steps; i++)
		put_step(&b, &p->steps[i]);
	buf_chr(&b, '\0');
	if (b.full || !p->n_steps) {
		buf_free(&b);
		return NULL;
	}
	return b.p;
}

int traces_take(void *traces, const struct rule_path *p)
{
	struct traces *t = traces;
	struct traced *to = &t->v[t->n++ % TRACED_MAX];
	const struct rule_step *last = p->n_steps && !p->steps_lost ? &p->steps[p->n_steps - 1] : NULL;

	free(to->way);
	*to = (struct traced){ .came = p->came, .left = p->left, .proto = p->proto, .end = p->end,
			       .first_ns = p->first_ns, .way = way_of(p) };
	if (!last || strlen(last->table) >= sizeof(to->table) || strlen(last->chain) >= sizeof(to->chain))
		return 0;
	to->family = last->family;
	to->kind = last->kind;
	to->handle = last->handle;
	memcpy(to->table, last->table, strlen(last->table) + 1);
	memcpy(to->chain, last->chain, strlen(last->chain) + 1);
	return 0;
}

static bool are(const struct rule_ends *a, const struct rule_ends *b)
{
	return addr_same(&a->src, &b->src) && addr_same(&a->dst, &b->dst) && a->sport == b->sport &&
	       a->dport == b->dport;
}

/* An earlier or later one may have the same ends. */
static bool is_of(const struct traced *t, const struct verdict_conn *c)
{
	const struct rule_ends came = { .src = c->src, .dst = c->dst, .sport = c->sport, .dport = c->dport };
	const struct rule_ends left = { .src = c->from, .dst = c->to, .sport = c->from_port, .dport = c->to_port };

	return t->proto == c->proto && t->first_ns + AGREE_NS >= c->first_ns &&
	       t->first_ns <= c->decided_ns + READ_NS && (are(&t->came, &came) || are(&t->left, &left));
}

/* The rule may be gone, or be younger than what we have read. */
static void put_last(const struct traced *t, const struct nf_rules *rules, struct cause *out)
{
	const struct rule_step step = { .table = t->table, .chain = t->chain, .handle = t->handle, .family = t->family,
					.kind = t->kind };
	const struct nf_chain *chain = nf_chain_find(rules, NF_TABLES, t->family, t->table, t->chain);
	const struct nf_rule *rule = trace_rule(rules, &step);

	if (chain && (rule || t->kind == TRACE_POLICY)) {
		cause_put(out, rules, chain, rule);
		return;
	}
	out->known = true;
	snprintf(out->ruleset, sizeof(out->ruleset), "%s %s %s",
		 network_family(t->family) ? network_family(t->family) : "?", t->table, t->chain);
	snprintf(out->rule, sizeof(out->rule), "rule %llu", (unsigned long long)t->handle);
}

void cause_by_trace(const struct traces *t, const struct nf_rules *rules, const struct verdict_conn *conn,
		    struct cause *out)
{
	uint64_t first = t->n > TRACED_MAX ? t->n - TRACED_MAX : 0;

	for (uint64_t i = t->n; i-- > first;) {
		const struct traced *one = &t->v[i % TRACED_MAX];
		bool dropped = one->end == TRACE_DROPPED || one->end == TRACE_STOLEN;

		if (one->first_ns + ORDER_NS < conn->first_ns)
			return;
		if (!is_of(one, conn) || (conn->what == VERDICT_DROPPED && !dropped))
			continue;
		out->trace = one->way;
		if (conn->what == VERDICT_DROPPED && one->table[0])
			put_last(one, rules, out);
		return;
	}
}

void traces_close(struct traces *t)
{
	for (unsigned int i = 0; t && i < TRACED_MAX; i++)
		free(t->v[i].way);
	free(t);
}
