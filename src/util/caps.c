// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/caps.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "util/err.h"

/* Younger than some headers that this must build with. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

int caps_get(struct cap_sets *s)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	*s = (struct cap_sets){ 0 };
	if (syscall(SYS_capget, &head, data))
		return -errno;
	s->effective = data[0].effective | (uint64_t)data[1].effective << 32;
	s->permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	s->inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	return 0;
}

/* Whether the kernel has CAP_BPF and CAP_PERFMON (5.8), which were parts of CAP_SYS_ADMIN before.  It is asked
 * once: a confined process, whose first question comes before it is confined, may not ask. */
static bool knows_cap_bpf(void)
{
	static int known = -1;

	if (known < 0)
		known = prctl(PR_CAPBSET_READ, CAP_BPF, 0, 0, 0) >= 0;
	return known;
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

/*
 * `instead` will do as well: CAP_SYS_ADMIN for both of its younger parts, CAP_NET_RAW where a packet socket can be the
 * hook.  of_host: the kernel wants it in the initial user namespace.
 */
static const struct row {
	unsigned int need, cap, instead;
	bool of_host;
	const char *name;
} rows[] = {
	{ NEED_BPF, CAP_BPF, CAP_SYS_ADMIN, true, "CAP_BPF" },
	{ NEED_HOOK, CAP_NET_ADMIN, CAP_NET_RAW, false, "CAP_NET_ADMIN" },
	{ NEED_NET_ADMIN, CAP_NET_ADMIN, CAP_NET_ADMIN, false, "CAP_NET_ADMIN" },
	{ NEED_NET_RAW, CAP_NET_RAW, CAP_NET_RAW, false, "CAP_NET_RAW" },
	{ NEED_PERFMON, CAP_PERFMON, CAP_SYS_ADMIN, true, "CAP_PERFMON" },
	{ NEED_BPF, CAP_SYS_RESOURCE, CAP_SYS_RESOURCE, true, "CAP_SYS_RESOURCE" },
	{ NEED_SYSLOG, CAP_SYSLOG, CAP_SYSLOG, true, "CAP_SYSLOG" },
	{ NEED_ADMIN, CAP_SYS_ADMIN, CAP_SYS_ADMIN, true, "CAP_SYS_ADMIN" },
	{ NEED_NETNS, CAP_SYS_ADMIN, CAP_SYS_ADMIN, false, "CAP_SYS_ADMIN" },
	{ NEED_USER, CAP_SETUID, CAP_SETUID, false, "CAP_SETUID" },
	{ NEED_USER, CAP_SETGID, CAP_SETGID, false, "CAP_SETGID" },
	{ NEED_FILES, CAP_DAC_OVERRIDE, CAP_DAC_OVERRIDE, false, "CAP_DAC_OVERRIDE" },
	{ NEED_FILES, CAP_CHOWN, CAP_CHOWN, false, "CAP_CHOWN" },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* A younger one is, on a kernel that does not know it, the one that it was part of. */
static unsigned int cap_here(const struct row *r)
{
	return r->instead == CAP_SYS_ADMIN && !knows_cap_bpf() ? CAP_SYS_ADMIN : r->cap;
}

static const char *name_here(const struct row *r)
{
	return cap_here(r) == r->cap ? r->name : "CAP_SYS_ADMIN";
}

uint64_t caps_for(unsigned int needs)
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < ROWS; i++)
		if (needs & rows[i].need)
			bits |= CAP_BIT(cap_here(&rows[i]));
	return bits;
}

const char *caps_name(enum cap_need need)
{
	unsigned int i = 0;

	while (i < ROWS - 1 && rows[i].need != (unsigned int)need)
		i++;
	return name_here(&rows[i]);
}

static bool is_missing(const struct row *r, uint64_t have, bool foreign)
{
	if (r->cap == CAP_SYS_RESOURCE && !memlock_too_small())
		return false;
	return (foreign && r->of_host) || !(have & (CAP_BIT(cap_here(r)) | CAP_BIT(r->instead)));
}

#define OF_HOST " (of the host"
#define OF_HOST_ALONE OF_HOST ", not of this user namespace)"

int caps_missing(unsigned int needs, char *text, unsigned int size)
{
	bool foreign = in_user_namespace(), noted = false;	/* said in full */
	unsigned int n = 0, count = 0;
	uint64_t named = 0;
	struct cap_sets s;

	caps_get(&s);
	text[0] = '\0';
	for (unsigned int i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		bool note = foreign && r->of_host;

		if (!(needs & r->need) || named & CAP_BIT(cap_here(r)) || !is_missing(r, s.effective, foreign))
			continue;
		if (n < size)
			n += (unsigned int)snprintf(text + n, size - n, "%s%s%s", count ? ", " : "", name_here(r),
						    !note ? "" : noted ? OF_HOST ")" : OF_HOST_ALONE);
		named |= CAP_BIT(cap_here(r));
		noted |= note;
		count++;
	}
	return (int)count;
}

const char *caps_remedy(const char *text)
{
	return strstr(text, OF_HOST) ? "run it outside this user namespace" : CAPS_REMEDY;
}

void caps_tell(const char *missing)
{
	bool of_host = strstr(missing, OF_HOST);

	fail(0, "missing: %s (%s%s)", missing, caps_remedy(missing),
	     of_host ? "" : ", or give the binary these capabilities");
}
