// SPDX-License-Identifier: GPL-2.0-or-later
/* policy pods, cni, rules: reading what a node has. */
#include "cmd/policy_network.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kern/link.h"
#include "util/caps.h"
#include "util/err.h"

/* ── with privileges ──────────────────────────────────────────────────────── */

static int take_interface(void *ctx, const struct link_info *l)
{
	struct network *n = ctx;

	facts_add(&n->facts, &(struct fact){
		.kind = FACT_INTERFACE,
		.path = l->name,
		.path_len = strlen(l->name),
		.bytes = (const char *)&l->ifindex,
		.n = sizeof(l->ifindex),
	});
	return 0;
}

static void failed(struct facts *f, enum fact_kind kind, int err)
{
	f->left_out[kind]++;
	f->err[kind] = err;
}

static bool addr_of(const struct sockaddr *from, struct addr *to)
{
	*to = (struct addr){ 0 };
	if (from && from->sa_family == AF_INET) {
		to->family = 4;
		memcpy(to->b, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
	} else if (from && from->sa_family == AF_INET6) {
		to->family = 6;
		memcpy(to->b, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
	}
	return to->family;
}

static void take_addresses(struct facts *f)
{
	struct ifaddrs *list = NULL;
	struct addr a;

	if (getifaddrs(&list)) {
		failed(f, FACT_ADDRESS, -errno);
		return;
	}
	f->there[FACT_ADDRESS] = true;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		if (addr_of(i->ifa_addr, &a))
			facts_add(f, &(struct fact){
				.kind = FACT_ADDRESS,
				.path = i->ifa_name,
				.path_len = strlen(i->ifa_name),
				.bytes = (const char *)&a,
				.n = sizeof(a),
			});
	freeifaddrs(list);
}

static void take_raw(struct facts *f, enum fact_kind kind, const char *family, struct nf_raw *raw, int rc)
{
	if (rc < 0)
		failed(f, kind, rc);
	else
		f->there[kind] = true;
	if (rc > 0)
		facts_add(f, &(struct fact){
			.kind = kind,
			.path = family,
			.path_len = strlen(family),
			.bytes = raw->bytes,
			.n = raw->n,
		});
	if (raw->cut)
		failed(f, kind, -EFBIG);
	free(raw->bytes);
}

static void take_rules(struct network *n)
{
	static const char *const tables[] = { "raw", "mangle", "nat", "filter", "security" };
	struct nf_raw raw;
	int rc = nf_read_netlink(&raw);

	take_raw(&n->facts, FACT_NFT, "", &raw, rc);
	/* What is missing for one is missing for all, and has been said. */
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]) && rc != -EPERM; i++) {
		rc = nf_read_legacy(&raw, AF_INET, tables[i]);
		take_raw(&n->facts, FACT_LEGACY, "4", &raw, rc);
		rc = nf_read_legacy(&raw, AF_INET6, tables[i]);
		take_raw(&n->facts, FACT_LEGACY, "6", &raw, rc);
	}
}

static int take_map(void *ctx, const char *name, const void *bytes, size_t size)
{
	struct network *n = ctx;

	facts_add(&n->facts, &(struct fact){
		.kind = FACT_EBPF,
		.path = name,
		.path_len = strlen(name),
		.bytes = bytes,
		.n = size,
	});
	return 0;
}

static void take_ebpf(struct network *n)
{
	int rc = ebpf_read(fact_place(FACT_EBPF), take_map, n);

	n->facts.there[FACT_EBPF] = !rc;
	if (rc)
		failed(&n->facts, FACT_EBPF, rc);
}

int network_collect(struct network *n, const char *root, uint32_t kinds)
{
	int err = facts_collect(&n->facts, root ? root : "/", root ? kinds & ~(1u << FACT_KUBELET) : kinds);

	if (err || root)
		return err;
	if (kinds & 1u << FACT_INTERFACE) {
		err = link_each(take_interface, n);
		if (err)
			failed(&n->facts, FACT_INTERFACE, err);
		n->facts.there[FACT_INTERFACE] = !err;
	}
	if (kinds & 1u << FACT_ADDRESS)
		take_addresses(&n->facts);
	if (kinds & 1u << FACT_NFT)
		take_rules(n);
	if (kinds & 1u << FACT_EBPF)
		take_ebpf(n);
	return 0;
}

/* ── without ──────────────────────────────────────────────────────────────── */

static const struct {
	enum fact_kind kind;
	enum cni_seen seen;
} sights[] = {
	{ FACT_CNI_CONF, SEEN_CONF }, { FACT_PIN, SEEN_PIN }, { FACT_AGENT, SEEN_SOCKET },
	{ FACT_INTERFACE, SEEN_INTERFACE },
};

static int read_rules(struct network *n, const struct facts *from)
{
	struct fact f;
	size_t at = 0;
	int err = 0;

	while (!err && facts_next(from, &at, &f)) {
		if (f.kind == FACT_NFT)
			err = nf_parse_netlink(&n->rules, f.bytes, f.n);
		else if (f.kind == FACT_LEGACY)
			err = nf_parse_legacy(&n->rules, f.path[0] == '6' ? NFPROTO_IPV6 : NFPROTO_IPV4, f.bytes, f.n);
	}
	n->rules_there = from->there[FACT_NFT] || from->there[FACT_LEGACY];
	return err ? err : nf_rules_sort(&n->rules);
}

static int read_agent(struct network *n, const struct fact *f)
{
	bool identities = f->path_len == strlen("identity") && !memcmp(f->path, "identity", f->path_len);
	char why[128] = "not understood";
	size_t size;
	const char *body = node_kubelet_body(f, &size, why, sizeof(why));
	int rc = body ? ebpf_parse_agent(&n->ebpf, identities, body, size) : -EINVAL;

	if (rc == -EINVAL)
		warn("%s: %s", fact_place(FACT_CILIUM), why);
	return rc == -EINVAL ? 0 : rc;
}

static int read_ebpf(struct network *n)
{
	char name[64];
	struct fact f;
	size_t at = 0;
	int err = 0;

	while (!err && facts_next(&n->facts, &at, &f)) {
		const char *slash = memrchr(f.path, '/', f.path_len), *base = slash ? slash + 1 : f.path;
		size_t len = f.path_len - (size_t)(base - f.path);

		if (f.kind == FACT_CILIUM)
			err = read_agent(n, &f);

		if ((f.kind != FACT_EBPF && f.kind != FACT_DUMP) || len >= sizeof(name))
			continue;
		memcpy(name, base, len);
		name[len] = '\0';
		err = f.kind == FACT_EBPF ? ebpf_parse(&n->ebpf, name, f.bytes, f.n) :
					    ebpf_parse_dump(&n->ebpf, name, f.bytes, f.n);
	}
	if (!err)
		ebpf_join(&n->ebpf);
	return err;
}

/* What was read of maps, as evidence. */
static void tell_maps(struct network *n)
{
	const struct ebpf *e = &n->ebpf;
	uint32_t maps[EBPF_KINDS] = { 0 }, rules[EBPF_KINDS] = { 0 };
	char text[96];

	for (uint32_t i = 0; i < e->n_maps; i++)
		maps[e->maps[i].kind] += e->maps[i].known;
	for (uint32_t i = 0; i < e->n_rules; i++)
		rules[e->maps[e->rules[i].map].kind]++;
	snprintf(text, sizeof(text), "maps of %u endpoints, %u rules, %u addresses of peers", maps[EBPF_POLICY],
		 rules[EBPF_POLICY], e->n_peers);
	if (rules[EBPF_POLICY])
		cni_saw_maps(&n->cni, OWNER_CILIUM, text);
	snprintf(text, sizeof(text), "%u programs, %u rules, %u counters of rules", maps[EBPF_DUMP], rules[EBPF_DUMP],
		 e->n_ids);
	if (rules[EBPF_DUMP])
		cni_saw_maps(&n->cni, OWNER_CALICO, text);
}

static void read_plugin(struct network *n)
{
	char path[512];
	struct fact f;
	size_t at = 0;

	cni_begin(&n->cni);
	while (facts_next(&n->facts, &at, &f)) {
		/* Of files the whole path: they stand without the first "/". */
		size_t root = f.kind != FACT_INTERFACE;

		if (f.kind == FACT_SYSCTL)
			n->bridge_filtered = f.n && f.bytes[0] != '0';
		if (f.path_len + root >= sizeof(path))
			continue;
		memcpy(path, "/", root);
		memcpy(path + root, f.path, f.path_len);
		path[root + f.path_len] = '\0';
		for (size_t i = 0; i < sizeof(sights) / sizeof(sights[0]); i++)
			if (sights[i].kind == f.kind)
				cni_saw(&n->cni, sights[i].seen, path, f.bytes, f.n);
	}
	if (n->rules_there)
		cni_saw_rules(&n->cni, &n->rules);
	tell_maps(n);
	cni_conclude(&n->cni);
}

int network_read(struct network *n)
{
	int err = node_pods_open(&n->pods);

	if (!err)
		err = node_pods_read(&n->pods, &n->facts);
	if (!err)
		err = read_rules(n, &n->facts);
	if (!err)
		err = read_ebpf(n);
	if (!err)
		read_plugin(n);
	return err;
}

int network_take_pods(struct network *n, struct facts *facts, struct node_pods *before)
{
	struct node_pods pods = { 0 };
	int err = node_pods_open(&pods);

	if (!err)
		err = node_pods_read(&pods, facts);
	if (err) {
		node_pods_free(&pods);
		return err;
	}
	node_pods_free(before);
	*before = n->pods;
	facts_free(&n->facts);
	n->pods = pods;
	n->facts = *facts;
	memset(facts, 0, sizeof(*facts));
	read_plugin(n);
	return 0;
}

int network_take_rules(struct network *n, const struct facts *facts)
{
	nf_rules_free(&n->rules);
	if (read_rules(n, facts))
		return -ENOMEM;
	read_plugin(n);
	return 0;
}

void network_iface(const struct network *n, uint32_t ifindex, char *out, size_t size)
{
	struct fact f;
	size_t at = 0;

	*out = '\0';
	while (facts_next(&n->facts, &at, &f)) {
		if (f.kind != FACT_INTERFACE || f.n != sizeof(ifindex) || memcmp(f.bytes, &ifindex, sizeof(ifindex)))
			continue;
		snprintf(out, size, "%.*s", (int)f.path_len, f.path);
		return;
	}
}

bool network_ebpf_whole(const struct network *n)
{
	bool whole = !n->facts.err[FACT_EBPF] && !n->facts.left_out[FACT_DUMP] && !n->ebpf.broken;

	for (uint32_t i = 0; i < n->ebpf.n_maps; i++)
		whole &= n->ebpf.maps[i].known;
	return whole;
}

static void tell_unknown_map(const struct ebpf_map *m, uint32_t more)
{
	char others[48] = "";

	if (more)
		snprintf(others, sizeof(others), ", nor are %u more of the kind", more);
	warn("%s/%s: not read%s: its values have %u bytes, its keys %u (type %u), which no known version has",
	     fact_place(FACT_EBPF), m->name, others, m->value_size, m->key_size, m->type);
}

/* One of each kind, and how many more there are. */
static void tell_unknown_maps(const struct ebpf *e)
{
	const struct ebpf_map *first[EBPF_KINDS] = { NULL };
	uint32_t more[EBPF_KINDS] = { 0 };

	for (uint32_t i = 0; i < e->n_maps; i++) {
		const struct ebpf_map *m = &e->maps[i];

		if (m->known)
			continue;
		more[m->kind] += first[m->kind] != NULL;
		first[m->kind] = first[m->kind] ? first[m->kind] : m;
	}
	for (unsigned int kind = 0; kind < EBPF_KINDS; kind++)
		if (first[kind])
			tell_unknown_map(first[kind], more[kind]);
	if (e->broken)
		warn("%s, %s: %u entries not understood", fact_place(FACT_EBPF), fact_place(FACT_DUMP), e->broken);
}

void network_tell_missing(const struct network *n)
{
	bool refused = false;

	for (unsigned int k = 0; k < FACT_KINDS; k++) {
		/* Whoever read the rules has said why it could not. */
		bool said = k == FACT_NFT || k == FACT_LEGACY || k == FACT_EBPF;

		if (k == FACT_KUBELET && n->facts.err[k] == -EPERM)
			warn("%s: whoever listens there is not root: not asked", fact_place(k));
		else if (n->facts.err[k] && !(said && n->facts.err[k] != -EFBIG))
			warn("%s: %u left out: %s", fact_place(k), n->facts.left_out[k], strerror(-n->facts.err[k]));
		else if (n->facts.left_out[k] && !said)
			warn("%s: %u left out: too large, too many, or no files", fact_place(k), n->facts.left_out[k]);
		if (n->pods.broken[k])
			warn("%s: %u not understood", fact_place(k), n->pods.broken[k]);
		refused |= n->facts.err[k] == -EACCES;
	}
	if (refused)
		note("%s", CAPS_REMEDY);
	if (n->pods.stale)
		note("%s: %u left over by pods that ended", fact_place(FACT_CNI_RESULT), n->pods.stale);
	if (n->pods.left_out)
		warn("%u pods left out: more than %d", n->pods.left_out, NODE_PODS_MAX);
	if (n->rules.broken)
		warn("rules of the packet filter: %u not understood", n->rules.broken);
	if (n->rules.cut)
		warn("rules of the packet filter: more than %d chains or %d rules: not all are here", NF_CHAINS_MAX,
		     NF_RULES_MAX);
	tell_unknown_maps(&n->ebpf);
}

void network_free(struct network *n)
{
	facts_free(&n->facts);
	node_pods_free(&n->pods);
	nf_rules_free(&n->rules);
	ebpf_free(&n->ebpf);
}

const char *network_family(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4: return "ip";
	case NFPROTO_IPV6: return "ip6";
	case NFPROTO_INET: return "inet";
	case NFPROTO_ARP: return "arp";
	case NFPROTO_BRIDGE: return "bridge";
	case NFPROTO_NETDEV: return "netdev";
	}
	return NULL;
}

/* ── objects ──────────────────────────────────────────────────────────────── */

static bool shares_address(const struct node_pod *n, const struct k8s_pod *o)
{
	for (unsigned int i = 0; i < n->n_addrs; i++)
		for (uint32_t k = 0; k < o->n_ips; k++)
			if (addr_same(&n->addrs[i].a, &o->ips[k]))
				return true;
	return false;
}

const struct k8s_pod *network_object(const struct node_pods *p, const struct k8s *k, const struct node_pod *n)
{
	const char *ns = node_text(p, n->ns), *uid = node_text(p, n->uid);
	const struct k8s_pod *o = k8s_pod_find(k, ns, strlen(ns), node_text(p, n->name));

	if (!o)
		return NULL;
	if (n->uid && o->uid && !(o->mirror && !strchr(uid, '-')))
		return !strcmp(uid, intern_text(&k->names, o->uid)) ? o : NULL;
	return !n->n_addrs || !o->n_ips || shares_address(n, o) ? o : NULL;
}

uint32_t network_this_node(const struct node_pods *p, const struct k8s *k)
{
	for (uint32_t i = 0; i < p->n; i++) {
		const struct node_pod *n = &p->v[i];
		bool whole = n->name && n->uid && node_pod_lives(p, n);
		const struct k8s_pod *o = whole ? network_object(p, k, n) : NULL;

		if (o && o->node && o->uid)
			return o->node;
	}
	return 0;
}

int network_kubelet(const struct facts *facts, struct policy *p)
{
	struct fact f;
	size_t at = 0;
	int err = 0;

	while (!err && facts_next(facts, &at, &f)) {
		const char *body;
		char why[128];
		size_t n = 0;

		if (f.kind != FACT_KUBELET)
			continue;
		body = node_kubelet_body(&f, &n, why, sizeof(why));
		if (!body)
			warn("%s: %s", fact_place(FACT_KUBELET), why);
		else
			err = load_text(p->k, body, n, "the kubelet", &p->rep);
		policy_loaded(p, OBJECT_KUBELET);
	}
	return err;
}

/* ── words ────────────────────────────────────────────────────────────────── */

int whom_take(struct whom *w, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i], *slash = strchr(word, '/'), *name = slash ? slash + 1 : word;

		if (w->n == WHOM_MAX)
			return fail(0, "more than %d words", WHOM_MAX);
		w->v[w->n].word = word;
		if (!addr_parse(&w->v[w->n].addr, word, strlen(word), NULL)) {
			w->v[w->n].ns_len = slash ? (size_t)(slash - word) : 0;
			w->v[w->n].name = *name ? name : NULL;
			if ((slash && slash == word) || !*word || strchr(name, '/') || strpbrk(word, "*?[] "))
				return fail(0, "'%s' is no NAMESPACE/NAME and no address", word);
		}
		w->n++;
	}
	return 0;
}

static bool word_fits(const struct whom *w, unsigned int i, const struct whom_row *r)
{
	const char *word = w->v[i].word, *name = w->v[i].name;
	size_t n = strlen(word);

	for (unsigned int k = 0; k < r->n_addrs; k++)
		if (addr_same(&r->addrs[k], &w->v[i].addr))
			return true;
	if (w->v[i].addr.family)
		return false;
	if (w->v[i].ns_len)
		return !strncmp(r->ns, word, w->v[i].ns_len) && !r->ns[w->v[i].ns_len] &&
		       (!name || !strcmp(r->name, name));
	return !strcmp(r->name, word) || !strcmp(r->iface, word) || !strcmp(r->uid, word) ||
	       (n >= SANDBOX_MIN && !strncmp(r->sandbox, word, n));
}

bool whom_fits(struct whom *w, const struct whom_row *r)
{
	bool any = !w->n;

	for (unsigned int i = 0; i < w->n; i++) {
		bool fits = word_fits(w, i, r);

		w->v[i].found |= fits;
		w->v[i].is_ns |= !strcmp(r->ns, w->v[i].word);
		any |= fits;
	}
	return any;
}

int whom_found(const struct whom *w, const char *what)
{
	int rc = EXIT_DONE;

	for (unsigned int i = 0; i < w->n; i++) {
		const char *word = w->v[i].word;

		if (w->v[i].found)
			continue;
		rc = EXIT_FAILED;
		if (w->v[i].is_ns)
			fail(0, "%s: %s; %s/ is all of that namespace", word, what, word);
		else
			fail(0, "%s: %s", word, what);
	}
	return rc;
}
