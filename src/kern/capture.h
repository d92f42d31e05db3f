/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_CAPTURE_H
#define NETPROBE_KERN_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "kern/link.h"

/*
 * The capture ladder: tcx, clsact, AF_PACKET with an eBPF socket filter, AF_PACKET
 * with classic BPF.  Everything here needs privileges and is done before, or in
 * the helper process after, the reader has dropped them.
 *
 * Nothing may remain after kill -9.  Links and sockets are never pinned: when the last
 * holder of the descriptors dies, so do they.  A clsact filter alone belongs to its
 * interface: it outlives a kill of reader and helper at once.  It does no harm then (it
 * lets everything pass, and emits nothing once the ring is full) and the next netprobe
 * that comes to clsact there removes it.  Still, where a socket works it is taken first:
 * the order tried is tcx, socket, clsact, packet.  `rung` asks for clsact.
 */
enum rung { RUNG_TCX, RUNG_CLSACT, RUNG_SOCKET, RUNG_PACKET, RUNGS };
extern const char *const rung_names[RUNGS];	/* "tcx", "clsact", "socket", "packet" */

struct filter;

/*
 * Programs that count in the kernel, in place of those that ship frames.  They are attached at tcx alone: what they
 * are too large for, a socket, is no way round, and a clsact filter could outlive us.  Both return a descriptor, 0 or
 * a negative errno, said.
 */
struct capture_counting {
	int (*program)(void *ctx, bool l3, bool egress);
	int (*number)(void *ctx, uint32_t ifindex);	/* before it is attached there */
	void (*close)(void *ctx);			/* its descriptors, in this process */
	void *ctx;
};

struct capture_options {
	uint32_t snaplen;		/* snap length: what of a frame is emitted; 0: NP_SNAP_MAX */
	uint32_t snaplen_other;		/* of frames that no decoder looks into (bpf/apps.h); 0: snaplen */
	const uint8_t *app_ports;	/* NULL, or 65536 bits: TCP ports whose bytes decoders want */
	bool apps_only;			/* emit no TCP bytes that no decoder can need */
	uint64_t ring_bytes;		/* rounded up to a power of two pages; 0: 4 MiB */
	bool ingress, egress;
	const struct filter *filter;	/* NULL: everything */
	unsigned int sample;		/* keep one in N; 0, 1: all */
	int rung;			/* only this rung (tests); -1: the ladder */
	bool packets;			/* packet hooks wanted (not with --drops alone) */
	bool drops;			/* attached by capture_open(); of the current network namespace */
	const char *const *drop_reasons;	/* names without prefix; NULL: all */
	unsigned int n_drop_reasons;
	bool any_netns;			/* drops of every network namespace */
	const char *btf_path;		/* --btf FILE */
	bool promisc;			/* ask each interface for frames that are not for it */
	bool debug;			/* say the end of the verifier's log when a program is refused */
	const struct capture_counting *counting;	/* NULL: frames are shipped */
};

/* One rung, tried or not, for --plan. */
struct rung_plan {
	bool tried, works, chosen;
	int err;			/* negative errno of the kernel's refusal */
	char reason[256];		/* in the user's words, with the kernel's own reason */
};

struct capture;

/* Create maps, load programs; says what failed and why (EPERM names the capability).  What opt points to must
 * outlive the capture. */
int  capture_open(struct capture **out, const struct capture_options *opt);
/*
 * Whether frames of this interface come by RUNG_PACKET: asked for, or nothing of BPF works here, or a link type
 * that our programs do not know.  Then the caller opens a packet socket for it, while it may, and says so with
 * capture_packet_opened(); no other rung is tried.  Everything else comes through the ring.
 */
bool capture_by_packet(const struct capture *c, const struct link_info *link);
/* Why nothing of BPF works here, in the user's words; NULL: it does. */
const char *capture_no_bpf(const struct capture *c);
int  capture_packet_opened(struct capture *c, uint32_t ifindex);
/* Attach to one interface of the current network namespace, by the ladder.  *rung: which one it took.  When a rung
 * fails for one interface only (a device without tc), the next of the ring's is tried for it.  -EOPNOTSUPP, said:
 * it needs a packet socket and none was opened; -ENETDOWN, not said: nor could be, for it is down. */
int  capture_attach(struct capture *c, uint32_t ifindex, const char *name, enum rung *rung);
int  capture_detach(struct capture *c, uint32_t ifindex);
/* Warn of clsact filters there whose netprobe was killed, helper and all, and say what removes them. */
void capture_tell_left(uint32_t ifindex, const char *name);
/* Detach all and wait until no program of ours runs any more: afterwards the ledger is final. */
void capture_detach_all(struct capture *c);
/* --plan: try each rung on `ifindex`, attaching and detaching at once.  Clsact filters whose netprobe was killed go. */
int  capture_plan(struct capture *c, uint32_t ifindex, const char *name, struct rung_plan plan[RUNGS]);
/* Close every descriptor, without detaching in another process that holds them too. */
void capture_close(struct capture *c);

/* What the reader needs: map descriptors to mmap before privileges are dropped.  They are duplicates, the
 * caller's own; all are -1 when nothing comes through the ring: no BPF here, or --rung packet without drops. */
struct capture_fds {
	int ring, ledger, control, drop_ledger;	/* -1: absent */
	uint64_t ring_bytes;
	unsigned int cpus;		/* elements of the ledgers */
};
void capture_fds(const struct capture *c, struct capture_fds *fds);

/* Names for drop records, read from the running kernel's BTF and /proc/kallsyms while privileged. */
struct drop_names;
/* Can types be read from a file that the user named?  Says why not. */
int  drop_btf_check(const char *path);
int  drop_names_open(struct drop_names **out, const char *btf_path);
/* The same from other files; NULL: the running kernel's.  For tests. */
int  drop_names_read(struct drop_names **out, const char *btf_path, const char *kallsyms_path);
/* Reasons only, without symbols; none where there is no BTF, and then each is "NOT_SPECIFIED". */
int  drop_reasons_read(struct drop_names **out, const char *btf_path);
void drop_names_close(struct drop_names *d);
/* Bytes of memory that the tables take. */
uint64_t drop_names_size(const struct drop_names *d);
const char *drop_reason_name(const struct drop_names *d, uint32_t reason);
/* Symbol that contains the address, or NULL. */
const char *drop_symbol(const struct drop_names *d, uint64_t addr);
/* Class of a drop, by reason and symbol (NULL: unknown): xdp, tc, nft, iptables, socket, route, neighbour, tcp, udp,
 * ip, other.  d (NULL: none) tells whether legacy iptables has tables here, where the symbol cannot. */
const char *drop_hook(const struct drop_names *d, const char *reason, const char *symbol);

#endif
