// SPDX-License-Identifier: GPL-2.0-or-later
/* One object: what it is, and what pods, namespaces, nodes and services have that matters here. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "k8s/parts.h"

static int by_key(const void *a, const void *b)
{
	const struct label *p = a, *q = b;

	return p->key < q->key ? -1 : p->key > q->key;
}

void read_labels(struct loader *l, struct arena *mem, struct labels *out, const json_t *o)
{
	size_t room = o ? json_object_size(o) : 0;

	*out = (struct labels){ .whole = true };
	if (!room)
		return;
	out->v = read_room(l, mem, room, sizeof(*out->v));
	if (!out->v)
		return;
	for (void *it = json_object_iter((json_t *)o); it; it = json_object_iter_next((json_t *)o, it)) {
		const json_t *v = json_object_iter_value(it);
		/* null is the empty text, as it is to the API server. */
		const char *key = json_object_iter_key(it), *text = json_is_null(v) ? "" : json_string_value(v);

		if (text)
			out->v[out->n++] = (struct label){ name_of(l, key), name_of(l, text) };
		else
			mistake_at(l, MISTAKE_ERROR, key, "the value of a label is not a string (quotes make it one)");
	}
	qsort(out->v, out->n, sizeof(*out->v), by_key);
}

static const json_t *meta(struct loader *l, const json_t *o)
{
	const json_t *m = get_object(l, o, "metadata");

	return m ? m : json_null();
}

/* metadata.labels */
static void own_labels(struct loader *l, struct arena *mem, struct labels *out, const json_t *o)
{
	size_t at = path_key(l, "metadata"), deeper;
	const json_t *labels = get_object(l, json_object_get(o, "metadata"), "labels");

	deeper = path_key(l, "labels");
	read_labels(l, mem, out, labels);
	path_back(l, deeper);
	path_back(l, at);
}

/* Its namespace and name as they stand; the namespace of one who has none is "default". */
static bool whose(struct loader *l, const json_t *o, uint32_t *ns, uint32_t *name)
{
	const json_t *m = meta(l, o);
	const char *n = json_string_value(json_object_get(m, "name"));
	const char *s = json_string_value(json_object_get(m, "namespace"));

	if (!n || !*n) {
		mistake_at(l, MISTAKE_ERROR, "metadata.name", "is missing");
		return false;
	}
	*name = name_of(l, n);
	*ns = *name ? k8s_ns(l->k, name_of(l, s && *s ? s : "default")) : 0;
	if (!*ns && !l->in.error)
		l->in.error = -ENOMEM;
	return *ns != 0;
}

void read_namespace(struct loader *l, const json_t *o)
{
	const char *name = json_string_value(json_object_get(meta(l, o), "name"));
	struct k8s *k = l->k;
	struct arena mem = { 0 };
	struct labels labels;
	struct k8s_ns *ns;
	uint32_t id = name && *name ? k8s_ns(k, name_of(l, name)) : 0;
	bool own = false;

	if (!id) {
		mistake_at(l, MISTAKE_ERROR, "metadata.name", "is missing");
		return;
	}
	own_labels(l, &mem, &labels, o);
	ns = &k->ns[id];
	if (!l->bad) {
		struct label *v = calloc(labels.n + 1, sizeof(*v));

		for (uint32_t i = 0; v && i < labels.n; i++) {
			v[i] = labels.v[i];
			own |= v[i].key == k->metadata_name;
		}
		if (v && !own)
			v[labels.n++] = (struct label){ k->metadata_name, ns->name };
		if (v) {
			qsort(v, labels.n, sizeof(*v), by_key);
			free(ns->labels.v);
			ns->labels = (struct labels){ v, labels.n, true };
			ns->known = true;
			ns->seen = k->round;
			k->generation++;
		}
	}
	arena_free(&mem);
}

/* {"ip": "…"} or "…" */
static uint32_t read_ips(struct loader *l, struct arena *mem, struct addr **out, const json_t *list, const char *key)
{
	size_t n = json_array_size(list);
	uint32_t got = 0;

	*out = n ? read_room(l, mem, n, sizeof(**out)) : NULL;
	for (size_t i = 0; *out && i < n; i++) {
		const json_t *v = json_array_get(list, i);
		const char *s = json_string_value(key ? json_object_get(v, key) : v);

		if (s && addr_parse(&(*out)[got], s, strlen(s), NULL))
			got++;
	}
	return got;
}

/* Ports that containers declare.  Of those that run before the others only the ones that stay count. */
static void pod_ports(struct loader *l, struct k8s_pod *p, const json_t *list, bool init)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i), *ports = json_object_get(c, "ports");
		const char *restart = json_string_value(json_object_get(c, "restartPolicy"));

		if (init && (!restart || strcmp(restart, "Always")))
			continue;
		for (size_t j = 0; j < json_array_size(ports); j++) {
			const json_t *port = json_array_get(ports, j);
			const char *name = json_string_value(json_object_get(port, "name"));
			json_int_t n = json_integer_value(json_object_get(port, "containerPort"));
			uint8_t proto = protocol_of(json_string_value(json_object_get(port, "protocol")));

			if (n > 0 && n < 65536 && proto)
				p->ports[p->n_ports++] = (struct pod_port){ name && *name ? name_of(l, name) : 0,
									    (uint16_t)n, proto };
		}
	}
}

static const char *sidecar(const json_t *list)
{
	const char *found = NULL;

	for (size_t i = 0; i < json_array_size(list) && !found; i++) {
		const char *name = json_string_value(json_object_get(json_array_get(list, i), "name"));

		found = name ? k8s_sidecar(name) : NULL;
	}
	return found;
}

static size_t count_ports(const json_t *list)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list); i++)
		n += json_array_size(json_object_get(json_array_get(list, i), "ports"));
	return n;
}

static void pod_status(struct loader *l, struct k8s_pod *p, const json_t *status)
{
	const json_t *ips = json_object_get(status, "podIPs");
	const char *s = json_string_value(json_object_get(status, "phase"));

	p->ended = s && (!strcmp(s, "Succeeded") || !strcmp(s, "Failed"));
	p->n_ips = read_ips(l, &p->mem, &p->ips, ips, "ip");
	s = json_string_value(json_object_get(status, "podIP"));
	if (!p->n_ips && s) {
		p->ips = read_room(l, &p->mem, 1, sizeof(*p->ips));
		p->n_ips = p->ips && addr_parse(p->ips, s, strlen(s), NULL);
	}
	s = json_string_value(json_object_get(status, "hostIP"));
	if (s && !addr_parse(&p->host_ip, s, strlen(s), NULL))
		p->host_ip.family = 0;
}

/* The kubelet makes an object for what stands in a file, and gives it the node as its owner. */
static bool is_mirror(const json_t *metadata)
{
	const json_t *owners = json_object_get(metadata, "ownerReferences");

	for (size_t i = 0; i < json_array_size(owners); i++) {
		const char *kind = json_string_value(json_object_get(json_array_get(owners, i), "kind"));

		if (kind && !strcmp(kind, "Node"))
			return true;
	}
	return false;
}

/*
 * Its controller, by kind and name.  A Deployment's ReplicaSet is called after it, with the hash of the template
 * behind, which is a label of the pod as well.
 */
enum { WORKLOAD_MAX = 256 };

static uint32_t workload(struct loader *l, const json_t *metadata)
{
	const json_t *owners = json_object_get(metadata, "ownerReferences"), *owner = NULL;
	const char *hash = json_string_value(json_object_get(json_object_get(metadata, "labels"), "pod-template-hash"));
	const char *kind, *name;
	char text[2 * WORKLOAD_MAX];
	size_t n, h = hash ? strlen(hash) : 0;

	for (size_t i = 0; i < json_array_size(owners) && !owner; i++)
		if (json_is_true(json_object_get(json_array_get(owners, i), "controller")))
			owner = json_array_get(owners, i);
	kind = json_string_value(json_object_get(owner, "kind"));
	name = json_string_value(json_object_get(owner, "name"));
	if (!kind || !name || !*kind || !*name || !strcmp(kind, "Node") || strlen(kind) >= WORKLOAD_MAX ||
	    strlen(name) >= WORKLOAD_MAX)
		return 0;
	n = strlen(name);
	if (h && n > h + 1 && !strcmp(kind, "ReplicaSet") && name[n - h - 1] == '-' && !strcmp(name + n - h, hash)) {
		kind = "Deployment";
		n -= h + 1;
	}
	snprintf(text, sizeof(text), "%s/%.*s", kind, (int)n, name);
	return name_of(l, text);
}

void read_pod(struct loader *l, const json_t *o)
{
	const json_t *spec = get_object(l, o, "spec"), *status = get_object(l, o, "status"), *c, *init;
	const char *node = json_string_value(json_object_get(spec, "nodeName"));
	const char *uid = json_string_value(json_object_get(meta(l, o), "uid"));
	struct k8s_pod *p;
	uint32_t ns, name;
	size_t n;

	if (!whose(l, o, &ns, &name))
		return;
	p = k8s_pod_place(l->k, ns, name);
	if (!p) {
		l->in.error = -ENOMEM;
		return;
	}
	own_labels(l, &p->mem, &p->labels, o);
	p->host_network = json_is_true(json_object_get(spec, "hostNetwork"));
	p->node = node ? name_of(l, node) : 0;
	p->uid = uid ? name_of(l, uid) : 0;
	p->mirror = is_mirror(meta(l, o));
	p->workload = workload(l, meta(l, o));
	c = json_object_get(spec, "containers");
	init = json_object_get(spec, "initContainers");
	p->sidecar = sidecar(c);
	if (!p->sidecar)
		p->sidecar = sidecar(init);
	n = count_ports(c) + count_ports(init);
	p->ports = n ? read_room(l, &p->mem, n, sizeof(*p->ports)) : NULL;
	if (p->ports) {
		pod_ports(l, p, c, false);
		pod_ports(l, p, init, true);
	}
	p->ports_known = spec != NULL;
	pod_status(l, p, status);
	if (l->bad)
		k8s_pod_forget(p);
	else if (!k8s_pod_index(l->k, p))
		l->in.error = -ENOMEM;
}

void read_node(struct loader *l, const json_t *o)
{
	const json_t *spec = get_object(l, o, "spec"), *status = get_object(l, o, "status"), *list;
	const char *name = json_string_value(json_object_get(meta(l, o), "name"));
	const char *one = json_string_value(json_object_get(spec, "podCIDR"));
	struct k8s_node *n;

	if (!name || !*name) {
		mistake_at(l, MISTAKE_ERROR, "metadata.name", "is missing");
		return;
	}
	n = k8s_node_place(l->k, name_of(l, name));
	if (!n) {
		l->in.error = -ENOMEM;
		return;
	}
	own_labels(l, &n->mem, &n->labels, o);
	list = json_object_get(spec, "podCIDRs");
	n->pod_cidrs = read_room(l, &n->mem, json_array_size(list) + 1, sizeof(*n->pod_cidrs));
	for (size_t i = 0; n->pod_cidrs && i < json_array_size(list); i++) {
		const char *s = json_string_value(json_array_get(list, i));

		n->n_pod_cidrs += s && cidr_parse(&n->pod_cidrs[n->n_pod_cidrs], s, NULL);
	}
	if (n->pod_cidrs && !n->n_pod_cidrs && one)
		n->n_pod_cidrs = cidr_parse(n->pod_cidrs, one, NULL);
	/* Hostnames stand among the addresses and are none. */
	n->n_ips = read_ips(l, &n->mem, &n->ips, json_object_get(status, "addresses"), "address");
	if (l->bad)
		k8s_node_forget(n);
	else if (!k8s_node_index(l->k, n))
		l->in.error = -ENOMEM;
}

void read_service(struct loader *l, const json_t *o)
{
	const json_t *spec = get_object(l, o, "spec");
	const char *one = json_string_value(json_object_get(spec, "clusterIP"));
	struct k8s_service *s;
	uint32_t ns, name;

	if (!whose(l, o, &ns, &name))
		return;
	s = k8s_service_place(l->k, ns, name);
	if (!s) {
		l->in.error = -ENOMEM;
		return;
	}
	s->n_ips = read_ips(l, &s->mem, &s->ips, json_object_get(spec, "clusterIPs"), NULL);
	if (!s->n_ips && one) {
		s->ips = read_room(l, &s->mem, 1, sizeof(*s->ips));
		s->n_ips = s->ips && addr_parse(s->ips, one, strlen(one), NULL);
	}
	if (!k8s_service_index(l->k, s))
		l->in.error = -ENOMEM;
}

/* ── what is it? ──────────────────────────────────────────────────────────── */

static void admin(struct loader *l, const json_t *o)
{
	read_admin_policy(l, o, POLICY_ADMIN);
}

static void baseline(struct loader *l, const json_t *o)
{
	read_admin_policy(l, o, POLICY_BASELINE);
}

static const struct {
	const char *kind, *group;	/* of its apiVersion, up to the slash; "": v1 */
	void (*read)(struct loader *l, const json_t *o);
} kinds[] = {
	{ "Pod", "", read_pod },
	{ "Namespace", "", read_namespace },
	{ "Node", "", read_node },
	{ "Service", "", read_service },
	{ "NetworkPolicy", "networking.k8s.io", read_network_policy },
	{ "AdminNetworkPolicy", "policy.networking.k8s.io", admin },
	{ "BaselineAdminNetworkPolicy", "policy.networking.k8s.io", baseline },
};

/* Policies of other makers: what they do is not known here. */
static const char *const others[] = { "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy",
				      "StagedNetworkPolicy", "ClusterNetworkPolicy", "NetworkPolicy" };

/* Where a List names its kind after its items, an item's shape tells it. */
static const char *guess_kind(const json_t *o)
{
	const json_t *spec = json_object_get(o, "spec"), *status = json_object_get(o, "status");

	if (json_object_get(spec, "containers"))
		return "Pod";
	if (json_object_get(spec, "subject"))
		return json_object_get(spec, "priority") ? "AdminNetworkPolicy" : "BaselineAdminNetworkPolicy";
	if (json_object_get(spec, "podSelector") || json_object_get(spec, "policyTypes"))
		return "NetworkPolicy";
	if (json_object_get(spec, "clusterIP") || json_object_get(spec, "clusterIPs"))
		return "Service";
	if (json_object_get(status, "nodeInfo"))
		return "Node";
	return "Namespace";
}

/* {"type": "ADDED", "object": {…}} */
static const json_t *of_event(const json_t *o, bool *deleted, bool *none)
{
	const char *type = json_string_value(json_object_get(o, "type"));
	const json_t *inner = json_object_get(o, "object");

	*deleted = *none = false;
	if (!type || !json_is_object(inner) || json_object_get(o, "kind"))
		return o;
	*deleted = !strcmp(type, "DELETED");
	*none = !strcmp(type, "BOOKMARK") || !strcmp(type, "ERROR");
	return inner;
}

static void name_object(struct loader *l, const json_t *o, const char *kind)
{
	const json_t *m = json_object_get(o, "metadata");
	const char *ns = json_string_value(json_object_get(m, "namespace"));
	const char *name = json_string_value(json_object_get(m, "name"));

	snprintf(l->object, sizeof(l->object), "%.100s %.256s%s%.256s", kind, ns ? ns : "", ns ? "/" : "",
		 name ? name : "(no name)");
}

/* It keeps its place: in which round it went counts. */
static void forget_other(struct loader *l, const char *kind, uint32_t ns, const char *name)
{
	struct k8s *k = l->k;

	if (!strcmp(kind, "Namespace")) {
		ns = k8s_ns(k, name_of(l, name));
		if (ns) {
			k8s_ns_forget(k, &k->ns[ns]);
			k->ns[ns].seen = k->round;
		}
	} else if (!strcmp(kind, "Node")) {
		struct k8s_node *n = k8s_node_place(k, name_of(l, name));

		if (n) {
			k8s_node_forget(n);
			n->seen = k->round;
		}
	} else if (!strcmp(kind, "Service")) {
		struct k8s_service *s = k8s_service_place(k, ns, name_of(l, name));

		if (s) {
			k8s_service_forget(s);
			s->seen = k->round;
		}
	}
}

static void forget(struct loader *l, const json_t *o, const char *kind)
{
	const json_t *m = json_object_get(o, "metadata");
	const char *ns_text = json_string_value(json_object_get(m, "namespace"));
	const char *name = json_string_value(json_object_get(m, "name"));
	uint32_t ns = ns_text ? k8s_ns(l->k, name_of(l, ns_text)) : 0;
	static const char *const policies[] = { "AdminNetworkPolicy", "NetworkPolicy", "BaselineAdminNetworkPolicy" };
	struct k8s_policy *policy;
	struct k8s_pod *pod;

	if (!name)
		return;
	l->rep->deleted++;
	if (!strcmp(kind, "Pod")) {
		pod = k8s_pod_place(l->k, ns, name_of(l, name));
		if (pod) {
			k8s_pod_forget(pod);
			pod->seen = l->k->round;
		}
	}
	forget_other(l, kind, ns, name);
	for (unsigned int i = 0; i < 3; i++) {
		if (strcmp(kind, policies[i]))
			continue;
		policy = k8s_policy_place(l->k, (enum policy_kind)i, i == POLICY_NETWORK ? ns : 0, name_of(l, name));
		if (policy) {
			k8s_policy_forget(l->k, policy);
			policy->seen = l->k->round;
		}
	}
}

/* Is what was told of it since newer than this? */
static bool was_told(struct loader *l, const json_t *o, const char *kind)
{
	const json_t *m = json_object_get(o, "metadata");
	const char *ns = json_string_value(json_object_get(m, "namespace"));
	const char *name = json_string_value(json_object_get(m, "name"));

	return l->rep->since && name && k8s_seen(l->k, kind, ns ? ns : "", name) >= l->rep->since;
}

/* What the API server says in place of what was asked for. */
static void refusal(struct loader *l, const json_t *o)
{
	const char *status = json_string_value(json_object_get(o, "status"));
	const char *message = json_string_value(json_object_get(o, "message"));

	if (status && !strcmp(status, "Failure"))
		mistake_at(l, MISTAKE_ERROR, NULL, "the API server refused: %.300s", message ? message : "no reason");
}

static void other_kind(struct loader *l, const char *kind)
{
	l->rep->skipped++;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcasecmp(kind, kinds[i].kind) && strcmp(kind, kinds[i].kind) != 0)
			mistake_at(l, MISTAKE_ERROR, "kind", "'%.40s' is no kind: did you mean %s?", kind,
				   kinds[i].kind);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(kind, others[i])) {
			l->k->other_kinds++;
			mistake_at(l, MISTAKE_NOTE, NULL, "policies of this kind are not evaluated");
		}
}

static bool group_is(const char *version, const char *group)
{
	const char *slash = version ? strchr(version, '/') : NULL;
	size_t n = slash ? (size_t)(slash - version) : 0;

	return !version || (strlen(group) == n && !strncmp(version, group, n));
}

/* One that was not read item by item: an anchor is on it, or it was merged. */
static bool load_list(struct loader *l, const json_t *o, const char *kind)
{
	const json_t *items = json_object_get(o, "items");
	size_t n = strlen(kind);

	if (n < 4 || strcmp(kind + n - 4, "List") || !json_is_array(items))
		return false;
	for (size_t i = 0; i < json_array_size(items) && !l->in.error; i++)
		load_object(l, json_array_get(items, i), kind);
	return true;
}

void load_object(struct loader *l, const json_t *o, const char *list_kind)
{
	const char *kind, *version;
	char of_list[64] = "";
	bool deleted, none;

	l->path_len = 0;
	l->path[0] = l->object[0] = 0;
	l->bad = false;
	l->told = l->placed = 0;
	if (!json_is_object(o)) {
		mistake_at(l, MISTAKE_ERROR, NULL, "an object is expected");
		return;
	}
	o = of_event(o, &deleted, &none);
	kind = json_string_value(json_object_get(o, "kind"));
	version = json_string_value(json_object_get(o, "apiVersion"));
	if (!kind && list_kind) {
		size_t n = strlen(list_kind);

		if (n > 4 && n < sizeof(of_list) && !strcmp(list_kind + n - 4, "List"))
			snprintf(of_list, sizeof(of_list), "%.*s", (int)n - 4, list_kind);
		kind = *of_list ? of_list : guess_kind(o);
	}
	name_object(l, o, kind ? kind : "object");
	if (none)
		return;
	if (!kind) {
		mistake_at(l, MISTAKE_ERROR, "kind", "is missing");
		return;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].kind, kind) || !group_is(version, kinds[i].group))
			continue;
		if (was_told(l, o, kind))
			return;
		l->rep->objects++;
		if (deleted)
			forget(l, o, kind);
		else
			kinds[i].read(l, o);
		return;
	}
	if (!strcmp(kind, "Status"))
		refusal(l, o);
	else if (!load_list(l, o, kind))
		other_kind(l, kind);
}
