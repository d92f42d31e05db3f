/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_BLOCK_MAPS_H
#define NETPROBE_BLOCK_MAPS_H

/*
 * All are arrays: the verifier puts the look-up in line, where a call costs more than all the rest.  They have the
 * size of the set that they are made for (src/kern/block_load.c); a changed set is a new object.
 */
#define ARRAY(name, type_)                                \
	struct {                                          \
		__uint(type, BPF_MAP_TYPE_ARRAY);         \
		__uint(map_flags, BPF_F_MMAPABLE);        \
		__uint(max_entries, 1);                   \
		__type(key, __u32);                       \
		__type(value, type_);                     \
	} name SEC(".maps")

ARRAY(np_allow_src, struct np_bucket);
ARRAY(np_allow_dst, struct np_bucket);
ARRAY(np_block_src, struct np_bucket);
ARRAY(np_block_dst, struct np_bucket);
ARRAY(np_steps, struct np_step);
ARRAY(np_runs, struct np_run_pair);
ARRAY(np_index, struct np_index);		/* one for each table */
ARRAY(np_conds, struct np_cond);
ARRAY(np_entries, struct np_entry);
ARRAY(np_hits, struct np_hit);			/* by entry */
ARRAY(np_recent, struct np_recent);		/* NP_RECENT for each CPU */
ARRAY(np_stats, struct np_stats);		/* by CPU */
ARRAY(np_meters, struct np_meter_set);
ARRAY(np_frags, struct np_frag_set);
ARRAY(np_guard, struct np_guard);
ARRAY(np_probe, struct np_probe);		/* by CPU */
ARRAY(np_log, struct np_log_packet);		/* NP_LOG_PACKETS for each CPU */
ARRAY(np_log_cpus, struct np_log_cpu);
ARRAY(np_log_readers, struct np_log_readers);

/* No program looks at these: they are bound to it, so that whoever has the program has the set. */
struct np_page {
	__u8 bytes[4096];
};
ARRAY(np_rules, struct np_rule);
ARRAY(np_text, struct np_page);
ARRAY(np_set_meta, struct np_set_meta);

const volatile struct np_block_conf conf = { 0 };

/* What a frame says, by CPU: no hook interrupts another one of its kind. */
ARRAY(np_tuples, struct np_tuple);

#endif
