// SPDX-License-Identifier: GPL-2.0-or-later
/* Pinned state: the program at its hook.  Links where the kernel has them; a clsact filter before 6.6. */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kern/choose.h"
#include "kern/hook.h"
#include "kern/load.h"
#include "pin/parts.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { SERVICES = 8 };

const char *const pin_hook_names[PIN_HOOKS] = { "xdp", "ingress", "egress" };

static void name_of(char out[PIN_NAME], const char *kind, enum pin_hook hook)
{
	snprintf(out, PIN_NAME, "%s_%s", kind, pin_hook_names[hook]);
}

void pin_link_name(char out[PIN_NAME], enum pin_hook hook)
{
	name_of(out, "link", hook);
}

static uint32_t prog_id(int fd)
{
	struct bpf_prog_info info;

	return pin_prog_is_ours(fd, &info) ? info.id : 0;
}

/* ── links ────────────────────────────────────────────────────────────────── */

/* Of a link: 1, 0 once its interface is gone, or -errno.  xdp, tcx and netkit have that in the same place. */
static int link_lives(int fd, struct bpf_link_info *info)
{
	uint32_t n = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &n) ? -errno : info->xdp.ifindex != 0;
}

static int update_link(int link, const struct bpf_link_info *info, int prog)
{
	owned_fd int old = bpf_prog_get_fd_by_id(info->prog_id);
	LIBBPF_OPTS(bpf_link_update_opts, o, .flags = BPF_F_REPLACE, .old_prog_fd = (uint32_t)old);

	if (old < 0)
		return old;
	return bpf_link_update(link, prog, &o);
}

static int not_ours(const struct pin *p, const char *name)
{
	fail(0, "%s/%s is not ours: left alone", p->at.path, name);
	return -ESTALE;
}

/* Our own link there: 1 when it now runs the program, 0 when there is none that lives. */
static int replace_link(struct pin *p, const struct pin_want *w, struct pin_got *got)
{
	char name[PIN_NAME];
	struct bpf_link_info info;
	owned_fd int fd = -1;
	int err;

	name_of(name, "link", w->hook);
	fd = pin_get(&p->at, name, false);
	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd == -EPERM ? not_ours(p, name) : fail(fd, "%s/%s", p->at.path, name);
	err = link_lives(fd, &info);
	if (!err)
		return pin_drop(p, name);
	if (err > 0)
		err = update_link(fd, &info, w->prog);
	if (err)
		return fail(err, "%s: cannot replace the program at %s", p->at.place.ifname, pin_hook_names[w->hook]);
	got->replaced = true;
	got->link_id = info.id;
	return 1;
}

static int keep_link(struct pin *p, const struct pin_want *w, int fd, struct pin_got *got)
{
	struct bpf_link_info info;
	char name[PIN_NAME];
	int err;

	name_of(name, "link", w->hook);
	err = pin_put(p, name, fd);
	if (!err && link_lives(fd, &info) > 0)
		got->link_id = info.id;
	return err;
}

/* ── tc ───────────────────────────────────────────────────────────────────── */

static bool is_here(const struct pin_view *v)
{
	struct pin_place here;

	return !pin_netns(&here) && here.netns == v->place.netns && here.by_inode == v->place.by_inode;
}

/* Which service's filter runs that program; 0: none; or -errno. */
static int filter_of(const struct pin_view *v, bool egress, uint32_t id)
{
	for (uint8_t s = 1; id && s <= SERVICES; s++) {
		int64_t kept = clsact_kept(v->place.ifindex, egress, s);

		if (kept == id || kept < 0)
			return kept < 0 ? (int)kept : s;
	}
	return 0;
}

/*
 * A filter is ours when it runs a program that is pinned: "prog", or "next" while one takes the place of another, so
 * that one of them is known whoever is killed in between.  -ENOENT: no program is pinned; -EXDEV: not told from here.
 */
static const char *const filter_pins[] = { "prog", "next" };

static int find_filter(const struct pin_view *v, enum pin_hook hook, uint8_t *service, uint32_t *id)
{
	int err = -ENOENT, found;

	*service = 0;
	for (int i = 0; i < 2 && !*service; i++) {
		char name[PIN_NAME];
		owned_fd int prog = -1;

		name_of(name, filter_pins[i], hook);
		prog = pin_get(v, name, false);
		if (prog == -ENOENT)
			continue;
		if (prog < 0)
			return prog;
		*id = prog_id(prog);
		if (!is_here(v))
			return -EXDEV;
		err = 0;
		found = filter_of(v, hook == PIN_EGRESS, *id);
		if (found < 0)
			return found;
		*service = (uint8_t)found;
	}
	return err;
}

/* What runs behind the gate: a program's number; 0: nothing, for it was emptied; -ENOENT: there is no gate. */
static int64_t behind_gate(const struct pin_view *v, enum pin_hook hook)
{
	uint32_t zero = 0, id = 0;
	char name[PIN_NAME];
	owned_fd int map = -1;

	name_of(name, "gate", hook);
	map = pin_get(v, name, true);
	if (map < 0)
		return map;
	if (bpf_map_lookup_elem(map, &zero, &id))
		return errno == ENOENT ? 0 : -errno;
	return id;
}

/* Its map was emptied when the last name of that went: nothing can come behind it any more. */
static bool is_empty_gate(int64_t id)
{
	owned_fd int prog = id > 0 ? bpf_prog_get_fd_by_id((uint32_t)id) : -1, map = -1;
	uint32_t map_id = 0, n = sizeof(struct bpf_prog_info), zero = 0, behind;
	struct bpf_prog_info info = { .map_ids = (uint64_t)(uintptr_t)&map_id, .nr_map_ids = 1 };

	if (prog < 0 || bpf_obj_get_info_by_fd(prog, &info, &n) || strcmp(info.name, "np_gate"))
		return false;
	map = bpf_map_get_fd_by_id(map_id);
	return map >= 0 && bpf_map_lookup_elem(map, &zero, &behind) && errno == ENOENT;
}

bool pin_drop_empty(uint32_t ifindex, uint8_t handle)
{
	bool any = false;

	for (int egress = 0; egress < 2; egress++) {
		if (!is_empty_gate(clsact_kept(ifindex, egress, handle)))
			continue;
		clsact_unkeep(ifindex, egress, handle);
		any = true;
	}
	return any;
}

static int detach_filter(struct pin *p, enum pin_hook hook)
{
	char name[PIN_NAME];
	uint8_t service;
	uint32_t id;
	int err = find_filter(&p->at, hook, &service, &id);

	if (err == -ENOENT)
		return 0;
	if (err == -EXDEV)
		return fail(0, "%s: a filter of another network namespace: left alone", p->at.path), err;
	if (err == -EPERM)
		return fail(0, "%s: a program that is not ours: left alone", p->at.path), -ESTALE;
	if (err)
		return fail(err, "%s: its filter", p->at.path);
	if (service)
		clsact_unkeep(p->at.place.ifindex, hook == PIN_EGRESS, service);
	for (int i = 0; i < 2 && !err; i++) {
		name_of(name, filter_pins[i], hook);
		err = pin_drop(p, name);
	}
	name_of(name, "gate", hook);
	return err ? err : pin_drop(p, name);
}

/* The program that jumps into the map, and where there is nothing lets pass (TC_ACT_UNSPEC). */
static int load_gate(int map)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW, .dst_reg = BPF_REG_2, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map },
		{ 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_tail_call },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "np_gate", "GPL", insns, sizeof(insns) / sizeof(insns[0]), NULL);
}

/* The program goes behind the gate, which is made where there is none: the map. */
static int fill_gate(struct pin *p, const struct pin_want *w)
{
	owned_fd int map = -1;
	uint32_t zero = 0;
	char name[PIN_NAME];
	bool fresh;
	int err = 0;

	name_of(name, "gate", w->hook);
	map = pin_get(&p->at, name, false);
	fresh = map == -ENOENT;
	if (fresh)
		map = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "np_gate", 4, 4, 1, NULL);
	if (map < 0)
		return fail(map, "%s/%s", p->at.path, name);
	if (bpf_map_update_elem(map, &zero, &w->prog, BPF_ANY))
		return fail(errno, "%s/%s", p->at.path, name);
	if (fresh)
		err = pin_put(p, name, map);
	return err ? err : take_fd(map);
}

static int attach_clsact(struct pin *p, const struct pin_want *w, struct pin_got *got);

/* Where the filter is the gate already, what is behind it is replaced, and nothing else. */
static int attach_gate(struct pin *p, const struct pin_want *w, struct pin_got *got)
{
	struct pin_want gate = *w;
	uint8_t service = 0;
	uint32_t id = 0;
	bool is_gate = behind_gate(&p->at, w->hook) >= 0;
	owned_fd int map = -1, prog = -1;
	int err = find_filter(&p->at, w->hook, &service, &id);

	if (err && err != -ENOENT)
		return fail(err, "%s %s: the filter", p->at.place.ifname, pin_hook_names[w->hook]);
	map = fill_gate(p, w);
	if (map < 0)
		return map;
	got->kind = "clsact";
	got->replaced = is_gate && service;
	if (got->replaced)
		return 0;
	prog = load_gate(map);
	if (prog < 0)
		return fail(prog, "%s %s: the filter", p->at.place.ifname, pin_hook_names[w->hook]);
	gate.prog = prog;
	gate.gate = false;
	return attach_clsact(p, &gate, got);
}

static int attach_clsact(struct pin *p, const struct pin_want *w, struct pin_got *got)
{
	bool egress = w->hook == PIN_EGRESS;
	char name[PIN_NAME], next[PIN_NAME], reason[256];
	int err;

	got->kind = "clsact";
	got->replaced = clsact_kept(p->at.place.ifindex, egress, w->handle) > 0;
	name_of(name, filter_pins[0], w->hook);
	name_of(next, filter_pins[1], w->hook);
	err = pin_put(p, next, w->prog);
	if (err)
		return err;
	err = clsact_keep(p->at.place.ifindex, egress, w->handle, w->prog);
	if (err) {
		load_reason(reason, sizeof(reason), err, NEED_BPF | NEED_NET_ADMIN, "neither tcx nor clsact");
		fail(0, "%s %s: %s", p->at.place.ifname, pin_hook_names[w->hook], reason);
		pin_drop(p, next);
		return err;
	}
	err = pin_put(p, name, w->prog);
	return err ? err : pin_drop(p, next);
}

static int attach_tc(struct pin *p, const struct pin_want *w, struct pin_got *got)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = w->last ? 0 : HOOK_TCX_BEFORE);
	enum bpf_attach_type type = (enum bpf_attach_type)(w->hook == PIN_EGRESS ? HOOK_TCX_EGRESS : HOOK_TCX_INGRESS);
	owned_fd int fd = -1;
	char reason[256];

	fd = bpf_link_create(w->prog, (int)p->at.place.ifindex, type, &o);
	if (fd >= 0) {
		int err = keep_link(p, w, fd, got);

		got->kind = "tcx";
		err = err ? err : detach_filter(p, w->hook);
		if (!err)
			pin_drop_empty(p->at.place.ifindex, w->handle);
		return err;
	}
	/* Before 6.6 the kernel knows no such type. */
	if (fd == -EINVAL || fd == -EOPNOTSUPP)
		return w->gate ? attach_gate(p, w, got) : attach_clsact(p, w, got);
	load_reason(reason, sizeof(reason), fd, NEED_BPF | NEED_NET_ADMIN, "tcx");
	return fail(0, "%s %s: %s", p->at.place.ifname, pin_hook_names[w->hook], reason), fd;
}

/* ── XDP ──────────────────────────────────────────────────────────────────── */

static const struct {
	const char *name;
	uint32_t flag;
} modes[] = {
	[PIN_NATIVE] = { "native", XDP_FLAGS_DRV_MODE },
	[PIN_GENERIC] = { "generic", XDP_FLAGS_SKB_MODE },
	[PIN_OFFLOAD] = { "offload", XDP_FLAGS_HW_MODE },
};

static void tell_busy(const struct pin *p, char *to, size_t size)
{
	uint32_t id = hook_at_xdp(p->at.place.ifindex, NULL), n;
	struct bpf_prog_info info = { 0 };
	owned_fd int fd = id ? bpf_prog_get_fd_by_id(id) : -1;

	n = sizeof(info);
	if (fd >= 0)
		bpf_obj_get_info_by_fd(fd, &info, &n);
	snprintf(to, size, "program %u (%s) is there and %s: left alone (bpftool prog show id %u)", id,
		 *info.name ? info.name : "no name", strncmp(info.name, "np_", 3) ? "not ours" : "netprobe's own", id);
}

static int link_xdp(struct pin *p, const struct pin_want *w, enum pin_mode mode, struct pin_got *got)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = modes[mode].flag);
	owned_fd int fd = bpf_link_create(w->prog, (int)p->at.place.ifindex, BPF_XDP, &o);

	if (fd < 0)
		return fd;
	got->kind = "xdp";
	got->mode = modes[mode].name;
	return keep_link(p, w, fd, got);
}

/* Is it the driver, or a program that has the place?  Then another way may work. */
static bool is_in_the_way(int err)
{
	return err != -EPERM && err != -EACCES && err != -ENOMEM && err != -ENODEV;
}

static int try_xdp(struct pin *p, const struct pin_want *w, enum pin_mode mode, struct pin_got *got, char why[160])
{
	int err = link_xdp(p, w, mode, got);

	*why = '\0';
	if (!err || got->kind)	/* then the link was made, and what failed after it was told */
		return err;
	if (err == -EBUSY || err == -EEXIST) {
		tell_busy(p, why, 160);
		return -EBUSY;
	}
	hook_why(p->at.place.ifindex, mode == PIN_GENERIC ? WAY_XDP_GENERIC : WAY_XDP_NATIVE, err, why, 160);
	return err;
}

static int attach_xdp(struct pin *p, const struct pin_want *w, struct pin_got *got)
{
	enum pin_mode mode = w->mode == PIN_AUTO ? PIN_NATIVE : w->mode;
	char why[160];
	int err = try_xdp(p, w, mode, got, why);

	if (*why && w->quiet && is_in_the_way(err)) {
		snprintf(got->note, sizeof(got->note), "%s", why);
		return err;
	}
	if (*why && w->mode == PIN_AUTO && err != -EBUSY && is_in_the_way(err)) {
		snprintf(got->note, sizeof(got->note), "generic in place of native XDP: %s", why);
		mode = PIN_GENERIC;
		err = try_xdp(p, w, mode, got, why);
	}
	if (*why && err == -EBUSY)
		fail(0, "%s xdp: %s", p->at.place.ifname, why);
	else if (*why)
		fail(0, "%s xdp: %s: %s", p->at.place.ifname, modes[mode].name, why);
	return err;
}

int pin_attach(struct pin *p, const struct pin_want *w, struct pin_got *got)
{
	int err;

	memset(got, 0, sizeof(*got));
	got->prog_id = prog_id(w->prog);
	err = replace_link(p, w, got);
	if (err > 0) {
		got->kind = w->hook == PIN_XDP ? "xdp" : "tcx";
		if (w->hook == PIN_XDP)
			hook_at_xdp(p->at.place.ifindex, &got->mode);
		return 0;
	}
	if (err < 0)
		return err;
	return w->hook == PIN_XDP ? attach_xdp(p, w, got) : attach_tc(p, w, got);
}

/* ── taking away, asking ──────────────────────────────────────────────────── */

int pin_detach(struct pin *p, enum pin_hook hook)
{
	char name[PIN_NAME];
	owned_fd int link = -1;
	int err;

	name_of(name, "link", hook);
	link = pin_get(&p->at, name, false);
	if (link == -EPERM)
		return not_ours(p, name);
	if (link < 0 && link != -ENOENT)
		return fail(link, "%s/%s", p->at.path, name);
	if (link >= 0) {
		bpf_link_detach(link);
		err = pin_drop(p, name);
		if (err)
			return err;
	}
	return detach_filter(p, hook);
}

int pin_attached(const struct pin_view *v, enum pin_hook hook, struct pin_got *got)
{
	char name[PIN_NAME];
	struct bpf_link_info info;
	owned_fd int link = -1;
	uint8_t service;
	int64_t behind;
	int err;

	memset(got, 0, sizeof(*got));
	name_of(name, "link", hook);
	link = pin_get(v, name, false);
	if (link >= 0) {
		err = link_lives(link, &info);
		if (err <= 0)
			return err;
		got->kind = hook == PIN_XDP ? "xdp" : "tcx";
		got->link_id = info.id;
		got->prog_id = info.prog_id;
		if (hook == PIN_XDP && is_here(v))
			hook_at_xdp(v->place.ifindex, &got->mode);
		return 1;
	}
	if (link != -ENOENT)
		return link;
	got->kind = "clsact";
	err = find_filter(v, hook, &service, &got->prog_id);
	if (err || !service)
		return err == -ENOENT ? 0 : err;
	behind = behind_gate(v, hook);
	if (behind >= 0)
		got->prog_id = (uint32_t)behind;
	return behind == -ENOENT ? 1 : behind < 0 ? (int)behind : behind > 0;
}
