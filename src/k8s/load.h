/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_K8S_LOAD_H
#define NETPROBE_K8S_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "k8s/k8s.h"

/*
 * Objects from text: JSON or YAML, one or many after another, Lists of them, arrays,
 * and the events of a watch.  A List is read an item at a time, so that what stands in
 * memory is one object and what was kept of the others.
 */
enum {
	LOAD_OBJECT_MAX = 16 << 20,	/* bytes of one object; etcd takes 1.5 MiB */
	LOAD_DEPTH_MAX = 100,
	LOAD_NODES_MAX = 1 << 20,	/* values in one object of YAML, aliases followed */
};

enum mistake_level {
	MISTAKE_NOTE,		/* works, but may not be what was meant */
	MISTAKE_FIELD,		/* what the API server drops or refuses, and the rest can be read without */
	MISTAKE_ERROR,		/* the object means nothing */
};

/* A mistake, with its place: line 0: not known.  path: "spec.ingress[0].ports[1].port"; may be "". */
struct mistake {
	enum mistake_level level;
	const char *file, *object, *path, *text;	/* object: "NetworkPolicy shop/web", or "" */
	uint32_t line, column;		/* 0: not known */
};

struct load_report {
	void (*mistake)(void *ctx, const struct mistake *m);
	void *ctx;
	bool places;			/* keep where each peer and port of a policy stands */
	uint32_t since;			/* not 0: what was seen in this round (k8s.h) or later stays as it is */
	uint64_t objects, skipped;	/* read; of kinds that do not matter here */
	uint64_t deleted;		/* of those that were read: what is gone */
	uint64_t mistakes[MISTAKE_ERROR + 1];
	uint64_t untold;		/* of those: an object has had too many */
};

/*
 * All of fd into k; it stays open.  0 also when there were mistakes: those are in the
 * report; an object with a MISTAKE_ERROR is left out.  A text that cannot be read to its
 * end is a mistake, too, and ends the file.  -errno, said: reading failed, no memory.
 */
int load_fd(struct k8s *k, int fd, const char *name, struct load_report *rep);
/* The same from memory. */
int load_text(struct k8s *k, const char *text, size_t n, const char *name, struct load_report *rep);

#endif
