// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's counters from the texts of /proc/net. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "stats/layers.h"

enum { COLUMNS_MAX = 512 };

struct word {
	const char *p;
	size_t n;
};

/* The next line, without its end; false: there is none. */
static bool next_line(struct word *rest, struct word *line)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;

	if (!rest->n)
		return false;
	*line = (struct word){ rest->p, end ? (size_t)(end - rest->p) : rest->n };
	rest->p += line->n + (end != NULL);
	rest->n -= line->n + (end != NULL);
	return true;
}

static bool next_word(struct word *rest, struct word *w)
{
	while (rest->n && (*rest->p == ' ' || *rest->p == '\t')) {
		rest->p++;
		rest->n--;
	}
	w->p = rest->p;
	for (w->n = 0; w->n < rest->n && w->p[w->n] != ' ' && w->p[w->n] != '\t'; w->n++)
		;
	rest->p += w->n;
	rest->n -= w->n;
	return w->n;
}

/* A number that fills the word; what 64 bits do not hold is the most they do. */
static bool number(const struct word *w, unsigned int base, uint64_t *v)
{
	*v = 0;
	for (size_t i = 0; i < w->n; i++) {
		unsigned char c = (unsigned char)w->p[i];
		unsigned int d = isdigit(c) ? c - 48u : isxdigit(c) ? (c | 32u) - 'a' + 10 : 99;

		if (d >= base)
			return false;
		*v = *v > (UINT64_MAX - d) / base ? UINT64_MAX : *v * base + d;
	}
	return w->n;
}

static bool next_number(struct word *rest, unsigned int base, uint64_t *v)
{
	struct word w;

	return next_word(rest, &w) && number(&w, base, v);
}

static bool same(const struct word *w, const char *text)
{
	return strlen(text) == w->n && !memcmp(w->p, text, w->n);
}

static void add_up(uint64_t *sum, uint64_t v)
{
	*sum = *sum > UINT64_MAX - v ? UINT64_MAX : *sum + v;
}

/* "Ip: A B" over "Ip: 1 2".  Some are signed: a number below 0 is none of ours. */
static void take_pair(struct layers *l, struct word names, struct word values)
{
	char group[LAYER_NAME], name[LAYER_NAME];
	struct word a, b;
	uint64_t v;

	if (!next_word(&names, &a) || !next_word(&values, &b) || a.n != b.n || memcmp(a.p, b.p, a.n))
		return;
	layer_text(group, a.p, a.n - (a.p[a.n - 1] == ':'));
	while (next_word(&names, &a) && next_word(&values, &b)) {
		layer_text(name, a.p, a.n);
		if (number(&b, 10, &v))
			layers_add(l, group, name, v);
	}
}

void layers_snmp(struct layers *l, const char *text, size_t n)
{
	struct word rest = { text, n }, names, values;

	while (next_line(&rest, &names) && next_line(&rest, &values))
		take_pair(l, names, values);
}

/* Ip6InReceives, Udp6NoPorts: the group and the name in one word. */
void layers_snmp6(struct layers *l, const char *text, size_t n)
{
	struct word rest = { text, n }, line, w;
	char group[LAYER_NAME], name[LAYER_NAME];
	uint64_t v;

	while (next_line(&rest, &line)) {
		const char *six;

		if (!next_word(&line, &w) || !next_number(&line, 10, &v))
			continue;
		six = memchr(w.p, '6', w.n);
		if (!six)
			continue;
		layer_text(group, w.p, (size_t)(six - w.p) + 1);
		layer_text(name, six + 1, w.n - (size_t)(six - w.p) - 1);
		layers_add(l, group, name, v);
	}
}

static void add_one(struct layers *l, const char *group, const char *name, uint64_t v, const char *what,
		    uint64_t number_, uint64_t inode)
{
	struct layer_counter *c = v ? layers_add(l, group, name, v) : NULL;

	if (!c)
		return;
	c->one_of = true;
	c->number = (uint32_t)number_;
	c->inode = inode;
	snprintf(c->detail, sizeof(c->detail), "%.40s %u", what, c->number);
}

/* The columns that this kernel has, from the left; which CPU it is stands in the 13th, from Linux 5.10 on. */
void layers_softnet(struct layers *l, const char *text, size_t n)
{
	static const struct {
		const char *name;
		unsigned int column;
	} columns[] = { { "processed", 0 }, { "dropped", 1 }, { "time_squeeze", 2 }, { "received_rps", 9 },
			{ "flow_limit", 10 } };
	enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), ALL = 13, CPU = 12 };
	struct word rest = { text, n }, line;
	uint64_t sums[COLUMNS] = { 0 }, v[ALL];
	unsigned int cpus = 0, most = 0;

	for (; next_line(&rest, &line); cpus++) {
		unsigned int has = 0;

		while (has < ALL && next_number(&line, 16, &v[has]))
			has++;
		most = has > most ? has : most;
		for (unsigned int i = 0; i < COLUMNS && columns[i].column < has; i++) {
			add_up(&sums[i], v[columns[i].column]);
			if (i == 1 || i == 2)
				add_one(l, "softnet", columns[i].name, v[columns[i].column], "cpu",
					has > CPU ? v[CPU] : cpus, 0);
		}
	}
	for (unsigned int i = 0; i < COLUMNS && columns[i].column < most; i++)
		layers_add(l, "softnet", columns[i].name, sums[i]);
}

void layers_conntrack(struct layers *l, const char *text, size_t n)
{
	struct word rest = { text, n }, names, line, w;
	uint64_t sums[COLUMNS_MAX] = { 0 }, v;
	unsigned int most = 0;
	char name[LAYER_NAME];

	if (!next_line(&rest, &names))
		return;
	while (next_line(&rest, &line)) {
		unsigned int i = 0;

		for (; i < COLUMNS_MAX && next_number(&line, 16, &v); i++)
			add_up(&sums[i], v);
		most = i > most ? i : most;
	}
	for (unsigned int i = 0; i < most && next_word(&names, &w); i++) {
		layer_text(name, w.p, w.n);
		layers_add(l, "conntrack", name, sums[i]);
	}
}

/*
 * "  12: 00000000:0035 00000000:0000 07 ... inode ref pointer drops".  The titles are of other widths than the rows
 * ("tx_queue rx_queue" is one word there), so columns are counted: the local end second, the inode tenth, drops 13th.
 */
static bool take_socket(struct word line, uint64_t *port, uint64_t *inode, uint64_t *drops)
{
	enum { LOCAL = 2, INODE = 10, DROPS = 13 };
	struct word w;
	const char *colon;

	for (int i = 1; next_word(&line, &w); i++) {
		if (i == LOCAL) {
			colon = memchr(w.p, ':', w.n);
			if (!colon || !number(&(struct word){ colon + 1, w.n - (size_t)(colon - w.p) - 1 }, 16, port))
				return false;
		} else if (i == INODE && !number(&w, 10, inode)) {
			return false;
		} else if (i == DROPS) {
			return number(&w, 10, drops);
		}
	}
	return false;
}

void layers_sockets(struct layers *l, const char *kind, const char *text, size_t n)
{
	struct word rest = { text, n }, line, first;
	uint64_t port = 0, inode = 0, drops, sum = 0;
	bool any = false;
	char what[LAYER_NAME];
	struct layer_counter *c;

	/* A raw socket has the number of its protocol where others have a port. */
	snprintf(what, sizeof(what), "%s %s", kind, strncmp(kind, "raw", 3) ? "port" : "protocol");
	while (next_line(&rest, &line)) {
		struct word titles = line;

		if (next_word(&titles, &first) && same(&first, "sl"))
			continue;
		if (!take_socket(line, &port, &inode, &drops))
			continue;
		any = true;
		add_up(&sum, drops);
		add_one(l, "socket", "drops", drops, what, port, inode);
	}
	c = any ? layers_add(l, "socket", "drops", sum) : NULL;
	if (c)
		layer_text(c->detail, kind, strlen(kind));
}
