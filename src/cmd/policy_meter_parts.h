/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_CMD_POLICY_METER_PARTS_H
#define NETPROBE_CMD_POLICY_METER_PARTS_H

#include "cmd/policy_meter.h"
#include "kern/link.h"

/*
 * A request is one message, and so is its answer; the one side waits for the other.  Both ends are one program, forked:
 * the layout is the compiler's.  The child believes nothing: what is of another size, or not known, ends it.
 */
enum meter_what {
	METER_ATTACH = 1, METER_DETACH, METER_POD, METER_UNPOD, METER_FORGET_POD, METER_FORGET_ALL, METER_ASKS,
	METER_LOOK, METER_DECIDE, METER_UNDECIDE, METER_ORDER, METER_ROWS, METER_OTHER,
};

struct meter_request {
	uint32_t what;
	uint32_t n;			/* of asks, of decisions; of rows that were had already: 0 reads them anew */
	union {
		struct {
			char name[sizeof(((struct link_info *)0)->name)];
			uint32_t pod;
		} iface;
		uint32_t ifindex;
		struct {
			struct np_pod_key at;
			uint32_t pod;
		} pod;
		struct meter_ask asks[METER_AT_ONCE];
		struct meter_decided decided[METER_AT_ONCE];
	};
};

struct meter_row {
	struct np_policy_row row;
	struct np_policy_counts n;
};

/* The first answer comes unasked, when all is loaded or could not be: n is then whether drops are seen. */
struct meter_answer {
	int32_t err;
	uint32_t n;			/* of asks, of rows */
	union {
		uint32_t ifindex;
		struct meter_ask asks[METER_AT_ONCE];
		struct meter_row rows[METER_AT_ONCE];
		uint64_t other[NP_OTHERS_N];
	};
};

/* policy_meter_child.c: never returns.  talk: the socket; wake: an eventfd that says that there are asks. */
__attribute__((noreturn)) void meter_attend(const struct policy_count_options *o, int talk, int wake);

#endif
