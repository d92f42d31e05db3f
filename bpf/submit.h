/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_SUBMIT_H
#define NETPROBE_SUBMIT_H

#include "maps.h"

/* Bytes of the ring; the reader is woken unasked when an eighth is waiting. */
const volatile __u64 ring_bytes = 1 << 22;

/*
 * A wake-up costs more than all the rest, so the reader is woken when it has said that it sleeps, and
 * when much is waiting, which is looked at every 32nd record of a CPU.
 *
 * The reader sets want_wakeup, then looks at the ring once more.  It is read here after the record was
 * reserved: either the reader saw the reservation and does not sleep, or its wish is seen here.  There
 * is no full barrier between the two on our side (BPF has none before 5.12 that clang 14 makes), only
 * some ten nanoseconds of other work: the reader bounds its sleep by its one-second tick.
 */
static __always_inline __u64 wake_flags(__u64 nth)
{
	struct np_control *control;
	__u32 zero = 0;

	control = bpf_map_lookup_elem(&np_control, &zero);
	if (control && *(volatile __u32 *)&control->want_wakeup) {
		*(volatile __u32 *)&control->want_wakeup = 0;
		return BPF_RB_FORCE_WAKEUP;
	}
	if ((nth & 31) == 0 && bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > ring_bytes / 8)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

#endif
