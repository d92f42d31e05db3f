// SPDX-License-Identifier: GPL-2.0-or-later
/* policy counters: what the policies say of who talks to whom, for the kernel, which asks. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/policy_counting_parts.h"
#include "util/err.h"
#include "util/time.h"

enum { ROUNDS = 16 };

static void put_policies(struct counting *c, struct np_policy_side *to, const struct k8s_hits *h, uint32_t from)
{
	for (uint32_t i = from; i < h->n; i++) {
		const char *label = policy_label(c->p, h->v[i].policy);
		uint32_t number = intern(&c->policies, label, strlen(label));
		bool there = !number;

		for (unsigned int j = 0; j < to->n && !there; j++)
			there = to->policy[j] == number;
		if (there)
			continue;
		if (to->n == NP_SIDE_POLICIES) {
			c->unnamed++;
			return;
		}
		to->policy[to->n++] = number;
	}
}

static bool maybe(const struct k8s_side *s)
{
	for (uint32_t i = 0; i < s->selected.n; i++)
		if (s->selected.v[i].match != YES)
			return true;
	return false;
}

/* False: what would decide is not known. */
static bool decide_side(struct counting *c, const struct k8s_side *s, struct np_policy_side *to)
{
	bool denies = s->verdict == VERDICT_DENY;

	*to = (struct np_policy_side){ .verdict = NP_POLICY_SELECTS_NONE };
	/* A policy of which it is not known whether it selects the pod may be the one that decides. */
	if (s->reason == REASON_UNKNOWN || s->verdict == VERDICT_UNKNOWN || (s->reason != REASON_POLICIES && maybe(s)))
		return false;
	if (s->reason == REASON_POLICIES)
		put_policies(c, to, denies ? &s->selected : &s->allowed, 0);
	else if (s->reason == REASON_ADMIN || s->reason == REASON_BASELINE)
		put_policies(c, to, &s->admin, s->admin.n ? s->admin.n - 1 : 0);
	else
		return true;
	to->verdict = denies ? NP_POLICY_DENIES : NP_POLICY_ALLOWS;
	return true;
}

static void addr_of(struct addr *to, uint8_t family, const uint8_t from[16])
{
	*to = (struct addr){ .family = family };
	memcpy(to->b, from, family == 4 ? 4 : 16);
}

enum decided { CANNOT, DECIDED, NOT_YET };

/* Ports that callers have, by default (net.ipv4.ip_local_port_range; RFC 6335 6 begins at 49152). */
#define CALLER_PORT_MIN 32768

static bool ports_tell(const struct np_policy_ask *a)
{
	return a->sport >= CALLER_PORT_MIN && a->key.dport < CALLER_PORT_MIN;
}

/*
 * Where connections are tracked, of one that is not (its first packet has not passed yet, or never will) it is not
 * known who called, nor where it goes, unless its first packet says the one and its address is a pod's or the host's.
 * Later, what is not tracked of TCP is no connection's (RFC 9293 3.10.7); of others, who was seen first has called.
 * Where nothing is tracked the ports of TCP may tell.  Where a service's address leads to, nothing else says.
 */
static enum decided is_known(const struct counting *c, const struct meter_ask *a, const struct ends_call *call,
			     bool last)
{
	bool is_end = call->to.node || call->to.object || end_is_host(&c->ends, &call->dst);
	bool guessed = a->ask.flags & NP_ASK_GUESSED, tcp = a->key.proto == IPPROTO_TCP;

	if (a->tracked == METER_TRACKED)
		return DECIDED;
	if (call->to.service)
		return last ? CANNOT : NOT_YET;
	if (a->tracked == METER_NOT_ASKED)
		return guessed && tcp && !ports_tell(&a->ask) ? CANNOT : DECIDED;
	if (last)
		return guessed && tcp ? CANNOT : DECIDED;
	return guessed || !is_end ? NOT_YET : DECIDED;
}

/* last: it is not asked for again.  Or a negative errno, said.  Of an end that is no pod of this node nothing is
 * counted, so it does not matter what is not known of it. */
static int decide(struct counting *c, const struct meter_ask *a, bool last, struct meter_decided *to)
{
	const struct np_policy_key *key = &a->key;
	const struct k8s_decision *d = &c->p->d;
	struct ends_call call = { .port = key->dport, .proto = key->proto, .came_in = true };
	struct k8s_flow f;
	enum decided known;
	int err;

	if (key->proto != IPPROTO_TCP && key->proto != IPPROTO_UDP && key->proto != IPPROTO_SCTP)
		return CANNOT;
	addr_of(&call.src, key->family, key->src);
	addr_of(&call.dst, key->family, key->dst);
	if (a->to.family) {
		call.dst = a->to;
		call.port = a->port;
	}
	end_find(&c->ends, &call.src, time_now(), &call.from);
	end_find(&c->ends, &call.dst, time_now(), &call.to);
	known = is_known(c, a, &call, last);
	if (known != DECIDED)
		return known;
	if (!ends_flow(&c->ends, &call, &f))
		return CANNOT;
	err = policy_decide(c->p, &f);
	if (err)
		return err;
	*to = (struct meter_decided){ .key = *key, .asked = a->ask.key, .turned = a->turned };
	if (!decide_side(c, &d->side[EGRESS], &to->d.side[NP_POLICY_EGRESS]) && call.from.node)
		return CANNOT;
	if (!decide_side(c, &d->side[INGRESS], &to->d.side[NP_POLICY_INGRESS]) && call.to.node)
		return CANNOT;
	return DECIDED;
}

static void later(struct counting *c, const struct meter_ask *a)
{
	struct again *to;

	if (!c->again)
		c->again = calloc(AGAIN_MAX, sizeof(*c->again));
	if (!c->again || c->n_again == AGAIN_MAX)
		return;
	to = &c->again[(c->first_again + c->n_again++) % AGAIN_MAX];
	*to = (struct again){ .ask = *a, .when_ns = time_now() + AGAIN_MS * UINT64_C(1000000) };
}

static int decide_some(struct counting *c, const struct meter_ask *asks, unsigned int n, bool last)
{
	static struct meter_decided decided[METER_AT_ONCE];
	unsigned int many = 0;
	int rc = 0;

	for (unsigned int i = 0; i < n && rc >= 0; i++) {
		rc = decide(c, &asks[i], last, &decided[many]);
		many += rc == DECIDED;
		if (rc == NOT_YET)
			later(c, &asks[i]);
		/* Perhaps its next packet tells more. */
		if (rc == CANNOT && last)
			rc = meter_undecide(c->meter, &asks[i].ask.key);
	}
	if (rc < 0)
		return rc;
	rc = many ? meter_decide(c->meter, decided, many) : 0;
	/* What found no room is asked again. */
	return rc == -EPIPE ? rc : 0;
}

int counted_asks_decide(struct counting *c)
{
	static struct meter_ask asks[METER_AT_ONCE];
	int n = METER_AT_ONCE, err = 0;

	for (int i = 0; i < ROUNDS && n == METER_AT_ONCE && !err; i++) {
		n = meter_asks(c->meter, asks);
		err = n < 0 ? n : decide_some(c, asks, (unsigned int)n, false);
	}
	return err;
}

int counted_asks_again(struct counting *c, uint64_t now_ns, bool all)
{
	static struct meter_ask asks[METER_AT_ONCE];
	unsigned int n = METER_AT_ONCE;
	int err = 0;

	while (n == METER_AT_ONCE && !err) {
		for (n = 0; n < METER_AT_ONCE && c->n_again; n++) {
			if (!all && c->again[c->first_again].when_ns > now_ns)
				break;
			asks[n] = c->again[c->first_again].ask;
			c->first_again = (c->first_again + 1) % AGAIN_MAX;
			c->n_again--;
		}
		err = n ? meter_look(c->meter, asks, n) : 0;
		if (!err)
			err = decide_some(c, asks, n, true);
	}
	return err;
}
