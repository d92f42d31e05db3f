/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_FILTER_FILTER_H
#define NETPROBE_FILTER_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * pcap-filter(7) expressions: compiled by libpcap to classic BPF, translated to
 * eBPF, evaluated in the kernel over the scratch copy of a frame's first bytes,
 * or here over a captured frame.  One meaning everywhere: the frame is made
 * canonical first (VLAN tags taken out unless strict, the inner frame brought
 * forward with `inner`).
 */
struct filter_insn {		/* same layout as struct sock_filter and libpcap's bpf_insn */
	uint16_t code;
	uint8_t  jt, jf;
	uint32_t k;
};

struct filter {
	char *text;			/* the expression; "" matches everything */
	struct filter_insn *insns;
	unsigned int n;
	uint16_t link;			/* LINKTYPE_ value of the frames it is for */
	bool ether;			/* insns expect Ethernet: link is, or `inner` makes everything so */
	bool strict;			/* libpcap's literal semantics: tags stay in place */
	bool inner;			/* look inside VXLAN, Geneve, GRE, IPIP, 6in4 */
	bool link_bytes;		/* looks at bytes of the link header: it stays as it is */
	bool kernel;			/* can be evaluated in the kernel; else `why_not` */
	const char *why_not;
};

/* Compile.  Quotes the offending text on error.  The empty expression gives n == 0.  An expression
 * with the word `vlan` (or mpls/pppoe that hide behind tags) implies strict, and says so. */
int filter_compile(struct filter **out, const char *text, uint16_t link, bool strict, bool inner);
/* Is it a filter for any link type at all?  Of a file that is not open yet.  Says why not; what its words imply
 * is said, and comes back in *strict and *inner. */
int filter_check(const char *text, bool *strict, bool *inner);
void filter_free(struct filter *f);

/* Does the frame match?  data: cap bytes of a frame of link type f->link, len bytes on the wire. */
bool filter_match(const struct filter *f, const uint8_t *data, uint32_t cap, uint32_t len);
/* The same for a frame of another link type, where f->ether: it is given an Ethernet header of zeros and
 * its EtherType first, as the kernel does for devices without a link header. */
bool filter_match_link(const struct filter *f, uint16_t link, const uint8_t *data, uint32_t cap, uint32_t len);

struct bpf_insn;
/*
 * Translate to eBPF.  The program reads the canonical frame from the scratch
 * map (see bpf/packet.bpf.c for the calling convention), counts what it rejects,
 * and on a match tail-calls slot `slot` of prog_array_fd.  Returns the number of
 * instructions or a negative errno (-ENOSPC, -EOPNOTSUPP with f->why_not set).
 */
struct filter_maps {
	int scratch_fd, ledger_fd, prog_array_fd;
	unsigned int slot;
	int ret;		/* what the program returns when it does not tail-call: -1 for TC, 0 for a socket */
};
/* Room that is enough for every filter with f->kernel. */
enum { FILTER_EBPF_MAX = 32768 };
int filter_translate(struct filter *f, const struct filter_maps *maps, struct bpf_insn *out, unsigned int max);

/* -d (level 1): classic BPF, then eBPF, as text; -dd (2): classic as a C array; -ddd (3): classic as numbers. */
void filter_dump(struct filter *f, unsigned int level, FILE *to);

#endif
