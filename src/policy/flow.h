/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_POLICY_FLOW_H
#define NETPROBE_POLICY_FLOW_H

#include "policy/eval.h"

/*
 * A question in one line: "FROM TO PORT/PROTO", where FROM and TO are namespace/pod or an
 * address, PORT is a number or the name of one of TO's ports, and PROTO (TCP) is TCP, UDP or
 * SCTP; or "ADDRESS:PORT/PROTO-ADDRESS:PORT", an IPv6 address in brackets.
 */
enum { FLOW_END_MAX = 320 };

struct flow_text {
	char from[FLOW_END_MAX], to[FLOW_END_MAX];	/* as written */
	struct k8s_flow flow;
	bool unknown_from, unknown_to;		/* a pod that is in no file */
};

/* 0, or -EINVAL: error says why, nothing was said.  Pods that are in no file become known by name. */
int flow_parse(struct k8s *k, const char *line, struct flow_text *out, char *error, size_t error_size);
/* "443/TCP", "53/udp", "80": false when it is none of these. */
bool flow_parse_port(const char *s, uint16_t *port, uint8_t *proto);
const char *proto_name(uint8_t proto);
/* "namespace/pod" or the address; out has room for FLOW_END_MAX. */
void flow_end_text(const struct k8s *k, const struct k8s_end *e, char *out);

#endif
