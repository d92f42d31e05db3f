// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/choose.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kern/hook.h"
#include "numbers/linktype.h"
#include "util/caps.h"
#include "util/cleanup.h"

/* Before Linux 5.14 the kernel tells it in sysfs alone, and that may be of another network namespace. */
static bool in_sysfs(const struct link_info *l)
{
	char path[128];
	unsigned long index = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%s/ifindex", l->name);
	f = fopen(path, "re");
	if (f) {
		char line[24];

		index = fgets(line, sizeof(line), f) ? strtoul(line, NULL, 10) : 0;
		fclose(f);
	}
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", l->name);
	return index == l->ifindex && !access(path, F_OK);
}

bool hook_is_device(const struct link_info *l)
{
	if (l->has_device)
		return true;
	return !*l->kind && l->arphrd != ARPHRD_LOOPBACK && in_sysfs(l);
}

static const char *no_native(const struct link_info *l)
{
	if (l->link != LINK_ETHERNET)
		return "XDP is for Ethernet, and this is bare IP";
	if (!strcmp(l->kind, "veth"))
		return "default on veth and pods is tcx: native XDP there costs TSO and GRO";
	return hook_is_device(l) ? NULL : "default on virtual interfaces is tcx";
}

int hook_choose(const struct link_info *l, struct hook_choice *c)
{
	unsigned int n = 0;

	*c = (struct hook_choice){ .ingress = { WAYS }, .egress = { WAYS } };
	if (l->link != LINK_ETHERNET && l->link != LINK_RAW) {
		snprintf(c->why, sizeof(c->why), "link type %u is neither Ethernet nor bare IP", l->arphrd);
		return -EMEDIUMTYPE;
	}
	c->no_native = no_native(l);
	if (!c->no_native)
		c->ingress[n++] = WAY_XDP_NATIVE;
	c->ingress[n++] = WAY_TCX_IN;
	c->ingress[n++] = WAY_CLSACT_IN;
	c->ingress[n] = WAYS;
	c->egress[0] = WAY_TCX_OUT;
	c->egress[1] = WAY_CLSACT_OUT;
	c->egress[2] = WAYS;
	return 0;
}

static const struct {
	enum bpf_prog_type prog;
	int attach, result;
	uint32_t flags;
} ways[WAYS] = {
	[WAY_XDP_NATIVE] = { BPF_PROG_TYPE_XDP, BPF_XDP, XDP_PASS, XDP_FLAGS_DRV_MODE },
	[WAY_XDP_GENERIC] = { BPF_PROG_TYPE_XDP, BPF_XDP, XDP_PASS, XDP_FLAGS_SKB_MODE },
	/* -1: on to the next in the chain. */
	[WAY_TCX_IN] = { BPF_PROG_TYPE_SCHED_CLS, HOOK_TCX_INGRESS, -1, HOOK_TCX_BEFORE },
	[WAY_TCX_OUT] = { BPF_PROG_TYPE_SCHED_CLS, HOOK_TCX_EGRESS, -1, HOOK_TCX_BEFORE },
};

int hook_try(uint32_t ifindex, enum hook_way way)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = ways[way].result },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = ways[way].flags);
	owned_fd int prog = -1, link = -1;

	if (!ways[way].attach)
		return -EOPNOTSUPP;
	prog = bpf_prog_load(ways[way].prog, "np_try", "GPL", pass, 2, NULL);
	if (prog < 0)
		return prog;
	link = bpf_link_create(prog, (int)ifindex, (enum bpf_attach_type)ways[way].attach, &o);
	return link < 0 ? link : 0;
}

uint32_t hook_at_xdp(uint32_t ifindex, const char **mode)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, q);
	const char *unused;

	mode = mode ? mode : &unused;
	*mode = NULL;
	if (bpf_xdp_query((int)ifindex, 0, &q))
		return 0;
	*mode = q.drv_prog_id ? "native" : q.skb_prog_id ? "generic" : q.hw_prog_id ? "offload" : NULL;
	return q.drv_prog_id ? q.drv_prog_id : q.skb_prog_id ? q.skb_prog_id : q.hw_prog_id ? q.hw_prog_id : q.prog_id;
}

/* BPF_PROG_QUERY as Linux 6.6 has it, which libbpf 1.1 does not know. */
struct query {
	uint32_t target, attach_type, query_flags, attach_flags;
	uint64_t prog_ids;
	uint32_t count, unused;
	uint64_t prog_attach_flags, link_ids, link_attach_flags, revision;
};

int hook_chain(uint32_t ifindex, uint32_t type, struct hook_chain *c)
{
	struct query q = { .target = ifindex, .attach_type = type, .prog_ids = (uintptr_t)c->progs,
			   .count = HOOK_CHAIN_MAX, .link_ids = (uintptr_t)c->links };

	memset(c, 0, sizeof(*c));
	if (syscall(SYS_bpf, BPF_PROG_QUERY, &q, sizeof(q)))
		return -errno;
	c->n = q.count < HOOK_CHAIN_MAX ? q.count : HOOK_CHAIN_MAX;
	return 0;
}

static void why_xdp(uint32_t ifindex, enum hook_way way, int err, char *to, unsigned int size)
{
	struct link_info l = { 0 };

	link_get(NULL, ifindex, &l);
	if (err == -EOPNOTSUPP && way == WAY_XDP_NATIVE)
		snprintf(to, size, "the driver has no XDP of its own");
	else if ((err == -EINVAL || err == -ERANGE || err == -E2BIG) && l.mtu > 1500)
		snprintf(to, size, "%s; an MTU of %u may be too large (multi-buffer XDP: Linux 5.18 and its driver)",
			 strerror(-err), l.mtu);
	else
		snprintf(to, size, "%s", strerror(-err));
}

void hook_why(uint32_t ifindex, enum hook_way way, int err, char *to, unsigned int size)
{
	char missing[128];

	if ((err == -EPERM || err == -EACCES) && caps_missing(NEED_BPF | NEED_NET_ADMIN, missing, sizeof(missing)))
		snprintf(to, size, "missing: %s", missing);
	else if (way == WAY_XDP_NATIVE || way == WAY_XDP_GENERIC)
		why_xdp(ifindex, way, err, to, size);
	else if (err == -EINVAL && (way == WAY_TCX_IN || way == WAY_TCX_OUT))
		snprintf(to, size, "the kernel has no tcx (Linux 6.6): %s", strerror(-err));
	else
		snprintf(to, size, "%s", strerror(-err));
}
