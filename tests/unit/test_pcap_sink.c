// SPDX-License-Identifier: GPL-2.0-or-later
#include "cap_help.h"

#include <fcntl.h>

#include "record.h"
#include "sink/out.h"
#include "sink/sink.h"

static const struct iface eth0 = { .name = "eth0", .ifindex = 7, .link = 1, .id = 0 };
static const struct iface tun0 = { .name = "tun0", .ifindex = 9, .link = 101, .id = 1 };
static const uint8_t ethernet[60] = "\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0E and so on";
static const uint8_t raw[40] = "E, an IPv4 packet of sorts";
static struct seen s;

struct writer {
	struct out *out;
	struct sink *sink;
	int fd;				/* the same file, to read it back */
	int fds[4];			/* rotated */
	unsigned int files;
};

static void writer_open(struct writer *w, const struct sink_ops *ops, const struct sink_options *opt)
{
	memset(w, 0, sizeof(*w));
	w->fd = memory_file("", 0);
	assert_int_equal(out_open(&w->out, dup(w->fd), "test"), 0);
	assert_int_equal(sink_open(&w->sink, ops, w->out, opt), 0);
}

static void writer_close(struct writer *w)
{
	assert_int_equal(sink_close(w->sink), 0);
	assert_int_equal(out_close(w->out), 0);
	lseek(w->fd, 0, SEEK_SET);
}

static void read_back(struct writer *w)
{
	writer_close(w);
	seen_read(&s, w->fd, 256);
	assert_int_equal(s.rc, -ENODATA);
}

static void put(struct writer *w, const struct frame *f)
{
	struct record r;

	record_start(&r, f->drop ? &drop_dataset : &packet_dataset);
	r.frame = f;
	r.time_ns = f->time_ns;
	assert_int_equal(sink_record(w->sink, &r), 0);
}

static void put_lost(struct writer *w, uint64_t count, const char *stage)
{
	struct record r;

	record_start(&r, &lost_dataset);
	r.frame = NULL;
	r.time_ns = 5000000000;
	lost_of(&r)->stage = stage;
	lost_of(&r)->reason = "ring_full";
	lost_of(&r)->count = count;
	assert_int_equal(sink_record(w->sink, &r), 0);
}

static struct frame ethernet_frame(uint64_t time_ns)
{
	return (struct frame){
		.time_ns = time_ns, .data = ethernet, .cap_len = 60, .len = 1514, .link = 1, .iface = &eth0
	};
}

static struct frame raw_frame(uint64_t time_ns)
{
	return (struct frame){
		.time_ns = time_ns, .data = raw, .cap_len = 40, .len = 40, .link = 101, .iface = &tun0
	};
}

static void pcap_keeps_nanoseconds_and_lengths(void **state)
{
	struct writer w;
	struct frame f = ethernet_frame(1700000000123456789ull);

	(void)state;
	writer_open(&w, &sink_pcap, &(struct sink_options){ .link = 1 });
	put(&w, &f);
	put_lost(&w, 3, "ring");
	read_back(&w);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.v[0].f.time_ns, f.time_ns);
	assert_int_equal(s.v[0].f.cap_len, 60);
	assert_int_equal(s.v[0].f.len, 1514);
	assert_int_equal(s.v[0].f.link, 1);
	assert_memory_equal(s.v[0].data, ethernet, 60);
}

static void a_time_that_pcap_cannot_tell_is_left_out(void **state)
{
	const uint64_t last = UINT64_C(4294967295999999999);
	const struct sink_ops *all[] = { &sink_pcap, &sink_pcapng };
	struct frame f = ethernet_frame(last), g = ethernet_frame(last + 1);

	(void)state;
	for (unsigned int k = 0; k < 2; k++) {
		struct writer w;

		writer_open(&w, all[k], &(struct sink_options){ .link = 1 });
		put(&w, &f);
		put(&w, &g);
		assert_int_equal(w.out->records, 2);
		assert_int_equal(w.out->lost, 1 - k);
		read_back(&w);
		assert_int_equal(s.n, 1 + k);
		assert_int_equal(s.v[0].f.time_ns, last);
		assert_int_equal(s.v[k].f.time_ns, last + k);
	}
}

static void pcap_without_a_frame_is_a_file_all_the_same(void **state)
{
	struct writer w;

	(void)state;
	writer_open(&w, &sink_pcap, &(struct sink_options){ .link = 0 });
	read_back(&w);
	assert_int_equal(s.n, 0);
	writer_open(&w, &sink_pcap, &(struct sink_options){ .link = 101 });
	read_back(&w);
	assert_int_equal(s.n, 0);
}

static void pcap_takes_the_link_type_of_the_first_frame(void **state)
{
	struct writer w;
	struct frame f = raw_frame(1), g = ethernet_frame(2), h = raw_frame(3);

	(void)state;
	h.link = 228;
	writer_open(&w, &sink_pcap, &(struct sink_options){ .link = 0 });
	put(&w, &f);
	put(&w, &g);
	put(&w, &h);
	assert_int_equal(w.out->lost, 1);
	assert_int_equal(w.out->records, 3);
	read_back(&w);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.v[0].f.link, 101);
	assert_int_equal(s.v[1].f.time_ns, 3);
}

static void link_type_0_is_a_link_type(void **state)
{
	struct writer w;
	struct frame f = raw_frame(1), g = ethernet_frame(2);

	(void)state;
	f.link = 0;
	writer_open(&w, &sink_pcap, &(struct sink_options){ .link = 0 });
	put(&w, &f);
	put(&w, &g);
	put(&w, &f);
	assert_int_equal(w.out->lost, 1);
	read_back(&w);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.v[1].f.link, 0);
}

static void cooked_pcap_keeps_interface_protocol_and_sender(void **state)
{
	static const uint8_t in[20] = { 8, 0, 0, 0, 0, 0, 0, 7, 0, 1, 0, 6, 2, 0, 0, 0, 0, 2 };
	static const uint8_t out[20] = { 8, 0, 0, 0, 0, 0, 0, 9, 0xff, 0xfe, 4 };
	static const uint8_t llc[20] = "\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x02\0\x03\xaa\xaa\x03";
	static const uint8_t llc_head[20] = { 0, 4, 0, 0, 0, 0, 0, 7, 0, 1, 1, 6, 2, 0, 0, 0, 0, 2 };
	struct writer w;
	struct frame f = ethernet_frame(1), g = raw_frame(2), h = ethernet_frame(3), cut = ethernet_frame(4);

	(void)state;
	f.direction = DIR_INGRESS;
	g.direction = DIR_EGRESS;
	h.data = llc;
	h.cap_len = h.len = 17;
	cut.cap_len = 13;
	writer_open(&w, &sink_pcap, &(struct sink_options){ .link = 276 });
	put(&w, &f);
	put(&w, &g);
	put(&w, &h);
	put(&w, &cut);
	assert_int_equal(w.out->lost, 1);
	read_back(&w);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.v[0].f.link, 276);
	assert_int_equal(s.v[0].f.cap_len, 66);
	assert_int_equal(s.v[0].f.len, 1520);
	assert_memory_equal(s.v[0].data, in, 20);
	assert_memory_equal(s.v[0].data + 20, ethernet + 14, 46);
	assert_int_equal(s.v[1].f.cap_len, 60);
	assert_memory_equal(s.v[1].data, out, 20);
	assert_memory_equal(s.v[1].data + 20, raw, 40);
	assert_memory_equal(s.v[2].data, llc_head, 20);
}

static void the_snap_length_cuts(void **state)
{
	const struct sink_ops *all[] = { &sink_pcap, &sink_pcapng };
	struct writer w;
	struct frame f = ethernet_frame(1);

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		writer_open(&w, all[i], &(struct sink_options){ .snaplen = 31 });
		put(&w, &f);
		read_back(&w);
		assert_int_equal(s.v[0].f.cap_len, 31);
		assert_int_equal(s.v[0].f.len, 1514);
	}
	writer_open(&w, &sink_pcap, &(struct sink_options){ .link = 276, .snaplen = 11 });
	put(&w, &f);
	read_back(&w);
	assert_int_equal(s.v[0].f.cap_len, 11);
}

static void pcapng_keeps_interfaces_directions_drops_and_segments(void **state)
{
	static const struct drop_info drop = { "NETFILTER_DROP", "nft_do_chain [nf_tables]", "nft" };
	struct sink_options opt = {
		.hardware = "x86_64", .os = "Linux", .application = "netprobe", .filter = "udp"
	};
	struct frame f = ethernet_frame(1700000000123456789ull), g = raw_frame(1700000000123456790ull);
	struct frame h = ethernet_frame(1700000000123456791ull);
	struct writer w;

	(void)state;
	f.direction = DIR_INGRESS;
	f.drop = &drop;
	g.direction = DIR_EGRESS;
	g.segments = 12;
	h.iface = NULL;
	writer_open(&w, &sink_pcapng, &opt);
	put(&w, &f);
	put(&w, &g);
	put(&w, &h);
	read_back(&w);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.v[0].f.time_ns, f.time_ns);
	assert_int_equal(s.v[0].f.link, 1);
	assert_string_equal(s.v[0].name, "eth0");
	assert_int_equal(s.v[0].f.direction, DIR_INGRESS);
	assert_string_equal(s.v[0].reason, drop.reason);
	assert_string_equal(s.v[0].location, drop.location);
	assert_string_equal(s.v[0].hook, drop.hook);
	assert_memory_equal(s.v[0].data, ethernet, 60);
	assert_int_equal(s.v[1].f.link, 101);
	assert_string_equal(s.v[1].name, "tun0");
	assert_int_equal(s.v[1].f.direction, DIR_EGRESS);
	assert_int_equal(s.v[1].f.segments, 12);
	assert_null(s.v[1].f.drop);
	assert_int_equal(s.v[2].f.link, 1);
	assert_ptr_not_equal(s.v[2].iface, s.v[0].iface);
	assert_int_equal(s.counts.lost_other, 0);
}

static void one_interface_with_two_link_types_is_two_in_the_file(void **state)
{
	struct writer w;
	struct frame f = ethernet_frame(1), g = raw_frame(2);

	(void)state;
	g.iface = &eth0;
	writer_open(&w, &sink_pcapng, &(struct sink_options){ .link = 1 });
	put(&w, &f);
	put(&w, &g);
	put(&w, &f);
	read_back(&w);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.v[1].f.link, 101);
	assert_string_equal(s.v[1].name, "eth0");
	assert_ptr_equal(s.v[0].iface, s.v[2].iface);
}

static void pcapng_tells_losses_once_with_packets_and_once_in_total(void **state)
{
	struct writer w;
	struct frame f = ethernet_frame(1);

	(void)state;
	writer_open(&w, &sink_pcapng, &(struct sink_options){ .link = 1 });
	put(&w, &f);
	pcapng_loss(w.sink, &eth0,
		    &(struct sink_loss){
			    .received = 100, .dropped_ring = 5, .dropped_if = 1, .filter_accept = 90 });
	put_lost(&w, 6, "ring");
	put(&w, &f);
	put(&w, &f);
	pcapng_loss(w.sink, &eth0,
		    &(struct sink_loss){
			    .received = 200, .dropped_ring = 9, .dropped_if = 1, .filter_accept = 190 });
	read_back(&w);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.counts.lost_other, 10);
}

static void a_lost_record_alone_is_not_silent(void **state)
{
	struct writer w;
	struct frame f = ethernet_frame(1);

	(void)state;
	writer_open(&w, &sink_pcapng, &(struct sink_options){ .link = 276 });
	put_lost(&w, 4, "ring");
	put_lost(&w, 100, "reassembly");	/* not understood, but in the file */
	put(&w, &f);
	put_lost(&w, 2, "map");
	put_lost(&w, 1, "socket");
	read_back(&w);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.counts.lost_other, 7);
}

static void losses_of_an_interface_without_packets_are_written(void **state)
{
	static const struct iface five = { .name = "five", .link = 1, .id = 5 }, six = { .link = 1, .id = 6 };
	static const struct iface far = { .name = "far", .link = 1, .id = 70000 };
	struct writer w;
	struct frame f = ethernet_frame(1);

	(void)state;
	writer_open(&w, &sink_pcapng, &(struct sink_options){ .link = 1 });
	put(&w, &f);
	pcapng_loss(w.sink, &five, &(struct sink_loss){ .received = 3, .dropped_ring = 3 });
	pcapng_loss(w.sink, &far, &(struct sink_loss){ .received = 2, .dropped_ring = 2 });
	pcapng_loss(w.sink, &six, &(struct sink_loss){ .received = 0 });
	read_back(&w);
	assert_int_equal(s.n, 1);
	assert_int_equal(s.counts.lost_other, 5);
}

/* Lost by each interface of a pcapng file, in their order, with what it is called. */
struct told {
	unsigned int n;
	char name[8][64];
	uint64_t by_packets[8], by_statistics[8];
};

static uint32_t word(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static void told_option(struct told *t, uint32_t type, uint32_t id, uint16_t code, const uint8_t *p, uint16_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n < 8 ? n : 8);
	if (type == 1 && (code == 2 || code == 3))
		memcpy(t->name[t->n], p, n < 63 ? n : 63);
	else if (type == 6 && code == 4)
		t->by_packets[id] += v;
	else if (type == 5 && (code == 5 || code == 7))
		t->by_statistics[id] += v;
}

static void told_block(struct told *t, const uint8_t *b, uint32_t total)
{
	uint32_t type = word(b), id = word(b + 8), at = type == 1 ? 16 : 20;
	uint16_t head[2];

	if (type == 6)
		at = 28 + ((word(b + 20) + 3) & ~3u);
	if (type != 1 && type != 5 && type != 6)
		return;
	if (type == 5)
		t->by_statistics[id] = 0;	/* totals */
	for (; at + 8 <= total; at += 4 + ((head[1] + 3) & ~3u)) {
		memcpy(head, b + at, sizeof(head));
		if (!head[0])
			break;
		told_option(t, type, id, head[0], b + at + 4, head[1]);
	}
	t->n += type == 1;
}

static void told_read(struct told *t, struct writer *w)
{
	static uint8_t b[65536];
	ssize_t n;

	writer_close(w);
	memset(t, 0, sizeof(*t));
	n = read(w->fd, b, sizeof(b));
	for (ssize_t at = 0; at + 12 <= n; at += (ssize_t)word(b + at + 4))
		told_block(t, b + at, word(b + at + 4));
}

static void losses_stand_with_the_interface_that_lost(void **state)
{
	struct frame f = ethernet_frame(1), g = raw_frame(2);
	struct writer w;
	struct told t;

	(void)state;
	writer_open(&w, &sink_pcapng, &(struct sink_options){ .link = 276 });
	put(&w, &f);
	put(&w, &g);
	pcapng_loss(w.sink, &tun0, &(struct sink_loss){ .received = 9, .dropped_ring = 5, .dropped_if = 2 });
	put_lost(&w, 7, "ring");
	put(&w, &f);
	put(&w, &g);
	told_read(&t, &w);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.by_packets[0] + t.by_statistics[0], 0);
	assert_int_equal(t.by_packets[1], 7);
	assert_int_equal(t.by_statistics[1], 7);
	/* Before its first packet, and without any. */
	writer_open(&w, &sink_pcapng, &(struct sink_options){ .link = 1 });
	pcapng_loss(w.sink, &tun0, &(struct sink_loss){ .received = 9, .dropped_ring = 7 });
	put_lost(&w, 7, "ring");
	told_read(&t, &w);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.name[0], "tun0");
	assert_int_equal(t.by_statistics[0], 7);
}

static void losses_of_nobody_knows_whom_stand_with_no_interface(void **state)
{
	struct frame f = ethernet_frame(1), g = raw_frame(2);
	struct writer w;
	struct told t;

	(void)state;
	for (int live = 0; live < 2; live++) {
		writer_open(&w, &sink_pcapng, &(struct sink_options){ .link = 276 });
		put(&w, &f);
		put(&w, &g);
		if (live)
			pcapng_loss(w.sink, NULL, &(struct sink_loss){ .received = 9, .dropped_ring = 7 });
		put_lost(&w, 7, "ring");
		put(&w, &f);
		put(&w, &g);
		told_read(&t, &w);
		assert_int_equal(t.n, 3);
		assert_string_equal(t.name[0], "eth0");
		assert_string_equal(t.name[1], "tun0");
		assert_string_equal(t.name[2], "not an interface: losses, not known of which");
		for (int i = 0; i < 3; i++) {
			assert_int_equal(t.by_packets[i], 0);
			assert_int_equal(t.by_statistics[i], i == 2 ? 7 : 0);
		}
	}
	/* Nothing lost: nothing told. */
	writer_open(&w, &sink_pcapng, &(struct sink_options){ .link = 276 });
	put(&w, &f);
	put(&w, &g);
	pcapng_loss(w.sink, NULL, &(struct sink_loss){ .received = 2 });
	told_read(&t, &w);
	assert_int_equal(t.n, 2);
}

static int next_file(void *ctx, unsigned int seq, uint64_t time_ns, char *name, size_t size)
{
	struct writer *w = ctx;
	int fd = memory_file("", 0);

	(void)time_ns;
	assert_true(w->files < 4);
	snprintf(name, size, "test%u", seq);
	w->fds[w->files++] = fd;
	return dup(fd);
}

static void every_file_of_a_series_stands_alone(void **state)
{
	const struct sink_ops *all[] = { &sink_pcap, &sink_pcapng };
	struct writer w;
	struct frame f = ethernet_frame(0), g = raw_frame(0);

	(void)state;
	for (unsigned int k = 0; k < 2; k++) {
		writer_open(&w, all[k], &(struct sink_options){ .link = 276 });
		w.out->next = next_file;
		w.out->next_ctx = &w;
		w.out->period_ns = 1000;
		for (unsigned int i = 1; i < 7; i++) {
			f.time_ns = g.time_ns = i * 500;
			put(&w, i & 1 ? &f : &g);
		}
		writer_close(&w);
		assert_int_equal(w.files, 2);
		for (unsigned int i = 0; i < 3; i++) {
			int fd = i ? w.fds[i - 1] : w.fd;

			lseek(fd, 0, SEEK_SET);
			seen_read(&s, fd, 256);
			assert_int_equal(s.rc, -ENODATA);
			assert_int_equal(s.n, 2);
			assert_int_equal(s.v[0].f.time_ns, i * 1000 + 500);
		}
	}
}

static void hostile_names_are_bounded(void **state)
{
	struct iface odd = { .id = 3, .link = 1 };
	struct writer w;
	struct frame f = ethernet_frame(1);
	char *filter = malloc(100001);

	(void)state;
	memset(odd.name, 0xff, sizeof(odd.name) - 1);
	memset(filter, 'x', 100000);
	filter[100000] = '\0';
	f.iface = &odd;
	writer_open(&w, &sink_pcapng,
		    &(struct sink_options){ .filter = filter, .os = filter, .application = filter });
	put(&w, &f);
	read_back(&w);
	free(filter);
	assert_int_equal(s.n, 1);
	assert_memory_equal(s.v[0].name, odd.name, sizeof(odd.name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_keeps_nanoseconds_and_lengths),
		cmocka_unit_test(a_time_that_pcap_cannot_tell_is_left_out),
		cmocka_unit_test(pcap_without_a_frame_is_a_file_all_the_same),
		cmocka_unit_test(pcap_takes_the_link_type_of_the_first_frame),
		cmocka_unit_test(link_type_0_is_a_link_type),
		cmocka_unit_test(cooked_pcap_keeps_interface_protocol_and_sender),
		cmocka_unit_test(the_snap_length_cuts),
		cmocka_unit_test(pcapng_keeps_interfaces_directions_drops_and_segments),
		cmocka_unit_test(one_interface_with_two_link_types_is_two_in_the_file),
		cmocka_unit_test(pcapng_tells_losses_once_with_packets_and_once_in_total),
		cmocka_unit_test(a_lost_record_alone_is_not_silent),
		cmocka_unit_test(losses_of_an_interface_without_packets_are_written),
		cmocka_unit_test(losses_stand_with_the_interface_that_lost),
		cmocka_unit_test(losses_of_nobody_knows_whom_stand_with_no_interface),
		cmocka_unit_test(every_file_of_a_series_stands_alone),
		cmocka_unit_test(hostile_names_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
