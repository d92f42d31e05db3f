// SPDX-License-Identifier: GPL-2.0-or-later
/* inject IFACE FILE: send every frame of a capture out of an interface, once, as it is. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "source/source.h"

struct inject {
	int fd;
	unsigned long sent;
};

static int send_frame(void *ctx, const struct frame *f)
{
	struct inject *in = ctx;

	while (send(in->fd, f->data, f->cap_len, 0) < 0)
		if (errno != ENOBUFS) {
			perror("inject: send");
			return -errno;
		}
	in->sent++;
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct inject in = { .fd = socket(AF_PACKET, SOCK_RAW, 0) };
	struct source *source = NULL;
	int n;

	if (argc != 3) {
		fprintf(stderr, "usage: inject IFACE FILE\n");
		return 2;
	}
	to.sll_ifindex = (int)if_nametoindex(argv[1]);
	if (in.fd < 0 || !to.sll_ifindex || bind(in.fd, (void *)&to, sizeof(to))) {
		perror("inject");
		return 1;
	}
	if (capfile_open(&source, argv[2]))
		return 1;
	do
		n = source->ops->read(source, 64, send_frame, &in);
	while (n >= 0);
	source->ops->close(source);
	printf("%lu frames\n", in.sent);
	return n == -ENODATA ? 0 : 1;
}
