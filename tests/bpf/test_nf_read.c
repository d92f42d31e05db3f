// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet filter's rules as this kernel hands them over: what nft and iptables say of the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <linux/netfilter.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/rules.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#include <cmocka.h>

enum { NF_COMMENT = 32 };

static struct nf_rules r;

static bool have(const char *program)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", program);
	return !system(command);
}

/* A program that reads its input. */
static void feed(const char *program, const char *input)
{
	FILE *f = popen(program, "w");

	assert_non_null(f);
	assert_true(fputs(input, f) >= 0);
	assert_int_equal(pclose(f), 0);
}

static void send_to(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	owned_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	put_be16((uint8_t *)&to.sin_port, port);
	put_be32((uint8_t *)&to.sin_addr, INADDR_LOOPBACK);
	assert_true(fd >= 0);
	sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));	/* a rule may refuse it */
}

static int read_netlink(void)
{
	struct nf_raw raw;
	int rc = nf_read_netlink(&raw);

	if (rc < 0)
		return rc;
	assert_int_equal(rc, raw.n);
	assert_false(raw.cut);
	nf_rules_free(&r);
	assert_int_equal(nf_parse_netlink(&r, raw.bytes, raw.n), 0);
	assert_int_equal(nf_rules_sort(&r), 0);
	free(raw.bytes);
	return 0;
}

static uint8_t family_of(const json_t *o)
{
	static const struct {
		const char *name;
		uint8_t family;
	} known[] = { { "ip", NFPROTO_IPV4 }, { "ip6", NFPROTO_IPV6 }, { "inet", NFPROTO_INET } };
	const char *name = json_string_value(json_object_get(o, "family"));

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i].name))
			return known[i].family;
	return NFPROTO_UNSPEC;
}

static const struct nf_chain *find_chain(const json_t *o, const char *key)
{
	const struct nf_chain *c;

	c = nf_chain_find(&r, NF_TABLES, family_of(o), json_string_value(json_object_get(o, "table")),
			  json_string_value(json_object_get(o, key)));
	assert_non_null(c);
	return c;
}

static void compare_chain(const json_t *o)
{
	const struct nf_chain *c = find_chain(o, "name");
	const char *policy = json_string_value(json_object_get(o, "policy"));

	assert_int_equal(c->base, json_object_get(o, "hook") != NULL);
	if (!c->base)
		return;
	assert_int_equal(c->priority, json_integer_value(json_object_get(o, "prio")));
	assert_int_equal(c->drops, policy && !strcmp(policy, "drop"));
}

/* The rule of place `i` in its chain. */
static void compare_rule(const json_t *o, uint32_t i)
{
	const struct nf_chain *c = find_chain(o, "chain");
	const struct nf_rule *x = &r.rules[c->first + i];
	const char *comment = json_string_value(json_object_get(o, "comment"));
	const json_t *expr = json_object_get(o, "expr"), *counter = NULL;

	assert_true(i < c->n);
	assert_int_equal(x->handle, json_integer_value(json_object_get(o, "handle")));
	if (comment)
		assert_string_equal(x->comment, comment);
	for (size_t k = 0; k < json_array_size(expr) && !counter; k++)
		counter = json_object_get(json_array_get(expr, k), "counter");
	assert_int_equal(x->counted, counter != NULL);
	if (!counter)
		return;
	assert_int_equal(x->packets, json_integer_value(json_object_get(counter, "packets")));
	assert_int_equal(x->bytes, json_integer_value(json_object_get(counter, "bytes")));
}

/* All chains and rules that nft lists are told, and no others. */
static void compare_with_nft(void)
{
	FILE *f = popen("nft -j list ruleset", "r");
	json_t *all = f ? json_loadf(f, 0, NULL) : NULL, *items = json_object_get(all, "nftables");
	uint32_t chains = 0, rules = 0, place = 0;
	const struct nf_chain *last = NULL;

	assert_non_null(all);
	pclose(f);
	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i), *rule = json_object_get(item, "rule");

		if (json_object_get(item, "chain")) {
			compare_chain(json_object_get(item, "chain"));
			chains++;
		}
		if (!rule)
			continue;
		place = find_chain(rule, "chain") == last ? place + 1 : 0;
		last = find_chain(rule, "chain");
		compare_rule(rule, place);
		rules++;
	}
	json_decref(all);
	assert_int_equal(r.n_chains, chains);
	assert_int_equal(r.n_rules, rules);
	assert_int_equal(r.broken, 0);
}

static const struct nf_rule *rule_of(uint8_t via, uint8_t family, const char *chain, uint32_t i)
{
	const struct nf_chain *c = nf_chain_find(&r, via, family, NULL, chain);

	assert_non_null(c);
	assert_true(i < c->n);
	return &r.rules[c->first + i];
}

static void nft_says_the_same(void **state)
{
	static const uint8_t verdicts[] = { NF_NONE, NF_MAPS, NF_RETURNS, NF_NONE, NF_DROPS, NF_REJECTS, NF_GOES };
	const struct nf_rule *x;

	feed("nft -f -",
	     "table inet npt {\n"
	     "	map ports { type inet_service : verdict; }\n"
	     "	chain other { counter comment \"who came here\"; accept; }\n"
	     "	chain through { type filter hook forward priority 7; policy drop; }\n"
	     "	chain out { type filter hook output priority -5; policy accept;\n"
	     "		udp dport 9 counter comment \"to 9: it's discard\"\n"
	     "		tcp dport vmap @ports\n"
	     "		meta skuid 1337 counter return\n"
	     "		udp dport 9 log prefix \"np: \" group 5\n"
	     "		udp dport 10 counter drop comment \"dropped\"\n"
	     "		udp dport 11 counter reject\n"
	     "		udp dport 12 goto other\n"
	     "	}\n"
	     "}\n"
	     "table ip npt4 { chain nat { type nat hook output priority -100;\n"
	     "	tcp dport 81 redirect to :15001\n"
	     "	tcp dport 82 dnat to 127.0.0.1:83\n"
	     "}\n}\n");
	for (uint16_t port = 9; port < 13; port++)
		send_to(port);
	send_to(10);
	assert_int_equal(read_netlink(), 0);
	compare_with_nft();
	assert_true(r.generation);
	for (uint32_t i = 0; i < sizeof(verdicts); i++)
		assert_int_equal(rule_of(NF_TABLES, NFPROTO_INET, "out", i)->verdict, verdicts[i]);
	assert_string_equal(rule_of(NF_TABLES, NFPROTO_INET, "out", 1)->target, "ports");
	assert_int_equal(rule_of(NF_TABLES, NFPROTO_INET, "out", 2)->uid, 1337);
	x = rule_of(NF_TABLES, NFPROTO_INET, "out", 3);
	assert_string_equal(x->log_prefix, "np: ");
	assert_int_equal(x->log_group, 5);
	assert_int_equal(rule_of(NF_TABLES, NFPROTO_INET, "out", 0)->packets, 1);
	assert_int_equal(rule_of(NF_TABLES, NFPROTO_INET, "out", 4)->packets, 2);
	assert_int_equal(rule_of(NF_TABLES, NFPROTO_INET, "out", 4)->bytes, 2 * 29);
	assert_string_equal(rule_of(NF_TABLES, NFPROTO_INET, "out", 6)->target, "other");
	assert_int_equal(rule_of(NF_TABLES, NFPROTO_IPV4, "nat", 0)->to_port, 15001);
	assert_string_equal(rule_of(NF_TABLES, NFPROTO_IPV4, "nat", 1)->target, "dnat");
	feed("nft -f -", "flush ruleset\n");
}

/* As iptables, by either way, and so Kubernetes writes them. */
static const char tables[] =
	"*filter\n"
	":INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:KUBE-POD-FW-A -\n:EMPTY -\n"
	"-A OUTPUT -p udp --dport 20 -m comment --comment \"go to the pod's\" -j KUBE-POD-FW-A\n"
	"-A OUTPUT -p udp --dport 21 -g EMPTY\n"
	"-A OUTPUT -p udp --dport 22\n"
	"-A KUBE-POD-FW-A -m comment --comment \"rule to log\" -j NFLOG --nflog-group 100 --nflog-prefix pod\n"
	"-A KUBE-POD-FW-A -m comment --comment \"rule to REJECT name:a namespace: b\" -j REJECT\n"
	"-A KUBE-POD-FW-A -j RETURN\n"
	"COMMIT\n"
	"*nat\n"
	":OUTPUT ACCEPT [0:0]\n"
	"-A OUTPUT -m owner --uid-owner 2102 -j RETURN\n"
	"-A OUTPUT -p tcp --dport 80 -j REDIRECT --to-ports 4140\n"
	"COMMIT\n";

static void check_tables(uint8_t via, uint8_t family)
{
	const struct nf_rule *x = rule_of(via, family, "KUBE-POD-FW-A", 0);
	const struct nf_chain *nat = nf_chain_find(&r, via, family, "nat", "OUTPUT");

	assert_string_equal(x->comment, "rule to log");
	assert_true(x->logs);
	assert_string_equal(x->log_prefix, "pod");
	assert_int_equal(x->log_group, 100);
	x = rule_of(via, family, "KUBE-POD-FW-A", 1);
	assert_int_equal(x->verdict, NF_REJECTS);
	assert_string_equal(x->comment, "rule to REJECT name:a namespace: b");
	assert_int_equal(x->packets, family == NFPROTO_IPV4 ? 2 : 0);
	assert_int_equal(rule_of(via, family, "KUBE-POD-FW-A", 2)->verdict, NF_RETURNS);
	assert_int_equal(nf_chain_find(&r, via, family, "filter", "KUBE-POD-FW-A")->n, 3);
	assert_int_equal(nf_chain_find(&r, via, family, "filter", "EMPTY")->n, 0);
	assert_int_equal(nf_chain_find(&r, via, family, "filter", "OUTPUT")->n, 3);
	assert_true(nf_chain_find(&r, via, family, "filter", "FORWARD")->drops);
	x = rule_of(via, family, "OUTPUT", 0);
	assert_int_equal(x->verdict, NF_JUMPS);
	assert_string_equal(x->target, "KUBE-POD-FW-A");
	assert_string_equal(x->comment, "go to the pod's");
	x = rule_of(via, family, "OUTPUT", 1);
	assert_int_equal(x->verdict, NF_GOES);
	assert_string_equal(x->target, "EMPTY");
	assert_int_equal(rule_of(via, family, "OUTPUT", 2)->verdict, NF_NONE);
	assert_non_null(nat);
	assert_int_equal(nat->priority, -100);
	assert_int_equal(r.rules[nat->first].uid, 2102);
	assert_int_equal(r.rules[nat->first].verdict, NF_RETURNS);
	assert_int_equal(r.rules[nat->first + 1].verdict, NF_REDIRECTS);
	assert_int_equal(r.rules[nat->first + 1].to_port, 4140);
	assert_int_equal(r.broken, 0);
}

static void iptables_nft_is_understood(void **state)
{
	if (!have("iptables-nft-restore"))
		skip();
	feed("iptables-nft-restore", tables);
	feed("ip6tables-nft-restore", tables);
	send_to(20);
	send_to(20);
	assert_int_equal(read_netlink(), 0);
	compare_with_nft();
	check_tables(NF_TABLES, NFPROTO_IPV4);
	check_tables(NF_TABLES, NFPROTO_IPV6);
	feed("nft -f -", "flush ruleset\n");
}

static void add_legacy(uint8_t family, const char *table)
{
	struct nf_raw raw;
	int rc = nf_read_legacy(&raw, family, table);

	assert_true(rc > 0);
	assert_int_equal(nf_parse_legacy(&r, family, raw.bytes, raw.n), 0);
	free(raw.bytes);
}

static void iptables_legacy_is_understood(void **state)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	struct nf_raw raw;

	if (!have("iptables-legacy-restore"))
		skip();
	/* No table is made by asking for it. */
	assert_int_equal(nf_read_legacy(&raw, AF_INET, "mangle"), 0);
	assert_int_equal(nf_read_legacy(&raw, AF_INET, "mangle"), 0);
	feed("iptables-legacy-restore", tables);
	feed("ip6tables-legacy-restore", tables);
	send_to(20);
	send_to(20);
	nf_rules_free(&r);
	for (size_t i = 0; i < sizeof(families); i++) {
		add_legacy(families[i], "filter");
		add_legacy(families[i], "nat");
	}
	assert_int_equal(nf_rules_sort(&r), 0);
	check_tables(NF_LEGACY, NFPROTO_IPV4);
	check_tables(NF_LEGACY, NFPROTO_IPV6);
	assert_int_equal(nf_read_legacy(&raw, AF_INET, "mangle"), 0);
	assert_null(raw.bytes);
	assert_int_equal(system("iptables-legacy -F; ip6tables-legacy -F"), 0);
}

/* All rules of a generation have the same comment: what is read is of one. */
static void rules_that_change_are_of_one_generation(void **state)
{
	enum { ENOUGH = 40, SECONDS = 20 };
	unsigned int whole = 0, again = 0;
	char first[NF_COMMENT] = "", last[NF_COMMENT] = "";
	time_t end = time(NULL) + SECONDS;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		setpgid(0, 0);
		execlp("sh", "sh", "-c",
		       "i=0; while :; do i=$((i+1)); { echo 'add table ip npc; delete table ip npc; table ip npc {'; "
		       "for c in a b c d; do echo \"chain $c {\"; j=0; "
		       "while [ $j -lt 250 ]; do echo \"counter comment \\\"$i\\\"\"; j=$((j+1)); done; echo '}'; done; "
		       "echo '}'; } | nft -f - || exit; done",
		       NULL);
		_exit(127);
	}
	while (whole < ENOUGH && time(NULL) < end) {
		int rc = read_netlink();

		assert_true(!rc || rc == -EAGAIN);
		again += rc == -EAGAIN;
		if (rc || !r.n_rules)
			continue;
		assert_int_equal(r.n_rules, 1000);
		for (uint32_t k = 1; k < r.n_rules; k++)
			assert_string_equal(r.rules[k].comment, r.rules[0].comment);
		snprintf(whole++ ? last : first, NF_COMMENT, "%s", r.rules[0].comment);
	}
	/* What nft of it still does ends before anything else is read. */
	kill(-child, SIGTERM);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 5000 && !kill(-child, 0); i++)
		usleep(1000);
	printf("# %u reads, %u given up; generations %s to %s\n", whole, again, first, last);
	assert_int_equal(whole, ENOUGH);
	assert_string_not_equal(first, last);
	feed("nft -f -", "flush ruleset\n");
}

/* More than one datagram holds, and names as long as the kernel takes. */
static void many_rules_are_read(void **state)
{
	FILE *f = popen("nft -f -", "w");

	assert_non_null(f);
	fprintf(f, "table ip big {\n");
	for (int i = 0; i < 2000; i++)
		fprintf(f, "chain c%0100d {\n counter comment \"%0100d\"\n counter drop\n}\n", i, i);
	fprintf(f, "}\n");
	assert_int_equal(pclose(f), 0);
	assert_int_equal(read_netlink(), 0);
	compare_with_nft();
	assert_int_equal(r.n_rules, 4000);
	feed("nft -f -", "flush ruleset\n");
}

static void nobody_else_may_read(void **state)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		struct nf_raw raw;

		_exit(setgid(65534) || setuid(65534) || nf_read_netlink(&raw) != -EPERM);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static int done(void **state)
{
	nf_rules_free(&r);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nft_says_the_same),
		cmocka_unit_test(iptables_nft_is_understood),
		cmocka_unit_test(iptables_legacy_is_understood),
		cmocka_unit_test(rules_that_change_are_of_one_generation),
		cmocka_unit_test(many_rules_are_read),
		cmocka_unit_test(nobody_else_may_read),
	};

	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (geteuid() || unshare(CLONE_NEWNET)) {
		fprintf(stderr, "no network namespaces here\n");
		return 77;
	}
	if (!have("nft") || system("ip link set lo up && nft list ruleset >/dev/null")) {
		fprintf(stderr, "no nft here\n");
		return 77;
	}
	return cmocka_run_group_tests_name("nf_read", tests, NULL, done);
}
