// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stand-ins for the name-service functions that libpcap's filter compiler refers
 * to.  A static binary must not load NSS modules at run time, so names resolve
 * from literals and the small tables below and from nowhere else; hosts are
 * never looked up.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	uint16_t port, proto;	/* proto 0: any */
} services[] = {
	{ "bgp", 179, 6 },     { "bootpc", 68, 17 },   { "bootps", 67, 17 },  { "domain", 53, 0 },
	{ "ftp", 21, 6 },      { "ftp-data", 20, 6 },  { "http", 80, 6 },     { "https", 443, 0 },
	{ "imap", 143, 6 },    { "imaps", 993, 6 },    { "kafka", 9092, 6 },  { "kerberos", 88, 0 },
	{ "ldap", 389, 0 },    { "ldaps", 636, 6 },    { "mdns", 5353, 17 },  { "mysql", 3306, 6 },
	{ "netbios-ns", 137, 17 }, { "nfs", 2049, 0 }, { "ntp", 123, 17 },    { "pop3", 110, 6 },
	{ "postgresql", 5432, 6 }, { "redis", 6379, 6 }, { "rsync", 873, 6 }, { "sip", 5060, 0 },
	{ "smtp", 25, 6 },     { "snmp", 161, 17 },    { "snmp-trap", 162, 17 }, { "ssh", 22, 6 },
	{ "submission", 587, 6 }, { "sunrpc", 111, 0 }, { "syslog", 514, 17 }, { "telnet", 23, 6 },
	{ "tftp", 69, 17 },
};

static const struct {
	const char *name;
	int number;
} protocols[] = {
	{ "ip", 0 },   { "icmp", 1 },  { "igmp", 2 },  { "ipencap", 4 }, { "tcp", 6 },
	{ "udp", 17 }, { "ipv6", 41 }, { "gre", 47 },  { "esp", 50 },	 { "ah", 51 },
	{ "ipv6-icmp", 58 }, { "ospf", 89 }, { "pim", 103 }, { "vrrp", 112 }, { "sctp", 132 },
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static int service_port(const char *name, int proto)
{
	for (size_t i = 0; i < COUNT(services); i++)
		if (!strcmp(name, services[i].name) &&
		    (!proto || !services[i].proto || services[i].proto == proto))
			return services[i].port;
	return -1;
}

/* The answer and the address it points to, in one piece for freeaddrinfo(). */
struct answer {
	struct addrinfo ai;
	struct sockaddr_storage ss;
};

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	int family = hints ? hints->ai_family : AF_UNSPEC, port = 0;
	struct answer *a = calloc(1, sizeof(*a));
	struct sockaddr_in *v4 = a ? (void *)&a->ss : NULL;
	struct sockaddr_in6 *v6 = a ? (void *)&a->ss : NULL;

	if (!a)
		return EAI_MEMORY;
	if (service && (service[0] < '0' || service[0] > '9'))
		port = service_port(service, hints ? hints->ai_protocol : 0);
	if (!node && service && port > 0) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		a->ai.ai_addrlen = sizeof(*v4);
	} else if (node && family != AF_INET6 && inet_pton(AF_INET, node, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		a->ai.ai_addrlen = sizeof(*v4);
	} else if (node && family != AF_INET && inet_pton(AF_INET6, node, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		a->ai.ai_addrlen = sizeof(*v6);
	} else {
		free(a);
		return node ? EAI_NONAME : EAI_SERVICE;
	}
	a->ai.ai_family = a->ss.ss_family;
	a->ai.ai_addr = (void *)&a->ss;
	if (hints) {
		a->ai.ai_socktype = hints->ai_socktype;
		a->ai.ai_protocol = hints->ai_protocol;
	}
	*res = &a->ai;
	return 0;
}

void freeaddrinfo(struct addrinfo *ai)
{
	free(ai);
}

struct hostent *gethostbyname(const char *name)
{
	return NULL;
}

int getnetbyname_r(const char *name, struct netent *ret, char *buf, size_t len, struct netent **res,
		   int *herr)
{
	*res = NULL;
	*herr = HOST_NOT_FOUND;
	return ENOENT;
}

int getprotobyname_r(const char *name, struct protoent *ret, char *buf, size_t len, struct protoent **res)
{
	for (size_t i = 0; i < COUNT(protocols); i++) {
		if (strcmp(name, protocols[i].name))
			continue;
		ret->p_name = (char *)protocols[i].name;
		ret->p_proto = protocols[i].number;
		ret->p_aliases = NULL;
		*res = ret;
		return 0;
	}
	*res = NULL;
	return ENOENT;
}

struct ether_addr;
int ether_hostton(const char *name, struct ether_addr *addr);

int ether_hostton(const char *name, struct ether_addr *addr)
{
	return -1;
}
