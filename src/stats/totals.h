/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_STATS_TOTALS_H
#define NETPROBE_STATS_TOTALS_H

#include "record.h"
#include "stats/distinct.h"

/* Everything in one row: packets, bytes, and these by what they are. */
enum size_class { SIZE_64, SIZE_127, SIZE_255, SIZE_511, SIZE_1023, SIZE_1518, SIZE_9018, SIZE_MORE, SIZES };
enum flag_class { FLAGS_SYN, FLAGS_SYN_ACK, FLAGS_FIN, FLAGS_RST, FLAGS_DATA, FLAGS_ACK, FLAGS_OTHER, FLAG_CLASSES };
enum version_class { VERSION_4, VERSION_6, VERSION_ARP, VERSION_OTHER, VERSIONS };

struct totals {
	uint64_t packets, bytes, captured, fragments, undecoded;
	uint64_t transport[256];		/* of IP packets, by protocol number */
	uint64_t version[VERSIONS], size[SIZES], tcp_flags[FLAG_CLASSES];
	uint64_t first_ns, last_ns;
	struct distinct *flows;
	/* Counted in the kernel: flows one by one, and frames as the device counts them. */
	bool in_kernel;
	uint64_t n_flows, frames, frame_bytes, tagged, tunnelled;
	/* of the last row */
	uint64_t told_packets, told_bytes, told_ns;
	uint64_t was_packets, was_bytes, was_ns;	/* between it and the one before */
	bool again;			/* rows are the last one once more: no interval ends */
};

/* The lists of a row. */
struct totals_row {
	struct named_count transport[256 + 2], version[VERSIONS], size[SIZES], tcp_flags[FLAG_CLASSES];
};

enum size_class size_class(uint32_t bytes);
enum flag_class flag_class(uint8_t flags, uint32_t payload);
/* A row of what was counted until now_ns (0: until the last packet), and rates since the last row. */
void totals_record(struct totals *t, struct totals_row *row, struct record *r, uint64_t now_ns);
/* For a row over `ns`: marks both rates. */
void stats_rates(struct record *r, uint64_t packets, uint64_t bytes, uint64_t ns);

extern const char *const version_names[VERSIONS], *const size_names[SIZES], *const flag_names[FLAG_CLASSES];

#endif
