// SPDX-License-Identifier: GPL-2.0-or-later
/* Objects that change for weeks: which of them are gone, and what they have taken. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "k8s/k8s.h"
#include "util/err.h"

/* Policies have kinds of their own. */
static int policy_kind(const char *kind)
{
	static const char *const names[] = {
		[POLICY_ADMIN] = "AdminNetworkPolicy", [POLICY_NETWORK] = "NetworkPolicy",
		[POLICY_BASELINE] = "BaselineAdminNetworkPolicy",
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(kind, names[i]))
			return (int)i;
	return -1;
}

uint32_t k8s_seen(const struct k8s *k, const char *kind, const char *ns, const char *name)
{
	uint32_t id = intern_find(&k->names, name, strlen(name)), of = intern_find(&k->names, ns, strlen(ns));
	uint32_t in = of ? numbers_get(&k->ns_by_name, of) : 0, i;
	int policy = policy_kind(kind);

	if (!id)
		return 0;
	if (policy >= 0) {
		uint64_t key = k8s_policy_key((enum policy_kind)policy, policy == POLICY_NETWORK ? in : 0, id);

		i = numbers_get(&k->policy_by_name, key);
		return i ? k->policies[i].seen : 0;
	}
	if (!strcmp(kind, "Namespace")) {
		i = numbers_get(&k->ns_by_name, id);
		return i ? k->ns[i].seen : 0;
	}
	if (!strcmp(kind, "Node")) {
		i = numbers_get(&k->node_by_name, id);
		return i ? k->nodes[i].seen : 0;
	}
	if (!strcmp(kind, "Service")) {
		i = numbers_get(&k->service_by_name, k8s_key(in, id));
		return i ? k->services[i].seen : 0;
	}
	i = numbers_get(&k->pod_by_name, k8s_key(in, id));
	return i ? k->pods[i].seen : 0;
}

static uint32_t sweep_policies(struct k8s *k, enum policy_kind kind, uint32_t round)
{
	uint32_t n = 0;

	for (uint32_t i = 1; i < k->n_policies; i++) {
		struct k8s_policy *p = &k->policies[i];

		if (!p->alive || p->kind != kind || !p->seen || p->seen >= round)
			continue;
		k8s_policy_forget(k, p);
		n++;
	}
	return n;
}

uint32_t k8s_sweep(struct k8s *k, const char *kind, uint32_t round, uint8_t source)
{
	int policy = policy_kind(kind);
	uint32_t n = 0;

#define IS_GONE(o, lives) ((lives) && (o).seen && (o).seen < round && ++n)
	if (policy >= 0)
		return sweep_policies(k, (enum policy_kind)policy, round);
	if (!strcmp(kind, "Pod"))
		for (uint32_t i = 1; i < k->n_pods; i++)
			if (k->pods[i].source == source && IS_GONE(k->pods[i], k->pods[i].alive))
				k8s_pod_forget(&k->pods[i]);
	if (!strcmp(kind, "Namespace"))
		for (uint32_t i = 1; i < k->n_ns; i++)
			if (IS_GONE(k->ns[i], k->ns[i].known))
				k8s_ns_forget(k, &k->ns[i]);
	if (!strcmp(kind, "Node"))
		for (uint32_t i = 1; i < k->n_nodes; i++)
			if (IS_GONE(k->nodes[i], k->nodes[i].alive))
				k8s_node_forget(&k->nodes[i]);
	if (!strcmp(kind, "Service"))
		for (uint32_t i = 1; i < k->n_services; i++)
			if (IS_GONE(k->services[i], k->services[i].alive))
				k8s_service_forget(&k->services[i]);
#undef IS_GONE
	return n;
}

bool k8s_pods_index(struct k8s *k)
{
	for (uint32_t i = 1; i < k->n_pods; i++)
		for (uint32_t j = 0; j < k->pods[i].n_ips && k->pods[i].alive; j++)
			if (!k8s_pod_by_ip(k, &k->pods[i].ips[j]) && !k8s_pod_index(k, &k->pods[i]))
				return false;
	return true;
}

/* ── giving back ──────────────────────────────────────────────────────────── */

/* Numbers of one table become those of another. */
struct anew {
	struct intern old, *names;
	uint32_t *ns;			/* of namespaces: what becomes of each place */
	bool failed;
};

static void renumber(struct anew *a, uint32_t *id)
{
	const char *s = intern_text(&a->old, *id);

	if (!*id)
		return;
	*id = intern(a->names, s, strlen(s));
	a->failed |= !*id;
}

static void renumber_all(struct anew *a, uint32_t *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		renumber(a, &v[i]);
}

static int by_key(const void *a, const void *b)
{
	const struct label *p = a, *q = b;

	return p->key < q->key ? -1 : p->key > q->key;
}

static void renumber_labels(struct anew *a, struct labels *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		renumber(a, &l->v[i].key);
		renumber(a, &l->v[i].value);
	}
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_key);
}

/* They are constant for all others. */
static void renumber_selector(struct anew *a, const struct selector *s)
{
	for (uint32_t i = 0; s && i < s->n; i++) {
		renumber(a, &s->terms[i].key);
		renumber_all(a, s->terms[i].values, s->terms[i].n_values);
	}
}

static void renumber_rule(struct anew *a, struct k8s_rule *r)
{
	renumber(a, &r->name);
	for (uint32_t i = 0; i < r->n_ports; i++)
		renumber(a, &r->ports[i].name);
	for (uint32_t i = 0; i < r->n_peers; i++) {
		struct k8s_peer *p = &r->peers[i];

		renumber_selector(a, p->ns);
		renumber_selector(a, p->pod);
		renumber_all(a, p->same, p->n_same);
		renumber_all(a, p->not_same, p->n_not_same);
	}
}

static void renumber_policy(struct anew *a, struct k8s_policy *p)
{
	renumber(a, &p->name);
	renumber(a, &p->file);
	p->ns = p->ns ? a->ns[p->ns] : 0;
	renumber_selector(a, p->subject_ns);
	renumber_selector(a, p->pods);
	for (unsigned int side = 0; side < SIDES; side++)
		for (uint32_t i = 0; i < p->n_rules[side]; i++)
			renumber_rule(a, &p->rules[side][i]);
}

static void renumber_pod(struct anew *a, struct k8s_pod *p)
{
	uint32_t *const ids[] = { &p->name, &p->node, &p->uid, &p->workload };

	for (unsigned int i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		renumber(a, ids[i]);
	p->ns = p->ns ? a->ns[p->ns] : 0;
	renumber_labels(a, &p->labels);
	for (uint32_t i = 0; i < p->n_ports; i++)
		renumber(a, &p->ports[i].name);
	p->generation = 0;
}

/* Addresses are found at the places where those that have them are now; whose place is 0, not any more. */
static bool move_ips(struct numbers *m, const uint32_t *places)
{
	struct numbers old = *m;
	bool ok = true;

	*m = (struct numbers){ .key = old.key };
	for (uint32_t i = 0; i < old.n_slots; i++)
		if (old.values[i] && places[old.values[i]])
			ok = ok && numbers_set(m, old.keys[i], places[old.values[i]]);
	numbers_free(&old);
	return ok;
}

/*
 * Those that live, one behind the other, the rest empty, and no more room than twice as many need.  by_ip: what finds
 * them, or NULL.  How many.
 */
static uint32_t pack(struct anew *a, void **v, uint32_t n, uint32_t *room, size_t size, size_t alive,
		     struct numbers *by_ip)
{
	uint32_t to = 1, want, *places = calloc(n + 1, sizeof(*places));
	char *p = *v, *less;

	a->failed |= !places;
	if (!n || !places) {
		free(places);
		return n;
	}
	for (uint32_t i = 1; i < n; i++) {
		if (!*(bool *)(p + i * size + alive))
			continue;
		if (to != i)
			memcpy(p + to * size, p + i * size, size);
		places[i] = to++;
	}
	if (by_ip)
		a->failed |= !move_ips(by_ip, places);
	free(places);
	want = to < 32 ? 64 : 2 * to;
	less = want < *room ? realloc(p, want * size) : NULL;
	if (less) {
		p = less;
		*v = p;
		*room = want;
	}
	memset(p + to * size, 0, (*room - to) * size);
	return to;
}

#define PACK(a, k, what, type, by_ip) \
	((k)->n_##what = pack(a, (void **)&(k)->what, (k)->n_##what, &(k)->room_##what, sizeof(type), \
			      offsetof(type, alive), by_ip))

/* A namespace that was read, or in which something is, stays. */
static void pack_namespaces(struct k8s *k, struct anew *a)
{
	uint32_t to = 1;

	for (uint32_t i = 1; i < k->n_pods; i++)
		a->ns[k->pods[i].ns] = 1;
	for (uint32_t i = 1; i < k->n_policies; i++)
		a->ns[k->policies[i].ns] = 1;
	for (uint32_t i = 1; i < k->n_services; i++)
		a->ns[k->services[i].ns] = 1;
	a->ns[0] = 0;
	for (uint32_t i = 1; i < k->n_ns; i++) {
		if (!a->ns[i] && !k->ns[i].known) {
			free(k->ns[i].labels.v);
			continue;
		}
		a->ns[i] = to;
		k->ns[to++] = k->ns[i];
	}
	if (to < k->n_ns)
		memset(&k->ns[to], 0, (k->n_ns - to) * sizeof(*k->ns));
	k->n_ns = k->n_ns ? to : 0;
}

static void renumber_objects(struct k8s *k, struct anew *a)
{
	renumber(a, &k->metadata_name);
	for (uint32_t i = 1; i < k->n_ns; i++) {
		renumber(a, &k->ns[i].name);
		renumber_labels(a, &k->ns[i].labels);
	}
	for (uint32_t i = 1; i < k->n_pods; i++)
		renumber_pod(a, &k->pods[i]);
	for (uint32_t i = 1; i < k->n_policies; i++)
		renumber_policy(a, &k->policies[i]);
	for (uint32_t i = 1; i < k->n_nodes; i++) {
		renumber(a, &k->nodes[i].name);
		renumber_labels(a, &k->nodes[i].labels);
	}
	for (uint32_t i = 1; i < k->n_services; i++) {
		renumber(a, &k->services[i].name);
		k->services[i].ns = a->ns[k->services[i].ns];
	}
}

static bool index_names(struct k8s *k)
{
	bool ok = true;

	for (uint32_t i = 1; i < k->n_ns; i++)
		ok = ok && numbers_set(&k->ns_by_name, k->ns[i].name, i);
	for (uint32_t i = 1; i < k->n_pods; i++)
		ok = ok && (!k->pods[i].name ||
			    numbers_set(&k->pod_by_name, k8s_key(k->pods[i].ns, k->pods[i].name), i));
	for (uint32_t i = 1; i < k->n_policies; i++) {
		const struct k8s_policy *p = &k->policies[i];

		ok = ok && (!p->name || numbers_set(&k->policy_by_name, k8s_policy_key(p->kind, p->ns, p->name), i));
	}
	for (uint32_t i = 1; i < k->n_nodes; i++)
		ok = ok && numbers_set(&k->node_by_name, k->nodes[i].name, i);
	for (uint32_t i = 1; i < k->n_services; i++)
		ok = ok && numbers_set(&k->service_by_name, k8s_key(k->services[i].ns, k->services[i].name), i);
	return ok;
}

/* Only the key stays. */
static void empty(struct numbers *m)
{
	struct hash_key key = m->key;

	numbers_free(m);
	m->key = key;
}

int k8s_tidy(struct k8s *k)
{
	struct numbers *const by[] = { &k->ns_by_name, &k->pod_by_name, &k->policy_by_name, &k->node_by_name,
				       &k->service_by_name };
	struct anew a = { .old = k->names, .names = &k->names, .ns = calloc(k->n_ns + 1, sizeof(*a.ns)) };

	if (!a.ns)
		return fail(ENOMEM, "objects");
	k->names = (struct intern){ .key = a.old.key };
	PACK(&a, k, pods, struct k8s_pod, &k->pod_by_ip);
	PACK(&a, k, policies, struct k8s_policy, NULL);
	PACK(&a, k, nodes, struct k8s_node, &k->node_by_ip);
	PACK(&a, k, services, struct k8s_service, &k->service_by_ip);
	pack_namespaces(k, &a);
	renumber_objects(k, &a);
	for (unsigned int i = 0; i < sizeof(by) / sizeof(by[0]); i++)
		empty(by[i]);
	a.failed |= !index_names(k) || !k8s_pods_index(k);
	k->generation++;
	intern_free(&a.old);
	free(a.ns);
	return a.failed ? fail(ENOMEM, "objects") : 0;
}
