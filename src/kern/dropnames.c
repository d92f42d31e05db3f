// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names for drops: reasons from the kernel's BTF (their numbers differ from
 * kernel to kernel), functions from kallsyms, classes from what is known of
 * Linux 5.10 to 7.x.
 */
#include "kern/capture.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

enum {
	REASONS_MAX = 4096,		/* of the core; Linux 6.18 has 128 */
	SUBSYSTEMS_MAX = 16,
	SUBSYSTEM_SHIFT = 16,		/* enum skb_drop_reason: the upper half is the subsystem */
	SYMBOLS_MAX = 1 << 20,
	LINES_MAX = 1 << 22,
	POOL_MAX = 32 << 20,
	SYMBOL_MAX = 128,		/* longer symbols are cut */
	FUNCTION_MAX = 256 * 1024,	/* an address further behind its symbol belongs to none */
};

static const char unspecified[] = "NOT_SPECIFIED";
static const char prefix[] = "SKB_DROP_REASON_";
static const char subsystem_prefix[] = "SKB_DROP_REASON_SUBSYS_";

struct symbol {
	uint32_t off;		/* from base */
	uint32_t name;		/* in pool */
};

/* Names lie in one pool, each once; offset 0 is "". */
struct drop_names {
	uint32_t *reasons, n_reasons;
	uint32_t subsystems[SUBSYSTEMS_MAX];
	uint64_t base;
	struct symbol *symbols;	/* by address */
	uint32_t n_symbols;
	char *pool;
	uint32_t pool_n, pool_cap;
	bool iptables;		/* legacy tables are loaded */
};

/* ── the pool ── */

/* Names seen so far, by hash; only while the pool is filled. */
struct index {
	uint32_t *slot, mask, used;
};

static uint32_t hash(const char *p, size_t n)
{
	uint32_t h = 2166136261u;

	while (n--)
		h = (h ^ (uint8_t)*p++) * 16777619u;
	return h;
}

/* Twice the slots; the entries move. */
static bool index_grow(struct index *x, const char *pool)
{
	uint32_t mask = x->slot ? x->mask * 2 + 1 : 4095;
	uint32_t *slot = calloc((size_t)mask + 1, sizeof(*slot));

	if (!slot)
		return false;
	for (uint32_t i = 0; x->slot && i <= x->mask; i++) {
		const char *name = pool + x->slot[i];
		uint32_t at = hash(name, strlen(name)) & mask;

		if (!x->slot[i])
			continue;
		while (slot[at])
			at = (at + 1) & mask;
		slot[at] = x->slot[i];
	}
	free(x->slot);
	x->slot = slot;
	x->mask = mask;
	return true;
}

static bool pool_room(struct drop_names *d, size_t n)
{
	uint32_t cap = d->pool_cap ? d->pool_cap : 64 * 1024;
	char *p;

	if (d->pool_n + n + 1 > POOL_MAX)
		return false;
	while (cap < d->pool_n + n + 1)
		cap *= 2;
	if (cap == d->pool_cap)
		return true;
	p = realloc(d->pool, cap);
	if (!p)
		return false;
	if (!d->pool_n)
		p[d->pool_n++] = '\0';
	d->pool = p;
	d->pool_cap = cap;
	return true;
}

/* Where the name is in the pool, put there if it was not; 0: no room, or the empty name. */
static uint32_t intern(struct drop_names *d, struct index *x, const char *name, size_t n)
{
	uint32_t at;

	if (!n || !pool_room(d, n + 1) || (x->used >= x->mask / 2 && !index_grow(x, d->pool)))
		return 0;
	for (at = hash(name, n) & x->mask; x->slot[at]; at = (at + 1) & x->mask) {
		const char *have = d->pool + x->slot[at];

		if (!strncmp(have, name, n) && !have[n])
			return x->slot[at];
	}
	x->slot[at] = d->pool_n;
	x->used++;
	memcpy(d->pool + d->pool_n, name, n);
	d->pool_n += (uint32_t)n;
	d->pool[d->pool_n++] = '\0';
	return x->slot[at];
}

/* ── reasons ── */

static const struct btf_type *find_enum(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_ENUM);

	return id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
}

static bool starts_with(const char *s, const char *start)
{
	return !strncmp(s, start, strlen(start));
}

/* Values of an enum to names without `strip`, those below max. */
static void take_enum(struct drop_names *d, struct index *x, const struct btf *btf, const char *name,
		      const char *strip, uint32_t *to, uint32_t max)
{
	const struct btf_type *t = find_enum(btf, name);
	const struct btf_enum *e = t ? btf_enum(t) : NULL;

	for (int i = 0; t && i < btf_vlen(t); i++) {
		const char *s = btf__name_by_offset(btf, e[i].name_off);
		uint32_t value = (uint32_t)e[i].val;

		if (!s || value >= max || !strcmp(s, "SKB_DROP_REASON_MAX") ||
		    !strcmp(s, "SKB_DROP_REASON_SUBSYS_NUM"))
			continue;
		s += starts_with(s, strip) ? strlen(strip) : 0;
		to[value] = intern(d, x, s, strnlen(s, SYMBOL_MAX));
	}
}

/* A file that the user named: what libbpf says of one that it cannot read tells nobody anything. */
static int parse_btf(struct btf **out, const char *path)
{
	owned_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char first;

	if (fd < 0 || read(fd, &first, 1) < 0)
		return fail(errno, "--btf %s", path);
	libbpf_set_print(NULL);
	*out = btf__parse(path, NULL);
	if (*out)
		return 0;
	return fail(0, "--btf %s: there are no kernel types (BTF) in it", path);
}

int drop_btf_check(const char *path)
{
	struct btf *btf = NULL;
	int err = parse_btf(&btf, path);

	btf__free(btf);
	return err;
}

static int read_reasons(struct drop_names *d, struct index *x, const char *path)
{
	struct btf *btf = NULL;
	uint32_t *shrunk;
	int err = path ? parse_btf(&btf, path) : 0;

	if (err)
		return err;
	if (!path)
		btf = btf__parse("/sys/kernel/btf/vmlinux", NULL);
	if (!btf)	/* is for the drop hook to say: it cannot be attached */
		return 0;
	d->reasons = calloc(REASONS_MAX, sizeof(*d->reasons));
	if (!d->reasons) {
		btf__free(btf);
		return fail(ENOMEM, "drop reasons");
	}
	take_enum(d, x, btf, "skb_drop_reason", prefix, d->reasons, REASONS_MAX);
	take_enum(d, x, btf, "skb_drop_reason_subsys", subsystem_prefix, d->subsystems, SUBSYSTEMS_MAX);
	btf__free(btf);
	for (uint32_t i = 0; i < REASONS_MAX; i++)
		if (d->reasons[i])
			d->n_reasons = i + 1;
	shrunk = realloc(d->reasons, (d->n_reasons + 1) * sizeof(*d->reasons));
	d->reasons = shrunk ? shrunk : d->reasons;
	return 0;
}

const char *drop_reason_name(const struct drop_names *d, uint32_t reason)
{
	uint32_t subsystem = reason >> SUBSYSTEM_SHIFT;

	/* Kernels before 5.17 have no reasons, and the program reports ~0. */
	if (!d || !d->n_reasons || reason == UINT32_MAX)
		return unspecified;
	if (reason < d->n_reasons && d->reasons[reason])
		return d->pool + d->reasons[reason];
	if (subsystem && subsystem < SUBSYSTEMS_MAX && d->subsystems[subsystem])
		return d->pool + d->subsystems[subsystem];
	return "UNKNOWN";
}

/* ── symbols ── */

struct raw_symbol {
	uint64_t addr;
	uint32_t name;
};

struct raw_symbols {
	struct raw_symbol *v;
	uint32_t n, cap;
	bool hidden;		/* there were symbols, all at 0 */
};

static int by_address(const void *a, const void *b)
{
	const struct raw_symbol *x = a, *y = b;

	return x->addr != y->addr ? (x->addr < y->addr ? -1 : 1) : (x->name > y->name) - (x->name < y->name);
}

static bool raw_add(struct raw_symbols *r, uint64_t addr, uint32_t name)
{
	struct raw_symbol *v;

	if (r->n == r->cap) {
		if (r->cap >= SYMBOLS_MAX)
			return false;
		r->cap = r->cap ? r->cap * 2 : 8192;
		v = realloc(r->v, r->cap * sizeof(*v));
		if (!v)
			return false;
		r->v = v;
	}
	r->v[r->n++] = (struct raw_symbol){ addr, name };
	return true;
}

/* Text that no packet is freed in: padding in front of functions, trampolines. */
static bool is_filler(const char *name)
{
	return starts_with(name, "__pfx_") || starts_with(name, "__cfi_") || starts_with(name, "__SCT__") ||
	       starts_with(name, "__SCK__");
}

/* "ffffffff81000000 T name[.suffix of the compiler]	[module]".  False when there is no more room. */
static bool take_line(struct drop_names *d, struct index *x, struct raw_symbols *r, const char *line)
{
	char *end;
	uint64_t addr = strtoull(line, &end, 16);
	uint32_t name;
	size_t n;

	if (end == line || end[0] != ' ' || !end[1] || !strchr("tTwW", end[1]) || end[2] != ' ')
		return true;
	end += 3;
	n = strcspn(end, ".\t\n ");
	if (!n || is_filler(end))
		return true;
	if (!addr) {
		r->hidden = true;
		return true;
	}
	name = intern(d, x, end, n < SYMBOL_MAX ? n : SYMBOL_MAX);
	return name && raw_add(r, addr, name);
}

/* Sorted, without aliases, as offsets from the lowest; what is 4 GiB and more above that is left out. */
static int keep_symbols(struct drop_names *d, struct raw_symbols *r)
{
	if (!r->n)
		return 0;
	qsort(r->v, r->n, sizeof(*r->v), by_address);
	d->symbols = calloc(r->n, sizeof(*d->symbols));
	if (!d->symbols)
		return fail(ENOMEM, "kernel symbols");
	d->base = r->v[0].addr;
	for (uint32_t i = 0; i < r->n; i++) {
		if (r->v[i].addr - d->base > UINT32_MAX)
			break;
		if (!i || r->v[i].addr != r->v[i - 1].addr)
			d->symbols[d->n_symbols++] =
				(struct symbol){ (uint32_t)(r->v[i].addr - d->base), r->v[i].name };
	}
	return 0;
}

/* kernel.kptr_restrict: 1 wants CAP_SYSLOG, 2 hides from everybody. */
static void say_hidden(void)
{
	FILE *f = fopen("/proc/sys/kernel/kptr_restrict", "re");
	int level = f ? fgetc(f) : EOF;
	char why[64] = "sysctl kernel.kptr_restrict is 2, make it 1";

	if (f)
		fclose(f);
	if (level != '2')
		snprintf(why, sizeof(why), "needs %s; " CAPS_REMEDY, caps_name(NEED_SYSLOG));
	warn("kernel symbols are hidden, drop locations are addresses: %s", why);
}

static int read_symbols(struct drop_names *d, struct index *x, const char *path)
{
	FILE *f = fopen(path ? path : "/proc/kallsyms", "re");
	struct raw_symbols r = { 0 };
	char line[512];
	bool room = true;
	int err;

	if (!f) {
		if (path)
			return fail(errno, "%s", path);
		warn("/proc/kallsyms: %s: drop locations are addresses", strerror(errno));
		return 0;
	}
	for (uint32_t i = 0; room && i < LINES_MAX && fgets(line, sizeof(line), f); i++)
		room = take_line(d, x, &r, line);
	fclose(f);
	if (!room)
		warn("%s: too many kernel symbols, %u are kept", path ? path : "/proc/kallsyms", r.n);
	if (r.hidden && !r.n)
		say_hidden();
	err = keep_symbols(d, &r);
	free(r.v);
	return err;
}

const char *drop_symbol(const struct drop_names *d, uint64_t addr)
{
	uint32_t low = 0, high, mid;
	uint64_t off;

	if (!d || !d->n_symbols || addr < d->base || addr - d->base > UINT32_MAX)
		return NULL;
	off = addr - d->base;
	/* symbols[low] is at or below off, symbols[high] above. */
	for (high = d->n_symbols; high - low > 1;) {
		mid = low + (high - low) / 2;
		if (d->symbols[mid].off <= off)
			low = mid;
		else
			high = mid;
	}
	return off - d->symbols[low].off < FUNCTION_MAX ? d->pool + d->symbols[low].name : NULL;
}

/* ── open and close ── */

static bool has_text(const char *path)
{
	FILE *f = fopen(path, "re");
	bool some = f && fgetc(f) != EOF;

	if (f)
		fclose(f);
	return some;
}

int drop_reasons_read(struct drop_names **out, const char *btf_path)
{
	struct drop_names *d = calloc(1, sizeof(*d));
	struct index x = { 0 };
	int err;

	if (!d)
		return fail(ENOMEM, "drop names");
	err = read_reasons(d, &x, btf_path);
	free(x.slot);
	if (err)
		drop_names_close(d);
	else
		*out = d;
	return err;
}

int drop_names_read(struct drop_names **out, const char *btf_path, const char *kallsyms_path)
{
	struct drop_names *d = calloc(1, sizeof(*d));
	struct index x = { 0 };
	char *pool;
	int err;

	if (!d)
		return fail(ENOMEM, "drop names");
	err = read_reasons(d, &x, btf_path);
	if (!err)
		err = read_symbols(d, &x, kallsyms_path);
	free(x.slot);
	if (err) {
		drop_names_close(d);
		return err;
	}
	pool = d->pool_n ? realloc(d->pool, d->pool_n) : NULL;
	d->pool = pool ? pool : d->pool;
	d->iptables = has_text("/proc/net/ip_tables_names") || has_text("/proc/net/ip6_tables_names");
	malloc_trim(0);		/* the BTF of a kernel is several megabytes */
	*out = d;
	return 0;
}

int drop_names_open(struct drop_names **out, const char *btf_path)
{
	return drop_names_read(out, btf_path, NULL);
}

void drop_names_close(struct drop_names *d)
{
	if (!d)
		return;
	free(d->reasons);
	free(d->symbols);
	free(d->pool);
	free(d);
}

uint64_t drop_names_size(const struct drop_names *d)
{
	return sizeof(*d) + d->n_reasons * sizeof(*d->reasons) + d->n_symbols * sizeof(*d->symbols) +
	       d->pool_n;
}

/* ── classes ── */

/* netfilter: to be told apart by the symbol, or by what is loaded. */
static const char netfilter[] = "netfilter";

/* A pattern that ends in '*' stands for all names that start so; the first row that fits is taken. */
struct row {
	const char *pattern, *hook;
};

/* Reasons that say enough; all others leave it to the symbol. */
static const struct row by_reason[] = {
	{ "XDP", "xdp" },
	{ "TC_*", "tc" }, { "QDISC_*", "tc" }, { "CAKE_*", "tc" }, { "FQ_*", "tc" }, { "DUALPI2_*", "tc" },
	{ "NETFILTER_DROP", netfilter },
	{ "NO_SOCKET", "socket" }, { "SOCKET_*", "socket" }, { "UNIX_*", "socket" },
	{ "PROTO_MEM", "socket" },
	{ "PACKET_SOCK_ERROR", "socket" }, { "BPF_CGROUP_EGRESS", "socket" }, { "TAP_FILTER", "socket" },
	{ "TAP_TXFILTER", "socket" },
	{ "IP_RPFILTER", "route" }, { "IP_INNOROUTES", "route" }, { "IP_OUTNOROUTES", "route" },
	{ "IP_LOCAL_SOURCE", "route" }, { "IP_INVALID_SOURCE", "route" }, { "IP_LOCALNET", "route" },
	{ "IP_INVALID_DEST", "route" }, { "IP_INADDRERRORS", "route" },
	{ "NEIGH_*", "neighbour" }, { "ARP_*", "neighbour" }, { "IPV6_NDISC_*", "neighbour" },
	{ "TCP_*", "tcp" }, { "UDP_*", "udp" },
	{ "IP_*", "ip" }, { "IPV6*", "ip" }, { "ICMP_*", "ip" }, { "OTHERHOST", "ip" }, { "XFRM_*", "ip" },
	{ "UNICAST_IN_L2_MULTICAST", "ip" }, { "PKT_TOO_BIG", "ip" }, { "DUP_FRAG", "ip" },
	{ "FRAG_*", "ip" },
	{ "INVALID_PROTO", "ip" },
};

/*
 * Functions that free what they drop.  Static ones are often inlined: their
 * callers stand beside them.  __netif_receive_skb_core is no row: before 5.17
 * it drops for TC and for want of a protocol alike.
 */
static const struct row by_symbol[] = {
	{ "do_xdp_generic", "xdp" }, { "netif_receive_generic_xdp", "xdp" }, { "generic_xdp_tx", "xdp" },
	{ "bpf_prog_run_generic_xdp", "xdp" }, { "veth_xdp_*", "xdp" }, { "veth_poll", "xdp" },
	{ "xdp_*", "xdp" }, { "__xdp_*", "xdp" }, { "cpu_map_*", "xdp" }, { "dev_map_*", "xdp" },
	{ "virtnet_xdp_*", "xdp" }, { "tun_xdp_*", "xdp" },

	{ "sch_handle_*", "tc" }, { "tcf_*", "tc" }, { "tc_run", "tc" }, { "tcx_run", "tc" },
	{ "cls_bpf_*", "tc" }, { "__dev_queue_xmit", "tc" }, { "dev_queue_xmit", "tc" }, { "qdisc_*", "tc" },
	{ "__qdisc_*", "tc" }, { "pfifo_*", "tc" }, { "bfifo_*", "tc" }, { "fq_*", "tc" }, { "tbf_*", "tc" },
	{ "htb_*", "tc" }, { "hfsc_*", "tc" }, { "netem_*", "tc" }, { "codel_*", "tc" }, { "red_*", "tc" },
	{ "sfq_*", "tc" }, { "sfb_*", "tc" }, { "cake_*", "tc" }, { "prio_*", "tc" }, { "drr_*", "tc" },
	{ "multiq_*", "tc" }, { "mqprio_*", "tc" }, { "taprio_*", "tc" }, { "etf_*", "tc" },
	{ "ets_*", "tc" },
	{ "pie_*", "tc" }, { "blackhole_enqueue", "tc" }, { "noop_enqueue", "tc" },

	{ "nft_*", "nft" }, { "__nft_*", "nft" }, { "nf_tables_*", "nft" }, { "nf_flow_*", "nft" },
	{ "ipt_*", "iptables" }, { "ip6t_*", "iptables" }, { "arpt_*", "iptables" }, { "ebt_*", "iptables" },
	{ "xt_*", "iptables" }, { "iptable_*", "iptables" }, { "ip6table_*", "iptables" },
	{ "nf_ct_frag6_*", "ip" }, { "nf_*", netfilter }, { "__nf_*", netfilter }, { "ip_vs_*", netfilter },
	{ "br_nf_*", netfilter }, { "nfqnl_*", netfilter }, { "synproxy_*", netfilter },

	{ "sk_filter_*", "socket" }, { "tcp_filter", "socket" }, { "__sk_receive_skb", "socket" },
	{ "sock_queue_rcv_skb*", "socket" }, { "__sock_queue_rcv_skb", "socket" }, { "packet_*", "socket" },
	{ "tpacket_*", "socket" }, { "raw_*", "socket" }, { "rawv6_*", "socket" }, { "unix_*", "socket" },
	{ "netlink_*", "socket" }, { "__netlink_*", "socket" }, { "ping_*", "socket" },
	{ "sk_stream_kill_queues", "socket" }, { "inet_sock_destruct", "socket" },
	{ "__cgroup_bpf_run_filter_skb", "socket" }, { "ip_finish_output", "socket" },
	{ "ip6_finish_output", "socket" }, { "ip_mc_finish_output", "socket" },

	{ "ip_rcv_finish_core", "route" }, { "ip_error", "route" }, { "ip_route_*", "route" },
	{ "ip_rt_*", "route" }, { "dst_discard*", "route" }, { "dst_blackhole_*", "route" },
	{ "ip6_pkt_*", "route" }, { "ip6_route_*", "route" }, { "ip6_rt_*", "route" }, { "fib_*", "route" },
	{ "fib6_*", "route" }, { "ip_mr_*", "route" }, { "ipmr_*", "route" }, { "ip6_mr_*", "route" },
	{ "ip6mr_*", "route" }, { "blackhole_netdev_*", "route" }, { "vrf_*", "route" },
	{ "lwtunnel_*", "route" },

	{ "neigh_*", "neighbour" }, { "__neigh_*", "neighbour" }, { "pneigh_*", "neighbour" },
	{ "arp_*", "neighbour" }, { "ndisc_*", "neighbour" }, { "ip_finish_output2", "neighbour" },
	{ "ip6_finish_output2", "neighbour" },

	{ "tcp_*", "tcp" }, { "__tcp_*", "tcp" }, { "tcpv6_*", "tcp" }, { "mptcp_*", "tcp" },
	{ "inet_csk_*", "tcp" },
	{ "udp_*", "udp" }, { "__udp*", "udp" }, { "udpv6_*", "udp" }, { "udp6_*", "udp" },
	{ "udplite*", "udp" },

	{ "ip_*", "ip" }, { "__ip_*", "ip" }, { "ip6_*", "ip" }, { "ipv6_*", "ip" }, { "__ipv6_*", "ip" },
	{ "ip6ip6_*", "ip" }, { "ipip_*", "ip" }, { "sit_*", "ip" }, { "gre_*", "ip" }, { "ipgre_*", "ip" },
	{ "icmp_*", "ip" }, { "__icmp_*", "ip" }, { "icmpv6_*", "ip" }, { "icmp6_*", "ip" },
	{ "igmp_*", "ip" }, { "__mld_*", "ip" }, { "mld_*", "ip" }, { "inet_frag_*", "ip" },
	{ "inet_*", "ip" }, { "inet6_*", "ip" },
	{ "xfrm*", "ip" }, { "__xfrm*", "ip" }, { "esp_*", "ip" }, { "esp6_*", "ip" },
	{ "ah_*", "ip" }, { "ah6_*", "ip" },
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static bool fits(const char *pattern, const char *name)
{
	size_t n = strlen(pattern);

	return pattern[n - 1] == '*' ? !strncmp(pattern, name, n - 1) : !strcmp(pattern, name);
}

static const char *look_up(const struct row *rows, size_t n, const char *name)
{
	for (size_t i = 0; name && i < n; i++)
		if (fits(rows[i].pattern, name))
			return rows[i].hook;
	return NULL;
}

/*
 * iptables and nft both drop in nf_hook_slow(); only from Linux 6.7 on does nft
 * drop in nft_do_chain().  When the symbol leaves it open, it was legacy iptables
 * if that has tables here (/proc/net/ip_tables_names), else nft; iptables-nft is nft.
 */
const char *drop_hook(const struct drop_names *d, const char *reason, const char *symbol)
{
	const char *at = look_up(by_symbol, LENGTH(by_symbol), symbol);
	const char *hook = look_up(by_reason, LENGTH(by_reason), reason);

	if (hook == netfilter && at && (!strcmp(at, "nft") || !strcmp(at, "iptables")))
		return at;
	if (!hook)
		hook = at;
	if (hook == netfilter)
		return d && d->iptables ? "iptables" : "nft";
	return hook ? hook : "other";
}
