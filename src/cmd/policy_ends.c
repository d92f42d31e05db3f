// SPDX-License-Identifier: GPL-2.0-or-later
/* policy watch: whose an address was when a connection began. */
#include <string.h>

#include "cmd/policy_watch.h"

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
static void on_node(const struct policy_watch *w, const struct addr *a, uint64_t when_ns, struct end_name *out)
{
	out->of = &w->net.pods;
	out->node = had(out->of, a, when_ns);
	if (out->node || when_ns >= w->before_ns)
		return;
	out->of = &w->before;
	out->node = had(out->of, a, when_ns);
}

/* Is it an object of this node, whose pods are all known, and that pod is not among them with this address? */
static bool is_stale(const struct policy_watch *w, const struct k8s_pod *o)
{
	const struct node_pods *p = &w->net.pods;
	const struct node_pod *pod;
	const char *ns;

	if (!p->lives_told || !o->node || o->node != w->this_node)
		return false;
	ns = intern_text(&w->p->k->names, w->p->k->ns[o->ns].name);
	pod = node_pod_by_name(p, ns, strlen(ns), intern_text(&w->p->k->names, o->name));
	return !pod || node_pod_known(pod) || network_object(p, w->p->k, pod) != o;
}

void end_find(const struct policy_watch *w, const struct addr *a, uint64_t when_ns, struct end_name *out)
{
	const struct k8s_pod *o;

	*out = (struct end_name){ 0 };
	if (w->unsure)
		return;
	on_node(w, a, when_ns, out);
	if (out->node) {
		out->object = out->node->name ? network_object(out->of, w->p->k, out->node) : NULL;
		return;
	}
	o = node_pod_by_addr(&w->net.pods, a) ? NULL : k8s_pod_by_ip(w->p->k, a);
	out->object = o && !is_stale(w, o) ? o : NULL;
	out->service = out->object ? NULL : k8s_service_by_ip(w->p->k, a);
}

bool end_is_host(const struct policy_watch *w, const struct addr *a)
{
	for (unsigned int i = 0; i < w->n_own; i++)
		if (addr_same(&w->own[i], a))
			return true;
	return false;
}

const char *end_ns(const struct policy_watch *w, const struct end_name *e)
{
	if (e->node)
		return node_text(e->of, e->node->ns);
	return e->object ? intern_text(&w->p->k->names, w->p->k->ns[e->object->ns].name) : "";
}

const char *end_pod(const struct policy_watch *w, const struct end_name *e)
{
	if (e->node)
		return node_text(e->of, e->node->name);
	return e->object ? intern_text(&w->p->k->names, e->object->name) : "";
}

const char *end_uid(const struct policy_watch *w, const struct end_name *e)
{
	if (e->object && e->object->uid)
		return intern_text(&w->p->k->names, e->object->uid);
	return e->node ? node_text(e->of, e->node->uid) : "";
}

const char *end_sidecar(const struct end_name *e)
{
	if (e->object && e->object->sidecar)
		return e->object->sidecar;
	return e->node ? e->node->sidecar : NULL;
}

void end_judged(struct policy_watch *w, enum side side, const struct end_name *e, const struct addr *a,
		struct k8s_end *out)
{
	struct k8s_pod *pod = &w->stand_in[side];
	const char *ns = end_ns(w, e);

	*out = (struct k8s_end){ .pod = e->object, .addr = *a, .given_addr = true };
	if (e->object || !e->node)
		return;
	pod->ns = numbers_get(&w->p->k->ns_by_name, intern_find(&w->p->k->names, ns, strlen(ns)));
	pod->alive = true;
	pod->host_network = false;
	pod->node = 0;
	pod->generation = 0;
	out->pod = pod;
}
