// SPDX-License-Identifier: GPL-2.0-or-later
/* How a set of facts passes from who reads a node to who has no privileges: whole, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cmd/policy_feed_parts.h"
#include "util/err.h"

#include <cmocka.h>

enum { HEAD_MAX = 1024, SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static int ends[2];

static int open_pair(void **state)
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int close_pair(void **state)
{
	close(ends[0]);
	if (ends[1] >= 0)
		close(ends[1]);
	return 0;
}

static unsigned int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static const struct feed_set pods = { .kinds = FEED_PODS | FEED_NETWORK, .began_ns = 5, .ended_ns = 7 };

static void add(struct facts *f, enum fact_kind kind, const char *path, const char *bytes)
{
	facts_add(f, &(struct fact){ .kind = kind, .time_ns = 3, .path = path, .path_len = strlen(path), .bytes = bytes,
				     .n = strlen(bytes) });
}

static void some_facts(struct facts *f)
{
	*f = (struct facts){ .boot_ns = 11, .now_ns = 13 };
	add(f, FACT_CNI_RESULT, "var/lib/cni/results/a", "{}");
	add(f, FACT_LOG, "var/log/pods/b", "");
	f->there[FACT_CNI_RESULT] = true;
	f->left_out[FACT_HOSTS] = 2;
	f->err[FACT_HOSTS] = -EACCES;
}

/* A message as it stands, and the file that came with it: to be changed. */
struct message {
	uint8_t head[HEAD_MAX];
	size_t n;
	char bytes[HEAD_MAX];
	size_t n_bytes;
};

static void intercept(struct message *m)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec v = { .iov_base = m->head, .iov_len = sizeof(m->head) };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof(control.room) };
	struct facts f;
	ssize_t n;
	int fd;

	some_facts(&f);
	assert_int_equal(feed_send(ends[1], &f, &pods), 0);
	facts_free(&f);
	n = recvmsg(ends[0], &h, 0);
	assert_true(n > 0);
	m->n = (size_t)n;
	memcpy(&fd, CMSG_DATA(&control.align), sizeof(fd));
	n = pread(fd, m->bytes, sizeof(m->bytes), 0);
	assert_true(n > 0);
	m->n_bytes = (size_t)n;
	close(fd);
}

static int file_of(const char *bytes, size_t n, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void pass(const struct message *m, const int *fds, unsigned int n_fds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control = { .room = { 0 } };
	struct iovec v = { .iov_base = (void *)m->head, .iov_len = m->n };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1 };

	if (n_fds) {
		h.msg_control = control.room;
		h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.align), fds, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(ends[1], &h, 0), m->n);
}

static int take_it(uint32_t kinds)
{
	struct facts out = { 0 };
	struct feed_set set;
	int rc = feed_take(ends[0], kinds, &out, &set);

	facts_free(&out);
	return rc;
}

/* What becomes of it with this file. */
static int result_with(const struct message *m, int fd)
{
	unsigned int before = open_fds();
	int rc;

	pass(m, &fd, 1);
	rc = take_it(FEED_ALL);
	assert_int_equal(open_fds(), before);
	close(fd);
	return rc;
}

static int result_of(const struct message *m)
{
	return result_with(m, file_of(m->bytes, m->n_bytes, SEALS));
}

static void what_is_sent_arrives(void **state)
{
	struct facts f, out;
	struct feed_set set;
	struct fact one;
	size_t at = 0;

	some_facts(&f);
	assert_int_equal(feed_send(ends[1], &f, &pods), 0);
	assert_int_equal(feed_take(ends[0], FEED_ALL, &out, &set), 1);
	assert_int_equal(set.kinds, pods.kinds);
	assert_int_equal(set.began_ns, 5);
	assert_int_equal(set.ended_ns, 7);
	assert_int_equal(out.boot_ns, 11);
	assert_int_equal(out.now_ns, 13);
	assert_memory_equal(out.n, f.n, sizeof(f.n));
	assert_memory_equal(out.left_out, f.left_out, sizeof(f.left_out));
	assert_memory_equal(out.there, f.there, sizeof(f.there));
	assert_memory_equal(out.err, f.err, sizeof(f.err));
	assert_int_equal(out.data.n, f.data.n);
	assert_true(facts_next(&out, &at, &one));
	assert_int_equal(one.kind, FACT_CNI_RESULT);
	assert_memory_equal(one.bytes, "{}", 2);
	facts_free(&out);
	facts_free(&f);
	assert_int_equal(feed_take(ends[0], FEED_ALL, &out, &set), 0);
}

static void nothing_is_a_set_too(void **state)
{
	struct facts f = { 0 }, out;
	struct feed_set set;

	assert_int_equal(feed_send(ends[1], &f, &pods), 0);
	assert_int_equal(feed_take(ends[0], FEED_ALL, &out, &set), 1);
	assert_int_equal(out.data.n, 0);
	facts_free(&out);
}

static void the_end_is_told(void **state)
{
	struct facts f = { 0 };

	assert_int_equal(feed_send(ends[1], &f, &pods), 0);
	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(take_it(FEED_ALL), 1);
	assert_int_equal(take_it(FEED_ALL), -EPIPE);
}

static void nobody_listens(void **state)
{
	struct facts f = { 0 };

	close(ends[1]);
	ends[1] = -1;
	assert_int_equal(feed_send(ends[0], &f, &pods), -EPIPE);
}

/* Both are of a set, or of none. */
static void only_kinds_that_were_asked_for(void **state)
{
	static const uint32_t wrong[] = { 0, FEED_PODS | FEED_RULES, FEED_ALL, UINT32_MAX, 1u << 31 };
	struct facts f = { 0 };
	struct feed_set set = pods;

	assert_int_equal(feed_send(ends[1], &f, &pods), 0);
	assert_int_equal(take_it(FEED_RULES), -EPROTO);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		set.kinds = wrong[i];
		assert_int_equal(feed_send(ends[1], &f, &set), 0);
		assert_int_equal(take_it(FEED_ALL), -EPROTO);
	}
	/* A fact of a kind that the set does not have. */
	add(&f, FACT_NFT, "", "x");
	assert_int_equal(feed_send(ends[1], &f, &pods), 0);
	assert_int_equal(take_it(FEED_ALL), -EPROTO);
	facts_free(&f);
}

static void only_a_whole_message(void **state)
{
	struct message m = { 0 }, x;

	intercept(&m);
	assert_int_equal(result_of(&m), 1);
	for (size_t n = 1; n < m.n; n++) {
		x = m;
		x.n = n;
		assert_int_equal(result_of(&x), -EPROTO);
	}
	x = m;
	x.n = m.n + 1;
	assert_int_equal(result_of(&x), -EPROTO);
}

/* Whatever a byte is changed to: it is told whole, or refused, and no descriptor stays. */
static void any_byte_may_be_wrong(void **state)
{
	struct message m = { 0 }, x;
	unsigned int refused = 0;

	intercept(&m);
	for (size_t i = 0; i < m.n + m.n_bytes; i++) {
		int rc;

		x = m;
		if (i < m.n)
			x.head[i] ^= 0xff;
		else
			x.bytes[i - m.n] ^= (char)0xff;
		rc = result_of(&x);
		assert_true(rc == 1 || rc == -EPROTO);
		refused += rc < 0;
	}
	assert_true(refused > 100);
}

static void only_a_sealed_file(void **state)
{
	static const int seals[] = { 0, F_SEAL_SHRINK | F_SEAL_GROW, F_SEAL_SHRINK | F_SEAL_WRITE, F_SEAL_GROW | F_SEAL_WRITE };
	struct message m = { 0 };
	int ends_of[2];

	intercept(&m);
	for (size_t i = 0; i < sizeof(seals) / sizeof(seals[0]); i++)
		assert_int_equal(result_with(&m, file_of(m.bytes, m.n_bytes, seals[i])), -EPROTO);
	assert_int_equal(result_with(&m, file_of(m.bytes, m.n_bytes - 1, SEALS)), -EPROTO);
	assert_int_equal(result_with(&m, file_of(m.bytes, m.n_bytes + 1, SEALS)), -EPROTO);
	assert_int_equal(result_with(&m, file_of(m.bytes, 0, SEALS)), -EPROTO);
	assert_int_equal(result_with(&m, open("/dev/zero", O_RDONLY | O_CLOEXEC)), -EPROTO);
	assert_int_equal(pipe2(ends_of, O_CLOEXEC), 0);
	assert_int_equal(result_with(&m, ends_of[0]), -EPROTO);
	close(ends_of[1]);
}

static void one_descriptor_and_no_more(void **state)
{
	struct message m = { 0 };
	int fds[4];

	intercept(&m);
	pass(&m, NULL, 0);
	assert_int_equal(take_it(FEED_ALL), -EPROTO);
	for (int i = 0; i < 4; i++)
		fds[i] = file_of(m.bytes, m.n_bytes, SEALS);
	for (unsigned int n = 2; n <= 4; n++) {
		unsigned int before = open_fds();

		pass(&m, fds, n);
		assert_int_equal(take_it(FEED_ALL), -EPROTO);
		assert_int_equal(open_fds(), before);
	}
	for (int i = 0; i < 4; i++)
		close(fds[i]);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		CASE(what_is_sent_arrives),
		CASE(nothing_is_a_set_too),
		CASE(the_end_is_told),
		CASE(nobody_listens),
		CASE(only_kinds_that_were_asked_for),
		CASE(only_a_whole_message),
		CASE(any_byte_may_be_wrong),
		CASE(only_a_sealed_file),
		CASE(one_descriptor_and_no_more),
	};

	err_quiet(1);
	return cmocka_run_group_tests_name("policy_feed", tests, NULL, NULL);
}
