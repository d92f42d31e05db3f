// SPDX-License-Identifier: GPL-2.0-or-later
#include "priv/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "priv/priv.h"
#include "util/err.h"

/* Younger than some headers that this must build with. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

struct sets {
	uint64_t effective, permitted, inheritable;
};

/* capget(2) itself: libcap's state is allocated, and this is all there is to it. */
static int get_sets(struct sets *s)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	s->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	s->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	s->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

uint64_t caps_effective(void)
{
	struct sets s = { 0 };

	return get_sets(&s) ? 0 : s.effective;
}

bool caps_any(void)
{
	struct sets s = { 0 };

	if (get_sets(&s) || s.effective || s.permitted || s.inheritable)
		return true;
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) > 0)
			return true;
	return false;
}

void caps_unbound(void)
{
	/* EINVAL ends the list of those the kernel knows; EPERM (no CAP_SETPCAP) leaves the bounding set,
	 * which without exec (no_new_privs, seccomp) bounds nothing anyway. */
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			break;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int caps_keep(uint64_t keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	struct sets s = { 0 };
	int err = get_sets(&s);

	if (err)
		return fail(err, "cannot read the capabilities");
	keep &= s.permitted;
	data[0].effective = data[0].permitted = (uint32_t)keep;
	data[1].effective = data[1].permitted = (uint32_t)(keep >> 32);
	if (syscall(SYS_capset, &head, data))
		return fail(errno, "cannot drop capabilities");
	return 0;
}

/* A line of uid_map, "first here, first outside, how many": does it map all to themselves? */
static bool maps_all(const char *line)
{
	unsigned long n[3];

	errno = 0;
	for (int i = 0; i < 3; i++) {
		char *end;

		n[i] = strtoul(line, &end, 10);
		if (end == line)
			return false;
		line = end;
	}
	return !errno && !n[0] && !n[1] && n[2] == UINT32_MAX;
}

/* In a user namespace of its own a full set means nothing to bpf(2), which asks the initial one. */
static bool in_user_namespace(void)
{
	char line[64];
	FILE *f = fopen("/proc/self/uid_map", "re");
	bool initial = !f || (fgets(line, sizeof(line), f) && maps_all(line));

	if (f)
		fclose(f);
	return !initial;
}

/* False also when the release does not begin with two numbers. */
static bool is_before_5_11(const char *release)
{
	char *dot, *end;
	unsigned long major = strtoul(release, &dot, 10), minor;

	if (dot == release || *dot != '.')
		return false;
	minor = strtoul(dot + 1, &end, 10);
	return end > dot + 1 && (major < 5 || (major == 5 && minor < 11));
}

/* Before 5.11 maps and programs are charged to RLIMIT_MEMLOCK, and raising that takes a capability. */
static bool memlock_too_small(void)
{
	struct utsname u;
	struct rlimit lim;

	return !uname(&u) && is_before_5_11(u.release) && !getrlimit(RLIMIT_MEMLOCK, &lim) &&
	       lim.rlim_max < (64U << 20);
}

struct list {
	char *text;
	unsigned int size, n, count;
};

static void name_it(struct list *l, const char *cap)
{
	int n = snprintf(l->text + l->n, l->size - l->n, "%s%s", l->count ? ", " : "", cap);

	l->count++;
	if (n > 0)
		l->n = (unsigned int)n < l->size - l->n ? l->n + (unsigned int)n : l->size - 1;
}

int priv_missing(bool tracing, char *text, unsigned int size)
{
	uint64_t have = caps_effective();
	bool has_cap_bpf = prctl(PR_CAPBSET_READ, CAP_BPF, 0, 0, 0) >= 0;	/* 5.8 */
	bool foreign = in_user_namespace();
	struct list l = { .text = text, .size = size };

	text[0] = '\0';
	/* CAP_SYS_ADMIN stands in for both of its younger parts, and for CAP_NET_ADMIN where programs are
	 * loaded, but not where rtnetlink is asked. */
	if (!foreign && have & CAP_BIT(CAP_SYS_ADMIN))
		have |= CAP_BIT(CAP_BPF) | CAP_BIT(CAP_PERFMON);
	if (foreign)
		have &= ~(CAP_BIT(CAP_BPF) | CAP_BIT(CAP_PERFMON) | CAP_BIT(CAP_SYS_RESOURCE));
	if (!has_cap_bpf && !(have & CAP_BIT(CAP_BPF)))
		name_it(&l, "CAP_SYS_ADMIN");
	else if (!(have & CAP_BIT(CAP_BPF)))
		name_it(&l, foreign ? "CAP_BPF (of the host, not of this user namespace)" : "CAP_BPF");
	if (!(have & (CAP_BIT(CAP_NET_ADMIN) | CAP_BIT(CAP_NET_RAW))))
		name_it(&l, "CAP_NET_ADMIN");
	if (tracing && has_cap_bpf && !(have & CAP_BIT(CAP_PERFMON)))
		name_it(&l, "CAP_PERFMON");
	if (memlock_too_small() && !(have & CAP_BIT(CAP_SYS_RESOURCE)))
		name_it(&l, "CAP_SYS_RESOURCE");
	return (int)l.count;
}
