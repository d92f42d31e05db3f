// SPDX-License-Identifier: GPL-2.0-or-later
/* Pinned maps of the forms that agents have, as this kernel hands them over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ebpf/ebpf.h"
#include "util/bytes.h"
#include "util/cleanup.h"

#include <cmocka.h>

#define DIR_OF_MAPS "/sys/fs/bpf/tc/globals"

static struct ebpf e;
static unsigned int handed;

static int parse(void *ctx, const char *name, const void *bytes, size_t n)
{
	handed++;
	return ebpf_parse(ctx, name, bytes, n);
}

static int read_all(void)
{
	int rc;

	ebpf_free(&e);
	handed = 0;
	rc = ebpf_read(DIR_OF_MAPS, parse, &e);
	ebpf_join(&e);
	return rc;
}

/* An open map, pinned under that name. */
static int make(const char *name, enum bpf_map_type type, uint32_t key, uint32_t value)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = type == BPF_MAP_TYPE_LPM_TRIE ? BPF_F_NO_PREALLOC : 0);
	int fd = bpf_map_create(type, "test_ebpf_maps", key, value, 4096, &o);
	char path[128];

	assert_true(fd >= 0);
	snprintf(path, sizeof(path), DIR_OF_MAPS "/%s", name);
	unlink(path);
	assert_int_equal(bpf_obj_pin(fd, path), 0);
	return fd;
}

static void away(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), DIR_OF_MAPS "/%s", name);
	assert_int_equal(unlink(path), 0);
}

/* What one entry is about. */
struct entry {
	uint32_t peer;
	bool egress, deny;
	uint8_t proto, bits;		/* of protocol and port */
	uint16_t port, proxy;
	uint64_t packets;
};

static void put(int fd, const struct entry *x, uint32_t key_size, uint32_t value_size)
{
	uint8_t key[12] = { 0 }, value[24] = { 0 };
	uint32_t bits = 40 + x->bits;
	uint64_t bytes = x->packets * 100;

	if (key_size == 8) {
		memcpy(key, &x->peer, 4);
		put_be16(key + 4, x->port);
		key[6] = x->proto;
		key[7] = x->egress;
	} else {
		memcpy(key, &bits, 4);
		memcpy(key + 4, &x->peer, 4);
		key[8] = x->egress;
		key[9] = x->proto;
		put_be16(key + 10, x->port);
	}
	put_be16(value, x->proxy);
	value[2] = x->deny;
	if (value_size == 24) {
		memcpy(value + 8, &x->packets, 8);
		memcpy(value + 16, &bytes, 8);
	}
	assert_int_equal(bpf_map_update_elem(fd, key, value, BPF_ANY), 0);
}

static const struct entry entries[] = {
	{ .peer = 5678, .proto = 6, .bits = 24, .port = 443, .packets = 3 },
	{ .peer = 1, .packets = 5 },
	{ .peer = 0, .proto = 17, .bits = 24, .port = 53, .egress = true, .proxy = 10001, .packets = 7 },
	{ .peer = 16777217, .egress = true, .deny = true, .packets = 9 },
};

static void check_rule(const struct ebpf_rule *r, const struct entry *x, bool counted)
{
	assert_int_equal(r->peer, x->peer);
	assert_int_equal(r->ingress, !x->egress);
	assert_int_equal(r->proto, x->proto);
	assert_int_equal(r->port, x->port);
	assert_int_equal(r->port_bits, x->port ? 16 : 0);
	assert_int_equal(r->to_port, x->proxy);
	assert_int_equal(r->verdict, x->deny ? NF_DROPS : x->proxy ? NF_REDIRECTS : NF_ACCEPTS);
	assert_int_equal(r->meaning, MEANS_POLICY);
	assert_int_equal(r->counted, counted);
	assert_int_equal(r->packets, counted ? x->packets : 0);
	assert_int_equal(r->bytes, counted ? x->packets * 100 : 0);
}

static void policies_of_all_versions(void **state)
{
	static const struct {
		const char *name;
		enum bpf_map_type type;
		uint32_t key, value;
	} forms[] = {
		{ "cilium_policy_01234", BPF_MAP_TYPE_HASH, 8, 24 },
		{ "cilium_policy_01234", BPF_MAP_TYPE_LPM_TRIE, 12, 24 },
		{ "cilium_policy_v2_01234", BPF_MAP_TYPE_LPM_TRIE, 12, 8 },
		{ "cilium_policy_v2_01234", BPF_MAP_TYPE_LPM_TRIE, 12, 12 },
		{ "cilium_policy_v3_01234", BPF_MAP_TYPE_LPM_TRIE, 12, 12 },
	};
	static const unsigned int sorted[] = { 1, 0, 2, 3 };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		owned_fd int fd = make(forms[i].name, forms[i].type, forms[i].key, forms[i].value);

		for (size_t k = 0; k < 4; k++)
			put(fd, &entries[k], forms[i].key, forms[i].value);
		assert_int_equal(read_all(), 0);
		assert_int_equal(e.n_maps, 1);
		assert_int_equal(e.n_rules, 4);
		assert_int_equal(e.broken, 0);
		assert_true(e.maps[0].known);
		assert_int_equal(e.maps[0].endpoint, 1234);
		for (size_t k = 0; k < 4; k++)
			check_rule(&e.rules[k], &entries[sorted[k]], forms[i].value == 24);
		away(forms[i].name);
	}
}

/* Each CPU counts for itself. */
static void counts_of_all_cpus_are_one(void **state)
{
	int cpus = libbpf_num_possible_cpus();
	owned_fd int fd = make("cilium_policy_v2_00007", BPF_MAP_TYPE_LPM_TRIE, 12, 8);
	owned_fd int stats = make("cilium_policystats", BPF_MAP_TYPE_LRU_PERCPU_HASH, 12, 16);
	owned_mem uint64_t *values = calloc((size_t)cpus, 16);
	uint8_t key[12] = { 7, 0, 0, 24, 0, 0, 0, 0, 0, 6, 443 >> 8, 443 & 255 };

	assert_non_null(values);
	put(fd, &entries[0], 12, 8);
	put(fd, &entries[1], 12, 8);
	memcpy(key + 4, &entries[0].peer, 4);
	for (int i = 0; i < cpus; i++) {
		values[2 * i] = (uint64_t)i + 1;
		values[2 * i + 1] = 1000;
	}
	assert_int_equal(bpf_map_update_elem(stats, key, values, BPF_ANY), 0);
	assert_int_equal(read_all(), 0);
	assert_int_equal(e.n_rules, 2);
	assert_false(e.rules[0].counted);
	assert_true(e.rules[1].counted);
	assert_int_equal(e.rules[1].packets, (uint64_t)cpus * (uint64_t)(cpus + 1) / 2);
	assert_int_equal(e.rules[1].bytes, cpus * 1000);
	away("cilium_policy_v2_00007");
	away("cilium_policystats");
}

static void what_is_of_another_form_is_named(void **state)
{
	owned_fd int fd = make("cilium_policy_v2_00042", BPF_MAP_TYPE_LPM_TRIE, 12, 40);
	owned_fd int hash = make("cilium_lxc", BPF_MAP_TYPE_HASH, 20, 56);
	owned_fd int other = make("cilium_calls_00042", BPF_MAP_TYPE_HASH, 4, 4);

	assert_int_equal(read_all(), 0);
	assert_int_equal(handed, 2);
	assert_int_equal(e.n_maps, 2);
	for (uint32_t i = 0; i < e.n_maps; i++)
		assert_false(e.maps[i].known);
	away("cilium_policy_v2_00042");
	away("cilium_lxc");
	away("cilium_calls_00042");
}

static void nothing_is_no_failure(void **state)
{
	assert_int_equal(read_all(), 0);
	assert_int_equal(handed, 0);
	assert_int_equal(ebpf_read("/sys/fs/bpf/tc/elsewhere", parse, &e), 0);
	assert_int_equal(ebpf_read("/tmp", parse, &e), 0);
	assert_int_equal(handed, 0);
}

/* Entries that stay are all there, and once, while others come and go. */
static void a_map_that_changes(void **state)
{
	enum { STAY = 500, ROUNDS = 200 };
	owned_fd int fd = make("cilium_policy_00009", BPF_MAP_TYPE_HASH, 8, 24);
	unsigned int whole = 0;
	pid_t child;

	for (uint32_t i = 0; i < STAY; i++)
		put(fd, &(struct entry){ .peer = 1000 + i, .packets = i }, 8, 24);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (uint32_t i = 0;; i = (i + 1) % 300) {
			uint32_t key[2] = { 100000 + i, 0 };
			uint8_t value[24] = { 0 };

			bpf_map_update_elem(fd, key, value, BPF_ANY);
			key[0] = 100000 + (i + 150) % 300;
			bpf_map_delete_elem(fd, key);
		}
	}
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t stayed = 0;
		int rc = read_all();

		assert_true(!rc || rc == -EAGAIN);
		if (rc)
			continue;
		whole++;
		for (uint32_t k = 0; k < e.n_rules; k++)
			stayed += e.rules[k].peer < 100000;
		assert_int_equal(stayed, STAY);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	printf("# %u of %d whole\n", whole, ROUNDS);
	assert_true(whole > 0);
	away("cilium_policy_00009");
}

static void nobody_else_may_read(void **state)
{
	owned_fd int fd = make("cilium_lxc", BPF_MAP_TYPE_HASH, 20, 48);
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		_exit(read_all() == -EACCES && !e.n_maps ? 0 : 2);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	away("cilium_lxc");
}

/* A file system of its own, which ends with the process. */
static int world(void **state)
{
	if (geteuid()) {
		puts("SKIP: needs root");
		exit(77);
	}
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0755") || mkdir("/sys/fs/bpf/tc", 0755) ||
	    mkdir(DIR_OF_MAPS, 0755)) {
		puts("SKIP: no file system of BPF can be mounted");
		exit(77);
	}
	return 0;
}

static int done(void **state)
{
	ebpf_free(&e);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_no_failure),
		cmocka_unit_test(policies_of_all_versions),
		cmocka_unit_test(counts_of_all_cpus_are_one),
		cmocka_unit_test(what_is_of_another_form_is_named),
		cmocka_unit_test(a_map_that_changes),
		cmocka_unit_test(nobody_else_may_read),
	};

	return cmocka_run_group_tests(tests, world, done);
}
