// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tunlink NAME tun|tap ARPHRD COUNT: make a tun or tap device that says it is of link type ARPHRD (0: its own),
 * bring it up, print "up", and for each line of standard input put COUNT frames in at its other end: the host
 * receives them on NAME.  A tun device takes bare IP only.  The device goes with the end of input.
 *
 * Kernels without ip_gre, sit or mac80211 have their link types all the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* IPv4, UDP from port 1000 to 9, of 4 bytes. */
static const unsigned char datagram[] = {
	0x45, 0, 0, 32, 0, 1, 0, 0, 64, 17, 0x66, 0xca, 10, 0, 0, 1, 10, 0, 0, 2, 0x03, 0xe8, 0, 9, 0, 12, 0, 0,
	'n', 'e', 't', '!',
};
static const unsigned char ethernet[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0 };
/* Radiotap without a field; 802.11 data; LLC and SNAP for IPv4. */
static const unsigned char radiotap[] = {
	0, 0, 8, 0, 0, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 3, 0, 0, 0xaa, 0xaa,
	3, 0, 0, 0, 8, 0,
};

static int give_up(const char *what)
{
	fprintf(stderr, "tunlink: %s: %s\n", what, strerror(errno));
	return 77;
}

static int make(const char *name, int is_tap, int arphrd)
{
	struct ifreq r = { .ifr_flags = (short)((is_tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI) };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (fd < 0 || s < 0 || ioctl(fd, TUNSETIFF, &r))
		return -1;
	if (arphrd && ioctl(fd, TUNSETLINK, (unsigned long)arphrd))
		return -1;
	r.ifr_flags = IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &r))
		return -1;
	close(s);
	return fd;
}

static size_t frame(unsigned char *to, int is_tap, int arphrd)
{
	bool is_wifi = arphrd == ARPHRD_IEEE80211_RADIOTAP;
	const unsigned char *head = is_wifi ? radiotap : ethernet;
	size_t n = is_wifi ? sizeof(radiotap) : is_tap ? sizeof(ethernet) : 0;

	memcpy(to, head, n);
	memcpy(to + n, datagram, sizeof(datagram));
	return n + sizeof(datagram);
}

int main(int argc, char **argv)
{
	unsigned char buf[128];
	char line[64];
	int is_tap, arphrd, fd;
	size_t n;

	if (argc != 5) {
		fputs("usage: tunlink NAME tun|tap ARPHRD COUNT\n", stderr);
		return 2;
	}
	is_tap = !strcmp(argv[2], "tap");
	arphrd = (int)strtol(argv[3], NULL, 10);
	fd = make(argv[1], is_tap, arphrd);
	if (fd < 0)
		return give_up(argv[1]);
	n = frame(buf, is_tap, arphrd);
	puts("up");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		for (long i = strtol(argv[4], NULL, 10); i > 0; i--)
			if (write(fd, buf, n) != (ssize_t)n)
				return give_up("write");
	return 0;
}
