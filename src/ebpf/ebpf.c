// SPDX-License-Identifier: GPL-2.0-or-later
/* What entries of agents' maps say. */
#include "ebpf/ebpf.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ebpf/parts.h"
#include "util/bytes.h"
#include "util/err.h"

/* ── which maps ───────────────────────────────────────────────────────────── */

static bool begins(const char **s, const char *with)
{
	size_t n = strlen(with);

	if (strncmp(*s, with, n))
		return false;
	*s += n;
	return true;
}

enum ebpf_kind ebpf_kind_of(const char *name, uint32_t *endpoint)
{
	static const struct {
		const char *name;
		enum ebpf_kind kind;
	} whole[] = {
		{ "cilium_policystats", EBPF_COUNTS }, { "cilium_lxc", EBPF_ENDPOINTS },
		{ "cilium_ipcache", EBPF_IDENTITIES }, { "cilium_ipcache_v2", EBPF_IDENTITIES },
		{ "cilium_metrics", EBPF_DROPS }, { "cali_rule_ctrs2", EBPF_RULE_COUNTS },
	};
	const char *s = name;

	*endpoint = 0;
	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (!strcmp(name, whole[i].name))
			return whole[i].kind;
	/* With a digit: the layout is another at times. */
	if (begins(&s, "cali_counters"))
		return strlen(s) == 1 && strspn(s, "0123456789") ? EBPF_IFACE_COUNTS : EBPF_OTHER;
	/* The number of an endpoint has 16 bits, in five digits. */
	if (!begins(&s, "cilium_policy_v2_") && !begins(&s, "cilium_policy_v3_") && !begins(&s, "cilium_policy_"))
		return EBPF_OTHER;
	if (strlen(s) != 5 || strspn(s, "0123456789") != 5)
		return EBPF_OTHER;
	*endpoint = (uint32_t)strtoul(s, NULL, 10);
	return EBPF_POLICY;
}

bool ebpf_is_known(enum ebpf_kind kind, const struct ebpf_head *h)
{
	static const struct {
		uint8_t kind, type, key_size, value_size;
	} forms[] = {
		{ EBPF_POLICY, BPF_MAP_TYPE_HASH, 8, 24 },		/* to 1.15 */
		{ EBPF_POLICY, BPF_MAP_TYPE_LPM_TRIE, 12, 24 },		/* 1.16 */
		{ EBPF_POLICY, BPF_MAP_TYPE_LPM_TRIE, 12, 8 },		/* 1.17, with EBPF_COUNTS */
		{ EBPF_POLICY, BPF_MAP_TYPE_LPM_TRIE, 12, 12 },		/* then with a cookie, a precedence */
		{ EBPF_COUNTS, BPF_MAP_TYPE_LRU_PERCPU_HASH, 12, 16 },
		{ EBPF_ENDPOINTS, BPF_MAP_TYPE_HASH, 20, 48 },
		{ EBPF_IDENTITIES, BPF_MAP_TYPE_LPM_TRIE, 24, 12 },
		{ EBPF_IDENTITIES, BPF_MAP_TYPE_LPM_TRIE, 24, 24 },	/* tunnels by IPv6 */
		{ EBPF_DROPS, BPF_MAP_TYPE_PERCPU_HASH, 8, 16 },
		{ EBPF_DROPS, BPF_MAP_TYPE_LRU_PERCPU_HASH, 8, 16 },
		{ EBPF_RULE_COUNTS, BPF_MAP_TYPE_PERCPU_HASH, 8, 8 },
		{ EBPF_IFACE_COUNTS, BPF_MAP_TYPE_PERCPU_HASH, 8, 20 * 8 },
		{ EBPF_IFACE_COUNTS, BPF_MAP_TYPE_PERCPU_HASH, 8, 24 * 8 },
		{ EBPF_IFACE_COUNTS, BPF_MAP_TYPE_PERCPU_HASH, 8, 27 * 8 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (forms[i].kind == kind && forms[i].type == h->type && forms[i].key_size == h->key_size &&
		    forms[i].value_size == h->value_size)
			return true;
	return false;
}

/* ── entries ──────────────────────────────────────────────────────────────── */

/* Room for one more at the end, all zero; NULL: no memory. */
static __attribute__((noinline)) void *one_more(void *array, uint32_t *n, uint32_t *room, size_t size)
{
	void **p = array;

	if (*n == *room) {
		uint32_t more = *room ? *room * 2 : 64;
		void *grown = more > *room ? realloc(*p, more * size) : NULL;

		if (!grown)
			return NULL;
		*p = grown;
		*room = more;
	}
	return memset((char *)*p + (*n)++ * size, 0, size);
}

#define ONE_MORE(e, what) one_more(&(e)->what, &(e)->n_##what, &(e)->room_##what, sizeof(*(e)->what))

struct ebpf_map *ebpf_map_slot(struct ebpf *e)
{
	return ONE_MORE(e, maps);
}

struct ebpf_rule *ebpf_rule_slot(struct ebpf *e)
{
	return ONE_MORE(e, rules);
}

struct ebpf_named *ebpf_named_slot(struct ebpf *e, bool label)
{
	return label ? ONE_MORE(e, labels) : ONE_MORE(e, pods);
}

char **ebpf_text_slot(struct ebpf *e)
{
	return ONE_MORE(e, texts);
}

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t word64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint16_t half(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The first of a byte's bit-fields, of 1 bit, or of 2: compilers begin at the low end where integers do. */
static bool first_bit(uint8_t v)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v & 1 : v >> 7;
}

static uint8_t first_two(uint8_t v)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v & 3 : v >> 6;
}

/* So many bits of protocol and port are compared: none, the protocol, or that and the front of the port. */
static bool take_bits(uint32_t bits, uint8_t proto, uint16_t port, uint8_t *to_proto, uint16_t *to_port,
		      uint8_t *to_bits)
{
	if ((bits && bits < 8) || bits > 24)
		return false;
	*to_proto = bits ? proto : 0;
	*to_bits = bits > 8 ? (uint8_t)(bits - 8) : 0;
	*to_port = *to_bits ? (uint16_t)(port & 0xffffu << (16 - *to_bits)) : 0;
	return true;
}

/* sec_label, egress, protocol and dport, which both the map's key and the counters' have. */
enum { STATIC_BITS = 40 };

static int take_policy(struct ebpf *e, uint32_t map, const uint8_t *key, const uint8_t *value)
{
	struct ebpf_map *m = &e->maps[map];
	struct ebpf_rule r = { .map = map }, *to;
	bool egress;

	if (m->key_size == 8) {
		r.peer = word(key);
		r.port = be16(key + 4);
		r.proto = key[6];
		r.port_bits = r.port ? 16 : 0;
		egress = first_bit(key[7]);
	} else {
		r.peer = word(key + 4);
		egress = first_bit(key[8]);
		if (word(key) < STATIC_BITS ||
		    !take_bits(word(key) - STATIC_BITS, key[9], be16(key + 10), &r.proto, &r.port, &r.port_bits)) {
			e->broken++;
			return 0;
		}
	}
	r.ingress = !egress;
	r.to_port = be16(value);
	r.verdict = first_bit(value[2]) ? NF_DROPS : r.to_port ? NF_REDIRECTS : NF_ACCEPTS;
	r.meaning = MEANS_POLICY;
	/* Where no policy selects the endpoint everybody comes through; so one may say. */
	if (!r.peer && !r.proto && r.verdict == NF_ACCEPTS) {
		r.meaning = MEANS_NOTHING;
		m->open[r.ingress] = true;
	}
	if (m->value_size == 24) {
		r.packets = word64(value + 8);
		r.bytes = word64(value + 16);
		r.counted = true;
	}
	to = ONE_MORE(e, rules);
	if (!to)
		return -ENOMEM;
	*to = r;
	return 0;
}

static int take_count(struct ebpf *e, const uint8_t *key, const uint8_t *value)
{
	struct ebpf_count *c = ONE_MORE(e, counts);

	if (!c)
		return -ENOMEM;
	c->endpoint = half(key);
	c->peer = word(key + 4);
	c->ingress = !first_bit(key[8]);
	c->packets = word64(value);
	c->bytes = word64(value + 8);
	if (!take_bits(key[3], key[9], be16(key + 10), &c->proto, &c->port, &c->port_bits)) {
		e->broken++;
		e->n_counts--;
	}
	return 0;
}

/* Cilium's numbers of the families are 1 and 2. */
static bool take_addr(struct addr *a, const uint8_t *bytes, uint8_t family)
{
	if (family != 1 && family != 2)
		return false;
	a->family = family == 1 ? 4 : 6;
	memcpy(a->b, bytes, family == 1 ? 4 : 16);
	return true;
}

static int take_endpoint(struct ebpf *e, const uint8_t *key, const uint8_t *value)
{
	struct ebpf_endpoint *p = ONE_MORE(e, endpoints);

	if (!p)
		return -ENOMEM;
	p->ifindex = word(value);
	p->id = half(value + 6);
	p->identity = word(value + 32);		/* of 1.12 zero */
	if (!take_addr(&p->addr, key, key[16])) {
		e->broken++;
		e->n_endpoints--;
	}
	return 0;
}

static int take_peer(struct ebpf *e, const uint8_t *key, const uint8_t *value)
{
	uint32_t bits = word(key) - 32;		/* in front of the address: cluster and family */
	struct ebpf_peer *p = ONE_MORE(e, peers);

	if (!p)
		return -ENOMEM;
	p->identity = word(value);
	p->bits = (uint8_t)bits;
	if (!take_addr(&p->addr, key + 8, key[7]) || bits > (p->addr.family == 4 ? 32 : 128)) {
		e->broken++;
		e->n_peers--;
	}
	return 0;
}

enum { DROPS_BEGIN = 130, POLICY_DENIED = 133, DENIED_BY_RULE = 181 };

/* Of one reason and direction there is an entry for each line of the program that drops. */
static int take_drops(struct ebpf *e, uint32_t map, const uint8_t *key, const uint8_t *value)
{
	uint8_t way = first_two(key[1]);
	int8_t ingress = way == 1 ? 1 : way == 2 ? 0 : -1;
	struct ebpf_rule *r = NULL;

	if (key[0] < DROPS_BEGIN)
		return 0;
	for (uint32_t i = e->n_rules; i-- > 0 && e->rules[i].map == map && !r;)
		if (e->rules[i].reason == key[0] && e->rules[i].ingress == ingress)
			r = &e->rules[i];
	if (!r)
		r = ONE_MORE(e, rules);
	if (!r)
		return -ENOMEM;
	r->map = map;
	r->reason = key[0];
	r->ingress = ingress;
	r->verdict = NF_DROPS;
	r->meaning = key[0] == POLICY_DENIED ? MEANS_DEFAULT_DENY :
		     key[0] == DENIED_BY_RULE ? MEANS_POLICY : MEANS_NOTHING;
	r->counted = true;
	r->packets += word64(value);
	r->bytes += word64(value + 8);
	return 0;
}

static int take_id(struct ebpf *e, const uint8_t *key, const uint8_t *value)
{
	struct ebpf_id *id = ONE_MORE(e, ids);

	if (!id)
		return -ENOMEM;
	*id = (struct ebpf_id){ word64(key), word64(value) };
	return 0;
}

/* Of an interface and hook: at the places of the array that have meant the same since there are such. */
static int take_iface(struct ebpf *e, uint32_t map, const uint8_t *key, const uint8_t *value)
{
	enum { ACCEPTED = 2, DROPPED = 4, EGRESS = 1, HOOKS = 3 };
	static const uint8_t at[] = { ACCEPTED, DROPPED };

	if (word(key + 4) >= HOOKS) {
		e->broken++;
		return 0;
	}
	for (size_t i = 0; i < sizeof(at); i++) {
		struct ebpf_rule *r = ONE_MORE(e, rules);

		if (!r)
			return -ENOMEM;
		r->map = map;
		r->ifindex = word(key);
		r->ingress = word(key + 4) != EGRESS;
		r->reason = at[i];
		r->verdict = at[i] == DROPPED ? NF_DROPS : NF_ACCEPTS;
		r->meaning = MEANS_POLICY;
		r->counted = true;
		r->packets = word64(value + 8 * (size_t)at[i]);
	}
	return 0;
}

static int take_entry(struct ebpf *e, uint32_t map, const uint8_t *key, const uint8_t *value)
{
	switch ((enum ebpf_kind)e->maps[map].kind) {
	case EBPF_POLICY:
		return take_policy(e, map, key, value);
	case EBPF_COUNTS:
		return take_count(e, key, value);
	case EBPF_ENDPOINTS:
		return take_endpoint(e, key, value);
	case EBPF_IDENTITIES:
		return take_peer(e, key, value);
	case EBPF_DROPS:
		return take_drops(e, map, key, value);
	case EBPF_RULE_COUNTS:
		return take_id(e, key, value);
	case EBPF_IFACE_COUNTS:
		return take_iface(e, map, key, value);
	case EBPF_OTHER:
	case EBPF_DUMP:
	case EBPF_KINDS:
		break;
	}
	return 0;
}

int ebpf_parse(struct ebpf *e, const char *name, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	struct ebpf_head h;
	struct ebpf_map *m;
	uint32_t endpoint, i;
	enum ebpf_kind kind = ebpf_kind_of(name, &endpoint);
	int rc = 0;

	if (kind == EBPF_OTHER || n < sizeof(h)) {
		e->broken++;
		return 0;
	}
	memcpy(&h, p, sizeof(h));
	m = ONE_MORE(e, maps);
	if (!m)
		return fail(ENOMEM, "maps of eBPF");
	*m = (struct ebpf_map){
		.endpoint = endpoint, .type = h.type, .key_size = h.key_size, .value_size = h.value_size,
		.kind = (uint8_t)kind,
		.owner = strncmp(name, "cali_", 5) ? OWNER_CILIUM : OWNER_CALICO,
		.known = ebpf_is_known(kind, &h),
	};
	snprintf(m->name, sizeof(m->name), "%s", name);
	if (!m->known)
		return 0;
	i = e->n_maps - 1;
	e->ids_there |= kind == EBPF_RULE_COUNTS;
	p += sizeof(h);
	n -= sizeof(h);
	for (uint32_t k = 0; k < h.n && n >= h.key_size + h.value_size && !rc; k++) {
		rc = take_entry(e, i, p, p + h.key_size);
		p += h.key_size + h.value_size;
		n -= h.key_size + h.value_size;
	}
	return rc ? fail(-rc, "maps of eBPF") : 0;
}

/* ── looking up ───────────────────────────────────────────────────────────── */

static int order(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* An endpoint or a peer: by its number, which comes first, and the address. */
static int by_number(const void *a, const void *b)
{
	const struct ebpf_peer *x = a, *y = b;
	int by = order(x->identity, y->identity);

	if (!by)
		by = order(x->addr.family, y->addr.family);
	return by ? by : memcmp(x->addr.b, y->addr.b, sizeof(x->addr.b));
}

_Static_assert(!offsetof(struct ebpf_endpoint, id) && !offsetof(struct ebpf_peer, identity), "begin alike");
_Static_assert(offsetof(struct ebpf_endpoint, addr) == offsetof(struct ebpf_peer, addr), "begin alike");

static uint64_t ports_of(const struct ebpf_count *c)
{
	return (uint64_t)c->ingress << 32 | (uint32_t)c->proto << 24 | (uint32_t)c->port_bits << 16 | c->port;
}

static int by_key(const void *a, const void *b)
{
	const struct ebpf_count *x = a, *y = b;
	int by = order((uint64_t)x->endpoint << 32 | x->peer, (uint64_t)y->endpoint << 32 | y->peer);

	return by ? by : order(ports_of(x), ports_of(y));
}

/* By endpoint, direction, peer, port; drops behind them. */
static int by_rule(const void *a, const void *b)
{
	const struct ebpf_rule *x = a, *y = b;
	int by = order(x->map, y->map);

	if (!by)
		by = order((uint64_t)x->place << 32 | x->ifindex, (uint64_t)y->place << 32 | y->ifindex);
	if (!by)
		by = order((uint64_t)(1 - x->ingress), (uint64_t)(1 - y->ingress));
	if (!by)
		by = order((uint64_t)x->peer << 32 | (uint64_t)x->proto << 24 | x->port,
			   (uint64_t)y->peer << 32 | (uint64_t)y->proto << 24 | y->port);
	return by ? by : order((uint64_t)x->port_bits << 8 | x->reason, (uint64_t)y->port_bits << 8 | y->reason);
}

/* What was read twice, for the map changed meanwhile, is there once. */
static __attribute__((noinline)) void sort(void *p, uint32_t *n, size_t size, int (*by)(const void *, const void *))
{
	char *all = p;
	uint32_t kept = 0;

	if (*n)
		qsort(p, *n, size, by);
	for (uint32_t i = 0; i < *n; i++)
		if (!kept || by(all + (kept - 1) * size, all + i * size))
			memmove(all + kept++ * size, all + i * size, size);
	*n = kept;
}

static int by_id(const void *a, const void *b)
{
	return order(((const struct ebpf_id *)a)->id, ((const struct ebpf_id *)b)->id);
}

static int by_named(const void *a, const void *b)
{
	return order(((const struct ebpf_named *)a)->number, ((const struct ebpf_named *)b)->number);
}

/* A rule that nothing came to has no entry; of an end whose id we made that may mean that it was made otherwise. */
static void join_id(const struct ebpf *e, struct ebpf_rule *r)
{
	const struct ebpf_id key = { .id = r->id };
	const struct ebpf_id *found = e->n_ids ? bsearch(&key, e->ids, e->n_ids, sizeof(*e->ids), by_id) : NULL;

	if (!found && r->id_is_ours)
		r->id = 0;
	r->counted = found || (e->ids_there && r->id);
	r->packets = found ? found->packets : 0;
}

static void join_count(const struct ebpf *e, struct ebpf_rule *r)
{
	const struct ebpf_count key = {
		.endpoint = e->maps[r->map].endpoint, .peer = r->peer, .ingress = r->ingress > 0, .proto = r->proto,
		.port = r->port, .port_bits = r->port_bits,
	};
	const struct ebpf_count *c = bsearch(&key, e->counts, e->n_counts, sizeof(*e->counts), by_key);

	if (!c)
		return;
	r->packets = c->packets;
	r->bytes = c->bytes;
	r->counted = true;
}

void ebpf_join(struct ebpf *e)
{
	sort(e->endpoints, &e->n_endpoints, sizeof(*e->endpoints), by_number);
	sort(e->peers, &e->n_peers, sizeof(*e->peers), by_number);
	sort(e->counts, &e->n_counts, sizeof(*e->counts), by_key);
	sort(e->rules, &e->n_rules, sizeof(*e->rules), by_rule);
	sort(e->pods, &e->n_pods, sizeof(*e->pods), by_named);
	sort(e->labels, &e->n_labels, sizeof(*e->labels), by_named);
	sort(e->ids, &e->n_ids, sizeof(*e->ids), by_id);
	for (uint32_t i = 0; i < e->n_rules; i++) {
		struct ebpf_rule *r = &e->rules[i];
		uint8_t kind = e->maps[r->map].kind;

		if (kind == EBPF_POLICY && !r->counted && e->n_counts)
			join_count(e, r);
		else if (kind == EBPF_DUMP)
			join_id(e, r);
	}
}

/* The first of *found that have the number, of n of `size`. */
static __attribute__((noinline)) const void *look_up(const void *all, uint32_t n, size_t size, uint32_t number,
						     uint32_t *found)
{
	const uint8_t *p = all;
	uint32_t low = 0, high = n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (word(p + mid * size) < number)
			low = mid + 1;
		else
			high = mid;
	}
	for (*found = 0; low + *found < n && word(p + (low + *found) * size) == number;)
		++*found;
	return *found ? p + low * size : NULL;
}

const struct ebpf_endpoint *ebpf_endpoint(const struct ebpf *e, uint32_t id, uint32_t *n)
{
	return look_up(e->endpoints, e->n_endpoints, sizeof(*e->endpoints), id, n);
}

const struct ebpf_peer *ebpf_peers(const struct ebpf *e, uint32_t identity, uint32_t *n)
{
	return look_up(e->peers, e->n_peers, sizeof(*e->peers), identity, n);
}

const char *ebpf_pod(const struct ebpf *e, uint32_t endpoint)
{
	uint32_t n;
	const struct ebpf_named *p = look_up(e->pods, e->n_pods, sizeof(*p), endpoint, &n);

	return p ? p->text : "";
}

const char *ebpf_labels(const struct ebpf *e, uint32_t identity)
{
	uint32_t n;
	const struct ebpf_named *p = look_up(e->labels, e->n_labels, sizeof(*p), identity, &n);

	return p ? p->text : "";
}

void ebpf_free(struct ebpf *e)
{
	free(e->maps);
	free(e->rules);
	free(e->endpoints);
	free(e->peers);
	free(e->counts);
	free(e->ids);
	free(e->pods);
	free(e->labels);
	for (uint32_t i = 0; i < e->n_texts; i++)
		free(e->texts[i]);
	free(e->texts);
	*e = (struct ebpf){ 0 };
}
