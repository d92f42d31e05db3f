// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet filter's rules from the tables of iptables-legacy, whole and cut. */
#include "nf_help.h"

#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

static struct ipt_getinfo info;
static uint8_t family;

static size_t entry_size(void)
{
	return family == NFPROTO_IPV6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
}

static void open_table(uint8_t of, const char *name)
{
	family = of;
	info = (struct ipt_getinfo){ 0 };
	snprintf(info.name, sizeof(info.name), "%s", name);
	n = sizeof(info);
}

static uint32_t here(void)
{
	return (uint32_t)(n - sizeof(info));
}

static void hook(unsigned int h)
{
	info.valid_hooks |= 1u << h;
	info.hook_entry[h] = here();
}

static size_t open_entry(uint64_t packets, uint8_t flags)
{
	struct ipt_entry e4 = { .ip.flags = flags, .counters = { packets, packets * 100 } };
	struct ip6t_entry e6 = { .ipv6.flags = flags, .counters = { packets, packets * 100 } };

	info.num_entries++;
	put(family == NFPROTO_IPV6 ? (void *)&e6 : (void *)&e4, entry_size());
	return n - entry_size();
}

static void match(const char *name, const void *p, size_t len)
{
	struct xt_entry_match x = { 0 };
	size_t at = n;
	uint16_t size;

	snprintf(x.u.user.name, sizeof(x.u.user.name), "%s", name);
	put(&x, sizeof(x));
	put(p, len);
	align(4);
	while ((n - at) % 8)
		put("\0", 1);
	size = (uint16_t)(n - at);
	memcpy(m + at, &size, sizeof(size));
}

static void close_entry(size_t at, const char *name, const void *p, size_t len)
{
	uint16_t target = (uint16_t)(n - at), end;
	size_t where = family == NFPROTO_IPV6 ? offsetof(struct ip6t_entry, target_offset) :
						offsetof(struct ipt_entry, target_offset);

	match(name, p, len);
	end = (uint16_t)(n - at);
	memcpy(m + at + where, &target, sizeof(target));
	memcpy(m + at + where + 2, &end, sizeof(end));
}

static void standard(uint64_t packets, uint8_t flags, int32_t verdict_code)
{
	size_t at = open_entry(packets, flags);

	close_entry(at, "", &verdict_code, sizeof(verdict_code));
}

static void named(const char *target, const void *p, size_t len)
{
	size_t at = open_entry(1, 0);

	close_entry(at, target, p, len);
}

static void user_chain(const char *name)
{
	char t[XT_FUNCTION_MAXNAMELEN] = "";

	snprintf(t, sizeof(t), "%s", name);
	named(XT_ERROR_TARGET, t, sizeof(t));
}

static void policy(unsigned int h, uint64_t packets, int32_t verdict_code)
{
	info.underflow[h] = here();
	standard(packets, 0, verdict_code);
}

static void close_table(void)
{
	user_chain(XT_ERROR_TARGET);
	info.size = here();
	memcpy(m, &info, sizeof(info));
}

enum { DROP = -NF_DROP - 1, ACCEPT = -NF_ACCEPT - 1 };

/* INPUT without rules; FORWARD jumps and goes to a chain; OUTPUT; and that chain. */
static void a_table(uint8_t of)
{
	size_t standard_size, forward, at, to;
	struct xt_owner_match_info owner = { .uid_min = 7, .uid_max = 7, .match = XT_OWNER_UID };
	struct xt_comment_info why = { .comment = "who, and why" };

	open_table(of, "filter");
	standard_size = entry_size() + sizeof(struct xt_standard_target);
	hook(NF_INET_LOCAL_IN);
	policy(NF_INET_LOCAL_IN, 3, DROP);
	hook(NF_INET_FORWARD);
	forward = here();
	/* jump, goto, fall through, policy, OUTPUT's policy, and the chain's name */
	to = forward + 5 * standard_size + entry_size() + sizeof(struct xt_error_target);
	standard(10, 0, (int32_t)to);
	standard(11, of == NFPROTO_IPV6 ? IP6T_F_GOTO : IPT_F_GOTO, (int32_t)to);
	standard(12, 0, (int32_t)(forward + 3 * standard_size));
	policy(NF_INET_FORWARD, 13, ACCEPT);
	hook(NF_INET_LOCAL_OUT);
	policy(NF_INET_LOCAL_OUT, 14, ACCEPT);
	user_chain("KUBE-POD-FW-ABC");
	assert_int_equal(here(), to);
	at = open_entry(20, 0);
	match("comment", &why, sizeof(why));
	match("owner", &owner, sizeof(owner));
	close_entry(at, "REJECT", "\0\0\0\0", 4);
	standard(21, 0, DROP);
	standard(22, 0, ACCEPT);
	standard(23, 0, XT_RETURN);
	standard(24, 0, XT_RETURN);	/* nobody wrote this one */
	close_table();
}

static void parse_table(void)
{
	assert_int_equal(nf_parse_legacy(&r, family, m, n), 0);
	assert_int_equal(nf_rules_sort(&r), 0);
}

static void a_legacy_table_is_told(uint8_t of)
{
	static const uint8_t verdicts[] = { NF_JUMPS, NF_GOES, NF_NONE, NF_REJECTS, NF_DROPS, NF_ACCEPTS, NF_RETURNS };
	const struct nf_chain *c;

	a_table(of);
	parse_table();
	assert_int_equal(r.broken, 0);
	assert_int_equal(r.n_chains, 4);
	assert_int_equal(r.n_rules, sizeof(verdicts));
	for (uint32_t i = 0; i < sizeof(verdicts); i++)
		assert_int_equal(rule(i)->verdict, verdicts[i]);
	c = nf_chain_find(&r, NF_LEGACY, of, "filter", "INPUT");
	assert_true(c && c->base && c->drops && c->n == 0 && c->packets == 3 && c->bytes == 300);
	c = nf_chain_find(&r, NF_LEGACY, of, "filter", "FORWARD");
	assert_true(c && c->base && !c->drops && c->n == 3 && c->packets == 13 && c->hook == NF_INET_FORWARD);
	c = nf_chain_find(&r, NF_LEGACY, of, "filter", "KUBE-POD-FW-ABC");
	assert_true(c && !c->base && c->n == 4);
	assert_string_equal(rule(0)->target, c->name);
	assert_string_equal(rule(1)->target, c->name);
	assert_string_equal(rule(c->first)->comment, "who, and why");
	assert_int_equal(rule(c->first)->uid, 7);
	assert_int_equal(rule(c->first)->packets, 20);
	assert_int_equal(rule(c->first)->bytes, 2000);
	assert_int_equal(rule(c->first + 3)->handle, 4);
}

static void a_table_of_ipv4(void **state)
{
	a_legacy_table_is_told(NFPROTO_IPV4);
}

static void a_table_of_ipv6(void **state)
{
	a_legacy_table_is_told(NFPROTO_IPV6);
}

static void legacy_targets(void **state)
{
	struct xt_nflog_info nflog = { .group = 2, .prefix = "denied" };
	struct nf_nat_range to = { .flags = NF_NAT_RANGE_PROTO_SPECIFIED };

	put_be16((uint8_t *)&to.min_proto.all, 15006);
	put_be16((uint8_t *)&to.max_proto.all, 15006);
	open_table(NFPROTO_IPV6, "nat");
	hook(NF_INET_PRE_ROUTING);
	named("NFLOG", &nflog, sizeof(nflog));
	named("REDIRECT", &to, sizeof(to));
	named("REDIRECT", &to, 4);
	named("MASQUERADE", &to, sizeof(to));
	standard(1, 0, 12);			/* to where no chain begins */
	standard(1, 0, -99);
	policy(NF_INET_PRE_ROUTING, 0, ACCEPT);
	close_table();
	parse_table();
	assert_int_equal(r.broken, 2);
	assert_int_equal(r.n_rules, 4);
	assert_int_equal(r.chains[0].priority, -100);
	assert_string_equal(rule(0)->log_prefix, "denied");
	assert_int_equal(rule(0)->log_group, 2);
	assert_int_equal(rule(1)->to_port, 15006);
	assert_int_equal(rule(2)->verdict, NF_REDIRECTS);
	assert_int_equal(rule(2)->to_port, 0);
	assert_string_equal(rule(3)->target, "MASQUERADE");
}

static int of_ipv4(struct nf_rules *x, const uint8_t *p, size_t len)
{
	return nf_parse_legacy(x, NFPROTO_IPV4, p, len);
}

static void entries_may_end_anywhere(void **state)
{
	a_table(NFPROTO_IPV4);
	cut_at_each_byte(of_ipv4, SIZE_MAX);
	for (size_t at = 0; at < n; at++) {
		uint8_t was = m[at];
		struct nf_rules x = { 0 };

		m[at] ^= 0x9d;
		assert_int_equal(nf_parse_legacy(&x, NFPROTO_IPV4, m, n), 0);
		assert_int_equal(nf_rules_sort(&x), 0);
		nf_rules_free(&x);
		m[at] = was;
	}
}

/* nf_tables' and legacy's chains of one name stand beside one another. */
static void both_stand_beside_one_another(void **state)
{
	chain(NFPROTO_IPV4, "filter", "FORWARD");
	open_rule("filter", "FORWARD", 9);
	verdict(NF_DROP, NULL);
	close_rule(NULL);
	assert_int_equal(nf_parse_netlink(&r, m, n), 0);
	n = 0;
	a_table(NFPROTO_IPV4);
	parse_table();
	assert_int_equal(r.broken, 0);
	assert_int_equal(r.n_chains, 5);
	assert_int_equal(nf_chain_find(&r, NF_TABLES, NFPROTO_IPV4, "filter", "FORWARD")->n, 1);
	assert_int_equal(nf_chain_find(&r, NF_LEGACY, NFPROTO_IPV4, "filter", "FORWARD")->n, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_table_of_ipv4),
		T(a_table_of_ipv6),
		T(legacy_targets),
		T(entries_may_end_anywhere),
		T(both_stand_beside_one_another),
	};

	return cmocka_run_group_tests_name("nf_legacy", tests, NULL, NULL);
}
