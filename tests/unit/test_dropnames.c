// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/btf.h>

/* A file of its own with these bytes; the name is good until the next call. */
static const char *file_of(const void *data, size_t n)
{
	static char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/np-dropnames-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, n), n);
	close(fd);
	return path;
}

static struct drop_names *names_of(const char *kallsyms, const struct btf *btf)
{
	struct drop_names *d = NULL;
	char btf_path[64] = "", *path;
	uint32_t n = 0;

	if (btf) {
		const void *raw = btf__raw_data(btf, &n);

		snprintf(btf_path, sizeof(btf_path), "%s", file_of(raw, n));
	}
	path = strdup(file_of(kallsyms, strlen(kallsyms)));
	assert_int_equal(drop_names_read(&d, *btf_path ? btf_path : NULL, path), 0);
	unlink(path);
	unlink(btf_path);
	free(path);
	return d;
}

static struct btf *kernel_with_reasons(void)
{
	struct btf *btf = btf__new_empty();

	assert_true(btf__add_enum(btf, "skb_drop_reason", 4) > 0);
	btf__add_enum_value(btf, "SKB_NOT_DROPPED_YET", 0);
	btf__add_enum_value(btf, "SKB_DROP_REASON_NOT_SPECIFIED", 2);
	btf__add_enum_value(btf, "SKB_DROP_REASON_NO_SOCKET", 7);
	btf__add_enum_value(btf, "SKB_DROP_REASON_MAX", 8);
	btf__add_enum_value(btf, "SKB_DROP_REASON_SUBSYS_MASK", -65536);
	assert_true(btf__add_enum(btf, "skb_drop_reason_subsys", 4) > 0);
	btf__add_enum_value(btf, "SKB_DROP_REASON_SUBSYS_CORE", 0);
	btf__add_enum_value(btf, "SKB_DROP_REASON_SUBSYS_OPENVSWITCH", 3);
	btf__add_enum_value(btf, "SKB_DROP_REASON_SUBSYS_NUM", 4);
	return btf;
}

static void reasons_are_named_by_this_kernels_numbers(void **state)
{
	struct btf *btf = kernel_with_reasons();
	struct drop_names *d = names_of("", btf);

	assert_string_equal(drop_reason_name(d, 7), "NO_SOCKET");
	assert_string_equal(drop_reason_name(d, 2), "NOT_SPECIFIED");
	assert_string_equal(drop_reason_name(d, 0), "SKB_NOT_DROPPED_YET");
	assert_string_equal(drop_reason_name(d, 8), "UNKNOWN");
	assert_string_equal(drop_reason_name(d, 5), "UNKNOWN");
	assert_string_equal(drop_reason_name(d, 3 << 16 | 9), "OPENVSWITCH");
	assert_string_equal(drop_reason_name(d, 4 << 16), "UNKNOWN");
	assert_string_equal(drop_reason_name(d, UINT32_MAX), "NOT_SPECIFIED");
	drop_names_close(d);
	btf__free(btf);
}

static void kernel_without_reasons_specifies_none(void **state)
{
	struct btf *btf = btf__new_empty();
	struct drop_names *d;

	btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	d = names_of("", btf);
	assert_string_equal(drop_reason_name(d, 2), "NOT_SPECIFIED");
	assert_string_equal(drop_reason_name(NULL, 3), "NOT_SPECIFIED");
	drop_names_close(d);
	btf__free(btf);
}

static void bad_btf_that_was_asked_for_is_an_error(void **state)
{
	struct drop_names *d = NULL;
	const char *path = file_of("no btf", 6);

	assert_true(drop_names_read(&d, path, "/dev/null") < 0);
	unlink(path);
	assert_true(drop_names_read(&d, "/nonexistent", "/dev/null") < 0);
	assert_null(d);
}

static void address_belongs_to_the_symbol_below(void **state)
{
	struct btf *btf = kernel_with_reasons();
	struct drop_names *d = names_of("ffffffff81002000 t second.isra.0\n"
					"ffffffff81001000 T first\n"
					"ffffffff81001000 T zz_alias\n"
					"ffffffff81002ff0 t __pfx_third\n"
					"ffffffff81003000 W third\n"
					"ffffffff81003100 D data\n"
					"ffffffffc0000000 t of_module\t[mod]\n",
					btf);

	assert_null(drop_symbol(d, 0));
	assert_null(drop_symbol(d, 0xffffffff81000fff));
	assert_string_equal(drop_symbol(d, 0xffffffff81001000), "first");
	assert_string_equal(drop_symbol(d, 0xffffffff81001fff), "first");
	assert_string_equal(drop_symbol(d, 0xffffffff81002000), "second");
	assert_string_equal(drop_symbol(d, 0xffffffff81002fff), "second");
	assert_string_equal(drop_symbol(d, 0xffffffff81003200), "third");
	assert_null(drop_symbol(d, 0xffffffff82000000));
	assert_string_equal(drop_symbol(d, 0xffffffffc0000001), "of_module");
	assert_null(drop_symbol(d, UINT64_MAX));
	assert_null(drop_symbol(NULL, 1));
	drop_names_close(d);
	btf__free(btf);
}

static void absurd_symbols_are_survived(void **state)
{
	static const char *const rows[] = {
		"", "\n\n", "x", "ffffffff81000000", "ffffffff81000000 ", "ffffffff81000000 T",
		"ffffffff81000000 T ", "ffffffff81000000 T\n", "0 T zero\n",
		"ffffffffffffffffffffffffff T big\n",
		"-1 T minus\n", "1 T low\nffffffffffffffff T high\n", "5 T .dot\n",
		" T a\n", "8 T \t[x]\n",
	};
	struct btf *btf = kernel_with_reasons();
	char *long_line = malloc(5000);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct drop_names *d = names_of(rows[i], btf);

		drop_symbol(d, 0xffffffff81000000);
		drop_symbol(d, UINT64_MAX);
		drop_names_close(d);
	}
	memset(long_line, 'a', 5000);
	memcpy(long_line, "1000 T ", 7);
	long_line[4999] = '\0';
	{
		struct drop_names *d = names_of(long_line, btf);

		assert_int_equal(strlen(drop_symbol(d, 0x1000)), 128);
		drop_names_close(d);
	}
	free(long_line);
	btf__free(btf);
}

static void equal_names_are_kept_once(void **state)
{
	struct btf *btf = kernel_with_reasons();
	size_t n = 0, size = 1 << 20;
	char *text = malloc(size);
	struct drop_names *d;

	for (int i = 0; i < 20000; i++)
		n += (size_t)snprintf(text + n, size - n, "%x t name_%d\n", 0x1000 + i * 16, i % 100);
	d = names_of(text, btf);
	assert_string_equal(drop_symbol(d, 0x1000 + 19999 * 16 + 3), "name_99");
	assert_true(drop_names_size(d) < 20000 * 8 + 100 * 8 + 1000);
	drop_names_close(d);
	free(text);
	btf__free(btf);
}

static void hook_is_told_by_reason_then_symbol(void **state)
{
	static const char *const rows[][3] = {
		/* reason, symbol, hook */
		{ "XDP", "do_xdp_generic", "xdp" },
		{ "NOT_SPECIFIED", "veth_xdp_rcv_skb", "xdp" },
		{ "TC_INGRESS", "__netif_receive_skb_core", "tc" },
		{ "TC_EGRESS", "__dev_queue_xmit", "tc" },
		{ "NOT_SPECIFIED", "tcf_action_exec", "tc" },
		{ "QDISC_DROP", "__dev_queue_xmit", "tc" },
		{ "NETFILTER_DROP", "nft_do_chain", "nft" },
		{ "NOT_SPECIFIED", "nf_hook_slow", "nft" },
		{ "NETFILTER_DROP", "nf_hook_slow", "nft" },
		{ "NETFILTER_DROP", NULL, "nft" },
		{ "NETFILTER_DROP", "ipt_do_table", "iptables" },
		{ "NOT_SPECIFIED", "ip6t_do_table", "iptables" },
		{ "NO_SOCKET", "__udp4_lib_rcv", "socket" },
		{ "NO_SOCKET", "tcp_v4_rcv", "socket" },
		{ "SOCKET_FILTER", "tcp_v4_rcv", "socket" },
		{ "SOCKET_RCVBUFF", "udp_queue_rcv_one_skb", "socket" },
		{ "BPF_CGROUP_EGRESS", "ip_finish_output", "socket" },
		{ "NOT_SPECIFIED", "sk_filter_trim_cap", "socket" },
		{ "IP_RPFILTER", "ip_rcv_finish_core", "route" },
		{ "NOT_SPECIFIED", "ip_rcv_finish_core", "route" },
		{ "IP_INNOROUTES", "ip_error", "route" },
		{ "NOT_SPECIFIED", "dst_discard_out", "route" },
		{ "NOT_SPECIFIED", "dst_discard", "route" },
		{ "NOT_SPECIFIED", "ip6_pkt_discard", "route" },
		{ "NEIGH_FAILED", "arp_error_report", "neighbour" },
		{ "NOT_SPECIFIED", "neigh_timer_handler", "neighbour" },
		{ "NOT_SPECIFIED", "__neigh_event_send", "neighbour" },
		{ "TCP_FLAGS", "tcp_rcv_state_process", "tcp" },
		{ "NOT_SPECIFIED", "tcp_v6_rcv", "tcp" },
		{ "UDP_CSUM", "udp_queue_rcv_one_skb", "udp" },
		{ "NOT_SPECIFIED", "__udp6_lib_rcv", "udp" },
		{ "IP_INHDR", "ip_rcv_core", "ip" },
		{ "NOT_SPECIFIED", "icmp_rcv", "ip" },
		{ "NOT_SPECIFIED", "ip_forward", "ip" },
		{ "OTHERHOST", "ip_rcv", "ip" },
		{ "UNHANDLED_PROTO", "__netif_receive_skb_core", "other" },
		{ "NOT_SPECIFIED", "__netif_receive_skb_core", "other" },
		{ "NOT_SPECIFIED", NULL, "other" },
		{ NULL, NULL, "other" },
		{ "", "", "other" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(drop_hook(NULL, rows[i][0], rows[i][1]), rows[i][2]);
}

/* This kernel's own names: whatever it calls its reasons has one of the ten classes. */
static void every_reason_of_this_kernel_has_a_class(void **state)
{
	static const char classes[] = " xdp tc nft iptables socket route neighbour tcp udp ip other ";
	struct drop_names *d = NULL;

	if (access("/sys/kernel/btf/vmlinux", R_OK) || access("/proc/kallsyms", R_OK))
		skip();
	assert_int_equal(drop_names_open(&d, NULL), 0);
	for (uint32_t i = 0; i < 200; i++) {
		char word[32];

		snprintf(word, sizeof(word), " %s ", drop_hook(d, drop_reason_name(d, i), NULL));
		assert_non_null(strstr(classes, word));
	}
	assert_true(drop_names_size(d) < 8 << 20);
	drop_names_close(d);
	drop_names_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_are_named_by_this_kernels_numbers),
		cmocka_unit_test(kernel_without_reasons_specifies_none),
		cmocka_unit_test(bad_btf_that_was_asked_for_is_an_error),
		cmocka_unit_test(address_belongs_to_the_symbol_below),
		cmocka_unit_test(absurd_symbols_are_survived),
		cmocka_unit_test(equal_names_are_kept_once),
		cmocka_unit_test(hook_is_told_by_reason_then_symbol),
		cmocka_unit_test(every_reason_of_this_kernel_has_a_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
