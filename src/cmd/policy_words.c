// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/policy_words.h"

#include "policy/flow.h"
#include "util/escape.h"

enum { LISTED_MAX = 8 };

void say_text(struct buf *b, const char *s)
{
	char out[ESCAPE_MAX * FLOW_END_MAX + 64];

	buf_add(b, out, escape_text(out, sizeof(out), s, strlen(s), ESCAPE_FIELD));
}

void say_name(const struct k8s *k, struct buf *b, uint32_t name)
{
	say_text(b, intern_text(&k->names, name));
}

void say_end(const struct k8s *k, struct buf *b, const struct k8s_end *e)
{
	char name[FLOW_END_MAX];

	flow_end_text(k, e, name);
	say_text(b, name);
}

/* Between the elements of a list; false where the rest is left out. */
static bool next(struct buf *b, uint32_t i, uint32_t n, const char *between)
{
	if (i)
		buf_str(b, between);
	if (i < LISTED_MAX)
		return true;
	buf_fmt(b, "%u more", n - i);
	return false;
}

static void say_term(const struct k8s *k, struct buf *b, const struct sel_term *t)
{
	bool many = t->n_values != 1;

	if (t->op == SEL_NOT_EXISTS)
		buf_chr(b, '!');
	say_name(k, b, t->key);
	if (t->op == SEL_EXISTS || t->op == SEL_NOT_EXISTS)
		return;
	buf_str(b, t->op == SEL_IN ? (many ? " in (" : "=") : (many ? " notin (" : "!="));
	for (uint32_t i = 0; i < t->n_values && next(b, i, t->n_values, ","); i++)
		say_name(k, b, t->values[i]);
	if (many)
		buf_chr(b, ')');
}

void say_selector(const struct k8s *k, struct buf *b, const struct selector *s)
{
	for (uint32_t i = 0; i < s->n && next(b, i, s->n, ","); i++)
		say_term(k, b, &s->terms[i]);
}

/* "pods with app=web"; "every pod" */
static void say_selected(const struct k8s *k, struct buf *b, const char *one, const struct selector *s)
{
	if (!s || !s->n) {
		buf_fmt(b, "every %s", one);
		return;
	}
	buf_fmt(b, "%ss with ", one);
	say_selector(k, b, s);
}

static void say_cidrs(struct buf *b, const struct k8s_cidr *v, uint32_t n)
{
	for (uint32_t i = 0; i < n && next(b, i, n, ", "); i++) {
		char text[ADDR_TEXT_MAX];

		buf_add(b, text, addr_text(text, &v[i].addr));
		buf_fmt(b, "/%u", v[i].bits);
	}
}

static void say_keys(const struct k8s *k, struct buf *b, const uint32_t *v, uint32_t n)
{
	for (uint32_t i = 0; i < n && next(b, i, n, ", "); i++)
		say_name(k, b, v[i]);
}

static void say_namespaces(const struct k8s *k, struct buf *b, const struct k8s_policy *p,
			   const struct k8s_peer *peer)
{
	buf_str(b, " in ");
	if (peer->same || peer->not_same) {
		buf_fmt(b, "namespaces that %s with its own in ", peer->same ? "agree" : "disagree");
		say_keys(k, b, peer->same ? peer->same : peer->not_same,
			 peer->same ? peer->n_same : peer->n_not_same);
	} else if (!peer->ns && !peer->any_ns) {
		buf_str(b, "namespace ");
		say_name(k, b, k->ns[p->ns].name);
	} else {
		say_selected(k, b, "namespace", peer->ns);
	}
}

void say_peer(const struct k8s *k, struct buf *b, const struct k8s_policy *p, const struct k8s_peer *peer)
{
	switch (peer->kind) {
	case PEER_BLOCK:
		say_cidrs(b, peer->blocks, peer->n_blocks);
		if (peer->n_except)
			buf_str(b, " except ");
		say_cidrs(b, peer->except, peer->n_except);
		break;
	case PEER_NODES:
		say_selected(k, b, "node", peer->pod);
		break;
	case PEER_NAMES:
		buf_str(b, "domain names");
		break;
	default:
		say_selected(k, b, "pod", peer->pod);
		say_namespaces(k, b, p, peer);
		break;
	}
}

void say_port(const struct k8s *k, struct buf *b, const struct k8s_port *port)
{
	if (port->name)
		say_name(k, b, port->name);
	else if (port->first == port->last)
		buf_fmt(b, "%u", port->first);
	else if (port->first)
		buf_fmt(b, "%u-%u", port->first, port->last);
	else
		buf_fmt(b, "every port of %s", proto_name(port->proto));
	if (port->proto && (port->name || port->first))
		buf_fmt(b, "/%s", proto_name(port->proto));
}

void say_subject(const struct k8s *k, struct buf *b, const struct k8s_policy *p)
{
	say_selected(k, b, "pod", p->pods);
	if (p->kind == POLICY_NETWORK)
		return;
	buf_str(b, " in ");
	say_selected(k, b, "namespace", p->subject_ns);
}

static bool is_unknown(const struct k8s_why *w)
{
	return !w->labels->whole && !label_find(w->labels, w->term->key);
}

/* " has app=web": what the term finds. */
static void say_label(const struct k8s *k, struct buf *b, const struct k8s_why *w)
{
	const struct label *found = label_find(w->labels, w->term->key);

	buf_str(b, found ? " has " : " has no label ");
	say_name(k, b, w->term->key);
	if (!found)
		return;
	buf_chr(b, '=');
	say_name(k, b, found->value);
}

static void say_namespace_of(const struct k8s *k, struct buf *b, const struct k8s_end *e)
{
	buf_str(b, "namespace ");
	say_name(k, b, k->ns[e->pod->ns].name);
}

static void say_address(const struct k8s *k, struct buf *b, const struct k8s_end *e)
{
	char text[ADDR_TEXT_MAX];

	if (e->addr.family)
		buf_add(b, text, addr_text(text, &e->addr));
	else
		buf_str(b, "its address");
}

/* Those that need nothing but a sentence. */
static const char *const sentences[] = {
	[WHY_NOTHING] = "it fits",
	[WHY_NOT_POD] = "it is no pod",
	[WHY_HOST_NETWORK] = "it is of its host's network, where no selector finds it",
	[WHY_NAMESPACE_UNKNOWN] = "its namespace is in none of the files",
	[WHY_ADDRESS_UNKNOWN] =
		"its address is in none of the files, or one of its addresses is inside and one outside",
	[WHY_NOT_NODE] = "it is no node",
	[WHY_NODES_UNKNOWN] = "no node is in the files",
	[WHY_DOMAIN_NAMES] = "which addresses the names have is in none of the files",
	[WHY_PROTOCOL] = "another protocol",
	[WHY_PORT] = "another port",
	[WHY_PORT_NAME] = "it has no port of that name and protocol",
	[WHY_PORTS_UNKNOWN] = "which ports it has is in none of the files",
	[WHY_SERVICE_PORT] = "the pods behind a service may listen on another port than its own",
};

static const char nowhere[] = " are in none of the files";

void say_why(const struct k8s *k, struct buf *b, const struct k8s_why *w, const struct k8s_end *e)
{
	switch (w->why) {
	case WHY_NAMESPACE:
		buf_str(b, "it is in ");
		say_namespace_of(k, b, e);
		break;
	case WHY_NAMESPACE_LABELS:
		buf_str(b, is_unknown(w) ? "the labels of " : "its ");
		say_namespace_of(k, b, e);
		is_unknown(w) ? buf_str(b, nowhere) : say_label(k, b, w);
		break;
	case WHY_POD_LABELS:
		buf_str(b, is_unknown(w) ? "its labels" : "it");
		is_unknown(w) ? buf_str(b, nowhere) : say_label(k, b, w);
		break;
	case WHY_NODE_LABELS:
		buf_str(b, "the node");
		say_label(k, b, w);
		break;
	case WHY_TENANCY:
		buf_str(b, "the label ");
		say_name(k, b, w->key);
		buf_str(b, " of the two namespaces decides, and does not fit, or is in none of the files");
		break;
	case WHY_OUTSIDE:
		say_address(k, b, e);
		buf_str(b, " is outside");
		break;
	case WHY_EXCEPT:
		say_address(k, b, e);
		buf_str(b, " is in ");
		say_cidrs(b, w->cidr, 1);
		buf_str(b, ", which is left out");
		break;
	case WHY_PORT_NUMBER:
		buf_fmt(b, "it is %u there", w->port);
		break;
	default:
		buf_str(b, sentences[w->why]);
		break;
	}
}

/* ── what is not known of the ends ────────────────────────────────────────── */

static void say_missing_of(const struct k8s *k, struct buf *b, const struct k8s_end *e)
{
	const struct k8s_pod *pod = e->pod;

	if (!pod || (pod->labels.whole && (!pod->ns || k->ns[pod->ns].known)))
		return;
	if (b->n)
		buf_str(b, "; ");
	if (e->service) {
		buf_str(b, "the service ");
		say_name(k, b, k->ns[e->service->ns].name);
		buf_chr(b, '/');
		say_name(k, b, e->service->name);
		buf_str(b, " stands for pods: ask for one of those");
	} else if (!pod->labels.whole) {
		buf_str(b, pod->name ? "the pod " : "the address ");
		say_end(k, b, e);
		buf_str(b, " is in none of the files");
	} else {
		say_namespace_of(k, b, e);
		buf_str(b, " is in none of the files");
	}
}

void say_missing(const struct k8s *k, struct buf *b, const struct k8s_flow *f)
{
	say_missing_of(k, b, &f->from);
	say_missing_of(k, b, &f->to);
}
