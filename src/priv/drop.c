// SPDX-License-Identifier: GPL-2.0-or-later
#include "priv/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "priv/sandbox.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

#define DATA_MAX (UINT64_C(1) << 30)	/* private memory: far above every table's bound */
#define PASSWD_MAX (1U << 20)

/* Add a word to the list; returns 0. */
static int __attribute__((format(printf, 2, 3))) did(const struct priv_drop *p, const char *fmt, ...)
{
	size_t n = p->done ? strlen(p->done) : 0;
	va_list ap;

	if (!p->done || n + 1 >= p->done_size)
		return 0;
	if (n)
		p->done[n++] = ' ';
	va_start(ap, fmt);
	vsnprintf(p->done + n, p->done_size - n, fmt, ap);
	va_end(ap);
	return 0;
}

static int keeps_uid(const struct priv_drop *p, const char *why)
{
	warn("cannot become uid %u (%s): packets are read as uid %u, without any capability", p->uid, why, geteuid());
	return did(p, "uid:no");
}

/*
 * Three worlds in which root may not become somebody else: CAP_SETUID was taken away
 * (a container given only what capture needs), the uid is not mapped in our user
 * namespace (EINVAL), or setgroups is denied there.  Then the uid stays, without
 * any capability, and that is said; unless the user named one.
 */
static int change_user(const struct priv_drop *p)
{
	const char *what = "setgroups";
	char needs[64] = "needs ";
	uid_t r, e, s;

	if (!p->change_user)
		return did(p, "uid:kept");
	if (caps_missing(NEED_USER, needs + 6, sizeof(needs) - 6)) {
		if (p->must_change)
			return fail(EPERM, "cannot become uid %u: %s", p->uid, needs);
		return keeps_uid(p, needs);
	}
	if (setgroups(0, NULL))
		goto refused;
	what = "setresgid";
	if (setresgid(p->gid, p->gid, p->gid))
		goto refused;
	what = "setresuid";
	if (setresuid(p->uid, p->uid, p->uid))
		goto refused;
	if (getresuid(&r, &e, &s) || r != p->uid || e != p->uid || s != p->uid)
		return fail(EPERM, "uid %u did not stick", p->uid);
	return did(p, "uid=%u", p->uid);
refused:
	if (!p->must_change && (errno == EINVAL || errno == EPERM))
		return keeps_uid(p, strerror(errno));
	return fail(errno, "cannot become uid %u, gid %u: %s", p->uid, p->gid, what);
}

static int limit(const struct priv_drop *p)
{
	const struct rlimit none = { 0, 0 };
	struct rlimit data = { DATA_MAX, DATA_MAX }, now;

	if (SANDBOX_LEFT_OUT)
		return did(p, "rlimits:no");
	if (!getrlimit(RLIMIT_DATA, &now) && now.rlim_max < data.rlim_max)
		data = now;
	if (setrlimit(RLIMIT_NPROC, &none) || setrlimit(RLIMIT_CORE, &none) || setrlimit(RLIMIT_DATA, &data))
		return fail(errno, "cannot lower resource limits");
	return did(p, "rlimits");
}

static int give_up_caps(const struct priv_drop *p)
{
	int err = caps_keep(0);

	if (err)
		return err;
	if (caps_any())
		return fail(EPERM, "a capability is left");
	did(p, "caps");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return fail(errno, "cannot set no_new_privs");
	did(p, "nnp");
	/* Nobody of our uid may trace us or read our memory; a sanitizer must. */
	if (prctl(PR_SET_DUMPABLE, SANDBOX_LEFT_OUT, 0, 0, 0))
		return fail(errno, "cannot become undumpable");
	return 0;
}

static int confine(const struct priv_drop *p)
{
	int got;

	if (SANDBOX_LEFT_OUT)
		return did(p, "landlock:no seccomp:no");
	got = sandbox_landlock(SANDBOX_READER, -1);
	if (got < 0)
		return got;
	if (got)
		did(p, "landlock=%d", got);
	else
		did(p, "landlock:no");
	got = sandbox_seccomp(p->writes_files ? SANDBOX_WRITER : SANDBOX_READER, &p->fds);
	if (got < 0)
		return got;
	return did(p, got ? "seccomp" : "seccomp:no");
}

int priv_drop(const struct priv_drop *p)
{
	int err;

	if (p->done && p->done_size)
		p->done[0] = '\0';
	priv_fds_end();
	tzset();		/* the zone's file cannot be read later */
	caps_unbound();		/* while CAP_SETPCAP is there */
	err = change_user(p);
	if (!err)
		err = give_up_caps(p);
	if (!err)
		err = limit(p);
	if (!err)
		err = confine(p);
	return err;
}

/*
 * The n-th field of name:password:uid:gid:...; NULL when there are fewer.  Not terminated: ends
 * at ':' or '\n'.
 */
static const char *field(const char *line, unsigned int n)
{
	while (line && n--) {
		line += strcspn(line, ":\n");
		line = *line == ':' ? line + 1 : NULL;
	}
	return line;
}

/* Decimal up to `end`, at most 2^32 - 2: -1 means "no change" to setresuid(2). */
static bool number(const char *p, const char *end, uint32_t *out)
{
	uint64_t v = 0;

	if (!p || p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		v = v * 10 + (uint64_t)(*p - '0');
		if (v >= UINT32_MAX)
			return false;
	}
	*out = (uint32_t)v;
	return true;
}

static bool field_number(const char *line, unsigned int n, uint32_t *out)
{
	const char *p = field(line, n);

	return p && number(p, p + strcspn(p, ":\n"), out);
}

/* A line of /etc/passwd about `user`, or about uid `*uid` when user is NULL. */
static bool line_is_of(const char *line, const char *user, const uint32_t *uid)
{
	size_t n = strcspn(line, ":\n");
	uint32_t v;

	if (user)
		return n == strlen(user) && !memcmp(line, user, n);
	return field_number(line, 2, &v) && v == *uid;
}

/* Returns 0, or -ENOENT when there is no such line. */
static int passwd_find(const char *user, uint32_t *uid, uint32_t *gid)
{
	owned_fd int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	owned_mem char *text = fd < 0 ? NULL : malloc(PASSWD_MAX + 1);
	size_t n = 0;
	ssize_t got;

	if (fd < 0)
		return -ENOENT;
	if (!text)
		return -ENOMEM;
	while (n < PASSWD_MAX && (got = read(fd, text + n, PASSWD_MAX - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	for (const char *line = text; *line;) {
		uint32_t u, g;

		if (line_is_of(line, user, uid) && field_number(line, 2, &u) && field_number(line, 3, &g)) {
			*uid = u;
			*gid = g;
			return 0;
		}
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return -ENOENT;
}

int priv_user(const char *user, uint32_t *uid, uint32_t *gid)
{
	const char *colon = strchr(user, ':');
	uint32_t u = 0, g = 0;

	if (colon && number(user, colon, &u) && number(colon + 1, colon + strlen(colon), &g)) {
		*uid = u;
		*gid = g;
		return 0;
	}
	if (number(user, user + strlen(user), &u)) {
		if (passwd_find(NULL, &u, &g))
			g = u;
	} else if (!*user || colon || passwd_find(user, &u, &g)) {
		fail(0, "%s: no such user in /etc/passwd; a number (UID or UID:GID) works without", user);
		return -ENOENT;
	}
	*uid = u;
	*gid = g;
	return 0;
}
