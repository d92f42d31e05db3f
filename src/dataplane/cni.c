// SPDX-License-Identifier: GPL-2.0-or-later
/* What a node's configurations, interfaces, pinned maps, chains and sockets say of its network. */
#include "dataplane/cni.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* What is seen beside whose it is. */
enum mark {
	OVERLAY_VXLAN = 1, OVERLAY_IPIP = 2, OVERLAY_WIREGUARD = 4, OVERLAY_GENEVE = 8,	/* as in cni_facts.overlays */
	MARK_BRIDGE = 16, MARK_OVS = 32, MARK_EBPF = 64, MARK_IPVS = 128,
	MARK_SVC_CILIUM = 256, MARK_SVC_CALICO = 512, MARK_SVC_IPTABLES = 1024, MARK_SVC_NFT = 2048,
	MARK_POLICY = 4096,	/* its agent enforces policies */
	MARK_HOST_LOCAL = 8192,	/* the configuration leaves addresses to another */
	MARK_TUNL0 = 16384,	/* the kernel makes that one with its module: it says nothing alone */
};

#define OVERLAYS (OVERLAY_VXLAN | OVERLAY_IPIP | OVERLAY_WIREGUARD | OVERLAY_GENEVE)

/* In a name or path: # is digits and small letters a to f, at least eight; * the rest. */
struct sight {
	const char *text;
	uint8_t owner;
	uint16_t marks;
};

/* The names are those that the plugins' own sources give to interfaces. */
static const struct sight interfaces[] = {
	{ "cilium_host", OWNER_CILIUM, MARK_EBPF },
	{ "cilium_net", OWNER_CILIUM, MARK_EBPF },
	{ "cilium_vxlan", OWNER_CILIUM, MARK_EBPF | OVERLAY_VXLAN },
	{ "cilium_geneve", OWNER_CILIUM, MARK_EBPF | OVERLAY_GENEVE },
	{ "cilium_wg0", OWNER_CILIUM, MARK_EBPF | OVERLAY_WIREGUARD },
	{ "lxc#", OWNER_CILIUM, 0 },
	{ "lxc_health", OWNER_CILIUM, 0 },
	{ "cali#", OWNER_CALICO, 0 },
	{ "vxlan.calico", OWNER_CALICO, OVERLAY_VXLAN },
	{ "vxlan-v6.calico", OWNER_CALICO, OVERLAY_VXLAN },
	{ "wireguard.cali", OWNER_CALICO, OVERLAY_WIREGUARD },
	{ "wg-v6.cali", OWNER_CALICO, OVERLAY_WIREGUARD },
	{ "bpfin.cali", OWNER_CALICO, MARK_EBPF },
	{ "bpfout.cali", OWNER_CALICO, MARK_EBPF },
	{ "tunl0", OWNER_NONE, MARK_TUNL0 },
	{ "flannel-wg*", OWNER_FLANNEL, OVERLAY_WIREGUARD },
	{ "flannel.ipip", OWNER_FLANNEL, OVERLAY_IPIP },
	{ "flannel.*", OWNER_FLANNEL, OVERLAY_VXLAN },
	{ "flannel-v6.*", OWNER_FLANNEL, OVERLAY_VXLAN },
	{ "cni0", OWNER_CNI_PLUGIN, MARK_BRIDGE },
	{ "kube-bridge", OWNER_KUBE_ROUTER, MARK_BRIDGE },
	{ "kube-dummy-if", OWNER_KUBE_ROUTER, MARK_IPVS },
	{ "kube-ipvs0", OWNER_KUBE_PROXY, MARK_IPVS },
	{ "weave", OWNER_WEAVE, MARK_BRIDGE },
	{ "vethwepl*", OWNER_WEAVE, 0 },
	{ "vxlan-6784", OWNER_WEAVE, OVERLAY_VXLAN },
	{ "antrea-gw0", OWNER_ANTREA, MARK_OVS },
	{ "antrea-tun0", OWNER_ANTREA, MARK_OVS },
	{ "antrea-wg0", OWNER_ANTREA, OVERLAY_WIREGUARD },
	{ "ovn-k8s-mp0", OWNER_OVN, MARK_OVS },
	{ "ovs-system", OWNER_NONE, MARK_OVS },
	{ "genev_sys_*", OWNER_NONE, OVERLAY_GENEVE },
	{ "vxlan_sys_*", OWNER_NONE, OVERLAY_VXLAN },
	{ "eni#", OWNER_AWS, 0 },
};

static const struct sight pins[] = {
	{ "cilium_lb4_services*", OWNER_CILIUM, MARK_EBPF | MARK_POLICY | MARK_SVC_CILIUM },
	{ "cilium_*", OWNER_CILIUM, MARK_EBPF | MARK_POLICY },
	{ "cali_v4_nat_fe*", OWNER_CALICO, MARK_EBPF | MARK_POLICY | MARK_SVC_CALICO },
	{ "cali_*", OWNER_CALICO, MARK_EBPF | MARK_POLICY },
};

/* Folders of sockets below /run or /var/run. */
static const struct sight sockets[] = {
	{ "cilium/*", OWNER_CILIUM, MARK_POLICY },
	{ "calico", OWNER_CALICO, MARK_POLICY },
	{ "calico/*", OWNER_CALICO, MARK_POLICY },
	{ "antrea/*", OWNER_ANTREA, MARK_POLICY | MARK_OVS },
	{ "ovn-kubernetes/*", OWNER_OVN, MARK_POLICY | MARK_OVS },
	{ "openvswitch/*", OWNER_NONE, MARK_OVS },
	{ "weave/*", OWNER_WEAVE, 0 },
	{ "flannel/*", OWNER_FLANNEL, 0 },
	{ "aws-node/*", OWNER_AWS, 0 },
	{ "nodeagent/*", OWNER_AWS, MARK_POLICY },
};

/* Types in configurations.  What is not here is a plugin all the same: its type is told. */
static const struct sight types[] = {
	{ "calico", OWNER_CALICO, MARK_POLICY },
	{ "cilium-cni", OWNER_CILIUM, MARK_POLICY },
	{ "flannel", OWNER_FLANNEL, 0 },
	{ "weave-net", OWNER_WEAVE, MARK_POLICY },
	{ "antrea", OWNER_ANTREA, MARK_POLICY },
	{ "ovn-k8s-cni-overlay", OWNER_OVN, MARK_POLICY },
	{ "aws-cni", OWNER_AWS, 0 },
	{ "cni-kindnet", OWNER_KINDNET, 0 },
	{ "bridge", OWNER_CNI_PLUGIN, MARK_BRIDGE },
};

static bool sees(const char *form, const char *s)
{
	for (; *form; form++) {
		size_t n = 1;

		if (*form == '*')
			return true;
		if (*form == '#') {
			n = strspn(s, "0123456789abcdef");
			if (n < 8)
				return false;
		} else if (*s != *form) {
			return false;
		}
		s += n;
	}
	return !*s;
}

static const struct sight *look(const struct sight *rows, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (sees(rows[i].text, s))
			return &rows[i];
	return NULL;
}

#define LOOK(rows, s) look((rows), sizeof(rows) / sizeof((rows)[0]), (s))

void cni_begin(struct cni *c)
{
	*c = (struct cni){ 0 };
}

/* One of each sort is kept, and how many more there were. */
static void evidence(struct cni *c, enum cni_seen seen, uint8_t owner, size_t sort, const char *where, const char *what)
{
	struct cni_evidence *e;

	for (uint32_t i = 0; i < c->n_evidence; i++) {
		e = &c->evidence[i];
		if (seen == SEEN_CONF || e->seen != seen || e->owner != owner || e->sort != (uint8_t)sort)
			continue;
		e->more++;
		return;
	}
	if (c->n_evidence == CNI_EVIDENCE_MAX) {
		c->n_left_out++;
		return;
	}
	e = &c->evidence[c->n_evidence++];
	*e = (struct cni_evidence){ .seen = (uint8_t)seen, .owner = owner, .sort = (uint8_t)sort };
	snprintf(e->text, sizeof(e->text), "%s%s", where, what);
}

static void note_sight(struct cni *c, enum cni_seen seen, const struct sight *s, uint32_t only)
{
	struct cni_facts *f = &c->facts;

	f->saw[seen] |= 1u << s->owner;
	if (s->marks & MARK_POLICY && seen != SEEN_CONF)
		f->enforces[seen] |= 1u << s->owner;
	if (s->marks & MARK_EBPF)
		f->ebpf |= 1u << s->owner;
	f->overlays |= s->marks & OVERLAYS;
	f->marks |= s->marks & only;
}

/* ── configurations ── */

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* The plugin that makes the interface: the only one, or the first of a list, or what multus calls. */
static json_t *first_plugin(json_t *root, bool *meta)
{
	json_t *list = json_object_get(root, "plugins"), *p = json_is_array(list) ? json_array_get(list, 0) : root;

	*meta = !strncmp(text_of(p, "type"), "multus", 6);
	list = json_object_get(p, "delegates");
	if (!*meta || !json_array_size(list))
		return p;
	*meta = false;
	p = json_array_get(list, 0);
	list = json_object_get(p, "plugins");
	return json_is_array(list) ? json_array_get(list, 0) : p;
}

/* kindnet and kube-router use plugins of containernetworking: their files and networks have their names. */
static uint8_t owner_by_name(const char *file, const char *network, const json_t *p)
{
	if (strstr(file, "kindnet") || !strcmp(network, "kindnet"))
		return OWNER_KINDNET;
	if (strstr(file, "kuberouter") || strstr(file, "kube-router") || !strcmp(text_of(p, "bridge"), "kube-bridge"))
		return OWNER_KUBE_ROUTER;
	return OWNER_CNI_PLUGIN;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

/* Before the one that counts so far?  What only calls others counts where nothing else does. */
static bool comes_first(const struct cni_facts *f, const char *file, bool meta)
{
	if (f->conf == OWNER_NONE || meta != f->conf_meta)
		return f->conf == OWNER_NONE || !meta;
	return strncmp(file, f->conf_file, sizeof(f->conf_file) - 1) < 0;
}

/* Fields that tell more than whose it is; those of a file that does not count are not looked at. */
static void take_conf(struct cni *c, const char *file, json_t *root, json_t *p, uint8_t owner, bool meta)
{
	struct cni_facts *f = &c->facts;
	const char *type = text_of(p, "type");
	const struct sight *s = LOOK(types, type);

	f->conf = owner;
	f->conf_meta = meta;
	snprintf(f->conf_file, sizeof(f->conf_file), "%s", file);
	snprintf(c->type, sizeof(c->type), "%s", type);
	snprintf(c->network, sizeof(c->network), "%s", text_of(root, "name"));
	f->marks &= ~(uint32_t)(MARK_BRIDGE | MARK_HOST_LOCAL);
	if (s)
		f->marks |= s->marks & MARK_BRIDGE;
	if (!strcmp(text_of(json_object_get(p, "ipam"), "type"), "host-local"))
		f->marks |= MARK_HOST_LOCAL;
}

static void saw_conf(struct cni *c, const char *path, const char *text, size_t n)
{
	const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const struct sight *s;
	json_error_t error;
	json_t *root, *p;
	uint8_t owner;
	char what[64];
	bool meta;

	if (!ends_with(file, ".conflist") && !ends_with(file, ".conf") && !ends_with(file, ".json"))
		return;
	root = text && n <= CNI_CONF_MAX ? json_loadb(text, n, 0, &error) : NULL;
	p = root ? first_plugin(root, &meta) : NULL;
	if (!p || !*text_of(p, "type")) {
		c->n_conf_bad++;
		evidence(c, SEEN_CONF, OWNER_NONE, 0, path, text ? ": not understood" : ": not read");
		json_decref(root);
		return;
	}
	s = LOOK(types, text_of(p, "type"));
	owner = s && s->owner != OWNER_CNI_PLUGIN ? s->owner : owner_by_name(file, text_of(root, "name"), p);
	snprintf(what, sizeof(what), ": %s", text_of(p, "type"));
	evidence(c, SEEN_CONF, owner, 0, path, what);
	c->facts.saw[SEEN_CONF] |= 1u << owner;
	if (comes_first(&c->facts, file, meta))
		take_conf(c, file, root, p, owner, meta);
	json_decref(root);
}

/* ── interfaces, pins, sockets ── */

static void saw_pin(struct cni *c, const char *path)
{
	static const struct sight aws = { "", OWNER_AWS, MARK_POLICY };
	static const struct sight cilium = { "", OWNER_CILIUM, MARK_EBPF | MARK_POLICY };
	const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	const struct sight *s = LOOK(pins, base);

	if (!s && strstr(path, "/globals/aws/"))
		s = &aws;
	if (!s && (strstr(path, "/bpf/cilium/") || ends_with(path, "/bpf/cilium")))
		s = &cilium;
	if (!s)
		return;
	note_sight(c, SEEN_PIN, s, MARK_SVC_CILIUM | MARK_SVC_CALICO);
	evidence(c, SEEN_PIN, s->owner, s->marks & (MARK_SVC_CILIUM | MARK_SVC_CALICO) ? 1 : 0, path, "");
}

static void saw_socket(struct cni *c, const char *path)
{
	const char *rest = strncmp(path, "/var", 4) ? path : path + 4;
	const struct sight *s = strncmp(rest, "/run/", 5) ? NULL : LOOK(sockets, rest + 5);

	if (!s)
		return;
	note_sight(c, SEEN_SOCKET, s, MARK_OVS);
	evidence(c, SEEN_SOCKET, s->owner, (size_t)(s - sockets), path, "");
}

void cni_saw(struct cni *c, enum cni_seen seen, const char *path, const char *text, size_t n)
{
	const struct sight *s;

	switch (seen) {
	case SEEN_CONF:
		saw_conf(c, path, text, n);
		return;
	case SEEN_INTERFACE:
		s = LOOK(interfaces, path);
		if (!s)
			return;
		note_sight(c, SEEN_INTERFACE, s, MARK_OVS | MARK_IPVS | MARK_TUNL0);
		evidence(c, SEEN_INTERFACE, s->owner, (size_t)(s - interfaces), "interface ", path);
		return;
	case SEEN_PIN:
		saw_pin(c, path);
		return;
	case SEEN_SOCKET:
		saw_socket(c, path);
		return;
	default:
		return;
	}
}

void cni_saw_maps(struct cni *c, uint8_t owner, const char *text)
{
	enum { SORT = 2 };	/* those of paths are others */

	evidence(c, SEEN_PIN, owner, SORT, text, "");
}

/* ── rules ── */

/*
 * Does a chain say that its owner enforces policies?  One that is empty, or that no hook comes to, may be left of who
 * is gone.  Amazon's agent and flannel have no chains that do.
 */
static bool enforces(const struct nf_chain *ch, const struct owned *o)
{
	if (!ch->n || !ch->reached)
		return false;
	switch (o->owner) {
	case OWNER_CALICO:
	case OWNER_KUBE_ROUTER:
	case OWNER_WEAVE:
	case OWNER_KINDNET:
		return o->meaning == MEANS_DISPATCH || o->meaning == MEANS_POD || o->meaning == MEANS_POLICY;
	case OWNER_CILIUM:
	case OWNER_ANTREA:
	case OWNER_OVN:
		/* They enforce elsewhere, and their chains stand where their agents run. */
		return true;
	default:
		return false;
	}
}

static uint32_t service_marks(const struct nf_chain *ch, const struct owned *o)
{
	if (o->owner != OWNER_KUBE_PROXY || !ch->n || !ch->reached)
		return 0;
	if (!strcmp(ch->table, "kube-proxy"))
		return MARK_SVC_NFT;
	if (!strncmp(ch->name, "KUBE-SVC-", 9))
		return MARK_SVC_IPTABLES;
	return !strncmp(ch->name, "KUBE-IPVS-", 10) || !strcmp(ch->name, "KUBE-LOAD-BALANCER") ? MARK_IPVS : 0;
}

void cni_saw_rules(struct cni *c, const struct nf_rules *r)
{
	struct cni_facts *f = &c->facts;
	struct owned o;

	f->looked_at_rules = true;
	for (uint32_t i = 0; i < r->n_chains; i++) {
		const struct nf_chain *ch = &r->chains[i];
		uint32_t bit;
		char what[128];

		owner_of_chain(ch, &o);
		if (o.owner == OWNER_NONE)
			continue;
		bit = 1u << o.owner;
		f->saw[SEEN_RULES] |= bit;
		if (ch->n && ch->reached)
			*(ch->via == NF_LEGACY ? &f->legacy : &f->nft) |= bit;
		if (enforces(ch, &o))
			f->enforces[SEEN_RULES] |= bit;
		f->marks |= service_marks(ch, &o);
		snprintf(what, sizeof(what), " %.40s (%s)%s%s", ch->name, ch->via == NF_LEGACY ? "legacy" : "nf_tables",
			 enforces(ch, &o) ? ", enforces policies" : "",
			 !ch->n ? ", empty" : ch->reached ? "" : ", left over: no hook comes to it");
		evidence(c, SEEN_RULES, o.owner, ch->via | enforces(ch, &o) << 1 | (size_t)!ch->reached << 2, "chain ",
			 what + 1);
	}
}

/* ── the answers ── */

/* Of several the plugin itself, else in this order: who is attached to interfaces before who has chains. */
static uint8_t prefer(uint32_t owners, uint8_t plugin)
{
	static const uint8_t order[] = { OWNER_CILIUM, OWNER_CALICO, OWNER_ANTREA, OWNER_OVN,
					 OWNER_KUBE_ROUTER, OWNER_WEAVE, OWNER_KINDNET, OWNER_AWS };

	if (owners >> plugin & 1)
		return plugin;
	for (size_t i = 0; i < sizeof(order); i++)
		if (owners >> order[i] & 1)
			return order[i];
	return OWNER_NONE;
}

/* Who can be a network plugin at all. */
static uint8_t plugin_of(uint32_t owners)
{
	const uint32_t able = 1u << OWNER_CALICO | 1u << OWNER_CILIUM | 1u << OWNER_KUBE_ROUTER | 1u << OWNER_FLANNEL |
			      1u << OWNER_WEAVE | 1u << OWNER_ANTREA | 1u << OWNER_KINDNET | 1u << OWNER_AWS |
			      1u << OWNER_OVN;

	owners &= able;
	/* Who beside flannel is found enforces its policies. */
	return owners >> OWNER_FLANNEL & 1 ? OWNER_FLANNEL : prefer(owners, OWNER_NONE);
}

static void conclude_plugin(struct cni *c)
{
	const struct cni_facts *f = &c->facts;
	uint32_t flannel = (f->saw[SEEN_INTERFACE] | f->saw[SEEN_RULES]) >> OWNER_FLANNEL & 1;

	c->plugin = f->conf_meta ? OWNER_NONE : f->conf;
	/* Canal: Calico's plugin, which takes addresses of flannel's subnet. */
	if (c->plugin == OWNER_CALICO && flannel && f->marks & MARK_HOST_LOCAL)
		c->plugin = OWNER_FLANNEL;
	for (unsigned int s = SEEN_INTERFACE; s < SEEN_KINDS && c->plugin == OWNER_NONE; s++)
		c->plugin = plugin_of(f->saw[s]);
	if (c->plugin == OWNER_NONE && (f->conf_meta || f->saw[SEEN_INTERFACE] >> OWNER_CNI_PLUGIN & 1))
		c->plugin = OWNER_CNI_PLUGIN;
}

static void conclude_enforcer(struct cni *c)
{
	const struct cni_facts *f = &c->facts;
	const struct sight *s = LOOK(types, c->type);

	c->enforcers = f->enforces[SEEN_PIN] | f->enforces[SEEN_RULES] | f->enforces[SEEN_SOCKET];
	c->enforcer = prefer(c->enforcers, c->plugin);
	for (unsigned int seen = SEEN_PIN; seen < SEEN_KINDS && c->enforcer != OWNER_NONE; seen++) {
		if (!(f->enforces[seen] >> c->enforcer & 1))
			continue;
		c->enforcer_seen = (uint8_t)seen;
		return;
	}
	if (f->looked_at_rules || f->saw[SEEN_PIN] || f->saw[SEEN_SOCKET])
		return;
	if (f->conf != OWNER_KUBE_ROUTER && (!s || !(s->marks & MARK_POLICY)))
		return;
	c->enforcer = f->conf;
	c->enforcer_seen = SEEN_CONF;
}

static void conclude_path(struct cni *c)
{
	const struct cni_facts *f = &c->facts;

	switch (c->plugin) {
	case OWNER_CILIUM:
		c->path = PATH_EBPF;
		break;
	case OWNER_ANTREA:
	case OWNER_OVN:
		c->path = PATH_OVS;
		break;
	case OWNER_CALICO:
		c->path = f->ebpf >> OWNER_CALICO & 1 ? PATH_EBPF : PATH_ROUTED;
		break;
	case OWNER_FLANNEL:
		/* flannel's plugin makes a bridge; canal has none. */
		c->path = f->conf == OWNER_CALICO ? PATH_ROUTED : PATH_BRIDGE;
		break;
	case OWNER_WEAVE:
	case OWNER_KUBE_ROUTER:
		c->path = PATH_BRIDGE;
		break;
	case OWNER_KINDNET:
	case OWNER_AWS:
		c->path = PATH_ROUTED;
		break;
	case OWNER_CNI_PLUGIN:
		c->path = f->marks & MARK_BRIDGE || f->saw[SEEN_INTERFACE] >> OWNER_CNI_PLUGIN & 1 ? PATH_BRIDGE :
			!strcmp(c->type, "ptp") ? PATH_ROUTED : PATH_UNKNOWN;
		break;
	default:
		c->path = f->marks & MARK_OVS ? PATH_OVS : PATH_UNKNOWN;
	}
}

static void conclude_services(struct cni *c)
{
	uint32_t m = c->facts.marks;
	const char *s = m & MARK_SVC_IPTABLES ? "iptables" : m & MARK_SVC_NFT ? "nftables" : m & MARK_IPVS ? "ipvs" :
		m & MARK_SVC_CILIUM ? "cilium" : m & MARK_SVC_CALICO ? "calico" : "";

	snprintf(c->services, sizeof(c->services), "%s", s);
}

void cni_conclude(struct cni *c)
{
	const struct cni_facts *f = &c->facts;
	uint32_t theirs;

	conclude_plugin(c);
	conclude_enforcer(c);
	conclude_path(c);
	conclude_services(c);
	c->overlay_vxlan = f->overlays & OVERLAY_VXLAN;
	c->overlay_wireguard = f->overlays & OVERLAY_WIREGUARD;
	c->overlay_geneve = f->overlays & OVERLAY_GENEVE;
	c->overlay_ipip = f->overlays & OVERLAY_IPIP ||
			  (f->marks & MARK_TUNL0 && c->plugin == OWNER_CALICO && !(f->overlays & OVERLAYS));
	theirs = (c->enforcer == OWNER_NONE ? 0 : 1u << c->enforcer) | 1u << OWNER_KUBE_PROXY;
	c->nft = f->nft & theirs;
	c->legacy = f->legacy & theirs;
}

const char *cni_path_name(enum cni_path p)
{
	static const char *const names[] = {
		[PATH_UNKNOWN] = "", [PATH_BRIDGE] = "bridge", [PATH_ROUTED] = "routed", [PATH_EBPF] = "ebpf",
		[PATH_OVS] = "ovs",
	};

	return (size_t)p < sizeof(names) / sizeof(names[0]) ? names[p] : "";
}

const char *cni_seen_name(enum cni_seen s)
{
	static const char *const names[SEEN_KINDS] = {
		[SEEN_CONF] = "configuration", [SEEN_INTERFACE] = "interface", [SEEN_PIN] = "pin",
		[SEEN_RULES] = "rules", [SEEN_SOCKET] = "socket",
	};

	return (unsigned int)s < SEEN_KINDS ? names[s] : "";
}
