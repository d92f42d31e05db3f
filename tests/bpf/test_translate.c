// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The translated filter, run by the kernel over a scratch element, against
 * libpcap's own interpreter over the same canonical bytes.  Needs root.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi.h"
#include "filter/canon.h"
#include "filter/filter.h"
#include "util/caps.h"

/*
 * From libpcap, declared here because its headers and <linux/bpf.h> each define
 * struct bpf_insn; libpcap's is struct filter_insn by another name.
 */
struct pcap;
struct bpf_program {
	unsigned int n;
	struct filter_insn *insns;
};
struct pcap *pcap_open_dead(int dlt, int snaplen);
void pcap_close(struct pcap *p);
int pcap_compile(struct pcap *p, struct bpf_program *prog, const char *text, int optimize, uint32_t mask);
void pcap_freecode(struct bpf_program *prog);
unsigned int bpf_filter(const struct filter_insn *p, const uint8_t *data, unsigned int len, unsigned int cap);

enum { FRAME_MAX = 1600, MATCHED = 77, FRAMES = 250 };

static const char *const expressions[] = {
	"ip", "ip6", "arp", "tcp", "udp port 53", "tcp dst port 443", "host 10.0.0.1", "src net 10.1.0.0/16",
	"net 10.0.0.0/8 and not port 22", "ip6 host ::1", "vlan", "vlan 3 and tcp",
	"vlan and vlan and udp", "tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn",
	"tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420", "portrange 1-1024", "udp[8:2] > 100", "ip[8] < 64",
	"len > 80", "less 60", "greater 600", "ip proto 47 or icmp6", "ether broadcast", "ether multicast",
	"ether host 00:11:22:33:44:55", "icmp[icmptype] = icmp-echo", "geneve", "mpls", "pppoes and ip",
	"ip and (tcp port 80 or tcp port 443 or udp port 53 or tcp port 6379 or tcp port 9092)",
	"not (host 10.0.0.1 and host 10.0.0.2)", "ip[2:2] - ((ip[0]&0xf)<<2) > 60", "tcp[2:2] % 7 = 3",
	"ip[4:2] / ip[8] > 5", "ip[4:2] % (ip[8] & 1) = 0", "ip multicast", "sctp", "ip6[6] = 44", "llc",
	"tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)", "stp", "isis",
	"host 10.0.0.1 or host 10.0.0.2 or net 10.1.0.0/16 and portrange 20-8000",
	"ether[600:2] > 0x8000", "ether[510:4] > 0x80000000", "ether[1400] & 1 = 0", "ether[20000] = 1",
	"ip[ip[2:2]:1] > 128", "ip[ip[2:2] & 0x3ff:4] > 0x70000000", "1 << ip[8] > 100",
	"ip[4:2] >> ip[8] = 0", "ip[0 - 1] = 0", "ip[4:4] * ip[8] ^ 0x55 > 1000", "-ip[8] & 0xff > 100",
	"atalk or ipx", "icmp6[0] = 135",
	"tcp[20:2] = 0x4745 or udp[ip[8]:1] = 7", "ether[12:2] = 0x8100 or ether[16:2] = 0x800",
	"ip broadcast or less 40", "lat or moprc or decnet host 10.15",
};

static uint32_t seed = 1;

static uint32_t any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static void put16(uint8_t *p, unsigned int v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Source, destination, flags and first bytes of a payload behind an IP header. */
static void make_transport(uint8_t *p)
{
	static const uint16_t ports[] = { 53, 80, 443, 22, 6379, 9092, 6081, 67, 1023, 40000 };

	put16(p, ports[any() % 10]);
	put16(p + 2, ports[any() % 10]);
	p[12] = 0x50;
	p[13] = (uint8_t)(any() % 64);
	if (any() % 3 == 0)
		memcpy(p + 20, "GET / HTTP", 10);
}

static uint32_t make_ip(uint8_t *p)
{
	static const uint8_t protocols[] = { 6, 17, 1, 132, 47, 58, 50 };
	uint32_t words = any() % 5 ? 5 : 5 + any() % 11;

	p[0] = (uint8_t)(0x40 | words);
	p[2] &= 0x07;
	if (any() % 4)
		put16(p + 6, 0);
	p[8] = (uint8_t)(any() % 3 ? any() % 40 : any());
	p[9] = protocols[any() % 7];
	put16(p + 12, 0x0a00 | any() % 2);
	put16(p + 14, any() % 3);
	put16(p + 16, 0x0a00 | any() % 2);
	put16(p + 18, any() % 3);
	make_transport(p + words * 4);
	return words * 4 + 40;
}

static uint32_t make_ip6(uint8_t *p)
{
	static const uint8_t protocols[] = { 6, 17, 58, 132, 44, 0 };

	p[0] = 0x60;
	p[6] = protocols[any() % 6];
	memset(p + 8, 0, 32);
	p[23] = (uint8_t)(any() % 3);
	p[39] = (uint8_t)(any() % 3);
	make_transport(p + 40);
	return 80;
}

static uint32_t make_frame(uint8_t *p)
{
	static const uint16_t others[] = { 0x806, 0x8847, 0x8864, 0x88cc, 0x0030, 0x809b };
	uint32_t off = 12, n, kind = any() % 8;

	for (int i = 0; i < FRAME_MAX; i++)
		p[i] = (uint8_t)any();
	if (any() % 8 == 0)
		memset(p, 0xff, 6);
	for (n = any() % 8 ? 0 : 1 + any() % 2; n; n--, off += 4) {
		put16(p + off, any() % 2 ? 0x8100 : 0x88a8);
		put16(p + off + 2, any() % 5);
	}
	put16(p + off, kind < 4 ? 0x800 : kind < 6 ? 0x86dd : others[any() % 6]);
	off += 2;
	n = off + (kind < 4 ? make_ip(p + off) : kind < 6 ? make_ip6(p + off) : 46);
	if (any() % 4 == 0)
		n += any() % (FRAME_MAX - n);
	return any() % 6 ? n : any() % n;
}

/* ── maps and programs ── */

struct bench {
	int scratch, ledger, programs, cpus;
	enum bpf_prog_type type;
	struct np_scratch *fill;	/* one element a CPU */
};

static int load_verdict(enum bpf_prog_type type)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = MATCHED },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(type, "np_emit", "GPL", code, 2, NULL);
}

static void set_up(struct bench *b, enum bpf_prog_type type)
{
	uint32_t slot = NP_SLOT_EMIT;
	int emit = load_verdict(type);

	b->type = type;
	b->cpus = libbpf_num_possible_cpus();
	b->scratch = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "np_scratch", 4, sizeof(struct np_scratch), 1,
				    NULL);
	b->ledger = bpf_map_create(BPF_MAP_TYPE_ARRAY, "np_ledger", 4, sizeof(struct np_ledger),
				   (uint32_t)b->cpus, NULL);
	b->programs = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "np_programs", 4, 4, NP_SLOTS, NULL);
	b->fill = calloc((size_t)b->cpus, sizeof(*b->fill));
	assert_true(emit >= 0 && b->scratch >= 0 && b->ledger >= 0 && b->programs >= 0 && b->fill);
	assert_int_equal(bpf_map_update_elem(b->programs, &slot, &emit, 0), 0);
	close(emit);
}

static void tear_down(struct bench *b)
{
	close(b->scratch);
	close(b->ledger);
	close(b->programs);
	free(b->fill);
}

static int load_filter(const struct bench *b, struct filter *f)
{
	struct filter_maps maps = { b->scratch, b->ledger, b->programs, NP_SLOT_EMIT,
				    b->type == BPF_PROG_TYPE_SCHED_CLS ? -1 : 0 };
	struct bpf_insn *code = calloc(FILTER_EBPF_MAX, sizeof(*code));
	int n = filter_translate(f, &maps, code, FILTER_EBPF_MAX), fd;
	char *log = calloc(1, 1 << 20);
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = 1 << 20, .log_level = 1);

	assert_true(n > 0);
	fd = bpf_prog_load(b->type, "np_filter", "GPL", code, (size_t)n, NULL);
	if (fd < 0) {
		fd = bpf_prog_load(b->type, "np_filter", "GPL", code, (size_t)n, &opts);
		fprintf(stderr, "%s: %s\n%s\n", f->text, strerror(errno), log);
	}
	free(log);
	free(code);
	return fd;
}

/* Returns what the chain returned; *undecided as the filter left it. */
static uint32_t run(struct bench *b, int fd, const uint8_t *data, uint32_t len, uint32_t sent, uint32_t *undecided)
{
	uint8_t packet[64] = { 0 };
	uint32_t zero = 0;
	LIBBPF_OPTS(bpf_test_run_opts, t, .data_in = packet, .data_size_in = sizeof(packet), .repeat = 1);

	for (int i = 0; i < b->cpus; i++) {
		struct np_scratch *s = &b->fill[i];

		memset(s, 0xa5, sizeof(*s));	/* whoever reads behind `cap` shall see rubbish */
		s->len = len;
		s->sent = sent;
		s->cap = len < NP_SCRATCH ? len : NP_SCRATCH;
		s->undecided = 0;
		memcpy(s->data, data, s->cap);
	}
	assert_int_equal(bpf_map_update_elem(b->scratch, &zero, b->fill, 0), 0);
	assert_int_equal(bpf_prog_test_run_opts(fd, &t), 0);
	assert_int_equal(bpf_map_lookup_elem(b->scratch, &zero, b->fill), 0);
	*undecided = 0;
	for (int i = 0; i < b->cpus; i++)
		*undecided |= b->fill[i].undecided;
	return t.retval;
}

static struct np_ledger ledger_sum(const struct bench *b)
{
	struct np_ledger sum = { 0 }, one;

	for (uint32_t i = 0; i < (uint32_t)b->cpus; i++) {
		assert_int_equal(bpf_map_lookup_elem(b->ledger, &i, &one), 0);
		sum.filtered += one.filtered;
		sum.lost_map += one.lost_map;
	}
	return sum;
}

struct tally {
	unsigned int programs, compared, matched, undecided, wrong;
};

/* One program over random frames; each is in one column of the tally, every rejection in the ledger. */
static void compare(struct bench *b, struct filter *f, struct tally *t)
{
	uint64_t before = ledger_sum(b).filtered, rejected = 0;
	int fd = load_filter(b, f);

	t->programs++;
	if (fd < 0) {
		t->wrong++;
		return;
	}
	for (int i = 0; i < FRAMES; i++) {
		uint8_t frame[FRAME_MAX], bytes[FRAME_MAX];
		uint32_t len = make_frame(frame), undecided, got;
		struct canon c;
		bool expected;

		canon_make(&c, 1, (struct canon_how){ .strict = f->strict }, frame, len, len);
		canon_copy(&c, bytes, sizeof(bytes));
		expected = bpf_filter(f->insns, bytes, c.sent, c.cap) != 0;
		got = run(b, fd, bytes, c.len, c.sent, &undecided);
		rejected += got != MATCHED;
		t->compared++;
		t->matched += expected;
		t->undecided += undecided;
		if (undecided ? got != MATCHED || c.len <= NP_SCRATCH : (got == MATCHED) != expected) {
			if (!t->wrong++)
				fprintf(stderr, "%s: frame %d: expected %d, got %d\n", f->text, i, expected,
					(int)got);
		} else if (got != MATCHED && (int)got != (b->type == BPF_PROG_TYPE_SCHED_CLS ? -1 : 0)) {
			t->wrong++;
		}
	}
	assert_int_equal(ledger_sum(b).filtered - before, rejected);
	close(fd);
}

static void compare_expression(struct bench *b, const char *text, int optimize, struct tally *t)
{
	struct pcap *p = pcap_open_dead(1, 262144);
	struct bpf_program prog;

	for (int strict = 0; strict < 2; strict++) {
		struct filter f = { .text = (char *)text, .link = 1, .ether = true, .strict = strict };

		if (pcap_compile(p, &prog, text, optimize, 0xff000000)) {
			fprintf(stderr, "%s: does not compile\n", text);
			t->wrong++;
			break;
		}
		f.insns = prog.insns;
		f.n = prog.n;
		compare(b, &f, t);
		pcap_freecode(&prog);
	}
	pcap_close(p);
}

static void agrees_with_libpcap(enum bpf_prog_type type)
{
	struct bench b;
	struct tally t = { 0 };

	set_up(&b, type);
	for (size_t i = 0; i < sizeof(expressions) / sizeof(*expressions); i++)
		for (int optimize = 0; optimize < 2; optimize++) {
			seed = 12345 + (uint32_t)i;
			compare_expression(&b, expressions[i], optimize, &t);
		}
	fprintf(stderr, "# %u programs, %u frames compared, %u match, %u undecided, %u wrong\n", t.programs,
		t.compared, t.matched, t.undecided, t.wrong);
	assert_int_equal(t.wrong, 0);
	assert_true(t.undecided > 0);
	tear_down(&b);
}

static void translated_filter_agrees_with_libpcap_for_tc(void **state)
{
	agrees_with_libpcap(BPF_PROG_TYPE_SCHED_CLS);
}

static void translated_filter_agrees_with_libpcap_for_sockets(void **state)
{
	agrees_with_libpcap(BPF_PROG_TYPE_SOCKET_FILTER);
}

static void set_effective(const struct cap_sets *s, uint64_t effective)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)effective, (uint32_t)s->permitted, (uint32_t)s->inheritable },
		{ (uint32_t)(effective >> 32), (uint32_t)(s->permitted >> 32), (uint32_t)(s->inheritable >> 32) },
	};

	assert_int_equal(syscall(SYS_capset, &head, data), 0);
}

/* The verifier is stricter with who has CAP_BPF and CAP_NET_ADMIN alone: no speculative reads. */
static void translated_filter_loads_without_cap_perfmon(void **state)
{
	struct cap_sets s;

	assert_int_equal(caps_get(&s), 0);
	set_effective(&s, s.effective & ~(CAP_BIT(CAP_PERFMON) | CAP_BIT(CAP_SYS_ADMIN)));
	agrees_with_libpcap(BPF_PROG_TYPE_SCHED_CLS);
	set_effective(&s, s.effective);
}

static void empty_filter_matches_everything(void **state)
{
	struct filter f = { .text = (char *)"", .link = 1, .ether = true };
	uint8_t frame[FRAME_MAX];
	uint32_t undecided;
	struct bench b;
	int fd;

	set_up(&b, BPF_PROG_TYPE_SCHED_CLS);
	fd = load_filter(&b, &f);
	assert_true(fd >= 0);
	assert_int_equal(run(&b, fd, frame, 0, 0, &undecided), MATCHED);
	assert_int_equal(undecided, 0);
	close(fd);
	tear_down(&b);
}

static void missing_capture_program_is_counted_as_lost(void **state)
{
	struct filter f = { .text = (char *)"", .link = 1, .ether = true };
	uint32_t slot = NP_SLOT_EMIT, undecided;
	uint8_t frame[FRAME_MAX];
	struct bench b;
	int fd;

	set_up(&b, BPF_PROG_TYPE_SCHED_CLS);
	fd = load_filter(&b, &f);
	assert_true(fd >= 0);
	assert_int_equal(bpf_map_delete_elem(b.programs, &slot), 0);
	assert_int_equal((int)run(&b, fd, frame, 60, 60, &undecided), -1);
	assert_int_equal(ledger_sum(&b).lost_map, 1);
	assert_int_equal(ledger_sum(&b).filtered, 0);
	close(fd);
	tear_down(&b);
}

/* Hundreds of addresses are still one program that the verifier walks in time. */
static void long_list_of_hosts_loads(void **state)
{
	size_t size = 64 * 1024, n = 0;
	char *text = calloc(1, size);
	struct filter *f = NULL;
	struct bench b;
	int fd;

	for (int i = 0; i < 300; i++)
		n += (size_t)snprintf(text + n, size - n, "%shost 10.%d.%d.1", i ? " or " : "", i % 7,
				      i % 250);
	assert_int_equal(filter_compile(&f, text, 1, false, false), 0);
	assert_true(f->kernel);
	set_up(&b, BPF_PROG_TYPE_SCHED_CLS);
	fd = load_filter(&b, f);
	fprintf(stderr, "# %u classic instructions\n", f->n);
	assert_true(fd >= 0);
	close(fd);
	tear_down(&b);
	filter_free(f);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(translated_filter_agrees_with_libpcap_for_tc),
		cmocka_unit_test(translated_filter_agrees_with_libpcap_for_sockets),
		cmocka_unit_test(translated_filter_loads_without_cap_perfmon),
		cmocka_unit_test(empty_filter_matches_everything),
		cmocka_unit_test(missing_capture_program_is_counted_as_lost),
		cmocka_unit_test(long_list_of_hosts_loads),
	};
	int fd = bpf_map_create(BPF_MAP_TYPE_PROG_ARRAY, "np_try", 4, 4, 1, NULL);

	if (fd < 0) {
		printf("1..0 # SKIP needs CAP_BPF and CAP_NET_ADMIN: %s\n", strerror(errno));
		return 77;
	}
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
