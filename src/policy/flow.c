// SPDX-License-Identifier: GPL-2.0-or-later
#include "policy/flow.h"
#include "numbers/ipproto.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	uint8_t proto;
} protos[] = { { "TCP", PROTO_TCP }, { "UDP", PROTO_UDP }, { "SCTP", PROTO_SCTP } };

const char *proto_name(uint8_t proto)
{
	for (size_t i = 0; i < 3; i++)
		if (protos[i].proto == proto)
			return protos[i].name;
	return "?";
}

static uint8_t proto_number(const char *s)
{
	for (size_t i = 0; i < 3; i++)
		if (!strcasecmp(s, protos[i].name))
			return protos[i].proto;
	return 0;
}

static bool port_number(const char *s, size_t n, uint16_t *out)
{
	unsigned int v = 0;

	if (!n || n > 5)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (unsigned int)(s[i] - '0');
	}
	*out = (uint16_t)v;
	return v && v < 65536;
}

bool flow_parse_port(const char *s, uint16_t *port, uint8_t *proto)
{
	size_t n = strcspn(s, "/");

	*proto = s[n] ? proto_number(s + n + 1) : PROTO_TCP;
	return *proto && port_number(s, n, port);
}

/* The pod of that name; one that no file has is made up, with nothing known but its namespace. */
static const struct k8s_pod *pod_named(struct k8s *k, const char *ns, size_t n, const char *name, bool *unknown)
{
	const struct k8s_pod *found = k8s_pod_find(k, ns, n, name);
	uint32_t ns_at;

	if (found) {
		*unknown = !found->labels.whole;
		return found;
	}
	*unknown = true;
	ns_at = k8s_ns(k, intern(&k->names, ns, n));
	return ns_at ? k8s_pod_place(k, ns_at, intern(&k->names, name, strlen(name))) : NULL;
}

static int parse_end(struct k8s *k, const char *s, struct k8s_end *e, bool *unknown, char *error, size_t size)
{
	const char *slash = strchr(s, '/');
	size_t n = strlen(s);

	*e = (struct k8s_end){ 0 };
	if (n > 2 && s[0] == '[' && s[n - 1] == ']') {
		s++;
		n -= 2;
	}
	if (addr_parse(&e->addr, s, n, NULL)) {
		e->pod = k8s_pod_by_ip(k, &e->addr);
		e->given_addr = true;
		return 0;
	}
	if (slash && slash != s && slash[1] && !strchr(slash + 1, '/')) {
		e->pod = pod_named(k, s, (size_t)(slash - s), slash + 1, unknown);
		if (e->pod)
			return 0;
	}
	snprintf(error, size, "'%.100s' is neither namespace/pod nor an address", s);
	return -EINVAL;
}

static int parse_port(struct k8s *k, const char *s, struct k8s_flow *f, char *error, size_t size)
{
	size_t n = strcspn(s, "/");
	uint32_t name;

	f->proto = s[n] ? proto_number(s + n + 1) : PROTO_TCP;
	if (!f->proto) {
		snprintf(error, size, "'%.40s': the protocol is TCP, UDP or SCTP", s);
		return -EINVAL;
	}
	if (port_number(s, n, &f->port))
		return 0;
	name = intern_find(&k->names, s, n);
	for (uint32_t i = 0; name && f->to.pod && i < f->to.pod->n_ports; i++) {
		const struct pod_port *p = &f->to.pod->ports[i];

		if (p->name != name || p->proto != f->proto)
			continue;
		f->port = p->port;
		return 0;
	}
	snprintf(error, size, "'%.40s' is no port (1 to 65535), and the destination has none of that name", s);
	return -EINVAL;
}

/* "A:SPORT/PROTO-B:PORT" to its words; false when it is not of that form. */
static bool split_tuple(char *s, char *words[3], char *port, size_t port_size)
{
	for (size_t i = 0; i < 3; i++) {
		char mark[8], *at, *colon;

		snprintf(mark, sizeof(mark), "/%s-", protos[i].name);
		at = strcasestr(s, mark);
		if (!at)
			continue;
		*at = 0;
		words[0] = s;
		words[1] = at + strlen(mark);
		colon = strrchr(words[1], ':');
		if (!colon)
			return false;
		*colon = 0;
		snprintf(port, port_size, "%s/%s", colon + 1, protos[i].name);
		words[2] = port;
		colon = strrchr(s, ':');
		if (colon)
			*colon = 0;
		return true;
	}
	return false;
}

static unsigned int split_words(char *s, char *words[4])
{
	unsigned int n = 0;
	char *save = NULL;

	for (char *w = strtok_r(s, " \t\r\n", &save); w && n < 4; w = strtok_r(NULL, " \t\r\n", &save))
		words[n++] = w;
	return n;
}

int flow_parse(struct k8s *k, const char *line, struct flow_text *out, char *error, size_t error_size)
{
	char copy[2 * FLOW_END_MAX + 64], port[64], *words[4];
	int err;

	memset(out, 0, sizeof(*out));
	if (strlen(line) >= sizeof(copy)) {
		snprintf(error, error_size, "too long");
		return -EINVAL;
	}
	memcpy(copy, line, strlen(line) + 1);
	if (strcspn(copy, " \t") < strlen(copy) || !split_tuple(copy, words, port, sizeof(port))) {
		if (split_words(copy, words) != 3) {
			snprintf(error, error_size, "'%.100s' is not FROM TO PORT/PROTO", line);
			return -EINVAL;
		}
	}
	if (strlen(words[0]) >= FLOW_END_MAX || strlen(words[1]) >= FLOW_END_MAX) {
		snprintf(error, error_size, "too long");
		return -EINVAL;
	}
	snprintf(out->from, sizeof(out->from), "%s", words[0]);
	snprintf(out->to, sizeof(out->to), "%s", words[1]);
	err = parse_end(k, words[0], &out->flow.from, &out->unknown_from, error, error_size);
	if (!err)
		err = parse_end(k, words[1], &out->flow.to, &out->unknown_to, error, error_size);
	/* A place for the one may have moved the other. */
	if (!err)
		err = parse_end(k, words[0], &out->flow.from, &out->unknown_from, error, error_size);
	return err ? err : parse_port(k, words[2], &out->flow, error, error_size);
}

void flow_end_text(const struct k8s *k, const struct k8s_end *e, char *out)
{
	const struct k8s_pod *p = e->pod;

	if (p && p->name)
		snprintf(out, FLOW_END_MAX, "%s/%s", intern_text(&k->names, k->ns[p->ns].name),
			 intern_text(&k->names, p->name));
	else if (e->addr.family)
		out[addr_text(out, &e->addr)] = 0;
	else
		snprintf(out, FLOW_END_MAX, "?");
}
