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

/* Which service's filter runs that program; 0: none. */
static uint8_t filter_of(const struct pin_view *v, bool egress, uint32_t id)
{
	for (uint8_t s = 1; id && s <= SERVICES; s++)
		if (clsact_kept(v->place.ifindex, egress, s) == id)
			return s;
	return 0;
}

/*
 * A filter is ours when it runs a program that is pinned: "prog", or "next" while one takes the place of another, so
 * that one of them is known whoever is killed in between.  -ENOENT: no program is pinned; -EXDEV: not told from here.
 */
static const char *const filter_pins[] = { "prog", "next" };

static int find_filter(const struct pin_view *v, enum pin_hook hook, uint8_t *service, uint32_t *id)
{
	int err = -ENOENT;

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
		*service = filter_of(v, hook == PIN_EGRESS, *id);
	}
	return err;
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
	if (err)
		return fail(err == -EPERM ? 0 : err, "%s: a program that is not ours: left alone", p->at.path), -ESTALE;
	if (service)
		clsact_unkeep(p->at.place.ifindex, hook == PIN_EGRESS, service);
	for (int i = 0; i < 2 && !err; i++) {
		name_of(name, filter_pins[i], hook);
		err = pin_drop(p, name);
	}
	return err;
}

static int attach_clsact(struct pin *p, const struct pin_want *w, struct pin_got *got)
{
	bool egress = w->hook == PIN_EGRESS;
	char name[PIN_NAME], next[PIN_NAME], reason[256];
	int err;

	got->kind = "clsact";
	got->replaced = clsact_kept(p->at.place.ifindex, egress, w->handle) != 0;
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
		return err ? err : detach_filter(p, w->hook);
	}
	/* Before 6.6 the kernel knows no such type. */
	if (fd == -EINVAL || fd == -EOPNOTSUPP)
		return attach_clsact(p, w, got);
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
	return err == -ENOENT ? 0 : err ? err : service ? 1 : 0;
}
