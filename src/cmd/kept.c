// SPDX-License-Identifier: GPL-2.0-or-later
/* What attach add left at an interface: mapped, to be read. */
#include "cmd/kept.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "pin/pin.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { TRIES = 5, TRY_US = 20000 };

/* Which hooks run, a bit each, and the number of one's program; or a negative errno. */
static int running(const struct pin_view *v, uint32_t *program)
{
	struct pin_got got;
	int hooks = 0, err;

	for (enum pin_hook h = 0; h < PIN_HOOKS; h++) {
		err = pin_attached(v, h, &got);
		if (err < 0)
			return err;
		if (err != 1)
			continue;
		hooks |= 1 << h;
		*program = got.prog_id;
	}
	return hooks;
}

/* Who was killed while replacing the maps left some that nothing counts in.  What may not be known is believed. */
static bool counts_there(uint32_t program, const int maps[COUNT_MAPS])
{
	owned_fd int prog = bpf_prog_get_fd_by_id(program);

	for (enum count_map m = 0; m < COUNT_READ && prog >= 0; m++) {
		struct bpf_map_info info = { 0 };
		uint32_t n = sizeof(info);

		if (!bpf_obj_get_info_by_fd(maps[m], &info, &n) && !count_uses(prog, info.id))
			return false;
	}
	return true;
}

/* Map them: a view's number, -ENOENT where they are not what counts there, or why they are not read; -ESTALE: said. */
static int map_pinned(struct counted *c, const struct pin_view *v, uint32_t program)
{
	int maps[COUNT_MAPS], err = 0;

	for (enum count_map m = 0; m < COUNT_MAPS; m++) {
		/* The kernel maps none that was opened to be read only. */
		maps[m] = err ? -1 : pin_get(v, count_pin_name(m), false);
		if (maps[m] < 0)
			err = err ? err : maps[m];
	}
	if (!err && !counts_there(program, maps))
		err = -ENOENT;
	if (!err) {
		err = counted_view(c, maps);
		err = err < 0 ? -ESTALE : err;
	}
	for (enum count_map m = 0; m < COUNT_MAPS; m++)
		if (maps[m] >= 0)
			close(maps[m]);
	return err;
}

/* One look: as map_pinned(), -ENOENT also where nothing runs. */
static int look(struct counted *c, const struct pin_view *v, unsigned int *hooks)
{
	uint32_t program = 0;
	int n = running(v, &program);

	*hooks = n > 0 ? (unsigned int)n : 0;
	return n > 0 ? map_pinned(c, v, program) : n ? n : -ENOENT;
}

static int unreadable(const struct pin_view *v, const char *name, int err)
{
	if (err == -EPERM || err == -EACCES)
		warn("%s: what attach add left (%s) is not read: %s (CAP_SYS_ADMIN, or not ours: attach list)", name,
		     v->path, strerror(-err));
	else
		warn("%s: what attach add left (%s) is not read: %s", name, v->path, strerror(-err));
	return -ESTALE;
}

int kept_map(struct counted *c, uint32_t ifindex, const char *name, unsigned int *hooks)
{
	struct pin_place place;
	struct pin_view v;
	int err, tries = 0;

	if (pin_netns(&place))
		return -ENOENT;
	place.ifindex = ifindex;
	do {
		err = pin_look(&place, COUNT_SERVICE, &v);
		if (err == -ENOENT || err == -ENODEV || (!err && (v.state == PIN_ABSENT || v.state == PIN_BARE)))
			return -ENOENT;
		if (!err && v.state == PIN_OURS)
			err = look(c, &v, hooks);
		else if (!err)
			break;
		/* It may be in the middle of being replaced. */
	} while (err == -ENOENT && ++tries < TRIES && !usleep(TRY_US));
	if (v.state != PIN_OURS && !err) {
		warn("%s: what attach add left (%s) is not read: %s", name, v.path,
		     *v.why ? v.why : "it is of another version of netprobe");
		return -ESTALE;
	}
	if (err == -ENOENT) {
		warn("%s: what counted there does not any more: netprobe attach add dev %s", name, name);
		return -ESTALE;
	}
	return err < 0 && err != -ESTALE ? unreadable(&v, name, err) : err;
}
