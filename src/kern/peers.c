// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/peers.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>
#include <utmp.h>

#include "util/cleanup.h"

enum { ESTABLISHED = 1, LISTEN = 10, INODES_MAX = 4096, ANCESTORS_MAX = 64 };

static void add_port(struct peers *p, uint16_t port)
{
	for (unsigned int i = 0; i < p->n_ports; i++)
		if (p->ports[i] == port)
			return;
	if (port && p->n_ports < SSH_PORTS_MAX)
		p->ports[p->n_ports++] = port;
}

/* Of more than there is room for our own is the one that is wanted. */
static void add_peer(struct peers *p, const struct peer *peer, bool own)
{
	if (p->n < PEERS_MAX)
		p->v[p->n++] = *peer;
	else if (own)
		p->v[PEERS_MAX - 1] = *peer;
}

/* An IPv4-mapped address is IPv4 on the wire. */
static void unmap(struct addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (a->family != 6 || memcmp(a->b, mapped, sizeof(mapped)))
		return;
	memmove(a->b, a->b + 12, 4);
	memset(a->b + 4, 0, 12);
	a->family = 4;
}

static bool parse_addr(struct addr *a, const char *text)
{
	char copy[64];

	memset(a, 0, sizeof(*a));
	snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(text, "% "), text);
	if (inet_pton(AF_INET, copy, a->b) == 1)
		a->family = 4;
	else if (inet_pton(AF_INET6, copy, a->b) == 1)
		a->family = 6;
	unmap(a);
	return a->family;
}

/* The next word of a line, ended where it ends; empty when there is none. */
static char *next_word(char **at)
{
	char *word = *at + strspn(*at, " \t\n");

	*at = word + strcspn(word, " \t\n");
	if (**at)
		*(*at)++ = '\0';
	return word;
}

/* sshd(8): SSH_CONNECTION is client address and port, server address and port; SSH_CLIENT has no server address. */
static void from_environment(struct peers *p, const char *name, bool has_local)
{
	const char *text = getenv(name);
	char copy[160], *at = copy, *word[4];
	struct peer peer = { .how = name };

	if (!text || strlen(text) >= sizeof(copy))
		return;
	memcpy(copy, text, strlen(text) + 1);
	for (int i = 0; i < 4; i++)
		word[i] = i == 2 && !has_local ? (char *)"" : next_word(&at);
	if (!parse_addr(&peer.remote, word[0]) || (has_local && !parse_addr(&peer.local, word[2])))
		return;
	peer.rport = (uint16_t)strtoul(word[1], NULL, 10);
	peer.lport = (uint16_t)strtoul(word[3], NULL, 10);
	add_peer(p, &peer, true);
	add_port(p, peer.lport);
	p->own = true;
}

/* Inodes of the sockets of a process. */
static unsigned int sockets_of(const char *pid, unsigned long *inodes, unsigned int n, unsigned int max)
{
	char path[300], to[64];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d)) && n < max) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%.16s/fd/%.20s", pid, e->d_name);
		len = readlink(path, to, sizeof(to) - 1);
		to[len < 0 ? 0 : len] = '\0';
		if (!strncmp(to, "socket:[", 8))
			inodes[n++] = strtoul(to + 8, NULL, 10);
	}
	if (d)
		closedir(d);
	return n;
}

static bool is_sshd(const char *pid)
{
	char path[64], comm[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(comm, sizeof(comm), f))
		*comm = '\0';
	fclose(f);
	return !strncmp(comm, "sshd", 4) || !strncmp(comm, "dropbear", 8);
}

/* proc(5): the fourth field, behind a name that may hold anything; 0: not known. */
static long parent_of(long pid)
{
	char path[64], line[512] = "", *at;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (!fgets(line, sizeof(line), f))
		*line = '\0';
	fclose(f);
	at = strrchr(line, ')');
	return at && strlen(at) > 4 ? strtol(at + 4, NULL, 10) : 0;
}

/* Of the sshd that this process descends from: sudo(8) takes the environment away, but not the parents. */
static unsigned int own_sockets(unsigned long *inodes)
{
	unsigned int n = 0;
	long pid = getppid();

	for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++, pid = parent_of(pid)) {
		char name[24];

		snprintf(name, sizeof(name), "%ld", pid);
		if (is_sshd(name))
			n = sockets_of(name, inodes, n, INODES_MAX);
	}
	return n;
}

static unsigned int sshd_sockets(unsigned long *inodes, unsigned int n)
{
	DIR *d = opendir("/proc");
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (isdigit((unsigned char)e->d_name[0]) && is_sshd(e->d_name))
			n = sockets_of(e->d_name, inodes, n, INODES_MAX);
	if (d)
		closedir(d);
	return n;
}

/* proc(5): words of 32 bits, each printed in host order. */
static void hex_addr(struct addr *a, const char *hex)
{
	size_t words = strlen(hex) / 8;

	memset(a, 0, sizeof(*a));
	a->family = words == 1 ? 4 : 6;
	for (size_t i = 0; i < words && i < 4; i++) {
		char one[9] = "";
		uint32_t v;

		memcpy(one, hex + 8 * i, 8);
		v = (uint32_t)strtoul(one, NULL, 16);
		memcpy(a->b + 4 * i, &v, 4);
	}
	unmap(a);
}

struct row {
	char local[33], remote[33];
	unsigned int lport, rport, state;
	unsigned long inode;
};

static bool is_in(const unsigned long *v, unsigned int n, unsigned long x)
{
	for (unsigned int i = 0; i < n; i++)
		if (v[i] == x)
			return true;
	return false;
}

/* Sockets of sshd: the first n_own are those of our own session. */
struct sockets {
	unsigned long inodes[INODES_MAX];
	unsigned int n, n_own;
};

static bool is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == 4 ? a->b[0] == 127 : !memcmp(a->b, one, sizeof(one));
}

static void take_row(struct peers *p, const struct row *r, const struct sockets *s)
{
	struct peer peer = { .how = "a connection to sshd", .lport = (uint16_t)r->lport, .rport = (uint16_t)r->rport };
	bool ssh = is_in(s->inodes, s->n, r->inode), own = is_in(s->inodes, s->n_own, r->inode);

	if (r->state == LISTEN && ssh)
		add_port(p, (uint16_t)r->lport);
	for (unsigned int i = 0; i < p->n_ports; i++)
		ssh = ssh || p->ports[i] == r->lport;
	if (r->state != ESTABLISHED || !ssh)
		return;
	hex_addr(&peer.local, r->local);
	hex_addr(&peer.remote, r->remote);
	if (own)
		peer.how = "the sshd that this runs under";
	p->own = p->own || own;
	if (!is_loopback(&peer.remote))
		add_peer(p, &peer, own);
}

/* "C0A80001:0016": the address stays hexadecimal. */
static bool parse_end(char *word, char addr[33], unsigned int *port)
{
	size_t n = strspn(word, "0123456789ABCDEF");

	if ((n != 8 && n != 32) || word[n] != ':')
		return false;
	memcpy(addr, word, n);
	addr[n] = '\0';
	*port = (unsigned int)strtoul(word + n + 1, NULL, 16);
	return true;
}

/* sl local remote state queues timer retransmits uid timeout inode; a heading is no row. */
static bool parse_row(struct row *r, char *line)
{
	char *at = line, *local, *remote;

	next_word(&at);
	local = next_word(&at);
	remote = next_word(&at);
	if (!parse_end(local, r->local, &r->lport) || !parse_end(remote, r->remote, &r->rport))
		return false;
	r->state = (unsigned int)strtoul(next_word(&at), NULL, 16);
	for (int i = 0; i < 5; i++)
		next_word(&at);
	r->inode = strtoul(next_word(&at), NULL, 10);
	return true;
}

/* Listening sockets come first there. */
static void from_table(struct peers *p, const char *path, const struct sockets *s)
{
	FILE *f = fopen(path, "re");
	char line[256];
	struct row r;

	while (f && fgets(line, sizeof(line), f))
		if (parse_row(&r, line))
			take_row(p, &r, s);
	if (f)
		fclose(f);
}

static uint16_t port_in(const char *table, const unsigned long *inodes, unsigned int n)
{
	FILE *f = fopen(table, "re");
	unsigned int port = 0;
	char line[256];
	struct row r;

	while (f && !port && fgets(line, sizeof(line), f))
		if (parse_row(&r, line) && is_in(inodes, n, r.inode))
			port = r.lport;
	if (f)
		fclose(f);
	return (uint16_t)port;
}

/* Where mosh-server(1) listens, by its number; the first that it takes when that is not known. */
static uint16_t port_of_mosh(const char *pid)
{
	enum { FIRST_PORT = 60001, SOCKETS = 64 };
	unsigned long inodes[SOCKETS];
	unsigned int n = sockets_of(pid, inodes, 0, SOCKETS);
	uint16_t port = port_in("/proc/self/net/udp", inodes, n);

	if (!port)
		port = port_in("/proc/self/net/udp6", inodes, n);
	return port ? port : FIRST_PORT;
}

/* mosh-server's is "ADDRESS via mosh [PID]". */
static void from_login(struct peers *p, const char *host)
{
	static const char via[] = " via mosh [";
	struct peer peer = { .how = "a login (utmp)" };
	const char *at = strstr(host, via);
	char pid[24];

	if (!parse_addr(&peer.remote, host))
		return;
	if (at) {
		at += strlen(via);
		snprintf(pid, sizeof(pid), "%.*s", (int)strspn(at, "0123456789"), at);
		peer.udp = true;
		peer.lport = port_of_mosh(pid);
	}
	add_peer(p, &peer, false);
}

static void from_logins(struct peers *p)
{
	struct utmp *u;

	setutent();
	while ((u = getutent())) {
		char host[sizeof(u->ut_host) + 1];

		if (u->ut_type != USER_PROCESS)
			continue;
		snprintf(host, sizeof(host), "%.*s", (int)sizeof(u->ut_host), u->ut_host);
		from_login(p, host);
	}
	endutent();
}

void peers_find(struct peers *p)
{
	struct sockets *s = calloc(1, sizeof(*s));

	memset(p, 0, sizeof(*p));
	add_port(p, 22);
	from_environment(p, "SSH_CONNECTION", true);
	from_environment(p, "SSH_CLIENT", false);
	from_logins(p);
	if (!s)
		return;
	s->n_own = own_sockets(s->inodes);
	s->n = sshd_sockets(s->inodes, s->n_own);
	from_table(p, "/proc/self/net/tcp", s);
	from_table(p, "/proc/self/net/tcp6", s);
	free(s);
}
