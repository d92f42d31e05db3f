/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_LISTING_H
#define NETPROBE_CMD_LISTING_H

#include "cmd/output.h"

/*
 * What there is, a record a row, on standard output in the form that was asked for; output_check() came before.
 * Records that p->where leaves out are not listed.
 */

/* CSV shows these columns of `set` unless -o chooses.  0 or a negative errno, said. */
int  listing_open(struct output *out, struct pipeline *p, const struct dataset *set, const uint16_t *columns,
		  unsigned int n);
/* Stamped with the time.  0, or to stop: 1 the reader has gone, or a negative errno. */
int  listing_put(struct pipeline *p, struct record *r);
/* An exit status, of what happened so far (err) and of the end.  A reader who had enough is no failure. */
int  listing_close(struct output *out, struct pipeline *p, int err);

/* Into a record, and marked unless it is empty or NULL. */
void listing_word(struct record *r, unsigned int field, const char **to, const char *word);
void listing_text(struct record *r, unsigned int field, struct str *to, const char *text);
void listing_list(struct record *r, unsigned int field, struct list *to, const void *p, uint32_t n);

/* A text that is not ours, in a line, between these; nothing where there is none. */
void listing_clean(struct buf *b, const char *before, const struct str *s, const char *behind);

#endif
