/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_LOAD_H
#define NETPROBE_KERN_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/capture.h"
#include "util/caps.h"

/*
 * Maps and programs.  The packet programs exist in four variants, each an object of
 * its own that is loaded when the first interface needs it; all share the maps.
 */
enum variant { VARIANT_TC, VARIANT_TC_L3, VARIANT_SOCKET, VARIANT_SOCKET_L3, VARIANTS };

struct packet_object {
	struct packet *skel;		/* the skeleton; NULL: not loaded */
	int filter;			/* the translated filter in its slot; -1: none */
	bool tried;
	int err;			/* why it is not there */
	char reason[256];
};

struct loaded {
	int ring, ledger, control, scratch, drop_ledger;	/* maps; -1 */
	uint64_t ring_bytes;
	unsigned int cpus;
	int err;			/* why there are no maps: then nothing of BPF works here */
	char reason[256];
	struct packet_object packets[2 * VARIANTS];		/* then those for egress; a socket has none */
	struct trace *trace;		/* the skeleton with the drop hook */
	char *log;			/* the verifier's last words */
};

/* Nothing is there yet. */
void load_none(struct loaded *l);
/* Make the maps.  Says nothing: l->err and l->reason do. */
int load_maps(struct loaded *l, const struct capture_options *opt);
/* Load that variant, unless it is: both directions that are wanted, or one of them, so that it can be
 * attached while the other is still being verified.  Says nothing: err and reason of packets[v] do. */
int load_packets(struct loaded *l, enum variant v, const struct capture_options *opt);
int load_direction(struct loaded *l, enum variant v, bool egress, const struct capture_options *opt);
/* Program descriptors; a socket has one program for both directions. */
int load_program(const struct loaded *l, enum variant v, bool egress);
/* Behind its filter: the program array, and the program that emits; -1 without a filter. */
int load_slots(const struct loaded *l, enum variant v);
int load_emitter(const struct loaded *l, enum variant v);
/* Load the drop hook; says what failed. */
int load_drops(struct loaded *l, const struct capture_options *opt);
int load_drop_program(const struct loaded *l);
void load_free(struct loaded *l);

/* Text for an error of the kernel: EPERM names the missing capabilities.  `needs`: of enum cap_need. */
void load_reason(char *to, unsigned int size, int err, unsigned int needs, const char *what);

#endif
