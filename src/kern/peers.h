/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_KERN_PEERS_H
#define NETPROBE_KERN_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/addr.h"

/* Who is logged in here over the network, so that a firewall does not cut them off. */
struct peer {
	struct addr local, remote;	/* local.family 0: not known */
	uint16_t lport, rport;		/* 0: not known */
	bool udp;			/* of mosh-server(1), else TCP */
	const char *how;		/* "SSH_CONNECTION", "a connection to sshd", "a login (utmp)", ... */
};

enum { PEERS_MAX = 256, SSH_PORTS_MAX = 16 };

struct peers {
	struct peer v[PEERS_MAX];
	unsigned int n;
	uint16_t ports[SSH_PORTS_MAX];	/* where sshd listens, 22 always */
	unsigned int n_ports;
	bool own;			/* this process runs in one of them */
};

/* Of the current network namespace.  What cannot be read is left out. */
void peers_find(struct peers *p);

#endif
