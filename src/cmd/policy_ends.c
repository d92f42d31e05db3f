// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose an address was when a connection began. */
#include "cmd/policy_ends.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/err.h"

/*
 * Who got the address later is not meant: the file that tells of it was written when it had the address, and before it
 * could speak.
 */
static const struct node_pod *had(const struct node_pods *p, const struct addr *a, uint64_t when_ns)
{
	const struct node_pod *pod = node_pod_by_addr(p, a);

	return pod && !pod->host_network && (uint64_t)pod->start_ns <= when_ns ? pod : NULL;
}

/* What the node itself knows goes first: what it knows now, and of connections from before any change, what it knew. */
static void on_node(const struct ends *e, const struct addr *a, uint64_t when_ns, struct end_name *out)
{
	out->of = &e->net.pods;
	out->node = had(out->of, a, when_ns);
	if (out->node || when_ns >= e->before_ns)
		return;
	out->of = &e->before;
	out->node = had(out->of, a, when_ns);
}

/* Is it an object of this node, whose pods are all known, and that pod is not among them with this address? */
static bool is_stale(const struct ends *e, const struct k8s_pod *o)
{
	const struct node_pods *p = &e->net.pods;
	const struct node_pod *pod;
	const char *ns;

	if (!p->lives_told || !o->node || o->node != e->this_node)
		return false;
	ns = intern_text(&e->p->k->names, e->p->k->ns[o->ns].name);
	pod = node_pod_by_name(p, ns, strlen(ns), intern_text(&e->p->k->names, o->name));
	return !pod || node_pod_known(pod) || network_object(p, e->p->k, pod) != o;
}

/* Was it some pod's until shortly before, or only later, or is it a pod's by an object that is over? */
static bool is_unsure(const struct ends *e, const struct addr *a, uint64_t when_ns, const struct k8s_pod *stale)
{
	const struct node_pod *now = node_pod_by_addr(&e->net.pods, a), *was = NULL;

	if (e->before_ns && when_ns < e->pods_ns)
		was = node_pod_by_addr(&e->before, a);
	return stale || (now && !now->host_network) || (was && !was->host_network);
}

void end_find(const struct ends *e, const struct addr *a, uint64_t when_ns, struct end_name *out)
{
	const struct k8s_pod *o;

	*out = (struct end_name){ .unsure = e->unsure };
	if (e->unsure)
		return;
	on_node(e, a, when_ns, out);
	if (out->node) {
		out->object = out->node->name ? network_object(out->of, e->p->k, out->node) : NULL;
		return;
	}
	o = node_pod_by_addr(&e->net.pods, a) ? NULL : k8s_pod_by_ip(e->p->k, a);
	out->object = o && !is_stale(e, o) ? o : NULL;
	out->service = out->object ? NULL : k8s_service_by_ip(e->p->k, a);
	out->unsure = !out->object && !out->service && is_unsure(e, a, when_ns, o);
}

static bool is_among(const struct addr *v, unsigned int n, const struct addr *a)
{
	for (unsigned int i = 0; i < n; i++)
		if (addr_same(&v[i], a))
			return true;
	return false;
}

bool end_is_host(const struct ends *e, const struct addr *a)
{
	return is_among(e->own, e->n_own, a);
}

/* MAYBE: it has changed about then. */
static enum tri was_host(const struct ends *e, const struct addr *a, uint64_t when_ns)
{
	bool now = is_among(e->own, e->n_own, a), before = is_among(e->own_before, e->n_own_before, a);

	if (!when_ns || !e->before_ns || when_ns >= e->pods_ns || now == before)
		return now ? YES : NO;
	if (when_ns < e->before_ns)
		return before ? YES : NO;
	return MAYBE;
}

const char *end_ns(const struct ends *e, const struct end_name *name)
{
	if (name->node)
		return node_text(name->of, name->node->ns);
	return name->object ? intern_text(&e->p->k->names, e->p->k->ns[name->object->ns].name) : "";
}

const char *end_pod(const struct ends *e, const struct end_name *name)
{
	if (name->node)
		return node_text(name->of, name->node->name);
	return name->object ? intern_text(&e->p->k->names, name->object->name) : "";
}

const char *end_uid(const struct ends *e, const struct end_name *name)
{
	if (name->object && name->object->uid)
		return intern_text(&e->p->k->names, name->object->uid);
	return name->node ? node_text(name->of, name->node->uid) : "";
}

const char *end_sidecar(const struct end_name *name)
{
	if (name->object && name->object->sidecar)
		return name->object->sidecar;
	return name->node ? name->node->sidecar : NULL;
}

struct whom_row end_row(const struct ends *e, const struct end_name *name, const struct addr *a)
{
	return (struct whom_row){
		.ns = end_ns(e, name),
		.name = end_pod(e, name),
		.iface = name->node ? node_text(name->of, name->node->iface) : "",
		.uid = end_uid(e, name),
		.sandbox = name->node ? node_text(name->of, name->node->sandbox) : "",
		.addrs = a,
		.n_addrs = a != NULL,
	};
}

void ends_note_nobody(const struct ends *e, struct whom *w)
{
	const struct k8s *k = e->p->k;
	struct whom_row r;

	for (uint32_t i = 0; i < e->net.pods.n; i++) {
		r = end_row(e, &(struct end_name){ .node = &e->net.pods.v[i], .of = &e->net.pods }, NULL);
		if (node_pod_lives(&e->net.pods, &e->net.pods.v[i]))
			whom_fits(w, &r);
	}
	for (uint32_t i = 1; i < k->n_pods; i++) {
		r = end_row(e, &(struct end_name){ .object = &k->pods[i] }, NULL);
		if (k->pods[i].alive)
			whom_fits(w, &r);
	}
	for (unsigned int i = 0; i < w->n; i++)
		if (!w->v[i].found && !w->v[i].addr.family)
			warn("%s: no pod that is known here; %s", w->v[i].word,
			     w->v[i].is_ns ? "all of a namespace is NAMESPACE/" : "it is told when there is one");
}

/* As policies are judged by. */
static void judged_as(struct ends *e, enum side side, const struct end_name *name, const struct addr *a,
		      struct k8s_end *out)
{
	struct k8s_pod *pod = &e->stand_in[side];
	const char *ns = end_ns(e, name);

	*out = (struct k8s_end){ .pod = name->object, .addr = *a, .given_addr = true };
	if (name->object || !name->node)
		return;
	pod->ns = numbers_get(&e->p->k->ns_by_name, intern_find(&e->p->k->names, ns, strlen(ns)));
	pod->alive = true;
	pod->host_network = false;
	pod->node = 0;
	pod->generation = 0;
	out->pod = pod;
}

/* Of the node itself, whatever address of its it speaks from: its own pods may not refuse it. */
static bool from_here(struct ends *e, const struct ends_call *c, struct k8s_flow *f)
{
	struct k8s_pod *host = &e->stand_in[EGRESS];
	enum tri is_host;

	if (f->from.pod || !f->to.pod || !c->to.node)
		return true;
	is_host = was_host(e, &c->src, c->when_ns);
	if (is_host == NO || (is_host == MAYBE && c->came_in))
		return c->came_in;
	if (f->to.pod->host_ip.family) {
		f->from.addr = f->to.pod->host_ip;
		return true;
	}
	host->host_network = true;
	host->node = f->to.pod->node;
	f->from.pod = host;
	return f->to.pod->node;
}

bool ends_flow(struct ends *e, const struct ends_call *c, struct k8s_flow *out)
{
	*out = (struct k8s_flow){ .port = c->port, .proto = c->proto };
	judged_as(e, EGRESS, &c->from, &c->src, &out->from);
	judged_as(e, INGRESS, &c->to, &c->dst, &out->to);
	return !c->from.unsure && !c->to.unsure && from_here(e, c, out);
}

/* ── taking what is told ──────────────────────────────────────────────────── */

/* Where they could not be read, what was told before stays. */
static int take_own(struct ends *e, const struct facts *facts)
{
	uint32_t n = facts->n[FACT_ADDRESS];
	struct addr *own;
	struct fact f;
	size_t at = 0;

	if (!facts->there[FACT_ADDRESS])
		return 0;
	own = calloc(n ? n : 1, sizeof(*own));
	if (!own)
		return fail(ENOMEM, "the addresses of this network namespace");
	free(e->own_before);
	e->own_before = e->own;
	e->n_own_before = e->n_own;
	e->own = own;
	e->n_own = 0;
	while (facts_next(facts, &at, &f) && e->n_own < n)
		if (f.kind == FACT_ADDRESS && f.n == sizeof(*own))
			memcpy(&own[e->n_own++], f.bytes, sizeof(*own));
	return 0;
}

int ends_take_pods(struct ends *e, struct facts *facts, const struct feed_set *set)
{
	int err = take_own(e, facts);

	if (!err)
		err = network_take_pods(&e->net, facts, &e->before);
	e->before_ns = e->pods_ns ? (uint64_t)set->stirred_ns - NOTICED_NS : 0;
	e->pods_ns = (uint64_t)set->began_ns;
	e->this_node = network_this_node(&e->net.pods, e->p->k);
	return err;
}

/* What it told before is over. */
int ends_take_kubelet(struct ends *e, const struct facts *facts)
{
	struct k8s *k = e->p->k;
	int err;

	for (uint32_t i = 1; i < k->n_pods; i++)
		if (k->pods[i].alive && k->pods[i].source == OBJECT_KUBELET)
			k8s_pod_forget(&k->pods[i]);
	err = network_kubelet(facts, e->p);
	e->this_node = network_this_node(&e->net.pods, k);
	return err;
}

void ends_free(struct ends *e)
{
	network_free(&e->net);
	node_pods_free(&e->before);
	free(e->own);
	free(e->own_before);
	free(e->stand_in[EGRESS].selected_by);
	free(e->stand_in[INGRESS].selected_by);
}
