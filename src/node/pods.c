// SPDX-License-Identifier: GPL-2.0-or-later
#include "node/pods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "util/err.h"

/* A sandbox that the plugin knows and the runtime does not have yet is being made; after so long it is left over. */
#define STARTING_NS (INT64_C(60) * 1000000000)

int node_pods_open(struct node_pods *p)
{
	struct hash_key key = { 1, 2 };

	if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key))
		key = hash_key_from((uint32_t)(uintptr_t)p);
	memset(p, 0, sizeof(*p));
	p->names.key = p->by_uid.key = p->by_sandbox.key = p->by_name.key = p->by_addr.key = p->by_iface.key = key;
	p->running.key = p->newest.key = p->newest_time.key = key;
	return 0;
}

void node_pods_free(struct node_pods *p)
{
	intern_free(&p->names);
	numbers_free(&p->by_uid);
	numbers_free(&p->by_sandbox);
	numbers_free(&p->by_name);
	numbers_free(&p->by_addr);
	numbers_free(&p->by_iface);
	numbers_free(&p->running);
	numbers_free(&p->sidecars);
	numbers_free(&p->newest);
	numbers_free(&p->newest_time);
	free(p->v);
	memset(p, 0, sizeof(*p));
}

static uint64_t name_key(uint32_t ns, uint32_t name)
{
	return (uint64_t)ns << 32 | name;
}

static uint64_t addr_key(const struct node_pods *p, const struct addr *a)
{
	uint64_t w[3] = { a->family, 0, 0 };

	memcpy(w + 1, a->b, a->family == 4 ? 4 : 16);
	return hash_words(&p->names.key, w, 3);
}

/* ── joining ──────────────────────────────────────────────────────────────── */

/* Its texts as numbers. */
struct ids {
	uint32_t ns, name, uid, sandbox;
};

static bool text_id(struct node_pods *p, const char *s, uint32_t *id)
{
	*id = *s ? intern(&p->names, s, strlen(s)) : 0;
	return *id || !*s;
}

static bool ids_of(struct node_pods *p, const struct told_pod *t, struct ids *id)
{
	return text_id(p, t->ns, &id->ns) && text_id(p, t->name, &id->name) && text_id(p, t->uid, &id->uid) &&
	       text_id(p, t->sandbox, &id->sandbox);
}

/* May both be the same pod? */
static bool agree(uint32_t a, uint32_t b)
{
	return !a || !b || a == b;
}

static struct node_pod *at(struct node_pods *p, uint32_t i, const struct ids *id)
{
	struct node_pod *pod = i ? &p->v[i - 1] : NULL;

	if (!pod || !agree(pod->uid, id->uid) || !agree(pod->ns, id->ns) || !agree(pod->name, id->name))
		return NULL;
	/* One uid is one pod, whatever sandbox it has now. */
	return (pod->uid && id->uid) || agree(pod->sandbox, id->sandbox) ? pod : NULL;
}

static struct node_pod *known(struct node_pods *p, const struct ids *id)
{
	struct node_pod *pod = NULL;

	if (id->uid)
		pod = at(p, numbers_get(&p->by_uid, id->uid), id);
	if (!pod && id->sandbox)
		pod = at(p, numbers_get(&p->by_sandbox, id->sandbox), id);
	if (!pod && id->name)
		pod = at(p, numbers_get(&p->by_name, name_key(id->ns, id->name)), id);
	return pod;
}

static struct node_pod *add(struct node_pods *p)
{
	if (p->n == p->room) {
		uint32_t room = p->room ? 2 * p->room : 64;
		struct node_pod *v = realloc(p->v, room * sizeof(*v));

		if (!v)
			return NULL;
		p->v = v;
		p->room = room;
	}
	p->v[p->n] = (struct node_pod){ 0 };
	return &p->v[p->n++];
}

static void put_addr(struct node_pod *pod, const struct addr *a, const struct fact *f, bool main)
{
	struct node_addr *to = &pod->addrs[main ? pod->n_main : pod->n_addrs];

	for (unsigned int i = 0; i < pod->n_addrs; i++)
		if (addr_same(&pod->addrs[i].a, a))
			return;
	if (pod->n_addrs == POD_ADDRS_MAX) {
		pod->more_addrs = true;
		return;
	}
	memmove(to + 1, to, (size_t)(pod->addrs + pod->n_addrs - to) * sizeof(*to));
	*to = (struct node_addr){ .a = *a, .kind = f->kind, .main = main, .time_ns = f->time_ns };
	pod->n_addrs++;
	pod->n_main += main;
}

static void put_text(struct node_pods *p, uint32_t *to, const char *s, bool instead)
{
	if (*s && (!*to || instead))
		text_id(p, s, to);
}

static bool index_pod(struct node_pods *p, const struct node_pod *pod)
{
	uint32_t i = (uint32_t)(pod - p->v) + 1;
	uint32_t other = numbers_get(&p->by_name, name_key(pod->ns, pod->name));

	if ((pod->uid && !numbers_set(&p->by_uid, pod->uid, i)) ||
	    (pod->sandbox && !numbers_set(&p->by_sandbox, pod->sandbox, i)))
		return false;
	/* Of two of one name, which have two uids, the one that got its address last; a log has none. */
	if (!pod->name || (other && other != i && p->v[other - 1].start_ns >= pod->start_ns))
		return true;
	return numbers_set(&p->by_name, name_key(pod->ns, pod->name), i);
}

/* What a pod says of itself counts where nobody else has spoken. */
static void join_network(struct node_pods *p, struct node_pod *pod, const struct told_pod *t, const struct fact *f)
{
	bool own_word = f->kind == FACT_HOSTS;

	if (own_word && node_pod_known(pod) && (pod->n_addrs || pod->host_network))
		return;
	pod->host_network |= t->host_network && !(own_word && node_pod_known(pod));
	put_text(p, &pod->iface, t->iface, t->main);
	put_text(p, &pod->netns, t->netns, f->kind == FACT_CNI_RESULT);
	put_text(p, &pod->network, t->network, t->main);
	for (unsigned int i = 0; i < t->n_addrs; i++)
		put_addr(pod, &t->addrs[i], f, t->main || f->kind != FACT_CNI_RESULT);
	pod->more_addrs |= t->more_addrs;
	if (f->kind == FACT_CNI_RESULT && f->time_ns > pod->start_ns)
		pod->start_ns = f->time_ns;
}

static int join(struct node_pods *p, const struct told_pod *t, const struct ids *id, const struct fact *f)
{
	struct node_pod *pod = known(p, id);
	bool is_new = !pod;

	if (!pod && p->n == NODE_PODS_MAX) {
		p->left_out++;
		return 0;
	}
	if (!pod)
		pod = add(p);
	if (!pod)
		return -ENOMEM;
	pod->ns = pod->ns ? pod->ns : id->ns;
	pod->name = pod->name ? pod->name : id->name;
	/* A log is left behind by an earlier pod of the name, too. */
	if (is_new || f->kind != FACT_LOG)
		pod->uid = pod->uid ? pod->uid : id->uid;
	pod->sandbox = pod->sandbox ? pod->sandbox : id->sandbox;
	pod->by_crio |= t->by_crio;
	join_network(p, pod, t, f);
	pod->sources |= 1u << f->kind;
	return index_pod(p, pod) ? 0 : -ENOMEM;
}

/* ── what is left over ────────────────────────────────────────────────────── */

/* The sandbox that runs, else the one whose result is later, to the second. */
static bool note_newest(struct node_pods *p, const struct ids *id, const struct fact *f)
{
	uint32_t seconds = f->time_ns > 0 ? (uint32_t)(f->time_ns / 1000000000) : 0;
	uint32_t was = numbers_get(&p->newest, id->uid), was_time = numbers_get(&p->newest_time, id->uid);
	bool runs = numbers_get(&p->running, id->sandbox), was_runs = was && numbers_get(&p->running, was);

	if (was && (was_runs != runs ? was_runs : was_time >= seconds))
		return true;
	return numbers_set(&p->newest, id->uid, id->sandbox) && numbers_set(&p->newest_time, id->uid, seconds);
}

/* The runtime's sandboxes, and of each uid the one that counts. */
static bool look_ahead(struct node_pods *p, const struct facts *f, enum fact_kind kind,
		       int (*tell)(struct told_pod *t, const struct fact *f))
{
	struct fact fact;
	size_t pos = 0;
	struct ids id;

	while (facts_next(f, &pos, &fact)) {
		struct told_pod t = { 0 };

		if (fact.kind != kind || tell(&t, &fact) != 1)
			continue;
		if (!ids_of(p, &t, &id))
			return false;
		if (kind == FACT_RUNTIME && id.sandbox && !numbers_set(&p->running, id.sandbox, 1))
			return false;
		if (kind == FACT_CNI_RESULT && id.uid && id.sandbox && !note_newest(p, &id, &fact))
			return false;
	}
	return true;
}

/* It is being made: not all have been told of it. */
static bool is_young(const struct node_pods *p, int64_t time_ns)
{
	return p->now_ns && time_ns > p->now_ns - STARTING_NS;
}

static bool is_stale(const struct node_pods *p, const struct ids *id, const struct fact *f)
{
	if (id->sandbox && numbers_get(&p->running, id->sandbox))
		return id->uid && numbers_get(&p->newest, id->uid) != id->sandbox;
	if (p->boot_ns && f->time_ns < p->boot_ns)
		return true;
	if (p->runtime_whole && !is_young(p, f->time_ns))
		return true;
	return id->uid && id->sandbox && numbers_get(&p->newest, id->uid) != id->sandbox;
}

/* ── whose an address is ──────────────────────────────────────────────────── */

enum { LIVES = 1u << FACT_RUNTIME | 1u << FACT_CGROUP | 1u << FACT_CNI_RESULT };

bool node_pod_lives(const struct node_pods *p, const struct node_pod *pod)
{
	uint32_t told = pod->sources & LIVES;

	if (!p->lives_told)
		return true;
	/* The plugin forgot to forget it. */
	if (told == 1u << FACT_CNI_RESULT && p->cgroups_whole && pod->uid && !is_young(p, pod->start_ns))
		return false;
	if (pod->by_crio)
		told &= ~(1u << FACT_RUNTIME);
	if (pod->robbed)
		told &= ~(1u << FACT_CNI_RESULT);
	return told;
}

static unsigned int rank(const struct node_addr *a)
{
	switch (a->kind) {
	case FACT_CNI_RESULT:
		return a->main ? 4 : 3;
	case FACT_RUNTIME:
		return 2;
	default:
		return 1;
	}
}

static void drop_addr(struct node_pod *pod, unsigned int i)
{
	pod->n_main -= i < pod->n_main;
	pod->n_addrs--;
	memmove(&pod->addrs[i], &pod->addrs[i + 1], (pod->n_addrs - i) * sizeof(pod->addrs[0]));
	pod->robbed |= !pod->n_addrs;
}

static unsigned int place_of(const struct node_pod *pod, const struct addr *a)
{
	unsigned int i = 0;

	while (i < pod->n_addrs && !addr_same(&pod->addrs[i].a, a))
		i++;
	return i;
}

/* The i-th of the pod's addresses, against whoever has it so far.  -1: it lost it. */
static int claim(struct node_pods *p, struct node_pod *pod, unsigned int i)
{
	struct node_addr *a = &pod->addrs[i], *b;
	uint64_t key = addr_key(p, &a->a);
	uint32_t other = numbers_get(&p->by_addr, key);
	struct node_pod *holder = other ? &p->v[other - 1] : NULL;
	unsigned int k = holder ? place_of(holder, &a->a) : 0;

	if (!holder || holder == pod || k == holder->n_addrs)
		return numbers_set(&p->by_addr, key, (uint32_t)(pod - p->v) + 1) ? 0 : -ENOMEM;
	b = &holder->addrs[k];
	/* Further networks may have the same addresses. */
	if (!a->main && !b->main && a->kind == FACT_CNI_RESULT && b->kind == FACT_CNI_RESULT) {
		a->shared = b->shared = true;
		return 0;
	}
	if (rank(b) > rank(a) || (rank(b) == rank(a) && b->time_ns >= a->time_ns)) {
		drop_addr(pod, i);
		return -1;
	}
	drop_addr(holder, k);
	return numbers_set(&p->by_addr, key, (uint32_t)(pod - p->v) + 1) ? 0 : -ENOMEM;
}

static bool index_iface(struct node_pods *p, const struct node_pod *pod)
{
	uint32_t other = numbers_get(&p->by_iface, pod->iface);

	return (other && p->v[other - 1].start_ns > pod->start_ns) ||
	       numbers_set(&p->by_iface, pod->iface, (uint32_t)(pod - p->v) + 1);
}

static bool settle_addrs(struct node_pods *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		struct node_pod *pod = &p->v[i];

		if (pod->host_network)
			pod->n_addrs = pod->n_main = 0;
		if (pod->iface && node_pod_lives(p, pod) && !index_iface(p, pod))
			return false;
		for (unsigned int k = 0; k < pod->n_addrs && node_pod_lives(p, pod);) {
			int got = claim(p, pod, k);

			if (got < -1)
				return false;
			k += got == 0;
		}
	}
	/* Who has ended had it. */
	for (uint32_t i = 0; i < p->n; i++)
		for (unsigned int k = p->v[i].n_addrs; k-- && !node_pod_lives(p, &p->v[i]);)
			if (numbers_get(&p->by_addr, addr_key(p, &p->v[i].addrs[k].a)))
				drop_addr(&p->v[i], k);
	return true;
}

/* ── all facts ────────────────────────────────────────────────────────────── */

static int (*const tells[FACT_KINDS])(struct told_pod *t, const struct fact *f) = {
	[FACT_CNI_RESULT] = tell_cni_result,
	[FACT_RUNTIME] = tell_runtime,
	[FACT_CGROUP] = tell_cgroup,
	[FACT_HOSTS] = tell_hosts,
	[FACT_LOG] = tell_log,
};

static int note_sidecar(struct node_pods *p, const struct ids *id, const char *mesh)
{
	unsigned int i = 0;

	while (i < p->n_sidecars && strcmp(p->sidecar_names[i], mesh) != 0)
		i++;
	if (i == sizeof(p->sidecar_names) / sizeof(p->sidecar_names[0]))
		return 0;
	p->sidecar_names[i] = mesh;
	p->n_sidecars += i == p->n_sidecars;
	return numbers_set(&p->sidecars, id->sandbox, i + 1) ? 0 : -ENOMEM;
}

static void put_sidecars(struct node_pods *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		uint32_t mesh = p->v[i].sandbox ? numbers_get(&p->sidecars, p->v[i].sandbox) : 0;

		p->v[i].sidecar = mesh ? p->sidecar_names[mesh - 1] : NULL;
	}
}

static int read_kind(struct node_pods *p, const struct facts *f, enum fact_kind kind)
{
	struct fact fact;
	size_t pos = 0;
	int err = 0;

	while (!err && facts_next(f, &pos, &fact)) {
		struct told_pod t = { 0 };
		struct ids id;
		int told;

		if (fact.kind != kind)
			continue;
		told = tells[kind](&t, &fact);
		p->broken[kind] += told < 0;
		if (told <= 0)
			continue;
		if (!ids_of(p, &t, &id))
			return -ENOMEM;
		if (told == 2)
			err = note_sidecar(p, &id, t.sidecar);
		else if (kind == FACT_CNI_RESULT && is_stale(p, &id, &fact))
			p->stale++;
		else
			err = join(p, &t, &id, &fact);
	}
	return err;
}

/* A kind at a time, the one that knows most first: what one leaves out, the uid or the name, another may tell. */
int node_pods_read(struct node_pods *p, const struct facts *f)
{
	bool ok;

	p->boot_ns = f->boot_ns;
	p->now_ns = f->now_ns;
	ok = look_ahead(p, f, FACT_RUNTIME, tell_runtime) && look_ahead(p, f, FACT_CNI_RESULT, tell_cni_result);
	p->cgroups_whole = f->there[FACT_CGROUP] && !f->left_out[FACT_CGROUP];
	p->runtime_whole = f->there[FACT_RUNTIME] && p->running.n && !f->left_out[FACT_RUNTIME];
	for (unsigned int kind = 0; kind < FACT_KINDS && ok; kind++) {
		p->lives_told |= f->there[kind] && (LIVES & 1u << kind);
		ok = !tells[kind] || !read_kind(p, f, kind);
	}
	put_sidecars(p);
	return ok && settle_addrs(p) ? 0 : fail(ENOMEM, "the node's pods");
}

const struct node_pod *node_pod_by_addr(const struct node_pods *p, const struct addr *a)
{
	uint32_t i = numbers_get(&p->by_addr, addr_key(p, a));
	const struct node_pod *pod = i ? &p->v[i - 1] : NULL;
	unsigned int k = pod ? place_of(pod, a) : 0;

	return pod && k < pod->n_addrs && !pod->addrs[k].shared ? pod : NULL;
}

const struct node_pod *node_pod_by_iface(const struct node_pods *p, const char *name)
{
	uint32_t id = intern_find(&p->names, name, strlen(name)), i = id ? numbers_get(&p->by_iface, id) : 0;

	return i ? &p->v[i - 1] : NULL;
}

const struct node_pod *node_pod_by_name(const struct node_pods *p, const char *ns, size_t ns_len, const char *name)
{
	uint32_t a = intern_find(&p->names, ns, ns_len), b = intern_find(&p->names, name, strlen(name)), i;

	i = a && b ? numbers_get(&p->by_name, name_key(a, b)) : 0;
	return i ? &p->v[i - 1] : NULL;
}
