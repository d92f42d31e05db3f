// SPDX-License-Identifier: GPL-2.0-or-later
/* What a name, or a file of lines, tells of a pod. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "k8s/k8s.h"
#include "node/parts.h"

bool copy_text(char *to, size_t size, const char *s, size_t n)
{
	if (n >= size || memchr(s, '\0', n))
		return false;
	memcpy(to, s, n);
	to[n] = '\0';
	return true;
}

/* A uid as it is written: 8-4-4-4-12 hexadecimal digits; that of a static pod is a hash, 32 without dashes. */
static size_t uid_length(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && i < 36 && (isxdigit((unsigned char)s[i]) || s[i] == '-' || s[i] == '_'))
		i++;
	if (i == 36 && strchr("-_", s[8]) && strchr("-_", s[13]) && strchr("-_", s[18]) && strchr("-_", s[23]))
		return 36;
	for (i = 0; i < n && i < 33 && isxdigit((unsigned char)s[i]);)
		i++;
	return i == 32 ? 32 : 0;
}

bool copy_uid(char *to, const char *s, size_t n, bool whole)
{
	size_t len = uid_length(s, n);

	if (!len || (whole && len != n))
		return false;
	n = len;
	for (size_t i = 0; i < n; i++)
		to[i] = s[i] == '_' ? '-' : (char)tolower((unsigned char)s[i]);
	to[n] = '\0';
	return true;
}

/* The path's last word. */
static const char *last_word(const struct fact *f, size_t *n)
{
	const char *slash = f->path_len ? memrchr(f->path, '/', f->path_len) : NULL;
	const char *word = slash ? slash + 1 : f->path;

	*n = f->path_len - (size_t)(word - f->path);
	return word;
}

/*
 * "pod<uid>", or with systemd "kubepods-burstable-pod<uid with _ for ->.slice" (kubelet: pkg/kubelet/cm).  What stands
 * between those and the root is no pod's.
 */
int tell_cgroup(struct told_pod *t, const struct fact *f)
{
	size_t n;
	const char *word = last_word(f, &n);

	for (const char *p = word; (p = memmem(p, n - (size_t)(p - word), "pod", 3)); p++)
		if (copy_uid(t->uid, p + 3, n - (size_t)(p + 3 - word), false))
			return 1;
	return 0;
}

/* "NAMESPACE_NAME_UID": neither of the first two has an underscore. */
int tell_log(struct told_pod *t, const struct fact *f)
{
	size_t n;
	const char *word = last_word(f, &n), *end = word + n;
	const char *a = memchr(word, '_', n), *b = a ? memchr(a + 1, '_', (size_t)(end - a) - 1) : NULL;

	if (!b || a == word || b == a + 1 || !copy_text(t->ns, sizeof(t->ns), word, (size_t)(a - word)) ||
	    !copy_text(t->name, sizeof(t->name), a + 1, (size_t)(b - a) - 1))
		return -EINVAL;
	return copy_uid(t->uid, b + 1, (size_t)(end - b) - 1, true) ? 1 : -EINVAL;
}

/* ".../<uid>/etc-hosts" */
static bool uid_of_path(char *to, const struct fact *f)
{
	struct fact dir = *f;
	size_t n;
	const char *word = last_word(f, &n);

	if (word == f->path)
		return false;
	dir.path_len = (size_t)(word - 1 - f->path);
	word = last_word(&dir, &n);
	return copy_uid(to, word, n, true);
}

/* Every pod's file begins with these addresses of the pod itself. */
static bool is_local(const struct addr *a)
{
	static const uint8_t v6_local[16] = { [15] = 1 };

	if (a->family == 4)
		return a->b[0] == 127;
	return !memcmp(a->b, v6_local, 16) || (a->b[0] == 0xfe && a->b[1] == 0);
}

/*
 * The kubelet writes into a pod's /etc/hosts the pod's addresses, each with its name (ensureHostsFile() of
 * pkg/kubelet/kubelet_pods.go); that of a pod of the host's network is the host's, and says so.  Addresses behind
 * "HostAliases" are others'.
 */
int tell_hosts(struct told_pod *t, const struct fact *f)
{
	static const char header[] = "# Kubernetes-managed hosts file", of_host[] = " (host network)";
	const char *p = f->bytes, *end = p + f->n;

	if (!uid_of_path(t->uid, f))
		return -EINVAL;
	if (f->n < sizeof(header) - 1 || memcmp(p, header, sizeof(header) - 1))
		return 0;
	p += sizeof(header) - 1;
	if ((size_t)(end - p) >= sizeof(of_host) - 1 && !memcmp(p, of_host, sizeof(of_host) - 1)) {
		t->host_network = true;
		return 1;
	}
	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p)), *word = p;
		struct addr a;

		eol = eol ? eol : end;
		if (memmem(p, (size_t)(eol - p), "HostAliases", 11))
			break;
		while (word < eol && !isspace((unsigned char)*word))
			word++;
		if (word < eol && addr_parse(&a, p, (size_t)(word - p), NULL) && !is_local(&a))
			told_addr(t, &a);
		p = eol + 1;
	}
	return 1;
}

void told_addr(struct told_pod *t, const struct addr *a)
{
	if (t->n_addrs < POD_ADDRS_MAX)
		t->addrs[t->n_addrs++] = *a;
	else
		t->more_addrs = true;
}

const char *node_kubelet_body(const struct fact *f, size_t *n, char *why, size_t size)
{
	const char *body = memmem(f->bytes, f->n, "\r\n\r\n", 4), *eol = memmem(f->bytes, f->n, "\r\n", 2);

	if (!body || f->n < 13 || memcmp(f->bytes, "HTTP/1.", 7)) {
		snprintf(why, size, "an answer that is not HTTP");
		return NULL;
	}
	if (memcmp(f->bytes + 8, " 200", 4)) {
		snprintf(why, size, "%.*s", (int)(eol - f->bytes > 80 ? 80 : eol - f->bytes), f->bytes);
		return NULL;
	}
	body += 4;
	*n = f->n - (size_t)(body - f->bytes);
	return body;
}
