/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_WORDS_H
#define NETPROBE_CMD_POLICY_WORDS_H

#include "policy/eval.h"
#include "util/buf.h"

/*
 * Selectors, peers, ports, and why they do not fit, in words.  Names are escaped for people; lists that are
 * long end in the number of what is left out.
 */
void say_text(struct buf *b, const char *s);
void say_name(const struct k8s *k, struct buf *b, uint32_t name);
/* "namespace/pod", or the address. */
void say_end(const struct k8s *k, struct buf *b, const struct k8s_end *e);
/* As kubectl -l takes it: "app=web,tier in (a,b),!old". */
void say_selector(const struct k8s *k, struct buf *b, const struct selector *s);
/* "pods with app=web in namespace shop", "10.0.0.0/8 except 10.1.0.0/16" */
void say_peer(const struct k8s *k, struct buf *b, const struct k8s_policy *p, const struct k8s_peer *peer);
/* "443/TCP", "8080-8090/TCP", "sql/TCP", "every port of UDP" */
void say_port(const struct k8s *k, struct buf *b, const struct k8s_port *port);
/* What the policy is about: "pods with app=db"; of the admin kinds "every pod in namespaces with team=ops". */
void say_subject(const struct k8s *k, struct buf *b, const struct k8s_policy *p);
/* e: what did not match, or its pod. */
void say_why(const struct k8s *k, struct buf *b, const struct k8s_why *w, const struct k8s_end *e);
/* What keeps the verdict from being known, in one sentence without its stop; nothing when that is only policies. */
void say_missing(const struct k8s *k, struct buf *b, const struct k8s_flow *f);

#endif
