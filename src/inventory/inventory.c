// SPDX-License-Identifier: GPL-2.0-or-later
#include "inventory/inventory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kern/choose.h"
#include "kern/hook.h"
#include "inventory/parts.h"
#include "util/cleanup.h"
#include "util/err.h"



/* ── links ────────────────────────────────────────────────────────────────── */

static int add_link(struct inventory *v, uint32_t id)
{
	owned_fd int fd = bpf_link_get_fd_by_id(id);
	struct known_link *grown, k = { .id = id };
	uint32_t n = sizeof(k.info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &k.info, &n))
		return 0;		/* gone meanwhile */
	if (v->n_links == v->room) {
		grown = realloc(v->links, (v->room ? 2 * v->room : 64) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		v->links = grown;
		v->room = v->room ? 2 * v->room : 64;
	}
	v->links[v->n_links++] = k;
	return 0;
}

int inventory_open(struct inventory **out)
{
	struct inventory *v = calloc(1, sizeof(*v));
	uint32_t id = 0;
	int err = v ? 0 : -ENOMEM;

	while (!err && !bpf_link_get_next_id(id, &id))
		err = add_link(v, id);
	if (!err && errno != ENOENT)
		err = -errno;
	if (err) {
		inventory_close(v);
		return err == -EPERM ? err : fail(err, "links of BPF programs");
	}
	*out = v;
	return 0;
}

void inventory_close(struct inventory *v)
{
	if (!v)
		return;
	free(v->links);
	free(v);
}

unsigned int inventory_missed(const struct inventory *v)
{
	return v->missed;
}

unsigned int inventory_interfaces(const struct inventory *v)
{
	return v->n_interfaces;
}

uint32_t inventory_link(const struct inventory *v, uint32_t type, uint32_t prog_id, uint32_t ifindex)
{
	for (unsigned int i = 0; i < v->n_links; i++) {
		const union link_info_tail *t = (const union link_info_tail *)&v->links[i].info.tail;

		if (v->links[i].info.type == type && v->links[i].info.prog_id == prog_id && t->ifindex == ifindex)
			return v->links[i].id;
	}
	return 0;
}

/* ── interfaces of one namespace ──────────────────────────────────────────── */

static int each_xdp(struct walk *w, const struct link_info *l)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	int rc = 0;

	if (bpf_xdp_query((int)l->ifindex, 0, &q)) {
		w->v->missed++;
		return 0;
	}
	const struct {
		const char *mode;
		uint32_t id;
	} at[] = { { "native", q.drv_prog_id }, { "generic", q.skb_prog_id }, { "offload", q.hw_prog_id } };

	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]) && !rc; i++) {
		struct hooked h = { .hook = "xdp", .mode = at[i].mode, .order = 1, .prog_id = at[i].id, .link = l,
				    .netns = w->netns };

		if (!at[i].id)
			continue;
		h.link_id = inventory_link(w->v, BPF_OF_XDP, at[i].id, l->ifindex);
		rc = w->fn(w->ctx, &h);
	}
	return rc;
}

static int each_chain(struct walk *w, const struct link_info *l, uint32_t type, const char *hook)
{
	struct hook_chain c;
	int err = hook_chain(l->ifindex, type, &c), rc = 0;

	if (err) {
		/* Before 6.6 there is no such chain; an interface that is no netkit has none of its. */
		w->v->missed += err == -ENOSPC || err == -EPERM;
		return 0;
	}
	for (uint32_t i = 0; i < c.n && !rc; i++) {
		struct hooked h = { .hook = hook, .order = i + 1, .prog_id = c.progs[i], .link_id = c.links[i],
				    .link = l, .netns = w->netns };

		rc = w->fn(w->ctx, &h);
	}
	return rc;
}

static int each_of_link(void *ctx, const struct link_info *l)
{
	enum { NETKIT_PRIMARY = 54, NETKIT_PEER };	/* Linux 6.7 */
	struct walk *w = ctx;
	bool named = false;
	int rc;

	if (w->dev && !link_wanted(l, &w->dev, 1, &named))
		return 0;
	w->v->n_interfaces++;
	rc = each_xdp(w, l);
	if (!rc)
		rc = each_chain(w, l, HOOK_TCX_INGRESS, "tcx/ingress");
	if (!rc)
		rc = each_chain(w, l, HOOK_TCX_EGRESS, "tcx/egress");
	if (!rc)
		rc = each_chain(w, l, NETKIT_PRIMARY, "netkit/primary");
	if (!rc)
		rc = each_chain(w, l, NETKIT_PEER, "netkit/peer");
	return rc ? rc : inventory_tc(w, l);
}

static int each_here(struct walk *w)
{
	w->netns = netns_inode();
	return link_each(each_of_link, w);
}

static int each_in_netns(void *ctx)
{
	return each_here(ctx);
}

/* ── what belongs to no interface ─────────────────────────────────────────── */

static const char *netfilter_hook(uint32_t pf, uint32_t hook)
{
	static const char *const names[] = { "netfilter/prerouting", "netfilter/input", "netfilter/forward",
					     "netfilter/output", "netfilter/postrouting" };

	(void)pf;
	return hook < 5 ? names[hook] : "netfilter";
}

static int each_other(struct walk *w)
{
	int rc = 0;

	for (unsigned int i = 0; i < w->v->n_links && !rc; i++) {
		const struct known_link *k = &w->v->links[i];
		const union link_info_tail *t = (const union link_info_tail *)&k->info.tail;
		struct hooked h = { .order = 1, .prog_id = k->info.prog_id, .link_id = k->id };

		if (k->info.type == BPF_OF_NETFILTER) {
			h.hook = netfilter_hook(t->netfilter.pf, t->netfilter.hooknum);
			h.priority = t->netfilter.priority;
		} else if (k->info.type == BPF_OF_NETNS) {
			h.hook = t->netns.attach_type == BPF_SK_LOOKUP ? "netns/sk_lookup" : "netns/flow_dissector";
			h.netns = t->netns.netns_ino;
		} else {
			continue;
		}
		rc = w->fn(w->ctx, &h);
	}
	return rc;
}

int inventory_each(struct inventory *v, const struct inventory_scope *s, hooked_fn fn, void *ctx)
{
	struct walk w = { .v = v, .dev = s->dev, .fn = fn, .ctx = ctx };
	int rc = s->all_netns ? netns_each(each_in_netns, &w, &v->missed) : each_here(&w);

	if (!rc && !s->dev)
		rc = each_other(&w);
	return rc || s->dev ? rc : inventory_cgroups(&w);
}

/* ── programs ─────────────────────────────────────────────────────────────── */

/* The kernel keeps 15 characters of a name; the function's own is in the program's types. */
static void long_name(const struct bpf_prog_info *info, struct hooked_program *p)
{
	struct bpf_func_info f = { 0 };
	struct bpf_prog_info again = { .nr_func_info = 1, .func_info_rec_size = sizeof(f),
				       .func_info = (uintptr_t)&f };
	owned_fd int fd = bpf_prog_get_fd_by_id(info->id);
	uint32_t n = sizeof(again);
	const struct btf_type *t;
	const char *name;
	struct btf *btf;

	if (fd < 0 || !info->btf_id || !info->nr_func_info || bpf_obj_get_info_by_fd(fd, &again, &n))
		return;
	btf = btf__load_from_kernel_by_id(info->btf_id);
	t = btf ? btf__type_by_id(btf, f.type_id) : NULL;
	name = t ? btf__name_by_offset(btf, t->name_off) : NULL;
	if (name && !strncmp(name, p->name, strlen(p->name)))
		snprintf(p->name, sizeof(p->name), "%s", name);
	btf__free(btf);
}

int inventory_program(uint32_t id, struct hooked_program *p)
{
	owned_fd int fd = bpf_prog_get_fd_by_id(id);
	struct bpf_prog_info info = { 0 };
	uint32_t n = sizeof(info);

	memset(p, 0, sizeof(*p));
	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &n))
		return -errno;
	snprintf(p->name, sizeof(p->name), "%s", info.name);
	memcpy(p->tag, info.tag, sizeof(p->tag));
	p->run_count = info.run_cnt;
	p->run_ns = info.run_time_ns;
	p->ours = !strncmp(info.name, "np_", 3);
	if (strlen(info.name) == sizeof(info.name) - 1)
		long_name(&info, p);
	return 0;
}
