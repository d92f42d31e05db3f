// SPDX-License-Identifier: GPL-2.0-or-later
#include "stats/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cmd/stats.h"
#include "stats/layers_known.h"

static struct layers l;

static int none_left(void **state)
{
	layers_free(&l);
	return 0;
}

/* The one of that name and detail; "" is none. */
static const struct layer_counter *find(const char *name, const char *detail)
{
	for (unsigned int i = 0; i < l.n; i++)
		if (!strcmp(l.v[i].name, name) && !strcmp(l.v[i].detail, detail))
			return &l.v[i];
	return NULL;
}

#define VALUE(name, detail, value_) \
	do { \
		const struct layer_counter *c_ = find(name, detail); \
		assert_non_null(c_); \
		assert_int_equal(c_->value, value_); \
	} while (0)

#define TEXT(read, text) read(&l, text, strlen(text))

static const char snmp[] =
	"Ip: Forwarding DefaultTTL InReceives InHdrErrors InDiscards\n"
	"Ip: 1 64 12 3 4\n"
	"Tcp: RtoAlgorithm MaxConn InErrs RetransSegs\n"
	"Tcp: 1 -1 5 6\n"
	"Udp: InDatagrams NoPorts RcvbufErrors\n"
	"Udp: 7 8 18446744073709551615\n";

static void pairs_of_lines_are_read(void **state)
{
	TEXT(layers_snmp, snmp);
	VALUE("InReceives", "Ip", 12);
	VALUE("InDiscards", "Ip", 4);
	VALUE("RetransSegs", "Tcp", 6);
	VALUE("RcvbufErrors", "Udp", UINT64_MAX);
	assert_null(find("MaxConn", "Tcp"));
	assert_string_equal(find("InDiscards", "Ip")->known->layer, "ip");
	assert_true(find("InDiscards", "Ip")->known->lost);
	assert_false(find("InReceives", "Ip")->known->lost);
}

static void missing_columns_and_broken_numbers_cost_their_own_counter(void **state)
{
	TEXT(layers_snmp, "Ip: InReceives InHdrErrors InDiscards\nIp: 1 x2\n"
			  "Udp: NoPorts InErrors\nUdp: 99999999999999999999999 1e3\n"
			  "Tcp: InErrs\nUdp: 4\n"
			  "TcpExt: ListenDrops\nTcpExt: 9 10 11\nalone: InErrs\n");
	VALUE("InReceives", "Ip", 1);
	assert_null(find("InHdrErrors", "Ip"));
	assert_null(find("InDiscards", "Ip"));
	VALUE("NoPorts", "Udp", UINT64_MAX);
	assert_null(find("InErrors", "Udp"));
	assert_null(find("InErrs", "Tcp"));
	VALUE("ListenDrops", "TcpExt", 9);
	assert_int_equal(l.n, 3);
}

static void six_stands_between_group_and_name(void **state)
{
	TEXT(layers_snmp6, "Ip6InReceives  \t\t\t 77\nIp6InNoRoutes\t5\nUdp6RcvbufErrors 3\nIcmp6InType134 9\n"
			   "Ip6InDiscards\nIp6OutNoRoutes x\n6 6\n\n");
	VALUE("InReceives", "Ip6", 77);
	VALUE("InNoRoutes", "Ip6", 5);
	VALUE("RcvbufErrors", "Udp6", 3);
	assert_int_equal(l.n, 3);
}

static void cpus_are_summed_and_the_worst_is_told(void **state)
{
	TEXT(layers_softnet, "000000ff 00000001 00000002 0 0 0 0 0 0 00000004 00000005 00000000 00000006\n"
			     "00000001 00000010 00000000 0 0 0 0 0 0 00000001 00000000 00000000 00000009\n");
	VALUE("processed", "", 256);
	VALUE("dropped", "", 17);
	VALUE("time_squeeze", "", 2);
	VALUE("received_rps", "", 5);
	VALUE("flow_limit", "", 5);
	VALUE("dropped", "cpu 9", 16);
	VALUE("dropped", "cpu 6", 1);
	assert_true(find("dropped", "cpu 9")->one_of);
	assert_null(find("time_squeeze", "cpu 9"));
	assert_true(find("dropped", "")->known->lost);
}

/* Linux before 5.10 has no number of the CPU, and lines are in their order. */
static void old_columns_of_softnet(void **state)
{
	TEXT(layers_softnet, "00000002 00000000 0\n00000003 00000007 0 0 0 0 0 0 0\n");
	VALUE("processed", "", 5);
	VALUE("dropped", "cpu 1", 7);
	assert_null(find("received_rps", ""));
	assert_null(find("flow_limit", ""));
}

static void conntrack_goes_by_its_titles(void **state)
{
	TEXT(layers_conntrack, "entries  clashres insert_failed drop early_drop unheard_of\n"
			       "00000003 00000000 00000001 0000000a 00000002 00000009\n"
			       "00000003 00000000 00000001 00000001\n");
	VALUE("drop", "", 11);
	VALUE("insert_failed", "", 2);
	VALUE("early_drop", "", 2);
	assert_null(find("unheard_of", ""));
	assert_true(find("entries", "")->known->level);
	assert_true(find("drop", "")->known->lost);
	assert_false(find("early_drop", "")->known->lost);
}

static const char udp[] =
	"   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
	"  391: 0100007F:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1001 2 0000000000000000 40\n"
	"  392: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1002 2 0000000000000000 2\n"
	"  393: 00000000:0036 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1003 2 0000000000000000 0\n";

static void sockets_are_summed_and_each_with_drops_is_kept(void **state)
{
	layers_sockets(&l, "udp", udp, strlen(udp));
	VALUE("drops", "udp", 42);
	VALUE("drops", "udp port 5353", 40);
	VALUE("drops", "udp port 53", 2);
	assert_null(find("drops", "udp port 54"));
	assert_int_equal(find("drops", "udp port 53")->inode, 1002);
}

static void a_raw_socket_has_a_protocol(void **state)
{
	static const char raw[] = "  1: 00000000:0001 00000000:0000 07 0:0 00:0 0 0 0 9 2 0 5\n";

	layers_sockets(&l, "raw", raw, strlen(raw));
	VALUE("drops", "raw protocol 1", 5);
}

static void no_socket_is_no_counter(void **state)
{
	static const char broken[] = "1: 2 3 4 5\n2: 0:zz 0 0 0 0 0 0 0 1 0 0 1\n";

	layers_sockets(&l, "udp", udp, strcspn(udp, "\n") + 1);
	layers_sockets(&l, "udp", broken, strlen(broken));
	assert_int_equal(l.n, 0);
}

typedef void (*reader)(struct layers *to, const char *text, size_t n);

static void sockets_udp(struct layers *to, const char *text, size_t n)
{
	layers_sockets(to, "udp", text, n);
}

static void any_text_cut_anywhere_is_survived(void **state)
{
	static const reader readers[] = { layers_snmp, layers_snmp6, layers_softnet, layers_conntrack, sockets_udp };
	static const char *const texts[] = {
		snmp, udp, "a\n\n: :\n\n 6\n6\n:\n\t\t\n-1 -1\n", "Ip6\nIp6InReceives 1\n",
		"ffffffffffffffffffff 1 2\n0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
	};

	for (size_t r = 0; r < sizeof(readers) / sizeof(readers[0]); r++) {
		for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
			for (size_t n = 0; n <= strlen(texts[t]); n++) {
				char *exact = malloc(n + 1);	/* a sanitizer sees the byte behind it */

				assert_non_null(exact);
				memcpy(exact, texts[t], n);
				exact = realloc(exact, n ? n : 1);
				assert_non_null(exact);
				readers[r](&l, exact, n);
				free(exact);
				layers_free(&l);
			}
		}
	}
}

static void rows_beyond_the_bound_are_counted(void **state)
{
	for (unsigned int i = 0; i < LAYERS_MAX + 3; i++)
		layers_add(&l, "Ip", "InReceives", i);
	assert_int_equal(l.n, LAYERS_MAX);
	assert_int_equal(l.left_out, 3);
}

static void drivers_are_judged_by_names(void **state)
{
	static const struct {
		const char *name, *layer;
		enum layer_way way;
		bool lost;
	} all[] = {
		{ "rx_dropped", "driver", WAY_IN, true },	 { "rx_queue_0_drops", "driver", WAY_IN, true },
		{ "rx_queue_0_xdp_drops", "xdp", WAY_IN, true }, { "rx_queue_0_xdp_packets", "xdp", WAY_IN, false },
		{ "tx_timeout_count", "driver", WAY_OUT, false }, { "rx_out_of_buffer", "driver", WAY_IN, true },
		{ "port.rx_discards_phy", "driver", WAY_IN, true }, { "tx0_xdp_tx_drops", "driver", WAY_OUT, true },
		{ "rx_crc_errors", "driver", WAY_IN, false },	 { "link_failures", "driver", WAY_BOTH, false },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct layer_known *k = layer_known_driver(all[i].name);

		assert_non_null(k);
		assert_string_equal(k->layer, all[i].layer);
		assert_int_equal(k->way, all[i].way);
		assert_int_equal(k->lost, all[i].lost);
	}
	assert_null(layer_known_driver("rx_packets"));
	assert_null(layer_known_driver("peer_ifindex"));
	assert_null(layer_known_driver(""));
}

static void up_the_stack_then_down(void **state)
{
	layers_add(&l, "link", "tx_dropped", 1);
	layers_add(&l, "qdisc", "drops", 1);
	layers_add(&l, "Ip", "OutNoRoutes", 1);
	layers_add(&l, "Udp", "RcvbufErrors", 1);
	layers_add(&l, "Ip", "InDiscards", 1);
	layers_add(&l, "softnet", "dropped", 1);
	layers_add_driver(&l, "rx_queue_0_xdp_drops", 1);
	layers_add(&l, "link", "rx_missed_errors", 1);
	layers_sort(&l);
	for (unsigned int i = 0; i < l.n; i++) {
		static const char *const names[] = { "rx_missed_errors", "rx_queue_0_xdp_drops", "dropped", "InDiscards",
						     "RcvbufErrors", "OutNoRoutes", "drops", "tx_dropped" };

		assert_string_equal(l.v[i].name, names[i]);
	}
}

static void growth_is_since_the_list_before(void **state)
{
	static const char first[] = "Ip: InReceives InDiscards\nIp: 10 7\n";
	struct layers before = { 0 };

	layers_snmp(&before, first, strlen(first));
	layers_sockets(&before, "udp", udp, strlen(udp));
	layers_sort(&before);
	TEXT(layers_snmp, "Ip: InReceives InHdrErrors InDiscards\nIp: 15 3 2\n");
	layers_sockets(&l, "udp", udp, strlen(udp));
	layers_sort(&l);
	layers_compare(&l, &before);
	assert_int_equal(layer_growth(find("InReceives", "Ip")), 5);
	assert_int_equal(layer_growth(find("InHdrErrors", "Ip")), 3);
	assert_int_equal(layer_growth(find("InDiscards", "Ip")), 0);	/* it shrank */
	assert_int_equal(layer_growth(find("drops", "udp port 53")), 0);
	assert_int_equal(layer_growth(find("drops", "udp")), 0);
	layers_free(&before);
}

#define TEXT_OF(kind, text) layers_sockets(&l, kind, text, strlen(text))
#define SOCKET(port, inode, drops) \
	"  391: 0100007F:" port " 00000000:0000 07 0:0 00:0 0 0 0 " inode " 2 0 " drops "\n"

/* The sum of those that are open shrinks from 142 to 57. */
static void what_sockets_dropped_outlives_one_that_closed(void **state)
{
	static const char first[] = SOCKET("0035", "1001", "100") SOCKET("0036", "1002", "40") SOCKET("0036", "1003", "2");
	static const char six[] = SOCKET("0035", "1004", "7");
	struct layers before = { 0 };

	layers_sockets(&before, "udp", first, strlen(first));
	layers_sockets(&before, "udp6", six, strlen(six));
	layers_sort(&before);
	TEXT_OF("udp", SOCKET("0036", "1002", "45") SOCKET("0036", "1003", "2") SOCKET("0037", "1005", "10"));
	TEXT_OF("udp6", SOCKET("0035", "1004", "9"));
	layers_sort(&l);
	layers_compare(&l, &before);
	VALUE("drops", "udp", 57);
	assert_int_equal(layer_growth(find("drops", "udp")), 15);
	assert_int_equal(layer_growth(find("drops", "udp6")), 2);
	assert_int_equal(layer_growth(find("drops", "udp port 55")), 10);
	layers_free(&before);
}

/* Whose socket it was is in its inode: another one at the port has its own. */
static void a_socket_at_the_port_of_another_is_another(void **state)
{
	static const char first[] = SOCKET("0035", "1001", "100");
	struct layers before = { 0 };

	layers_sockets(&before, "udp", first, strlen(first));
	layers_sort(&before);
	TEXT_OF("udp", SOCKET("0035", "1002", "3"));
	layers_sort(&l);
	layers_compare(&l, &before);
	assert_int_equal(layer_growth(find("drops", "udp")), 3);
	layers_free(&before);
}

static void what_a_loss_means_names_interface_and_ring(void **state)
{
	struct layer_counter *c;
	char text[320];

	for (uint32_t i = 1; i <= 2; i++) {
		c = layers_add(&l, "ring", "rx_pending", 256 * i);
		assert_non_null(c);
		c->ifindex = i;
	}
	c = layers_add(&l, "link", "rx_missed_errors", 9);
	assert_non_null(c);
	c->ifindex = 2;
	layer_text(c->interface, "eth%s", 5);
	assert_true(waterfall_meaning(&l, c, text, sizeof(text)));
	assert_string_equal(text, "before the driver saw them its receive ring of 512 descriptors was full "
				  "(ethtool -G eth%s rx N)");
	assert_true(waterfall_meaning(&l, c, text, 40));
	assert_int_equal(strlen(text), 39);
	c->ifindex = 3;
	assert_true(waterfall_meaning(&l, c, text, sizeof(text)));
	assert_non_null(strstr(text, "its receive ring was full"));
	c = layers_add(&l, "Ip", "InReceives", 9);
	assert_false(waterfall_meaning(&l, c, text, sizeof(text)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(pairs_of_lines_are_read, none_left),
		cmocka_unit_test_teardown(missing_columns_and_broken_numbers_cost_their_own_counter, none_left),
		cmocka_unit_test_teardown(six_stands_between_group_and_name, none_left),
		cmocka_unit_test_teardown(cpus_are_summed_and_the_worst_is_told, none_left),
		cmocka_unit_test_teardown(old_columns_of_softnet, none_left),
		cmocka_unit_test_teardown(conntrack_goes_by_its_titles, none_left),
		cmocka_unit_test_teardown(sockets_are_summed_and_each_with_drops_is_kept, none_left),
		cmocka_unit_test_teardown(a_raw_socket_has_a_protocol, none_left),
		cmocka_unit_test_teardown(no_socket_is_no_counter, none_left),
		cmocka_unit_test_teardown(any_text_cut_anywhere_is_survived, none_left),
		cmocka_unit_test_teardown(rows_beyond_the_bound_are_counted, none_left),
		cmocka_unit_test_teardown(drivers_are_judged_by_names, none_left),
		cmocka_unit_test_teardown(up_the_stack_then_down, none_left),
		cmocka_unit_test_teardown(what_a_loss_means_names_interface_and_ring, none_left),
		cmocka_unit_test_teardown(growth_is_since_the_list_before, none_left),
		cmocka_unit_test_teardown(what_sockets_dropped_outlives_one_that_closed, none_left),
		cmocka_unit_test_teardown(a_socket_at_the_port_of_another_is_another, none_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
