// SPDX-License-Identifier: GPL-2.0-or-later
/* Pinned state: whose it is, what may be done to it, and that nothing of others' is.  Needs root. */
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "kern/hook.h"
#include "kern/link.h"
#include "pin/pin.h"
#include "rig.h"

enum { INSNS = 2 };

static struct pin_place place;

/* A program that lets everything pass. */
static int program(const char *name, enum bpf_prog_type type, int verdict)
{
	const struct bpf_insn insns[INSNS] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(type, name, "GPL", insns, INSNS, NULL);

	assert_true(fd >= 0);
	return fd;
}

static int tc_program(const char *name)
{
	return program(name, BPF_PROG_TYPE_SCHED_CLS, -1);
}

static int a_map(const char *name)
{
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, 8, 1, NULL);

	assert_true(fd >= 0);
	return fd;
}

static void run(const char *command)
{
	if (system(command))
		fail_msg("%s", command);
}

/* Whole: meta, a map, a program at both hooks of tc. */
static void make_state(const char *service)
{
	uint8_t tag[8] = { 1, 2, 3 };
	struct pin_got got;
	struct pin p;
	int prog = tc_program("np_test"), map = a_map("np_test");

	assert_int_equal(pin_open(&p, &place, service, true), 0);
	assert_int_equal(pin_begin(&p, tag), 0);
	assert_int_equal(pin_put(&p, "counts", map), 0);
	for (int h = PIN_INGRESS; h <= PIN_EGRESS; h++) {
		struct pin_want w = { .hook = (enum pin_hook)h, .prog = prog, .handle = 1 };

		assert_int_equal(pin_attach(&p, &w, &got), 0);
		assert_int_equal(pin_attached(&p.at, w.hook, &got), 1);
	}
	pin_close(&p);
	close(prog);
	close(map);
}

static void remove_state(const char *service)
{
	struct pin p;

	assert_int_equal(pin_open(&p, &place, service, false), 0);
	assert_int_equal(pin_remove(&p), 0);
	pin_close(&p);
}

static enum pin_state state_of(const char *service)
{
	struct pin_view v;

	assert_int_equal(pin_look(&place, service, &v), 0);
	return v.state;
}

static const char *path_of(const char *service)
{
	static struct pin_view v;

	pin_look(&place, service, &v);
	return v.path;
}

static void nothing_at_all(void)
{
	assert_int_equal(access(PIN_ROOT, F_OK), -1);
	assert_int_equal(clsact_kept(place.ifindex, false, 1), 0);
}

static void state_comes_and_goes(void **state)
{
	struct stat st;
	struct pin_view v;

	umask(0);
	make_state("one");
	assert_int_equal(pin_look(&place, "one", &v), 0);
	assert_int_equal(v.state, PIN_OURS);
	assert_string_equal(v.meta.ifname, "pinned0");
	assert_string_equal(v.meta.version, NETPROBE_VERSION);
	assert_int_equal(v.meta.prog_tag[2], 3);
	assert_int_equal(stat(v.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	strncat(v.path, "/counts", sizeof(v.path) - strlen(v.path) - 1);
	assert_int_equal(stat(v.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	umask(022);
	remove_state("one");
	nothing_at_all();
}

static void services_do_not_meet(void **state)
{
	make_state("one");
	assert_int_equal(state_of("two"), PIN_ABSENT);
	umask(077);
	{
		struct pin p;
		uint8_t tag[8] = { 0 };

		assert_int_equal(pin_open(&p, &place, "two", true), 0);
		assert_int_equal(pin_begin(&p, tag), 0);
		pin_close(&p);
	}
	umask(022);
	assert_int_equal(state_of("two"), PIN_BARE);
	remove_state("one");
	assert_int_equal(state_of("two"), PIN_BARE);
	remove_state("two");
	nothing_at_all();
}

static void a_program_is_replaced_in_its_place(void **state)
{
	struct pin_got before, after;
	int prog = tc_program("np_newer");
	struct pin_want w = { .hook = PIN_INGRESS, .prog = prog, .handle = 1 };
	struct pin p;

	make_state("one");
	assert_int_equal(pin_open(&p, &place, "one", true), 0);
	assert_int_equal(pin_attached(&p.at, PIN_INGRESS, &before), 1);
	assert_int_equal(pin_attach(&p, &w, &after), 0);
	assert_true(after.replaced);
	assert_int_equal(after.link_id, before.link_id);
	assert_int_equal(pin_attached(&p.at, PIN_INGRESS, &after), 1);
	assert_int_not_equal(after.prog_id, before.prog_id);
	pin_close(&p);
	close(prog);
	remove_state("one");
	nothing_at_all();
}

/* Before Linux 6.6, and wherever a filter is asked for. */
static void a_filter_is_known_by_its_program(void **state)
{
	int prog = tc_program("np_test"), other = tc_program("np_other");

	assert_int_equal(clsact_keep(place.ifindex, false, 2, prog), 0);
	assert_true(clsact_kept(place.ifindex, false, 2) > 0);
	assert_int_equal(clsact_kept(place.ifindex, true, 2), 0);
	assert_int_equal(clsact_keep(place.ifindex, false, 2, other), 0);
	clsact_unkeep(place.ifindex, false, 2);
	assert_int_equal(clsact_kept(place.ifindex, false, 2), 0);
	run("! tc qdisc show dev pinned0 | grep -q clsact");
	close(prog);
	close(other);
}

/* A state whose hook is a filter, as before Linux 6.6. */
static void make_filter_state(struct pin *p, int prog)
{
	uint8_t tag[8] = { 0 };

	assert_int_equal(pin_open(p, &place, "one", true), 0);
	assert_int_equal(pin_begin(p, tag), 0);
	assert_int_equal(pin_put(p, "prog_ingress", prog), 0);
	assert_int_equal(clsact_keep(place.ifindex, false, 2, prog), 0);
}

/* Killed while one program takes the place of another: whichever the filter runs, it is known and goes. */
static void a_filter_is_known_while_it_is_replaced(void **state)
{
	for (int is_new = 0; is_new < 2; is_new++) {
		int prog = tc_program("np_test"), next = tc_program("np_next");
		struct pin_got got;
		struct pin p;

		make_filter_state(&p, prog);
		assert_int_equal(pin_put(&p, "next_ingress", next), 0);
		if (is_new)
			assert_int_equal(clsact_keep(place.ifindex, false, 2, next), 0);
		assert_int_equal(pin_attached(&p.at, PIN_INGRESS, &got), 1);
		assert_int_equal(got.prog_id, clsact_kept(place.ifindex, false, 2));
		assert_int_equal(pin_remove(&p), 0);
		pin_close(&p);
		assert_int_equal(clsact_kept(place.ifindex, false, 2), 0);
		nothing_at_all();
		close(prog);
		close(next);
	}
}

static void a_filter_is_not_judged_from_elsewhere(void **state)
{
	int prog = tc_program("np_test"), status;
	struct pin_got got;
	struct pin p;
	pid_t pid;

	make_filter_state(&p, prog);
	pid = fork();
	if (!pid) {
		int bad = unshare(CLONE_NEWNET);

		bad |= pin_attached(&p.at, PIN_INGRESS, &got) != -EXDEV || !got.prog_id;
		bad |= pin_attached(&p.at, PIN_EGRESS, &got) != 0;
		bad |= pin_remove(&p) != -EXDEV;
		_exit(bad != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(pin_attached(&p.at, PIN_INGRESS, &got), 1);
	assert_int_equal(pin_remove(&p), 0);
	pin_close(&p);
	nothing_at_all();
	close(prog);
}

/* Of the names that ours have. */
static void others_objects_are_not_replaced(void **state)
{
	static const char *const names[] = { "counts", "link_ingress" };
	char path[PIN_PATH + 32];
	int map = a_map("theirs"), ours = a_map("np_test"), prog = tc_program("np_newer");
	struct pin_want w = { .hook = PIN_INGRESS, .prog = prog, .handle = 1 };
	struct pin_got got;
	struct pin p;

	make_state("one");
	assert_int_equal(pin_open(&p, &place, "one", false), 0);
	assert_int_equal(pin_detach(&p, PIN_INGRESS), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", p.at.path, names[i]);
		unlink(path);
		assert_int_equal(bpf_obj_pin(map, path), 0);
	}
	assert_int_equal(pin_put(&p, "counts", ours), -ESTALE);
	assert_int_equal(pin_attach(&p, &w, &got), -ESTALE);
	assert_int_equal(pin_detach(&p, PIN_INGRESS), -ESTALE);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", p.at.path, names[i]);
		assert_int_equal(unlink(path), 0);
	}
	pin_close(&p);
	close(map);
	close(ours);
	close(prog);
	remove_state("one");
	nothing_at_all();
}

/* For who has another way: the reason is told, and nothing is attached. */
static void what_is_in_the_way_is_noted(void **state)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = XDP_FLAGS_SKB_MODE);
	int theirs = program("others", BPF_PROG_TYPE_XDP, XDP_PASS);
	int prog = program("np_xdp", BPF_PROG_TYPE_XDP, XDP_PASS);
	struct pin_want w = { .hook = PIN_XDP, .prog = prog, .mode = PIN_NATIVE, .quiet = true };
	struct pin_place lo;
	struct pin_got got;
	struct pin p;
	int link;

	assert_int_equal(pin_place(&lo, "lo"), 0);
	assert_int_equal(pin_open(&p, &lo, "one", true), 0);
	assert_int_equal(pin_attach(&p, &w, &got), -EOPNOTSUPP);
	assert_string_equal(got.note, "the driver has no XDP of its own");
	assert_null(got.kind);
	pin_close(&p);
	link = bpf_link_create(theirs, (int)place.ifindex, BPF_XDP, &o);
	assert_true(link >= 0);
	assert_int_equal(pin_open(&p, &place, "one", true), 0);
	assert_int_equal(pin_attach(&p, &w, &got), -EBUSY);
	assert_non_null(strstr(got.note, "(others) is there and not ours"));
	pin_close(&p);
	close(link);
	close(prog);
	close(theirs);
	nothing_at_all();
}

static void an_object_of_others_stops_the_removal(void **state)
{
	char path[PIN_PATH + 16];
	int map = a_map("theirs");
	struct pin p;

	make_state("one");
	snprintf(path, sizeof(path), "%s/theirs", path_of("one"));
	assert_int_equal(bpf_obj_pin(map, path), 0);
	assert_int_equal(pin_open(&p, &place, "one", false), 0);
	assert_int_equal(pin_remove(&p), -ESTALE);
	pin_close(&p);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(state_of("one"), PIN_OURS);
	assert_int_equal(unlink(path), 0);
	close(map);
	remove_state("one");
	nothing_at_all();
}

/* In place of a state, of its interface, of the root. */
static void others_directories_are_left_alone(void **state)
{
	static const char *const spoil[] = {
		"ln -s /tmp $S",
		"mkdir $S && chown 1:1 $S",
		"mkdir -m 755 $S",
		"mkdir -m 700 $S && bpftool map create $S/x type array key 4 value 4 entries 1 name x",
	};
	char command[512], parent[PIN_PATH];
	struct pin p;

	for (unsigned int i = 0; i < 4; i++) {
		snprintf(parent, sizeof(parent), "%s", path_of("one"));
		*strrchr(parent, '/') = '\0';
		snprintf(command, sizeof(command), "umask 077; mkdir -p %s", parent);
		run(command);
		setenv("S", path_of("one"), 1);
		run(spoil[i]);
		assert_int_equal(state_of("one"), PIN_FOREIGN);
		assert_int_equal(pin_open(&p, &place, "one", true), -ESTALE);
		run("rm -r $S");
	}
	run("rm -r " PIN_ROOT " && ln -s /tmp " PIN_ROOT);
	assert_int_equal(pin_open(&p, &place, "one", true), -ESTALE);
	run("rm " PIN_ROOT);
	nothing_at_all();
}

static int count(void *ctx, const struct pin_view *v)
{
	((unsigned int *)ctx)[v->state]++;
	return 0;
}

static void what_is_newer_is_shown_and_not_touched(void **state)
{
	unsigned int seen[PIN_FOREIGN + 1] = { 0 };
	uint8_t tag[8] = { 0 };
	struct pin p;

	pin_abi = NP_ABI + 1;
	make_state("one");
	pin_abi = NP_ABI;
	assert_int_equal(state_of("one"), PIN_ABSENT);
	pin_each(count, seen);
	assert_int_equal(seen[PIN_NEWER], 1);
	assert_int_equal(pin_open(&p, &place, "one", true), -ESTALE);
	/* Another service is another matter. */
	assert_int_equal(pin_open(&p, &place, "two", true), 0);
	assert_int_equal(pin_begin(&p, tag), 0);
	pin_close(&p);
	remove_state("two");
	pin_abi = NP_ABI + 1;
	assert_int_equal(state_of("one"), PIN_OURS);
	remove_state("one");
	pin_abi = NP_ABI;
	nothing_at_all();
}

static int open_it(void *ctx, const struct pin_view *v)
{
	struct pin *p = ctx;

	assert_int_equal(v->state, PIN_OLDER);
	return pin_open_view(p, v) ? 2 : 1;
}

static void what_is_older_can_be_removed(void **state)
{
	struct pin p;

	make_state("one");
	pin_abi = NP_ABI + 1;
	assert_int_equal(pin_each(open_it, &p), 1);
	assert_int_equal(pin_remove(&p), 0);
	pin_close(&p);
	pin_abi = NP_ABI;
	nothing_at_all();
}

static void others_meta_is_not_believed(void **state)
{
	struct np_meta m = { .magic = NP_META_MAGIC, .abi = NP_ABI }, out;

	memset(m.ifname, 'x', sizeof(m.ifname));
	assert_int_equal(pin_meta_judge(&m, sizeof(m), &out), PIN_OURS);
	assert_int_equal(strlen(out.ifname), sizeof(out.ifname) - 1);
	assert_int_equal(pin_meta_judge(&m, sizeof(m) - 1, &out), PIN_FOREIGN);
	m.abi = NP_ABI + 1;
	assert_int_equal(pin_meta_judge(&m, sizeof(m), &out), PIN_NEWER);
	m.abi = 0;
	assert_int_equal(pin_meta_judge(&m, sizeof(m), &out), PIN_FOREIGN);
	m.abi = NP_ABI;
	m.magic++;
	assert_int_equal(pin_meta_judge(&m, sizeof(m), &out), PIN_FOREIGN);
	assert_int_equal(out.magic, 0);
}

static void without_a_bpf_file_system_it_says_so(void **state)
{
	struct pin p;

	/* Also those below the one that enter() mounted. */
	while (!umount2(PIN_BPFFS, MNT_DETACH))
		;
	assert_int_equal(pin_open(&p, &place, "one", true), -ENODEV);
	assert_int_equal(mount("bpf", PIN_BPFFS, "bpf", 0, "mode=0700"), 0);
}

/* Each takes the lock, makes and removes; some are killed. */
static void those_who_are_killed_leave_no_lock(void **state)
{
	pid_t pids[20];

	for (int i = 0; i < 20; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (int n = 0; n < 200; n++) {
			make_state("one");
			remove_state("one");
		}
		_exit(0);
	}
	usleep(400000);
	for (int i = 0; i < 20; i++)
		kill(pids[i], SIGKILL);
	for (int i = 0; i < 20; i++)
		waitpid(pids[i], NULL, 0);
	make_state("one");
	remove_state("one");
	nothing_at_all();
}

static int enter(void **state)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", PIN_BPFFS, "bpf", 0, "mode=0700"))
		return -1;
	run("ip link add pinned0 type veth peer name pinned1 && ip link set pinned0 up");
	/* The messages are not what is tested. */
	return getenv("LOUD") || freopen("/dev/null", "w", stderr) ? pin_place(&place, "pinned0") : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_comes_and_goes),
		cmocka_unit_test(services_do_not_meet),
		cmocka_unit_test(a_program_is_replaced_in_its_place),
		cmocka_unit_test(a_filter_is_known_by_its_program),
		cmocka_unit_test(a_filter_is_known_while_it_is_replaced),
		cmocka_unit_test(a_filter_is_not_judged_from_elsewhere),
		cmocka_unit_test(others_objects_are_not_replaced),
		cmocka_unit_test(what_is_in_the_way_is_noted),
		cmocka_unit_test(an_object_of_others_stops_the_removal),
		cmocka_unit_test(others_directories_are_left_alone),
		cmocka_unit_test(what_is_newer_is_shown_and_not_touched),
		cmocka_unit_test(what_is_older_can_be_removed),
		cmocka_unit_test(others_meta_is_not_believed),
		cmocka_unit_test(without_a_bpf_file_system_it_says_so),
		cmocka_unit_test(those_who_are_killed_leave_no_lock),
	};

	if (geteuid())
		return 77;
	return cmocka_run_group_tests_name("pin", tests, enter, NULL);
}
