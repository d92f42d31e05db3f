// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of pods by policy: the interfaces that they are seen at. */
#include <errno.h>
#include <linux/if_arp.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "count/policy_parts.h"
#include "kern/hook.h"
#include "kern/link.h"
#include "kern/load.h"
#include "util/err.h"

enum { HOLDS_MAX = 65536, ORDER_MAX = 64 /* programs at one hook: BPF_MPROG_MAX */ };

static void let_go(struct hold *h)
{
	hook_detach_link(&h->links[0]);
	hook_detach_link(&h->links[1]);
}

static int make_room(struct policy_count *c)
{
	unsigned int room = c->room ? 2 * c->room : 16;
	struct hold *p;

	if (c->n < c->room)
		return 0;
	if (room > HOLDS_MAX)
		return -ENOSPC;
	p = realloc(c->holds, room * sizeof(*p));
	if (!p)
		return -ENOMEM;
	c->holds = p;
	c->room = room;
	return 0;
}

static struct hold *find(const struct policy_count *c, uint32_t ifindex)
{
	for (unsigned int i = 0; i < c->n; i++)
		if (c->holds[i].ifindex == ifindex)
			return &c->holds[i];
	return NULL;
}

static int put(struct policy_count *c, struct hold *h)
{
	int in = bpf_program__fd(c->skel->progs.np_policy_in), out = bpf_program__fd(c->skel->progs.np_policy_out);
	int err = c->sockets ? -EINVAL : hook_tcx(h->ifindex, in, out, h->links);

	/* The kernel has no tcx, or the interface is not there. */
	if (err != -EINVAL)
		return err;
	h->links[0] = hook_socket(h->ifindex, bpf_program__fd(c->skel->progs.np_policy_socket), false);
	h->links[1] = -1;
	return h->links[0] < 0 ? h->links[0] : 0;
}

/* Whose it is, and whether we see packets there before others of tc do: a socket does so of what comes from the pod. */
static int tell_iface(const struct policy_count *c, const struct hold *h)
{
	const struct np_policy_iface v = { .pod = h->pod, .first_in = h->first[0], .first_out = h->first[1] };

	return bpf_map_update_elem(bpf_map__fd(c->skel->maps.policy_ifaces), &h->ifindex, &v, BPF_ANY) ? -errno : 0;
}

/* Others may be put in front of us at any time. */
static bool is_first(uint32_t ifindex, bool egress, const struct bpf_program *prog)
{
	struct bpf_prog_info info = { 0 };
	uint32_t ids[ORDER_MAX], size = sizeof(info);
	LIBBPF_OPTS(bpf_prog_query_opts, q, .prog_ids = ids, .prog_cnt = ORDER_MAX);
	enum bpf_attach_type hook = (enum bpf_attach_type)(egress ? HOOK_TCX_EGRESS : HOOK_TCX_INGRESS);

	if (bpf_prog_query_opts((int)ifindex, hook, &q) ||
	    bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &size))
		return false;
	return q.prog_cnt && ids[0] == info.id;
}

static int look_at_order(struct policy_count *c, struct hold *h)
{
	bool socket = h->links[1] < 0;
	bool in = socket || is_first(h->ifindex, false, c->skel->progs.np_policy_in);
	bool out = !socket && is_first(h->ifindex, true, c->skel->progs.np_policy_out);

	if (h->first[0] == in && h->first[1] == out && h->told)
		return 0;
	h->first[0] = in;
	h->first[1] = out;
	h->told = true;
	return tell_iface(c, h);
}

void policy_count_order(struct policy_count *c)
{
	for (unsigned int i = 0; i < c->n; i++)
		look_at_order(c, &c->holds[i]);
}

int policy_count_attach(struct policy_count *c, uint32_t ifindex, uint32_t pod)
{
	struct hold h = { .ifindex = ifindex, .pod = pod, .links = { -1, -1 } }, *there = find(c, ifindex);
	struct link_info link;
	char reason[256];
	int err;

	if (there) {
		there->pod = pod;
		return tell_iface(c, there);
	}
	err = link_get(NULL, ifindex, &link);
	if (err)
		return fail(err, "policy counters: interface %u", ifindex);
	if (link.arphrd != ARPHRD_ETHER) {
		fail(0, "policy counters: %s: it has no Ethernet header", link.name);
		return -EMEDIUMTYPE;
	}
	err = make_room(c);
	/* It is known whose it is before the first packet is seen. */
	if (!err)
		err = tell_iface(c, &h);
	if (!err)
		err = put(c, &h);
	if (!err)
		err = look_at_order(c, &h);
	if (err) {
		load_reason(reason, sizeof(reason), err, NEED_BPF | NEED_NET_ADMIN | NEED_NET_RAW, "cannot attach");
		fail(0, "policy counters: %s: %s", link.name, reason);
		let_go(&h);
		return err;
	}
	c->holds[c->n++] = h;
	return 0;
}

int policy_count_detach(struct policy_count *c, uint32_t ifindex)
{
	struct hold *h = find(c, ifindex);

	if (!h)
		return -ENOENT;
	let_go(h);
	bpf_map_delete_elem(bpf_map__fd(c->skel->maps.policy_ifaces), &ifindex);
	*h = c->holds[--c->n];
	return 0;
}

void policy_ifaces_let_go(struct policy_count *c)
{
	for (unsigned int i = 0; i < c->n; i++)
		let_go(&c->holds[i]);
	free(c->holds);
}
