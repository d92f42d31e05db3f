// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Debian's libpcap.a is built with D-Bus capture support, which drags in
 * libdbus-1.a and libsystemd.a; the latter does not exist.  Defining the
 * module's two entry points here keeps the linker from pulling pcap-dbus.o.
 */
#include <stddef.h>

struct pcap;
struct pcap_if_list;

struct pcap *dbus_create(const char *device, char *ebuf, int *is_ours);
int dbus_findalldevs(struct pcap_if_list *devs, char *ebuf);

struct pcap *dbus_create(const char *device, char *ebuf, int *is_ours)
{
	*is_ours = 0;
	return NULL;
}

int dbus_findalldevs(struct pcap_if_list *devs, char *ebuf)
{
	return 0;
}
