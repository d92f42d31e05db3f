// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/nic.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "util/cleanup.h"

static int ask(const char *ifname, void *what)
{
	owned_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_data = what };
	size_t n = strlen(ifname);

	if (fd < 0)
		return -errno;
	if (n >= sizeof(r.ifr_name))
		return -ENODEV;
	memcpy(r.ifr_name, ifname, n);
	return ioctl(fd, SIOCETHTOOL, &r) ? -errno : 0;
}

int nic_ring(const char *ifname, struct nic_ring *ring)
{
	struct ethtool_ringparam p = { .cmd = ETHTOOL_GRINGPARAM };
	int err = ask(ifname, &p);

	if (!err)
		*ring = (struct nic_ring){ .rx = p.rx_pending, .rx_max = p.rx_max_pending, .tx = p.tx_pending,
					   .tx_max = p.tx_max_pending };
	return err;
}

/* How many counters there are: 0 or less, as -errno, when there are none. */
static int count(const char *ifname)
{
	union {
		struct ethtool_sset_info info;
		uint32_t room[sizeof(struct ethtool_sset_info) / sizeof(uint32_t) + 1];
	} u = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_STATS } };
	int err = ask(ifname, &u);

	if (err || !u.info.sset_mask)
		return err;
	return u.info.data[0] > NIC_COUNTERS_MAX ? -E2BIG : (int)u.info.data[0];
}

/*
 * The kernel fills in as many as there are when it is asked, which may be more than there were a moment ago: there is
 * room for the most that are ever taken.
 */
int nic_counters(const char *ifname, nic_fn fn, void *ctx)
{
	owned_mem struct ethtool_gstrings *names = NULL;
	owned_mem struct ethtool_stats *values = NULL;
	int n = count(ifname), err;
	char name[NIC_NAME + 1];

	if (n <= 0)
		return n;
	names = calloc(1, sizeof(*names) + 2ul * NIC_COUNTERS_MAX * ETH_GSTRING_LEN);
	values = calloc(1, sizeof(*values) + 2ul * NIC_COUNTERS_MAX * sizeof(uint64_t));
	if (!names || !values)
		return -ENOMEM;
	*names = (struct ethtool_gstrings){ .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_STATS, .len = (uint32_t)n };
	*values = (struct ethtool_stats){ .cmd = ETHTOOL_GSTATS, .n_stats = (uint32_t)n };
	err = ask(ifname, names);
	if (!err)
		err = ask(ifname, values);
	if (err)
		return err;
	for (uint32_t i = 0; i < (uint32_t)n && i < names->len && i < values->n_stats; i++) {
		memcpy(name, names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
		name[ETH_GSTRING_LEN] = '\0';
		fn(ctx, name, values->data[i]);
	}
	return 0;
}
