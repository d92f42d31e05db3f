/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_K8S_CUT_H
#define NETPROBE_K8S_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "k8s/load.h"

/*
 * JSON that comes in pieces, cut into whole objects, which load_text() reads: one after another, or the elements of a
 * List.  Brackets are counted, and strings known; all else is for whoever reads an object.  Linear; in memory stands
 * one object, and of more than LOAD_OBJECT_MAX bytes none.
 */
struct cut {
	bool list;			/* the objects are elements of the lists in the outermost one */
	char *p;			/* what of an object is there */
	size_t n, room;
	uint32_t depth, begun;		/* brackets that are open; at which depth the object began, 0: none did */
	char closes[LOAD_DEPTH_MAX + 4];	/* what ends each of them */
	bool in_string, escaped, too_large, broken;
	uint64_t whole;			/* outermost objects that have ended */
	uint64_t left_out;		/* objects that were too large */
};

/* The object's text, for the time of the call; 0, or what ends the reading. */
typedef int (*cut_fn)(void *ctx, const char *text, size_t n);

/* From here on another text; what of the one before was not whole is dropped. */
void cut_begin(struct cut *c, bool list);
/* The next piece.  0; -EPROTO: this is no such text, and nothing of it is read any more; -ENOMEM; what fn said. */
int  cut_bytes(struct cut *c, const char *p, size_t n, cut_fn fn, void *ctx);
/* Is nothing half there? */
bool cut_is_between(const struct cut *c);
void cut_free(struct cut *c);

#endif
