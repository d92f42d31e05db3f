// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink_text.h"

#include <pcap/pcap.h>

#include "numbers/linktype.h"
#include "util/bytes.h"

/* The link type that libpcap writes into the head of a file of such frames; -1: it writes none of them. */
static int written_by_libpcap(int dlt)
{
	uint8_t head[24] = { 0 };
	FILE *f = tmpfile();
	pcap_t *p = pcap_open_dead(dlt, 65535);
	pcap_dumper_t *d;
	bool ok;

	assert_true(f && p);
	d = pcap_dump_fopen(p, f);
	ok = d && !pcap_dump_flush(d) && pread(fileno(f), head, sizeof(head), 0) == sizeof(head);
	if (d)
		pcap_dump_close(d);
	else
		fclose(f);
	pcap_close(p);
	return ok ? (int)(u32_of(head + 20, head[0] == 0xa1) & 0xffff) : -1;
}

static void libpcap_writes_the_number_that_its_own_stands_for(void **state)
{
	int written, known = 0;

	for (int dlt = 0; dlt < 300; dlt++) {
		if (!pcap_datalink_val_to_name(dlt))
			continue;
		written = written_by_libpcap(dlt);
		if (written < 0)
			continue;
		assert_int_equal(linktype_of_dlt(dlt), written);
		assert_int_equal(linktype_dlt((uint16_t)written), dlt);
		known++;
	}
	assert_true(known > 100);
}

static void old_raw_ip_in_a_file_is_the_registered_one(void **state)
{
	assert_int_equal(linktype_of_file(12), LINK_RAW);
	assert_int_equal(linktype_of_file(14), LINK_RAW);
	assert_int_equal(linktype_of_file(LINK_ETHERNET), LINK_ETHERNET);
	assert_int_equal(linktype_of_file(LINK_SLL2), LINK_SLL2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libpcap_writes_the_number_that_its_own_stands_for),
		cmocka_unit_test(old_raw_ip_in_a_file_is_the_registered_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
