/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DATAPLANE_OWNERS_PARTS_H
#define NETPROBE_DATAPLANE_OWNERS_PARTS_H

#include "dataplane/owners.h"

/* What the files owners*.c have in common. */

/*
 * A text with names in it.  In `text` stand for a name: %n a namespace, %p a pod, %y a policy, %s a service, %h
 * letters, digits, "_" and "-" (a hash), %w anything without a blank that is not kept; %* is the rest, whatever it is.
 * Names have the letters that Kubernetes allows (RFC 1123), so none reaches beyond what delimits it.
 */
struct form {
	const char *text;
	uint8_t owner, meaning;
	int8_t ingress;		/* -1: leaves it as it is */
};

/* A name that ends with "*" is a prefix. */
struct chain_row {
	const char *name;
	uint8_t owner, meaning;
	int8_t ingress;
};

/* The whole of s[0..n) has the form: what it tells is put into *out, else nothing is. */
bool form_fits(const struct form *f, const char *s, size_t n, struct owned *out);
/* The first of `rows` forms that fits and is of `owner` (OWNER_NONE: of any). */
bool forms_find(const struct form *f, size_t rows, uint8_t owner, const char *s, struct owned *out);
bool rows_find(const struct chain_row *c, size_t rows, const char *name, struct owned *out);

/* Behind `prefix`, or NULL. */
const char *past(const char *s, const char *prefix);
/* The first n bytes of s: a name's letters, at least one, at most 253 (a label: 63, no dots). */
bool is_name(const char *s, size_t n);
bool is_label(const char *s, size_t n);
/* Into out, of `size`; what is too long is left out altogether. */
void put_name(char *out, size_t size, const char *s, size_t n);

/* `name` begins with "cali-"; a layer of nf_tables ("filter-") is left out. */
void calico_of_chain(const char *name, struct owned *out);
/* "Policy ID ingress" and the like, as a comment has it; false: none of those. */
bool calico_of_policy(const char *s, struct owned *out);
/* out: what the chain told. */
void calico_of_rule(const struct nf_rules *r, const struct nf_rule *rule, struct owned *out);
/* `name` begins with "KUBE-". */
void kube_of_chain(const char *name, struct owned *out);
/* A chain of table "kube-proxy" of nf_tables. */
void kube_proxy_of_chain(const char *name, struct owned *out);
/* false: the comment is none of theirs. */
bool kube_of_comment(const char *comment, struct owned *out);
void kube_of_rule(const struct nf_rule *rule, const char *chain, struct owned *out);

#endif
