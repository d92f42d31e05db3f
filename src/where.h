/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_WHERE_H
#define NETPROBE_WHERE_H

#include <stdbool.h>

#include "record.h"

/*
 * A filter on what was understood: `http.response.status_code >= 500 and source.ip in
 * 10.0.0.0/8`, over any field of `netprobe schema`.
 *
 *   expression  = term { ("or" | "||") term };  term = factor { ("and" | "&&") factor }
 *   factor      = ("not" | "!") factor | "(" expression ")" | test
 *   test        = field [ operator value | [ "not" ] "in" ( value | list ) ]      alone: the field is there
 *   list        = "(" value { "," value } ")"         or in braces
 *   operator    = == = != < <= > >= ~ !~
 *
 * A comparison with a field that is not there is false; of a list one element must pass.  A
 * regular expression is POSIX's extended one, without back-references.
 */
enum { WHERE_TEXT_MAX = 4096, WHERE_TESTS_MAX = 64, WHERE_DEPTH_MAX = 32 };

struct where;

/* -errno, and said, with the place. */
int  where_compile(struct where **out, const char *text);
void where_free(struct where *w);
bool where_match(const struct where *w, const struct record *r);

#endif
