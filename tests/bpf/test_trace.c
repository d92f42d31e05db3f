// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules that packets pass, as this kernel tells them; and that nothing else comes of asking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/trace.h"
#include "numbers/ipproto.h"
#include "util/bytes.h"
#include "util/cleanup.h"
#include "util/err.h"

#include <cmocka.h>

enum { TOLD_MAX = 512, PATIENCE_MS = 5000, TEXT = 1 << 16 };

#define MS UINT64_C(1000000)

/* What was told: the texts live until tell() returns. */
static struct told {
	struct rule_path p;
	struct rule_step steps[TRACE_STEPS_MAX];
	char path[256];		/* table/chain of each step, and where to */
	char comment[128];	/* of the last step's rule */
} told[TOLD_MAX];
static unsigned int n_told;
static struct nf_rules rules;

static bool have(const char *program)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", program);
	return !system(command);
}

static void feed(const char *program, const char *input)
{
	FILE *f = popen(program, "w");

	assert_non_null(f);
	assert_true(fputs(input, f) >= 0);
	assert_int_equal(pclose(f), 0);
}

static void output_of(const char *command, char *text, size_t size)
{
	FILE *f = popen(command, "r");
	size_t n;

	assert_non_null(f);
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	pclose(f);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 * MS + (uint64_t)t.tv_nsec;
}

static void read_rules(void)
{
	struct nf_raw raw;

	nf_rules_free(&rules);
	assert_true(nf_read_netlink(&raw) > 0);
	assert_int_equal(nf_parse_netlink(&rules, raw.bytes, raw.n), 0);
	assert_int_equal(nf_rules_sort(&rules), 0);
	free(raw.bytes);
}

static int keep(void *ctx, const struct rule_path *p)
{
	struct told *t = &told[n_told];
	const struct nf_rule *rule = NULL;
	size_t len = 0;

	if (n_told == TOLD_MAX)
		return -E2BIG;
	*t = (struct told){ .p = *p };
	memcpy(t->steps, p->steps, p->n_steps * sizeof(*p->steps));
	t->p.steps = t->steps;
	for (uint32_t i = 0; i < p->n_steps && len < sizeof(t->path); i++)
		len += (size_t)snprintf(t->path + len, sizeof(t->path) - len, "%s%s/%s%s%s", i ? " " : "",
					p->steps[i].table, p->steps[i].chain, p->steps[i].target ? ">" : "",
					p->steps[i].target ? p->steps[i].target : "");
	if (p->n_steps)
		rule = trace_rule(&rules, &p->steps[p->n_steps - 1]);
	if (rule && rule->comment)
		snprintf(t->comment, sizeof(t->comment), "%s", rule->comment);
	n_told++;
	return 0;
}

static struct rule_trace *open_trace(uint32_t rate)
{
	struct trace_options o = { .rate = rate, .tell = keep };
	struct rule_trace *t;

	n_told = 0;
	assert_int_equal(trace_open(&t, &o), 0);
	return t;
}

/* Until so many were told. */
static void hear(struct rule_trace *t, unsigned int n)
{
	uint64_t end = now() + PATIENCE_MS * MS;

	while (n_told < n && now() < end) {
		struct pollfd p = { .fd = trace_fd(t), .events = POLLIN };

		poll(&p, 1, 10);
		assert_int_equal(trace_read(t, now()), 0);
	}
	assert_true(n_told >= n);
}

/* And all the others. */
static void hear_all(struct rule_trace *t, unsigned int n)
{
	hear(t, n);
	assert_int_equal(trace_finish(t), 0);
}

static const struct told *told_to(uint16_t port, bool in)
{
	for (unsigned int i = 0; i < n_told; i++)
		if (told[i].p.came.dport == port && (told[i].p.in_ifindex != 0) == in)
			return &told[i];
	return NULL;
}

static struct sockaddr_in to_port(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	put_be16((uint8_t *)&to.sin_port, port);
	put_be32((uint8_t *)&to.sin_addr, INADDR_LOOPBACK);
	return to;
}

/* What comes of a SYN within some time: 0, the error, or EAGAIN for nothing. */
static int try_connect(uint16_t port, int wait_ms)
{
	struct sockaddr_in to = to_port(port);
	owned_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int err = 0;
	socklen_t size = sizeof(err);

	assert_true(fd >= 0);
	if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&p, 1, wait_ms) < 1)
		return EAGAIN;
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size), 0);
	return err;
}

static void send_udp(uint16_t port)
{
	struct sockaddr_in to = to_port(port);
	owned_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
}

static const char ruleset[] =
	"table inet f {\n"
	"	chain deep {\n"
	"		tcp dport 81 counter drop comment \"nobody to 81\"\n"
	"		tcp dport 83 counter reject with tcp reset comment \"83 is refused\"\n"
	"		udp dport 9 drop comment \"discard\"\n"
	"		return\n"
	"	}\n"
	"	chain pol { meta mark set 7\n jump deep\n }\n"
	"	chain in { type filter hook input priority 0; policy accept; jump pol\n }\n"
	"}\n";

static int setup(void **state)
{
	feed("nft -f -", ruleset);
	read_rules();
	return 0;
}

static int teardown(void **state)
{
	feed("nft -f -", "flush ruleset\n");
	nf_rules_free(&rules);
	return 0;
}

/* ── tests ────────────────────────────────────────────────────────────────── */

static void the_way_to_a_drop_is_told(void **state)
{
	struct rule_trace *t = open_trace(1000);
	const struct told *x;
	struct trace_counts c;

	assert_int_equal(try_connect(81, 0), EAGAIN);
	send_udp(9);
	hear(t, 4);
	x = told_to(81, true);
	assert_non_null(x);
	assert_string_equal(x->path, "f/in>pol f/pol f/pol>deep f/deep");
	assert_string_equal(x->comment, "nobody to 81");
	assert_int_equal(x->p.end, TRACE_DROPPED);
	assert_int_equal(x->p.proto, PROTO_TCP);
	assert_int_equal(x->p.came.dst.b[0], 127);
	assert_int_equal(x->p.steps[1].mark, 7);
	assert_int_equal(x->p.steps[3].family, NFPROTO_INET);
	assert_int_equal(x->p.steps[3].verdict, NF_DROPS);
	assert_true(x->p.tcp_seq && x->p.ip_id);
	/* On its way out nothing looked at it. */
	assert_int_equal(told_to(81, false)->p.end, TRACE_PASSED);
	assert_int_equal(told_to(81, false)->p.n_steps, 0);
	assert_int_equal(told_to(81, false)->p.tcp_seq, x->p.tcp_seq);
	assert_true(told_to(81, false)->p.out_ifindex);
	x = told_to(9, true);
	assert_non_null(x);
	assert_string_equal(x->comment, "discard");
	assert_int_equal(x->p.proto, PROTO_UDP);
	trace_counts(t, &c);
	assert_int_equal(c.broken + c.others + c.overruns + c.evicted + c.steps_lost, 0);
	trace_close(t);
}

static void who_passes_is_told_with_the_policy(void **state)
{
	struct rule_trace *t = open_trace(1000);
	const struct told *x;

	assert_int_equal(try_connect(82, 1000), ECONNREFUSED);
	assert_int_equal(try_connect(83, 1000), ECONNREFUSED);
	hear(t, 4);
	x = told_to(82, true);
	assert_non_null(x);
	assert_int_equal(x->p.end, TRACE_PASSED);
	assert_string_equal(x->path, "f/in>pol f/pol f/pol>deep f/deep f/pol f/in");
	assert_int_equal(x->p.steps[3].kind, TRACE_RULE);
	assert_int_equal(x->p.steps[3].verdict, NF_RETURNS);
	assert_int_equal(x->p.steps[4].kind, TRACE_RETURN);
	assert_int_equal(x->p.steps[5].kind, TRACE_POLICY);
	x = told_to(83, true);
	assert_int_equal(x->p.end, TRACE_DROPPED);
	assert_string_equal(x->comment, "83 is refused");
	trace_close(t);
}

static void only_what_begins_is_traced(void **state)
{
	struct sockaddr_in at = to_port(85);
	owned_fd int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct rule_trace *t;

	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 8), 0);
	t = open_trace(1000);
	assert_int_equal(try_connect(85, 1000), 0);
	assert_int_equal(try_connect(82, 1000), ECONNREFUSED);
	hear_all(t, 4);
	assert_int_equal(n_told, 4);
	assert_non_null(told_to(85, false));
	assert_non_null(told_to(85, true));
	trace_close(t);
}

static void translation_is_seen(void **state)
{
	struct rule_trace *t;
	const struct told *x;

	if (system("nft 'table ip n { chain o { type nat hook output priority -100; tcp dport 90 dnat to 127.0.0.1:91; }; "
		   "chain p { type filter hook postrouting priority 0; policy accept; counter; }; }'"))
		skip();
	t = open_trace(1000);
	assert_int_equal(try_connect(90, 1000), ECONNREFUSED);
	hear_all(t, 2);
	x = told_to(90, false);
	assert_non_null(x);
	assert_int_equal(x->p.came.dport, 90);
	assert_int_equal(x->p.left.dport, 91);
	trace_close(t);
}

static void rules_of_iptables_nft_are_told(void **state)
{
	struct rule_trace *t;
	const struct told *x;

	if (!have("iptables-nft-restore"))
		skip();
	feed("iptables-nft-restore", "*filter\n:INPUT ACCEPT [0:0]\n:KUBE-POD-FW-A -\n"
				     "-A INPUT -p tcp --dport 84 -j KUBE-POD-FW-A\n"
				     "-A KUBE-POD-FW-A -m comment --comment \"rule to DROP for pod a\" -j DROP\n"
				     "COMMIT\n");
	read_rules();
	t = open_trace(1000);
	assert_int_equal(try_connect(84, 0), EAGAIN);
	hear_all(t, 2);
	x = told_to(84, true);
	assert_non_null(x);
	assert_int_equal(x->p.end, TRACE_DROPPED);
	assert_string_equal(x->comment, "rule to DROP for pod a");
	assert_int_equal(x->p.steps[x->p.n_steps - 1].family, NFPROTO_IPV4);
	trace_close(t);
}

static void what_becomes_of_packets_stays_the_same(void **state)
{
	static const uint16_t ports[] = { 81, 82, 83, 85 };
	static char before[TEXT], between[TEXT], after[TEXT];
	struct sockaddr_in at = to_port(85);
	owned_fd int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int without[4], with[4];
	struct rule_trace *t;

	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 8), 0);
	for (int i = 0; i < 4; i++)
		without[i] = try_connect(ports[i], 300);
	output_of("nft -s -a list table inet f", between, sizeof(between));
	output_of("nft -s -a list ruleset", before, sizeof(before));
	assert_string_equal(before, between);
	t = open_trace(1000);
	for (int i = 0; i < 4; i++)
		with[i] = try_connect(ports[i], 300);
	output_of("nft -s -a list table inet f", between, sizeof(between));
	hear_all(t, 8);
	trace_close(t);
	output_of("nft -s -a list ruleset", after, sizeof(after));
	assert_memory_equal(without, with, sizeof(with));
	assert_int_equal(with[0], EAGAIN);
	assert_int_equal(with[1], ECONNREFUSED);
	assert_int_equal(with[2], ECONNREFUSED);
	assert_int_equal(with[3], 0);
	assert_string_equal(before, between);
	assert_string_equal(before, after);
	/* Nor does the kernel begin to keep connections. */
	output_of("cat /proc/sys/net/netfilter/nf_conntrack_count 2>/dev/null || echo 0", after, sizeof(after));
	assert_string_equal(after, "0\n");
	/* Each SYN was counted once. */
	output_of("nft list table inet f", after, sizeof(after));
	assert_non_null(strstr(after, "dport 83 counter packets 2 "));
}

static void the_rate_holds(void **state)
{
	enum { RATE = 20, BURST = 5, SYNS = 400 };
	struct rule_trace *t = open_trace(RATE);
	uint64_t began = now();
	unsigned int marked = 0, most;

	for (int i = 0; i < SYNS; i++)
		try_connect(82, 0);
	most = BURST + 1 + (unsigned int)((now() - began) * RATE / (1000 * MS));
	hear_all(t, 1);
	for (unsigned int i = 0; i < n_told; i++)
		marked += !told[i].p.in_ifindex;
	printf("# %u of %d, at most %u\n", marked, SYNS, most);
	assert_in_range(marked, 1, most);
	trace_close(t);
}

static void only_some_addresses(void **state)
{
	struct addr some[] = { { 4, { 10, 0, 0, 1 } }, { 6, { [15] = 1 } }, { 4, { 127, 0, 0, 1 } } };
	struct trace_options o = { .rate = 1000, .addrs = some, .n_addrs = 2, .tell = keep };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct rule_trace *t;
	int fd;

	put_be16((uint8_t *)&to.sin6_port, 86);
	for (unsigned int n = 2; n <= 3; n++) {
		n_told = 0;
		o.n_addrs = n;
		assert_int_equal(trace_open(&t, &o), 0);
		try_connect(82, 0);
		fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), -1);
		close(fd);
		hear_all(t, n == 3 ? 4 : 2);
		assert_int_equal(told_to(82, false) != NULL, n == 3);
		assert_non_null(told_to(86, false));
		assert_int_equal(told_to(86, false)->p.came.src.family, 6);
		trace_close(t);
	}
	/* Of one family alone. */
	o.n_addrs = 1;
	assert_int_equal(trace_open(&t, &o), 0);
	trace_close(t);
}

static bool is_there(const char *table)
{
	char line[128], tables[4096];

	snprintf(line, sizeof(line), "table inet %s\n", table);
	output_of("nft list tables", tables, sizeof(tables));
	return strstr(tables, line);
}

static void killed_it_leaves_nothing(void **state)
{
	char table[64] = "";
	int pipes[2], status;
	ssize_t n;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		struct rule_trace *t = open_trace(10);

		if (write(pipes[1], trace_table(t), strlen(trace_table(t))) < 0)
			_exit(1);
		pause();
		_exit(0);
	}
	n = read(pipes[0], table, sizeof(table) - 1);
	assert_true(n > 0);
	assert_true(is_there(table));
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	for (int i = 0; i < PATIENCE_MS && is_there(table); i++)
		usleep(1000);
	assert_false(is_there(table));
	close(pipes[0]);
	close(pipes[1]);
}

static void nobody_else_changes_the_table(void **state)
{
	struct rule_trace *t = open_trace(10);
	char command[128];

	snprintf(command, sizeof(command), "nft delete table inet %s 2>/dev/null", trace_table(t));
	assert_true(system(command));
	feed("nft -f -", "flush ruleset\n");
	assert_true(is_there(trace_table(t)));
	try_connect(82, 0);
	hear_all(t, 2);
	assert_int_equal(n_told, 2);
	trace_close(t);
}

static void two_at_once_do_not_see_each_other(void **state)
{
	struct rule_trace *a = open_trace(1000), *b = open_trace(1000);

	assert_string_not_equal(trace_table(a), trace_table(b));
	assert_int_equal(try_connect(81, 0), EAGAIN);
	hear_all(a, 2);
	assert_int_equal(n_told, 2);
	assert_string_equal(told_to(81, true)->path, "f/in>pol f/pol f/pol>deep f/deep");
	n_told = 0;
	hear_all(b, 2);
	assert_int_equal(n_told, 2);
	assert_string_equal(told_to(81, true)->path, "f/in>pol f/pol f/pol>deep f/deep");
	trace_close(a);
	assert_true(is_there(trace_table(b)));
	trace_close(b);
}

static void it_is_read_without_privileges(void **state)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		struct trace_options o = { .rate = 10, .tell = keep };
		struct rule_trace *t = open_trace(10), *none;

		if (setgid(65534) || setuid(65534))
			_exit(1);
		try_connect(81, 0);
		for (uint64_t end = now() + PATIENCE_MS * MS; n_told < 2 && now() < end; usleep(1000))
			if (trace_read(t, now()))
				_exit(2);
		if (n_told != 2 || !told_to(81, true))
			_exit(4);
		_exit(trace_open(&none, &o) == -EPERM ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void what_the_kernel_could_not_say_is_counted(void **state)
{
	struct rule_trace *t = open_trace(TRACE_RATE_MAX);
	struct trace_counts c;
	int size = 1;

	assert_int_equal(setsockopt(trace_fd(t), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	for (int i = 0; i < 50; i++)
		try_connect(82, 0);
	hear_all(t, 1);
	trace_counts(t, &c);
	assert_true(c.overruns);
	/* And then it goes on. */
	n_told = 0;
	size = 1 << 16;
	assert_int_equal(setsockopt(trace_fd(t), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	try_connect(81, 0);
	hear_all(t, 2);
	assert_non_null(told_to(81, true));
	assert_false(told_to(81, true)->p.holes);
	trace_close(t);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_way_to_a_drop_is_told),
		T(who_passes_is_told_with_the_policy),
		T(only_what_begins_is_traced),
		T(translation_is_seen),
		T(rules_of_iptables_nft_are_told),
		T(what_becomes_of_packets_stays_the_same),
		T(the_rate_holds),
		T(only_some_addresses),
		T(killed_it_leaves_nothing),
		T(nobody_else_changes_the_table),
		T(two_at_once_do_not_see_each_other),
		T(it_is_read_without_privileges),
		T(what_the_kernel_could_not_say_is_counted),
	};
	struct trace_options o = { .rate = 1, .tell = keep };
	struct rule_trace *t;
	int rc;

	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (geteuid() || unshare(CLONE_NEWNET)) {
		fprintf(stderr, "no network namespaces here\n");
		return 77;
	}
	if (!have("nft") || system("ip link set lo up && nft list ruleset >/dev/null")) {
		fprintf(stderr, "no nft here\n");
		return 77;
	}
	rc = trace_open(&t, &o);
	if (rc == -EOPNOTSUPP)
		return 77;	/* the reason was said */
	trace_close(t);
	return cmocka_run_group_tests_name("trace", tests, NULL, NULL);
}
