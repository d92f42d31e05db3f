// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts with names in them: what has a form, and what stands where the form has a name. */
#include <string.h>

#include "dataplane/owners_parts.h"

enum { LABEL_MAX = 63, NAME_LONGEST = 253 };	/* RFC 1123, as Kubernetes has it */

static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
static const char dotted[] = "abcdefghijklmnopqrstuvwxyz0123456789-.";
static const char hashed[] = "abcdefghijklmnopqrstuvwxyz0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ_";

static size_t run(const char *s, size_t n, const char *letters)
{
	size_t i = 0;

	while (i < n && s[i] && strchr(letters, s[i]))
		i++;
	return i;
}

bool is_name(const char *s, size_t n)
{
	return n && n <= NAME_LONGEST && run(s, n, dotted) == n;
}

bool is_label(const char *s, size_t n)
{
	return n && n <= LABEL_MAX && run(s, n, lower) == n;
}

void put_name(char *out, size_t size, const char *s, size_t n)
{
	if (n >= size)
		n = 0;
	memcpy(out, s, n);
	out[n] = 0;
}

const char *past(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? NULL : s + n;
}

struct piece {
	const char *p;
	size_t n;
};

/* What of the form's names was found, by its letter. */
struct found {
	struct piece ns, pod, policy, service, hash;
};

/* The name that begins at s, of the kind that `letter` says; 0: there is none. */
static size_t take_name(char letter, const char *s, size_t n, struct found *f)
{
	struct piece *to = letter == 'n' ? &f->ns : letter == 'p' ? &f->pod : letter == 'y' ? &f->policy :
		letter == 's' ? &f->service : letter == 'h' ? &f->hash : NULL;
	size_t len = run(s, n, letter == 'n' || letter == 's' ? lower : letter == 'h' ? hashed : dotted);

	if (letter == 'w')
		return (size_t)(memchr(s, ' ', n) ? (const char *)memchr(s, ' ', n) - s : (ptrdiff_t)n);
	if (!to || len > (letter == 'n' || letter == 's' ? LABEL_MAX : NAME_LONGEST))
		return 0;
	if (letter == 's' && len && len + 1 < n && s[len] == ':')
		len += 1 + run(s + len + 1, n - len - 1, lower);
	*to = (struct piece){ s, len };
	return len;
}

static bool fits(const char *form, const char *s, size_t n, struct found *f)
{
	size_t at = 0, len;

	for (; *form; form++) {
		if (*form != '%') {
			if (at == n || s[at] != *form)
				return false;
			at++;
			continue;
		}
		form++;
		if (*form == '*')
			return true;
		len = take_name(*form, s + at, n - at, f);
		if (!len)
			return false;
		at += len;
	}
	return at == n;
}

static void keep(char *out, size_t size, struct piece p)
{
	if (p.n)
		put_name(out, size, p.p, p.n);
}

bool form_fits(const struct form *form, const char *s, size_t n, struct owned *out)
{
	struct found f = { 0 };

	if (!fits(form->text, s, n, &f))
		return false;
	out->owner = form->owner;
	out->meaning = form->meaning;
	if (form->ingress >= 0)
		out->ingress = form->ingress;
	keep(out->ns, sizeof(out->ns), f.ns);
	keep(out->pod, sizeof(out->pod), f.pod);
	keep(out->policy, sizeof(out->policy), f.policy);
	keep(out->service, sizeof(out->service), f.service);
	keep(out->hash, sizeof(out->hash), f.hash);
	return true;
}

bool forms_find(const struct form *f, size_t rows, uint8_t owner, const char *s, struct owned *out)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < rows; i++)
		if ((owner == OWNER_NONE || owner == f[i].owner) && form_fits(&f[i], s, n, out))
			return true;
	return false;
}

bool rows_find(const struct chain_row *c, size_t rows, const char *name, struct owned *out)
{
	for (size_t i = 0; i < rows; i++) {
		size_t n = strlen(c[i].name);

		if (c[i].name[n - 1] == '*' ? strncmp(name, c[i].name, n - 1) : strcmp(name, c[i].name))
			continue;
		out->owner = c[i].owner;
		out->meaning = c[i].meaning;
		out->ingress = c[i].ingress;
		return true;
	}
	return false;
}
