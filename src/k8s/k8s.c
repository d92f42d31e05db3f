// SPDX-License-Identifier: GPL-2.0-or-later
#include "k8s/k8s.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/err.h"

static const char metadata_name[] = "kubernetes.io/metadata.name";

/* Room for one more at the end of a table; false: no memory. */
static bool table_room(void **v, uint32_t *n, uint32_t *room, size_t size)
{
	uint32_t want = *room ? *room * 2 : 64;
	void *p;

	if (*n < *room)
		return true;
	p = realloc(*v, want * size);
	if (!p)
		return false;
	memset((char *)p + *room * size, 0, (want - *room) * size);
	*v = p;
	*room = want;
	if (!*n)
		*n = 1;
	return true;
}

int k8s_open(struct k8s **out)
{
	struct k8s *k = calloc(1, sizeof(*k));
	struct hash_key key = { 1, 2 };

	if (!k)
		return fail(ENOMEM, "objects");
	if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key))
		key = hash_key_from((uint32_t)(uintptr_t)k);
	k->names.key = key;
	k->ns_by_name.key = k->pod_by_name.key = k->policy_by_name.key = k->node_by_name.key = key;
	k->service_by_name.key = k->pod_by_ip.key = k->node_by_ip.key = k->service_by_ip.key = key;
	k->generation = 1;
	k->metadata_name = intern(&k->names, metadata_name, sizeof(metadata_name) - 1);
	if (!k->metadata_name) {
		k8s_close(k);
		return fail(ENOMEM, "objects");
	}
	*out = k;
	return 0;
}

void k8s_close(struct k8s *k)
{
	if (!k)
		return;
	for (uint32_t i = 1; i < k->n_ns; i++)
		free(k->ns[i].labels.v);
	for (uint32_t i = 1; i < k->n_pods; i++) {
		free(k->pods[i].selected_by);
		arena_free(&k->pods[i].mem);
	}
	for (uint32_t i = 1; i < k->n_policies; i++)
		arena_free(&k->policies[i].mem);
	for (uint32_t i = 1; i < k->n_nodes; i++)
		arena_free(&k->nodes[i].mem);
	for (uint32_t i = 1; i < k->n_services; i++)
		arena_free(&k->services[i].mem);
	free(k->ns);
	free(k->pods);
	free(k->policies);
	free(k->nodes);
	free(k->services);
	numbers_free(&k->ns_by_name);
	numbers_free(&k->pod_by_name);
	numbers_free(&k->policy_by_name);
	numbers_free(&k->node_by_name);
	numbers_free(&k->service_by_name);
	numbers_free(&k->pod_by_ip);
	numbers_free(&k->node_by_ip);
	numbers_free(&k->service_by_ip);
	intern_free(&k->names);
	free(k->order);
	free(k->order_of_ns);
	free(k);
}

uint32_t k8s_ns(struct k8s *k, uint32_t name)
{
	uint32_t i = numbers_get(&k->ns_by_name, name);
	struct k8s_ns *ns;

	if (i)
		return i;
	if (!table_room((void **)&k->ns, &k->n_ns, &k->room_ns, sizeof(*k->ns)))
		return 0;
	ns = &k->ns[k->n_ns];
	ns->name = name;
	/* Every namespace has this label (API server, 1.21); the others are not known yet. */
	ns->labels.v = calloc(1, sizeof(*ns->labels.v));
	if (!ns->labels.v || !numbers_set(&k->ns_by_name, name, k->n_ns))
		return 0;
	ns->labels.v[0] = (struct label){ k->metadata_name, name };
	ns->labels.n = 1;
	return k->n_ns++;
}

/* The place of the key, or a new one at the end; 0: no memory. */
static uint32_t place(struct numbers *by, uint64_t key, void **v, uint32_t *n, uint32_t *room, size_t size)
{
	uint32_t i = (uint32_t)key ? numbers_get(by, key) : 0;

	if (i)
		return i;
	if (!table_room(v, n, room, size) || ((uint32_t)key && !numbers_set(by, key, *n)))
		return 0;
	return (*n)++;
}

struct k8s_pod *k8s_pod_place(struct k8s *k, uint32_t ns, uint32_t name)
{
	uint32_t i = place(&k->pod_by_name, k8s_key(ns, name), (void **)&k->pods, &k->n_pods, &k->room_pods,
			   sizeof(*k->pods));
	struct k8s_pod *p;

	if (!i)
		return NULL;
	p = &k->pods[i];
	k8s_pod_forget(p);
	p->ns = ns;
	p->name = name;
	p->seen = k->round;
	p->alive = true;
	return p;
}

void k8s_pod_forget(struct k8s_pod *p)
{
	free(p->selected_by);
	arena_free(&p->mem);
	memset(p, 0, sizeof(*p));
}

struct k8s_policy *k8s_policy_place(struct k8s *k, enum policy_kind kind, uint32_t ns, uint32_t name)
{
	uint32_t i = place(&k->policy_by_name, k8s_policy_key(kind, ns, name), (void **)&k->policies, &k->n_policies,
			   &k->room_policies, sizeof(*k->policies));
	struct k8s_policy *p;

	if (!i)
		return NULL;
	p = &k->policies[i];
	k8s_policy_forget(k, p);
	p->kind = kind;
	p->ns = ns;
	p->name = name;
	p->seen = k->round;
	p->alive = true;
	return p;
}

void k8s_policy_forget(struct k8s *k, struct k8s_policy *p)
{
	arena_free(&p->mem);
	memset(p, 0, sizeof(*p));
	k->generation++;
}

void k8s_ns_forget(struct k8s *k, struct k8s_ns *ns)
{
	ns->known = ns->labels.whole = false;
	ns->labels.v[0] = (struct label){ k->metadata_name, ns->name };
	ns->labels.n = 1;
	k->generation++;
}

void k8s_node_forget(struct k8s_node *n)
{
	arena_free(&n->mem);
	memset(n, 0, sizeof(*n));
}

void k8s_service_forget(struct k8s_service *s)
{
	arena_free(&s->mem);
	memset(s, 0, sizeof(*s));
}

struct k8s_node *k8s_node_place(struct k8s *k, uint32_t name)
{
	uint32_t i = place(&k->node_by_name, name, (void **)&k->nodes, &k->n_nodes, &k->room_nodes, sizeof(*k->nodes));
	struct k8s_node *n;

	if (!i)
		return NULL;
	n = &k->nodes[i];
	arena_free(&n->mem);
	*n = (struct k8s_node){ .name = name, .seen = k->round, .alive = true };
	return n;
}

struct k8s_service *k8s_service_place(struct k8s *k, uint32_t ns, uint32_t name)
{
	uint32_t i = place(&k->service_by_name, k8s_key(ns, name), (void **)&k->services, &k->n_services,
			   &k->room_services, sizeof(*k->services));
	struct k8s_service *s;

	if (!i)
		return NULL;
	s = &k->services[i];
	arena_free(&s->mem);
	*s = (struct k8s_service){ .ns = ns, .name = name, .seen = k->round, .alive = true };
	return s;
}

static uint64_t ip_key(const struct k8s *k, const struct addr *a)
{
	uint64_t w[3] = { a->family, 0, 0 };

	memcpy(w + 1, a->b, a->family == 4 ? 4 : 16);
	return hash_words(&k->names.key, w, 3);
}

static bool has_ip(const struct addr *v, uint32_t n, const struct addr *a)
{
	for (uint32_t i = 0; i < n; i++)
		if (addr_same(&v[i], a))
			return true;
	return false;
}

static bool index_ips(const struct k8s *k, struct numbers *m, const struct addr *v, uint32_t n, size_t place)
{
	for (uint32_t i = 0; i < n; i++)
		if (!numbers_set(m, ip_key(k, &v[i]), (uint32_t)place))
			return false;
	return true;
}

bool k8s_pod_index(struct k8s *k, const struct k8s_pod *p)
{
	/* A pod of the host's network has the node's address, which is not its own. */
	return p->host_network || p->ended ||
	       index_ips(k, &k->pod_by_ip, p->ips, p->n_ips, (size_t)(p - k->pods));
}

bool k8s_node_index(struct k8s *k, const struct k8s_node *n)
{
	return index_ips(k, &k->node_by_ip, n->ips, n->n_ips, (size_t)(n - k->nodes));
}

bool k8s_service_index(struct k8s *k, const struct k8s_service *s)
{
	return index_ips(k, &k->service_by_ip, s->ips, s->n_ips, (size_t)(s - k->services));
}

const struct k8s_pod *k8s_pod_find(const struct k8s *k, const char *ns, size_t ns_len, const char *name)
{
	uint32_t ns_name = intern_find(&k->names, ns, ns_len), pod_name = intern_find(&k->names, name, strlen(name));
	uint32_t i = numbers_get(&k->ns_by_name, ns_name), at;

	if (!ns_name || !pod_name || !i)
		return NULL;
	at = numbers_get(&k->pod_by_name, k8s_key(i, pod_name));
	return at && k->pods[at].alive ? &k->pods[at] : NULL;
}

const struct k8s_pod *k8s_pod_by_ip(const struct k8s *k, const struct addr *a)
{
	uint32_t i = numbers_get(&k->pod_by_ip, ip_key(k, a));
	const struct k8s_pod *p = i ? &k->pods[i] : NULL;

	return p && p->alive && !p->ended && !p->host_network && has_ip(p->ips, p->n_ips, a) ? p : NULL;
}

const struct k8s_node *k8s_node_by_ip(const struct k8s *k, const struct addr *a)
{
	uint32_t i = numbers_get(&k->node_by_ip, ip_key(k, a));
	const struct k8s_node *n = i ? &k->nodes[i] : NULL;

	return n && n->alive && has_ip(n->ips, n->n_ips, a) ? n : NULL;
}

const struct k8s_service *k8s_service_by_ip(const struct k8s *k, const struct addr *a)
{
	uint32_t i = numbers_get(&k->service_by_ip, ip_key(k, a));
	const struct k8s_service *s = i ? &k->services[i] : NULL;

	return s && s->alive && has_ip(s->ips, s->n_ips, a) ? s : NULL;
}

const char *k8s_sidecar(const char *container)
{
	if (!strcmp(container, "istio-proxy"))
		return "istio";
	return strcmp(container, "linkerd-proxy") ? NULL : "linkerd";
}

bool k8s_is_pod_range(const struct k8s *k, const struct addr *a)
{
	for (uint32_t i = 1; i < k->n_nodes; i++)
		for (uint32_t j = 0; j < k->nodes[i].n_pod_cidrs; j++)
			if (k->nodes[i].alive && cidr_contains(&k->nodes[i].pod_cidrs[j], a))
				return true;
	return false;
}
