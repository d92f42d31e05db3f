// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/hook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "kern/load.h"
#include "util/cleanup.h"

#ifndef SO_ATTACH_BPF
#define SO_ATTACH_BPF 50
#endif
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING 23	/* Linux 4.20 */
#endif

static int tcx_link(uint32_t ifindex, int prog, int type)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = HOOK_TCX_BEFORE);

	if (prog < 0)
		return -1;
	return bpf_link_create(prog, (int)ifindex, (enum bpf_attach_type)type, &o);
}

int hook_tcx(uint32_t ifindex, int ingress, int egress, int links[2])
{
	links[0] = tcx_link(ifindex, ingress, HOOK_TCX_INGRESS);
	if (ingress >= 0 && links[0] < 0)
		return links[0];
	links[1] = tcx_link(ifindex, egress, HOOK_TCX_EGRESS);
	if (egress >= 0 && links[1] < 0) {
		int err = links[1];

		hook_detach_link(&links[0]);
		return err;
	}
	return 0;
}

/* Detaching works even when another process holds the descriptor too; not every kind of link can. */
void hook_detach_link(int *fd)
{
	if (*fd < 0)
		return;
	bpf_link_detach(*fd);
	close(*fd);
	*fd = -1;
}

static int packet_socket(void)
{
	/* Protocol 0: it receives nothing before it is bound, with the program in place. */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

int hook_socket(uint32_t ifindex, int prog, bool ignore_outgoing)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)ifindex,
	};
	owned_fd int fd = packet_socket();
	int one = 1;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &prog, sizeof(prog)))
		return -errno;
	if (ignore_outgoing && setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)))
		return -errno;
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)))
		return -errno;
	return take_fd(fd);
}

int hook_promisc(uint32_t ifindex)
{
	struct packet_mreq m = { .mr_ifindex = (int)ifindex, .mr_type = PACKET_MR_PROMISC };
	owned_fd int fd = packet_socket();

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m)))
		return -errno;
	return take_fd(fd);
}

int hook_can_packet(void)
{
	owned_fd int fd = packet_socket();

	return fd < 0 ? fd : 0;
}

/*
 * Programs run in RCU read-side sections (membarrier(2): the global command waits for one grace
 * period).  Where it is refused (nohz_full), a tenth of a second stands for it.
 */
void hook_wait(void)
{
	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
		usleep(100000);
}
