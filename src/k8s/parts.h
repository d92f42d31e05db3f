/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_K8S_PARTS_H
#define NETPROBE_K8S_PARTS_H

#include <jansson.h>

#include "k8s/load.h"

/* What the readers of texts and of objects share. */

/* Bytes of a file, or of a text in memory. */
struct input {
	int fd;				/* -1: memory only */
	const char *name;
	const char *p, *end;		/* what is there */
	char *buf;			/* 64 KiB, owned */
	uint32_t line;			/* of the next byte, from 1 */
	uint32_t column;
	int error;			/* -errno, said */
};

/* More bytes; false at the end or after an error. */
bool input_fill(struct input *in);

/* The next byte without taking it; -1: the end. */
static inline int input_peek(struct input *in)
{
	return in->p < in->end || input_fill(in) ? (unsigned char)*in->p : -1;
}

static inline int input_get(struct input *in)
{
	int c = input_peek(in);

	if (c < 0)
		return c;
	in->p++;
	in->column++;
	if (c == '\n') {
		in->line++;
		in->column = 1;
	}
	return c;
}

/* Where in the text a path of an object is; line 0: not known. */
struct place {
	uint32_t line, column;
};

struct loader {
	struct k8s *k;
	struct load_report *rep;
	struct input in;
	/* Of the object that is read now: */
	char object[640], path[512];
	size_t path_len;
	uint32_t told;			/* mistakes */
	uint32_t placed;		/* places that were kept */
	bool bad;			/* it had a MISTAKE_ERROR */
	uint32_t line;			/* its first */
	struct place (*locate)(void *ctx, const char *path);
	void *locate_ctx;
};

/* document: one value of the file, not an item of a list. */
void load_object(struct loader *l, const json_t *o, const char *list_kind);
int  load_json(struct loader *l);
int  load_yaml(struct loader *l);

/* A mistake in the present object at the present path, or at a key below it (may be NULL). */
void mistake_at(struct loader *l, enum mistake_level level, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* One of the text itself. */
void mistake_in_text(struct loader *l, uint32_t line, uint32_t column, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The present path's place, where the report wants them and this object has not too many; else the object's. */
struct place place_here(struct loader *l);

/* Go down to a member or an element, and back to where path_len was. */
size_t path_key(struct loader *l, const char *key);
size_t path_index(struct loader *l, size_t i);
void path_back(struct loader *l, size_t len);

/* A member that must be of a type, or absent or null (NULL then); of another: a mistake. */
const json_t *get_object(struct loader *l, const json_t *o, const char *key);
const json_t *get_array(struct loader *l, const json_t *o, const char *key);
const char *get_string(struct loader *l, const json_t *o, const char *key);	/* NULL: absent */
/* Is it there, and not null? */
bool has(const json_t *o, const char *key);
/* Members that are not among the names are mistakes. */
void check_members(struct loader *l, const json_t *o, const char *const *names);

uint32_t name_of(struct loader *l, const char *s);
/* A map of texts; whole is set. */
void read_labels(struct loader *l, struct arena *mem, struct labels *out, const json_t *o);
const struct selector *read_selector(struct loader *l, struct arena *mem, const json_t *o);
bool read_block(struct loader *l, struct k8s_cidr *out, const char *text, const char *key);
/* TCP (also where nothing is said), UDP, SCTP; 0: none of these. */
uint8_t protocol_of(const char *s);
/* Of a member; what is none of these is said. */
uint8_t read_protocol(struct loader *l, const json_t *o, const char *key);
void *read_room(struct loader *l, struct arena *mem, size_t n, size_t size);

/*
 * How a kind of policy writes its rules: the members of a rule, the one of them that lists the peers, and what
 * reads the rest of a rule (n_peers and n_ports are set), an element of "from" or "to", and one of "ports".
 * An element is an object, or null for one with nothing set.
 */
struct policy_dialect {
	const char *members[SIDES][5], *peers_key[SIDES];
	void (*rule)(struct loader *l, struct k8s_policy *p, struct k8s_rule *r, const json_t *o, enum side side);
	void (*peer)(struct loader *l, struct arena *mem, struct k8s_peer *p, const json_t *o, enum side side);
	void (*port)(struct loader *l, struct k8s_port *p, const json_t *o);
};
void read_rules(struct loader *l, struct k8s_policy *p, const json_t *spec, enum side side,
		const struct policy_dialect *d);
/* "group/name", and where it stands. */
void label_policy(struct loader *l, struct k8s_policy *p, const char *group, const char *name);

void read_pod(struct loader *l, const json_t *o);
void read_namespace(struct loader *l, const json_t *o);
void read_node(struct loader *l, const json_t *o);
void read_service(struct loader *l, const json_t *o);
void read_network_policy(struct loader *l, const json_t *o);
void read_admin_policy(struct loader *l, const json_t *o, enum policy_kind kind);

#endif
