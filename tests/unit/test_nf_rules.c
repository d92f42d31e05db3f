// SPDX-License-Identifier: GPL-2.0-or-later
/* The packet filter's rules from messages of nf_tables, whole and cut. */
#include "nf_help.h"

static void chains_have_hooks_policies_and_counters(void **state)
{
	size_t at = open_message(NFT_MSG_NEWGEN, NFPROTO_UNSPEC), in;

	number(NFTA_GEN_ID, 4711);
	close_message(at);
	at = open_message(NFT_MSG_NEWCHAIN, NFPROTO_INET);
	text(NFTA_CHAIN_TABLE, "t");
	text(NFTA_CHAIN_NAME, "in");
	in = open_attr(NFTA_CHAIN_HOOK | NLA_F_NESTED);
	number(NFTA_HOOK_HOOKNUM, NF_INET_FORWARD);
	number(NFTA_HOOK_PRIORITY, (uint32_t)-150);
	close_at(in);
	number(NFTA_CHAIN_POLICY, NF_DROP);
	in = open_attr(NFTA_CHAIN_COUNTERS | NLA_F_NESTED);
	number64(NFTA_COUNTER_PACKETS, 5);
	number64(NFTA_COUNTER_BYTES, 1ull << 40);
	close_at(in);
	close_message(at);
	chain(NFPROTO_INET, "t", "other");
	parse();
	assert_int_equal(r.generation, 4711);
	assert_int_equal(r.broken, 0);
	assert_int_equal(r.n_chains, 2);
	assert_true(r.chains[0].base && r.chains[0].drops);
	assert_int_equal(r.chains[0].hook, NF_INET_FORWARD);
	assert_int_equal(r.chains[0].priority, -150);
	assert_int_equal(r.chains[0].packets, 5);
	assert_true(r.chains[0].bytes == 1ull << 40);
	assert_false(r.chains[1].base || r.chains[1].drops);
	assert_ptr_equal(nf_chain_find(&r, NF_TABLES, NFPROTO_INET, "t", "other"), &r.chains[1]);
	assert_ptr_equal(nf_chain_find(&r, NF_TABLES, NFPROTO_INET, NULL, "in"), &r.chains[0]);
	assert_null(nf_chain_find(&r, NF_LEGACY, NFPROTO_INET, "t", "in"));
	assert_null(nf_chain_find(&r, NF_TABLES, NFPROTO_IPV4, "t", "in"));
	assert_null(nf_chain_find(&r, NF_TABLES, NFPROTO_INET, "u", "in"));
	assert_null(nf_chain_find(&r, NF_TABLES, NFPROTO_INET, "t", ""));
}

static void each_verdict_is_told(void **state)
{
	static const struct {
		uint32_t code;
		const char *to;
		uint8_t is;
	} known[] = {
		{ NF_ACCEPT, NULL, NF_ACCEPTS }, { NF_DROP, NULL, NF_DROPS }, { (uint32_t)NFT_RETURN, NULL, NF_RETURNS },
		{ (uint32_t)NFT_JUMP, "x", NF_JUMPS }, { (uint32_t)NFT_GOTO, "y", NF_GOES },
		{ (uint32_t)NFT_CONTINUE, NULL, NF_NONE }, { NF_QUEUE | 7u << 16, NULL, NF_QUEUES },
	};
	static const uint8_t exprs[] = { NF_REJECTS, NF_QUEUES, NF_TARGET, NF_REDIRECTS };
	static const char *const names[] = { "reject", "queue", "masq", "redir" };

	chain(NFPROTO_IPV4, "filter", "c");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		open_rule("filter", "c", i);
		verdict(known[i].code, known[i].to);
		close_rule(NULL);
	}
	for (size_t i = 0; i < sizeof(exprs); i++) {
		open_rule("filter", "c", 100 + i);
		counter(i, 1000 * i);
		expr(names[i]);
		close_rule(NULL);
	}
	parse();
	assert_int_equal(r.broken, 0);
	for (uint32_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		assert_int_equal(rule(i)->verdict, known[i].is);
		assert_int_equal(rule(i)->handle, i);
		assert_false(rule(i)->counted);
		assert_int_equal(rule(i)->uid, UINT32_MAX);
		if (known[i].to)
			assert_string_equal(rule(i)->target, known[i].to);
		else
			assert_null(rule(i)->target);
	}
	for (uint32_t i = 0; i < sizeof(exprs); i++) {
		const struct nf_rule *x = rule(i + (uint32_t)(sizeof(known) / sizeof(known[0])));

		assert_int_equal(x->verdict, exprs[i]);
		assert_true(x->counted);
		assert_int_equal(x->packets, i);
		assert_int_equal(x->bytes, 1000 * i);
	}
}

/* What it counts need not come to the verdict. */
static void a_counter_before_a_condition_counts_more(void **state)
{
	chain(NFPROTO_IPV4, "filter", "c");
	for (uint32_t i = 0; i < 2; i++) {
		open_rule("filter", "c", 1 + i);
		if (i)
			expr("limit");
		counter(7, 700);
		expr("log");
		if (!i)
			expr("limit");
		verdict(NF_DROP, NULL);
		close_rule(NULL);
	}
	parse();
	assert_int_equal(r.broken, 0);
	for (uint32_t i = 0; i < 2; i++) {
		assert_true(rule(i)->counted);
		assert_int_equal(rule(i)->counts_more, !i);
		assert_int_equal(rule(i)->verdict, NF_DROPS);
	}
}

static void a_map_a_port_and_a_user_are_told(void **state)
{
	static const uint8_t port[2] = { 0x3a, 0x99 };

	chain(NFPROTO_IPV4, "nat", "c");
	open_rule("nat", "c", 1);
	open_expr("lookup");
	text(NFTA_LOOKUP_SET, "dispatch");
	number(NFTA_LOOKUP_SREG, NFT_REG_1);
	number(NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
	close_expr();
	close_rule(NULL);
	open_rule("nat", "c", 2);
	open_expr("lookup");
	text(NFTA_LOOKUP_SET, "pods");
	number(NFTA_LOOKUP_SREG, NFT_REG_1);
	close_expr();
	close_rule(NULL);
	open_rule("nat", "c", 3);
	open_expr("immediate");
	number(NFTA_IMMEDIATE_DREG, NFT_REG_1);
	value(NFTA_IMMEDIATE_DATA, port, sizeof(port));
	close_expr();
	open_expr("redir");
	number(NFTA_REDIR_REG_PROTO_MIN, NFT_REG_1);
	close_expr();
	close_rule(NULL);
	open_rule("nat", "c", 4);
	skuid(1337, NFT_CMP_EQ);
	verdict((uint32_t)NFT_RETURN, NULL);
	close_rule(NULL);
	open_rule("nat", "c", 5);
	skuid(1337, NFT_CMP_NEQ);
	close_rule(NULL);
	parse();
	assert_int_equal(r.broken, 0);
	assert_int_equal(rule(0)->verdict, NF_MAPS);
	assert_string_equal(rule(0)->target, "dispatch");
	assert_int_equal(rule(1)->verdict, NF_NONE);
	assert_int_equal(rule(2)->verdict, NF_REDIRECTS);
	assert_int_equal(rule(2)->to_port, 15001);
	assert_int_equal(rule(3)->uid, 1337);
	assert_int_equal(rule(3)->verdict, NF_RETURNS);
	assert_int_equal(rule(4)->uid, UINT32_MAX);
}

/* map: its rule, and a message of its elements, one for each verdict; ENDS: where an interval ends. */
#define ENDS (UINT32_MAX - 100)
static void map(const char *name, const uint32_t *verdicts, size_t count)
{
	size_t message = open_message(NFT_MSG_NEWSETELEM, NFPROTO_IPV4), list;

	text(NFTA_SET_ELEM_LIST_TABLE, "nat");
	text(NFTA_SET_ELEM_LIST_SET, name);
	list = open_attr(NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < count; i++) {
		size_t element = open_attr(NFTA_LIST_ELEM), data, one;

		if (verdicts[i] == ENDS) {
			number(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
			close_at(element);
			continue;
		}
		data = open_attr(NFTA_SET_ELEM_DATA);
		one = open_attr(NFTA_DATA_VERDICT);
		number(NFTA_VERDICT_CODE, verdicts[i]);
		close_at(one);
		close_at(data);
		close_at(element);
	}
	close_at(list);
	close_message(message);
}

static void what_a_map_may_do_is_known_by_its_elements(void **state)
{
	static const char *const names[] = { "goes", "drops", "queues", "empty", "two", "not-read" };
	static const uint32_t goes[] = { (uint32_t)NFT_GOTO, NF_ACCEPT, (uint32_t)NFT_JUMP, ENDS };
	static const uint32_t drops[] = { (uint32_t)NFT_GOTO, NF_DROP }, queues[] = { 3u << 16 | NF_QUEUE };

	chain(NFPROTO_IPV4, "nat", "c");
	for (uint64_t i = 0; i < 6; i++) {
		open_rule("nat", "c", i + 1);
		open_expr("lookup");
		text(NFTA_LOOKUP_SET, names[i]);
		number(NFTA_LOOKUP_SREG, NFT_REG_1);
		number(NFTA_LOOKUP_DREG, NFT_REG_VERDICT);
		close_expr();
		close_rule(NULL);
	}
	map("goes", goes, 4);
	map("drops", drops, 2);
	map("queues", queues, 1);
	map("empty", NULL, 0);
	map("two", drops, 2);
	map("two", goes, 4);
	parse();
	assert_int_equal(r.broken, 0);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(rule(i)->only_goes, i == 0 || i == 3);
}

/* A user's number that something was done to is not that user's. */
static void an_expression_between_hides_the_user(void **state)
{
	uint32_t uid = 3;

	chain(NFPROTO_IPV4, "nat", "c");
	open_rule("nat", "c", 1);
	open_expr("meta");
	number(NFTA_META_DREG, NFT_REG_1);
	number(NFTA_META_KEY, NFT_META_SKUID);
	close_expr();
	expr("bitwise");
	open_expr("cmp");
	number(NFTA_CMP_SREG, NFT_REG_1);
	number(NFTA_CMP_OP, NFT_CMP_EQ);
	value(NFTA_CMP_DATA, &uid, sizeof(uid));
	close_expr();
	close_rule(NULL);
	parse();
	assert_int_equal(rule(0)->uid, UINT32_MAX);
}

static void comments_of_both_kinds_are_told(void **state)
{
	char full[XT_MAX_COMMENT_LEN];

	memset(full, 'c', sizeof(full));
	chain(NFPROTO_IPV4, "filter", "c");
	open_rule("filter", "c", 1);
	close_rule("of nft");
	open_rule("filter", "c", 2);
	xt(false, "comment", "of iptables-nft\0and behind", 26);
	close_rule(NULL);
	open_rule("filter", "c", 3);
	xt(false, "comment", full, sizeof(full));
	close_rule(NULL);
	open_rule("filter", "c", 4);
	close_rule("");
	parse();
	assert_int_equal(r.broken, 0);
	assert_string_equal(rule(0)->comment, "of nft");
	assert_string_equal(rule(1)->comment, "of iptables-nft");
	assert_int_equal(strlen(rule(2)->comment), sizeof(full));
	assert_null(rule(3)->comment);
}

static void targets_of_x_tables_are_told(void **state)
{
	struct xt_log_info log = { .prefix = "short: " };
	struct xt_nflog_info nflog = { .group = 100 };
	struct xt_owner_match_info owner = { .uid_min = 2102, .uid_max = 2102, .match = XT_OWNER_UID };
	struct nf_nat_ipv4_multi_range_compat to = { .rangesize = 1, .range[0].flags = NF_NAT_RANGE_PROTO_SPECIFIED };
	static const char *const names[] = { "DROP", "REJECT", "MARK", "NFQUEUE" };
	static const uint8_t verdicts[] = { NF_DROPS, NF_REJECTS, NF_TARGET, NF_QUEUES };

	put_be16((uint8_t *)&to.range[0].min.all, 4143);
	put_be16((uint8_t *)&to.range[0].max.all, 4143);
	memset(nflog.prefix, 'p', sizeof(nflog.prefix));
	chain(NFPROTO_IPV4, "filter", "c");
	open_rule("filter", "c", 1);
	xt(true, "LOG", &log, sizeof(log));
	close_rule(NULL);
	open_rule("filter", "c", 2);
	xt(true, "NFLOG", &nflog, sizeof(nflog));
	close_rule(NULL);
	open_rule("filter", "c", 3);
	xt(false, "owner", &owner, sizeof(owner));
	xt(true, "REDIRECT", &to, sizeof(to));
	close_rule(NULL);
	for (uint32_t i = 0; i < sizeof(verdicts); i++) {
		open_rule("filter", "c", 4 + i);
		owner.invert = XT_OWNER_UID;
		xt(false, "owner", &owner, sizeof(owner));
		xt(true, names[i], &log, sizeof(log));
		close_rule(NULL);
	}
	open_rule("filter", "c", 9);
	open_expr("log");
	text(NFTA_LOG_PREFIX, "DPI|default");
	attr(NFTA_LOG_GROUP, "\0\1", 2);
	close_expr();
	close_rule(NULL);
	parse();
	assert_int_equal(r.broken, 0);
	assert_true(rule(0)->logs && rule(1)->logs && rule(7)->logs);
	assert_string_equal(rule(0)->log_prefix, "short: ");
	assert_int_equal(strlen(rule(1)->log_prefix), sizeof(nflog.prefix));
	assert_int_equal(rule(1)->log_group, 100);
	assert_int_equal(rule(2)->uid, 2102);
	assert_int_equal(rule(2)->to_port, 4143);
	for (uint32_t i = 0; i < sizeof(verdicts); i++) {
		assert_int_equal(rule(3 + i)->verdict, verdicts[i]);
		assert_int_equal(rule(3 + i)->uid, UINT32_MAX);
	}
	assert_string_equal(rule(5)->target, "MARK");
	assert_string_equal(rule(7)->log_prefix, "DPI|default");
	assert_int_equal(rule(7)->log_group, 1);
}

static void rules_stand_by_chain_in_their_order(void **state)
{
	char name[16];

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		chain(NFPROTO_IPV4, "t", name);
	}
	for (unsigned int i = 0; i < 6; i++) {
		open_rule("t", i % 2 ? "c7" : "c299", i);
		close_rule(NULL);
	}
	parse();
	assert_int_equal(r.n_chains, 300);
	assert_int_equal(r.chains[7].n, 3);
	assert_int_equal(r.chains[8].n, 0);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(rule(r.chains[7].first + i)->handle, 2 * i + 1);
		assert_int_equal(rule(r.chains[299].first + i)->handle, 2 * i);
	}
}

static void what_is_not_understood_is_counted(void **state)
{
	char name[300];
	size_t at;

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	chain(NFPROTO_IPV4, "t", "c");
	chain(NFPROTO_IPV4, "t", "c");			/* 1: there */
	chain(NFPROTO_IPV4, "t", "");			/* 2 */
	chain(NFPROTO_IPV4, "t", name);			/* 3: too long */
	open_rule("t", "missing", 1);			/* 4 */
	close_rule(NULL);
	open_rule("t", "c", 1);				/* 5: a jump to nowhere */
	verdict((uint32_t)NFT_JUMP, NULL);
	close_rule(NULL);
	open_rule("t", "c", 1);				/* 6: an unknown verdict */
	verdict((uint32_t)-77, NULL);
	close_rule(NULL);
	at = open_message(NFT_MSG_NEWSET, NFPROTO_IPV4);	/* 7 */
	close_message(at);
	at = open_message(NFT_MSG_NEWCHAIN, NFPROTO_IPV4);	/* 8: of another subsystem */
	m[at + 5] = NFNL_SUBSYS_CTNETLINK;
	close_message(at);
	at = open_message(NFT_MSG_NEWCHAIN, NFPROTO_IPV4);	/* not one: the end of a list */
	m[at + 4] = NLMSG_DONE;
	m[at + 5] = 0;
	close_message(at);
	open_rule("t", "c", 2);
	expr("an unknown one");
	close_rule(NULL);
	put("abc", 3);					/* 9 */
	parse();
	assert_int_equal(r.broken, 9);
	assert_int_equal(r.n_rules, 1);
	assert_int_equal(r.n_chains, 1);
}

static int of_netlink(struct nf_rules *x, const uint8_t *p, size_t len)
{
	return nf_parse_netlink(x, p, len);
}

static void messages_may_end_anywhere(void **state)
{
	static const uint8_t port[2] = { 1, 2 };

	chains_have_hooks_policies_and_counters(state);
	chain(NFPROTO_IPV4, "nat", "c");
	open_rule("nat", "c", 3);
	counter(1, 2);
	skuid(1, NFT_CMP_EQ);
	xt(false, "comment", "text", 5);
	open_expr("immediate");
	number(NFTA_IMMEDIATE_DREG, NFT_REG_1);
	value(NFTA_IMMEDIATE_DATA, port, sizeof(port));
	close_expr();
	verdict((uint32_t)NFT_JUMP, "c");
	close_rule("comment");
	cut_at_each_byte(of_netlink, 4);
	/* The lengths within each message as well. */
	for (size_t at = 0; at < n; at++) {
		uint8_t was = m[at];
		struct nf_rules x = { 0 };

		m[at] ^= 0x3f;
		assert_int_equal(nf_parse_netlink(&x, m, n), 0);
		nf_rules_free(&x);
		m[at] = was;
	}
}

static void nothing_is_nothing(void **state)
{
	parse();
	assert_int_equal(r.n_chains + r.n_rules + r.broken, 0);
	assert_null(nf_chain_find(&r, NF_TABLES, NFPROTO_IPV4, "filter", "FORWARD"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(chains_have_hooks_policies_and_counters),
		T(each_verdict_is_told),
		T(a_counter_before_a_condition_counts_more),
		T(a_map_a_port_and_a_user_are_told),
		T(what_a_map_may_do_is_known_by_its_elements),
		T(an_expression_between_hides_the_user),
		T(comments_of_both_kinds_are_told),
		T(targets_of_x_tables_are_told),
		T(rules_stand_by_chain_in_their_order),
		T(what_is_not_understood_is_counted),
		T(messages_may_end_anywhere),
		T(nothing_is_nothing),
	};

	return cmocka_run_group_tests_name("nf_rules", tests, NULL, NULL);
}
