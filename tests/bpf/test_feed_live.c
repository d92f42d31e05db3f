// SPDX-License-Identifier: GPL-2.0-or-later
/* What this machine has reaches a process without privileges, and whoever brings it leaves with that process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/rules.h"
#include "feed_rig.h"
#include "priv/priv.h"
#include "util/bytes.h"
#include "util/cleanup.h"

/* A line of /proc/PID/status. */
static void status_of(pid_t pid, const char *what, char *to, size_t size)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	to[0] = '\0';
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, what, strlen(what)))
			snprintf(to, size, "%.*s", (int)strcspn(line + strlen(what), "\n"), line + strlen(what));
	if (f)
		fclose(f);
}

/* The process that `parent` has for this. */
static pid_t child_of(pid_t parent)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;
	pid_t found = 0;

	assert_non_null(d);
	while ((e = readdir(d))) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);
		char name[64], of[64];

		if (pid <= 0)
			continue;
		status_of(pid, "Name:\t", name, sizeof(name));
		status_of(pid, "PPid:\t", of, sizeof(of));
		if (!strcmp(name, "netprobe-node") && strtol(of, NULL, 10) == parent)
			found = pid;
	}
	closedir(d);
	return found;
}

/* ── this machine, in a network namespace ─────────────────────────────────── */

static void interfaces_are_told(void **state)
{
	struct policy_feed *f = begin(NULL, 1u << FACT_INTERFACE);

	wait_for(f, FACT_INTERFACE, "lo", true);
	run("ip link add feed0 type veth peer name feed1");
	assert_true(wait_for(f, FACT_INTERFACE, "feed1", true) < SOON_MS);
	run("ip link del feed0");
	assert_true(wait_for(f, FACT_INTERFACE, "feed0", false) < SOON_MS);
	feed_close(f);
}

static void addresses_are_told(void **state)
{
	struct policy_feed *f = begin(NULL, 1u << FACT_ADDRESS);

	run("ip link add feed0 type veth peer name feed1");
	run("ip addr add 192.0.2.77/32 dev feed0");
	assert_true(wait_for(f, FACT_ADDRESS, "feed0", true) < SOON_MS);
	run("ip addr del 192.0.2.77/32 dev feed0");
	assert_true(wait_for(f, FACT_ADDRESS, "feed0", false) < SOON_MS);
	run("ip link del feed0");
	feed_close(f);
}

static void send_to(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	owned_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	put_be16((uint8_t *)&to.sin_port, port);
	put_be32((uint8_t *)&to.sin_addr, INADDR_LOOPBACK);
	sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));	/* a rule may refuse it */
}

/* What the rule of that comment has counted; -1: there is none. */
static int64_t counted(const struct facts *f, const char *comment)
{
	struct nf_rules r = { 0 };
	struct fact one;
	int64_t n = -1;
	size_t at = 0;

	while (facts_next(f, &at, &one))
		if (one.kind == FACT_NFT)
			assert_int_equal(nf_parse_netlink(&r, one.bytes, one.n), 0);
	assert_int_equal(nf_rules_sort(&r), 0);
	for (uint32_t i = 0; i < r.n_rules; i++)
		if (!strcmp(r.rules[i].comment, comment))
			n = (int64_t)r.rules[i].packets;
	nf_rules_free(&r);
	return n;
}

static void rules_are_told(void **state)
{
	struct policy_feed *f = begin(NULL, FEED_RULES);
	struct facts facts;
	struct feed_set set;
	uint64_t before;

	assert_int_equal(read_within(f, WAIT_MS, &facts, &set), 1);
	assert_int_equal(set.kinds, FEED_RULES);
	if (system("command -v nft >/dev/null && nft list ruleset >/dev/null")) {
		facts_free(&facts);
		feed_close(f);
		skip();
	}
	assert_true(facts.there[FACT_NFT]);
	assert_int_equal(counted(&facts, "nine"), -1);
	facts_free(&facts);
	before = time_now();
	run("nft 'table ip npf { chain out { type filter hook output priority 0; "
	    "udp dport 9 counter drop comment \"nine\"; }; }'");
	read_after(f, before, &facts, &set);
	assert_int_equal(counted(&facts, "nine"), 0);
	facts_free(&facts);
	/* A packet changes no rule: that is what asking is for. */
	for (int i = 1; i <= 5; i++) {
		send_to(9);
		before = time_now();
		feed_ask(f, FEED_RULES);
		read_after(f, before, &facts, &set);
		assert_int_equal(counted(&facts, "nine"), i);
		facts_free(&facts);
	}
	before = time_now();
	run("nft flush ruleset");
	read_after(f, before, &facts, &set);
	assert_int_equal(counted(&facts, "nine"), -1);
	facts_free(&facts);
	feed_close(f);
}

static void legacy_rules_are_read(void **state)
{
	struct policy_feed *f;
	struct facts facts;
	struct feed_set set;

	if (system("command -v iptables-legacy >/dev/null && iptables-legacy -A OUTPUT -p udp --dport 19 2>/dev/null"))
		skip();
	f = begin(NULL, 1u << FACT_NFT);
	assert_int_equal(read_within(f, WAIT_MS, &facts, &set), 1);
	assert_int_equal(set.kinds, FEED_RULES);
	assert_true(facts.n[FACT_LEGACY] > 0);
	assert_int_equal(facts.err[FACT_LEGACY], 0);
	facts_free(&facts);
	feed_close(f);
	run("iptables-legacy -F");
}

/* Who listens at the kubelet's port answers with `answer`, or keeps silent (NULL). */
static pid_t kubelet(const char *answer)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	owned_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;
	pid_t pid;

	put_be16((uint8_t *)&at.sin_port, 10255);
	put_be32((uint8_t *)&at.sin_addr, INADDR_LOOPBACK);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	pid = fork();
	assert_true(pid >= 0);
	while (!pid) {
		int who = accept(fd, NULL, NULL);
		char question[512];

		if (read(who, question, sizeof(question)) <= 0)
			_exit(1);
		if (answer && write(who, answer, strlen(answer)) > 0)
			close(who);
	}
	return pid;
}

static void end_kubelet(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void the_kubelet_is_asked(void **state)
{
	static const char text[] = "HTTP/1.0 200 OK\r\n\r\n{\"items\": []}";
	pid_t pid = kubelet(text);
	struct policy_feed *f = begin(NULL, FEED_KUBELET);
	struct facts facts;
	struct feed_set set;

	assert_int_equal(read_within(f, WAIT_MS, &facts, &set), 1);
	assert_int_equal(set.kinds, FEED_KUBELET);
	assert_int_equal(facts.n[FACT_KUBELET], 1);
	assert_non_null(memmem(facts.data.p, facts.data.n, text, strlen(text)));
	facts_free(&facts);
	end_kubelet(pid);
	feed_ask(f, FEED_KUBELET);
	assert_int_equal(read_within(f, WAIT_MS, &facts, &set), 1);
	assert_false(facts.there[FACT_KUBELET]);
	facts_free(&facts);
	feed_close(f);
}

/* All of this machine, by a process that may do as little as one that reads packets. */
static int read_confined(void)
{
	const struct priv_drop d = { .change_user = true, .uid = PRIV_NOBODY, .gid = PRIV_NOBODY, .fds = { .ask = -1 } };
	uint32_t met = 0, wanted = FEED_ALL & ~FEED_KUBELET;
	struct policy_feed *f;
	uint64_t end;

	if (feed_open(&f, NULL, FEED_ALL) || priv_drop(&d))
		return 1;
	for (end = time_now() + WAIT_MS * MS; time_now() < end && (met & wanted) != wanted;) {
		struct facts facts = { 0 };
		struct feed_set set;
		int rc = read_within(f, 100, &facts, &set);

		if (rc < 0)
			return 2;
		met |= rc ? set.kinds : 0;
		facts_free(&facts);
	}
	if ((met & wanted) != wanted)
		return 3;
	feed_ask(f, FEED_RULES);
	for (met = 0; time_now() < end && !met;) {
		struct facts facts = { 0 };
		struct feed_set set;

		met |= read_within(f, 100, &facts, &set) > 0 ? set.kinds & FEED_RULES : 0;
		if (facts.err[FACT_NFT])
			return 4;
		facts_free(&facts);
	}
	feed_close(f);
	return priv_refused() ? 5 : met ? 0 : 6;
}

static void a_sandbox_is_no_hindrance(void **state)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid)
		_exit(read_confined());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ── the child ────────────────────────────────────────────────────────────── */

static pid_t wait_for_child(pid_t parent)
{
	pid_t child = 0;

	for (int i = 0; i < WAIT_MS && !child; i++) {
		child = child_of(parent);
		poll(NULL, 0, 1);
	}
	assert_true(child > 0);
	return child;
}

static void it_keeps_little(void **state)
{
	static const struct {
		const char *what, *is;
	} lines[] = {
		{ "Uid:\t", "65534\t65534\t65534\t65534" }, { "Gid:\t", "65534\t65534\t65534\t65534" }, { "Groups:\t", " " },
		{ "CapPrm:\t", "0000000000001004" }, { "CapEff:\t", "0000000000001004" },	/* DAC_READ_SEARCH, NET_ADMIN */
		{ "CapInh:\t", "0000000000000000" }, { "CapAmb:\t", "0000000000000000" },
		{ "NoNewPrivs:\t", "1" }, { "Seccomp:\t", "2" },
	};
	struct policy_feed *f = begin(NULL, FEED_ALL);
	char is[128], path[64];
	const struct dirent *e;
	unsigned int n = 0;
	struct facts facts;
	struct feed_set set;
	pid_t child;
	DIR *d;

	assert_int_equal(read_within(f, WAIT_MS, &facts, &set), 1);
	facts_free(&facts);
	child = wait_for_child(getpid());
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		status_of(child, lines[i].what, is, sizeof(is));
		assert_string_equal(is, lines[i].is);
	}
	/* 0 to 2, its three ends, what standard error was, and what tells of changes: three where the kernel has all. */
	snprintf(path, sizeof(path), "/proc/%d/fd", child);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	closedir(d);
	assert_true(n >= 8 && n <= 10);
	feed_close(f);
	assert_int_equal(child_of(getpid()), 0);
}

/* What it must not be able to do, though it is root's child and reads all there is: 0, or which of these it could. */
static int try_all(const char *path, pid_t parent)
{
	char bytes[8192] = "";
	int fd;

	if (priv_watcher(parent, sizeof(bytes) / 2))
		return 1;
	if (open(path, O_RDONLY | O_CLOEXEC) < 0)
		return 2;
	if (open(path, O_WRONLY | O_CLOEXEC) >= 0 || errno != EACCES)
		return 3;
	if (fork() >= 0)
		return 4;
	if (socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) >= 0 || unlink(path) >= 0 || kill(parent, 0) >= 0)
		return 5;
	fd = memfd_create("test", MFD_CLOEXEC);
	if (write(fd, bytes, sizeof(bytes)) != sizeof(bytes) / 2 || write(fd, bytes, 1) >= 0 || errno != EFBIG)
		return 6;
	return 0;
}

static void it_changes_nothing(void **state)
{
	char path[] = "/tmp/netprobe-feed.XXXXXX";
	owned_fd int fd = mkostemp(path, O_CLOEXEC);
	int status, parent = getpid();
	pid_t pid;

	assert_true(fd >= 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(try_all(path, parent));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(status, 0);
}

static bool is_gone_within(pid_t pid, int ms)
{
	for (int i = 0; i < ms; i++) {
		waitpid(pid, NULL, WNOHANG);	/* we get the orphans */
		if (kill(pid, 0) && errno == ESRCH)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

/* confined: as whoever reads packets, who may not even send it a signal. */
static void dies_with_parent(bool confined)
{
	const struct priv_drop d = { .change_user = true, .uid = PRIV_NOBODY, .gid = PRIV_NOBODY, .fds = { .ask = -1 } };
	int ready[2];
	pid_t pid, child;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		struct policy_feed *f;

		if (feed_open(&f, NULL, FEED_ALL) || (confined && priv_drop(&d)) || write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			poll(NULL, 0, 1000);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	child = wait_for_child(pid);
	poll(NULL, 0, 100);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(is_gone_within(child, SOON_MS));
	close(ready[0]);
	close(ready[1]);
}

static void it_dies_with_its_parent(void **state)
{
	dies_with_parent(false);
	dies_with_parent(true);
}

/* In the midst of asking a kubelet that does not answer it still ends at once. */
static void its_end_waits_for_nothing(void **state)
{
	pid_t silent = kubelet(NULL), child;
	struct policy_feed *f = begin(NULL, FEED_KUBELET);
	uint64_t began;

	assert_int_equal(sets_within(f, 300), 0);
	child = wait_for_child(getpid());
	began = time_now();
	feed_close(f);
	assert_true(time_now() - began < SOON_MS * MS);
	assert_true(is_gone_within(child, SOON_MS));
	end_kubelet(silent);
}

static void that_it_ended_is_told_once(void **state)
{
	struct policy_feed *f = begin(NULL, FEED_ALL);
	struct facts facts;
	struct feed_set set;
	int rc = 1;

	assert_int_equal(kill(wait_for_child(getpid()), SIGKILL), 0);
	while (rc > 0) {
		rc = read_within(f, WAIT_MS, &facts, &set);
		facts_free(&facts);
	}
	assert_int_equal(rc, -EPIPE);
	assert_int_equal(feed_fd(f), -1);
	assert_int_equal(feed_read(f, &facts, &set), 0);
	feed_ask(f, FEED_ALL);
	assert_int_equal(feed_read(f, &facts, &set), 0);
	feed_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(interfaces_are_told),
		cmocka_unit_test(addresses_are_told),
		cmocka_unit_test(rules_are_told),
		cmocka_unit_test(legacy_rules_are_read),
		cmocka_unit_test(the_kubelet_is_asked),
		cmocka_unit_test(a_sandbox_is_no_hindrance),
		cmocka_unit_test(it_keeps_little),
		cmocka_unit_test(it_changes_nothing),
		cmocka_unit_test(it_dies_with_its_parent),
		cmocka_unit_test(its_end_waits_for_nothing),
		cmocka_unit_test(that_it_ended_is_told_once),
	};

	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (geteuid() || unshare(CLONE_NEWNET)) {
		fprintf(stderr, "no network namespaces here\n");
		return 77;
	}
	run("ip link set lo up");
	/* Of parents that are killed. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	return cmocka_run_group_tests_name("feed_live", tests, NULL, NULL);
}
