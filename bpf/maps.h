/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_MAPS_H
#define NETPROBE_MAPS_H

/*
 * Maps of both objects.  All but np_slots are made by hand before any object is loaded (their sizes
 * depend on the machine and the options) and put in their places here, so the numbers below are only
 * what makes a lone object loadable.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 22);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_ledger);
} np_ledger SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_control);
} np_control SEC(".maps");

#endif
