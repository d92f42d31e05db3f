// SPDX-License-Identifier: GPL-2.0-or-later
/* Features of bpf(2): maps, programs and links that exist until their descriptor is closed. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "kern/features_parts.h"
#include "util/cleanup.h"

#define INSN(code_, dst, src, off_, imm_) \
	((struct bpf_insn){ .code = (code_), .dst_reg = (dst), .src_reg = (src), .off = (off_), .imm = (imm_) })
#define MOV(reg, imm_) INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, imm_)
#define LEAVE	       INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

static const char name[] = "np_feature";

/* Of no interface: the kernel looks for it once it knows the kind of link. */
enum { NO_IFINDEX = 0x7ffffff0, LOG_SIZE = 4096 };

/* Every kind may return 0.  What is attached anywhere returns what lets packets pass. */
static int load(unsigned int type, unsigned int attach, int result)
{
	const struct bpf_insn insns[] = { MOV(BPF_REG_0, result), LEAVE };
	LIBBPF_OPTS(bpf_prog_load_opts, o, .expected_attach_type = (enum bpf_attach_type)attach);

	return bpf_prog_load((enum bpf_prog_type)type, name, "GPL", insns, 2, &o);
}

static int make(unsigned int type, unsigned int flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = flags);
	bool ring = type == BPF_MAP_TYPE_RINGBUF;
	uint32_t key = ring ? 0 : type == BPF_MAP_TYPE_LPM_TRIE ? 8 : 4;

	return bpf_map_create((enum bpf_map_type)type, name, key, ring ? 0 : 4,
			      ring ? (uint32_t)sysconf(_SC_PAGESIZE) : 1, &o);
}

/* What EINVAL means of a type that the kernel may not have. */
static int typed(int err, const char *what, struct said *said)
{
	if (err == -EINVAL)
		snprintf(said->why, sizeof(said->why), "no such type of %s: %s", what, strerror(-err));
	return err;
}

/* The call itself: whatever it answers, but that there is no such call. */
int try_bpf(const struct attempt *a, struct said *said)
{
	owned_fd int fd = make(BPF_MAP_TYPE_ARRAY, 0);

	said->sure = fd == -ENOSYS;
	return fd == -ENOSYS || fd == -EPERM ? fd : 0;
}

int try_map(const struct attempt *a, struct said *said)
{
	owned_fd int fd = make(a->type, a->of);

	return typed(fd, "map", said);
}

int try_program(const struct attempt *a, struct said *said)
{
	owned_fd int fd = load(a->type, a->of, 0);

	return typed(fd, "program", said);
}

int features_hide(const char *path, int err, struct said *said)
{
	snprintf(said->why, sizeof(said->why), "%s: %s", path, strerror(-err));
	said->hidden = true;
	return err;
}

bool features_sees(const char *dir, struct said *said)
{
	return !access(dir, X_OK) || !features_hide(dir, -errno, said);
}

int features_btf(struct btf **btf, struct said *said)
{
	int err = access(FEATURES_BTF, R_OK) ? -errno : 0;

	if (err == -ENOENT && !features_sees("/sys/kernel", said))
		return err;
	if (err == -ENOENT) {
		snprintf(said->why, sizeof(said->why), "no BTF: " FEATURES_BTF);
		said->sure = true;
		return err;
	}
	*btf = err ? NULL : btf__parse(FEATURES_BTF, NULL);
	if (*btf)
		return 0;
	return features_hide(FEATURES_BTF, err ? err : -errno, said);
}

/* What of the kernel's own types it is about: a tracepoint, or an iterator over the files of processes. */
int try_tracing(const struct attempt *a, struct said *said)
{
	const struct bpf_insn insns[] = { MOV(BPF_REG_0, 0), LEAVE };
	LIBBPF_OPTS(bpf_prog_load_opts, o, .expected_attach_type = (enum bpf_attach_type)a->type);
	bool iter = a->type == BPF_TRACE_ITER;
	owned_fd int fd = -1;
	struct btf *btf = NULL;
	int id = features_btf(&btf, said);

	if (id)
		return id;
	id = btf__find_by_name_kind(btf, iter ? "bpf_iter_task_file" : "btf_trace_kfree_skb",
				    iter ? BTF_KIND_FUNC : BTF_KIND_TYPEDEF);
	btf__free(btf);
	if (id < 0) {
		snprintf(said->why, sizeof(said->why), "the kernel's BTF has no %s",
			 iter ? "bpf_iter_task_file" : "btf_trace_kfree_skb");
		said->sure = true;
		return -ENOENT;
	}
	o.attach_btf_id = (uint32_t)id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, name, "GPL", insns, 2, &o);
	return typed(fd, "program", said);
}

int try_link(const struct attempt *a, struct said *said)
{
	owned_fd int prog = load(a->type, 0, 0), link = -1;

	if (prog < 0)
		return prog;
	link = bpf_link_create(prog, NO_IFINDEX, (enum bpf_attach_type)a->of, NULL);
	return link == -ENODEV ? 0 : typed(link, "link", said);
}

/* At the loopback of a network namespace of its own: of an interface that is not there the kernel says no more. */
int try_xdp_link(const struct attempt *a, struct said *said)
{
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = XDP_FLAGS_SKB_MODE);
	owned_fd int prog = load(BPF_PROG_TYPE_XDP, 0, XDP_PASS), link = -1;

	if (prog < 0)
		return prog;
	link = bpf_link_create(prog, (int)if_nametoindex("lo"), BPF_XDP, &o);
	return typed(link, "link", said);
}

int try_replace(const struct attempt *a, struct said *said)
{
	owned_fd int old = load(BPF_PROG_TYPE_XDP, 0, XDP_PASS), new = load(BPF_PROG_TYPE_XDP, 0, XDP_PASS), link = -1;
	LIBBPF_OPTS(bpf_link_create_opts, o, .flags = XDP_FLAGS_SKB_MODE);
	LIBBPF_OPTS(bpf_link_update_opts, u, .flags = BPF_F_REPLACE, .old_prog_fd = (uint32_t)old);

	if (old < 0 || new < 0)
		return old < 0 ? old : new;
	link = bpf_link_create(old, (int)if_nametoindex("lo"), BPF_XDP, &o);
	if (link < 0)
		return link;
	return bpf_link_update(link, new, &u) ? -errno : 0;
}

int try_ids(const struct attempt *a, struct said *said)
{
	uint32_t id = 0;

	return bpf_link_get_next_id(0, &id) && errno != ENOENT ? -errno : 0;
}

/* A value with a lock in it, which the kernel finds by the value's type. */
int try_lock(const struct attempt *a, struct said *said)
{
	struct btf *btf = btf__new_empty();
	int number = btf ? btf__add_int(btf, "int", 4, BTF_INT_SIGNED) : -ENOMEM, lock, value;
	LIBBPF_OPTS(bpf_map_create_opts, o, .btf_key_type_id = (uint32_t)number);
	owned_fd int fd = -1;

	if (number < 0)
		return -ENOMEM;
	lock = btf__add_struct(btf, "bpf_spin_lock", 4);
	btf__add_field(btf, "val", number, 0, 0);
	value = btf__add_struct(btf, "value", 8);
	btf__add_field(btf, "n", number, 0, 0);
	btf__add_field(btf, "lock", lock, 32, 0);
	if (btf__load_into_kernel(btf)) {
		btf__free(btf);
		return -errno;
	}
	o.btf_fd = (uint32_t)btf__fd(btf);
	o.btf_value_type_id = (uint32_t)value;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, 4, 8, 1, &o);
	btf__free(btf);
	return fd;
}

/*
 * Called without arguments: a verifier that knows the helper complains of these, or has nothing to complain of.  One
 * that does not says "invalid func", or that this type of program "cannot use helper" (before 6.8 "unknown func").
 */
int try_helper(const struct attempt *a, struct said *said)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, (int32_t)a->of), MOV(BPF_REG_0, 0), LEAVE,
	};
	char log[LOG_SIZE] = "";
	LIBBPF_OPTS(bpf_prog_load_opts, o, .log_buf = log, .log_size = sizeof(log), .log_level = 1);
	owned_fd int fd = bpf_prog_load((enum bpf_prog_type)a->type, name, "GPL", insns, 3, &o);

	if (fd >= 0 || !*log)
		return fd;
	if (!strstr(log, "invalid func ") && !strstr(log, "unknown func ") && !strstr(log, "cannot use helper "))
		return 0;
	snprintf(said->why, sizeof(said->why), "the verifier knows no such helper");
	return fd;
}

int try_atomic(const struct attempt *a, struct said *said)
{
	const struct bpf_insn insns[] = {
		INSN(BPF_ST | BPF_MEM | BPF_DW, BPF_REG_10, 0, -8, 0), MOV(BPF_REG_1, 1),
		INSN(BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_10, BPF_REG_1, -8, BPF_ADD | BPF_FETCH),
		MOV(BPF_REG_0, 0), LEAVE,
	};
	owned_fd int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, name, "GPL", insns, 5, NULL);

	return fd;
}

/* Without CAP_PERFMON the verifier also follows what a CPU may speculate, and that never leaves so bare a loop. */
int try_loop(const struct attempt *a, struct said *said)
{
	const struct bpf_insn insns[] = {
		MOV(BPF_REG_1, 0), INSN(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_1, 0, 0, 1),
		INSN(BPF_JMP | BPF_JLT | BPF_K, BPF_REG_1, 0, -2, 8), MOV(BPF_REG_0, 0), LEAVE,
	};
	owned_fd int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, name, "GPL", insns, 5, NULL);

	return fd;
}

int try_run(const struct attempt *a, struct said *said)
{
	owned_fd int fd = load(a->type, 0, 0);
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1);

	if (fd < 0)
		return fd;
	return bpf_prog_test_run_opts(fd, &o) ? -errno : 0;
}

/* A size of batch is what kernels without it refuse: they do not all look at the flag.  The frame is dropped. */
int try_live(const struct attempt *a, struct said *said)
{
	owned_fd int fd = load(BPF_PROG_TYPE_XDP, 0, XDP_DROP);
	uint8_t frame[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = 1);

	if (fd < 0)
		return fd;
	return bpf_prog_test_run_opts(fd, &o) ? -errno : 0;
}

int try_batch(const struct attempt *a, struct said *said)
{
	owned_fd int fd = make(BPF_MAP_TYPE_HASH, 0);
	uint32_t key = 1, value = 1, n = 1;

	if (fd < 0)
		return fd;
	return bpf_map_update_batch(fd, &key, &value, &n, NULL) ? -errno : 0;
}

int try_bind(const struct attempt *a, struct said *said)
{
	owned_fd int prog = load(BPF_PROG_TYPE_SOCKET_FILTER, 0, 0), map = make(BPF_MAP_TYPE_ARRAY, 0);

	if (prog < 0 || map < 0)
		return prog < 0 ? prog : map;
	return bpf_prog_bind_map(prog, map, NULL) ? -errno : 0;
}

/* By what became of a program: net.core.bpf_jit_enable is shown in the first network namespace alone. */
int try_jit(const struct attempt *a, struct said *said)
{
	owned_fd int fd = load(BPF_PROG_TYPE_SOCKET_FILTER, 0, 0);
	struct bpf_prog_info info = { 0 };
	uint32_t n = sizeof(info);

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &n))
		return -errno;
	if (info.jited_prog_len)
		return 0;
	snprintf(said->why, sizeof(said->why), "programs are interpreted: sysctl net.core.bpf_jit_enable");
	return -ENOENT;
}

/* At the loopback of a network namespace of its own. */
static int make_clsact(struct bpf_tc_hook *hook, struct said *said)
{
	int err;

	*hook = (struct bpf_tc_hook){ .sz = sizeof(*hook), .ifindex = (int)if_nametoindex("lo"),
				      .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS };
	err = bpf_tc_hook_create(hook);
	if (err == -ENOENT)
		snprintf(said->why, sizeof(said->why), "no clsact: the module sch_ingress");
	return err;
}

int try_clsact(const struct attempt *a, struct said *said)
{
	struct bpf_tc_hook hook;

	return make_clsact(&hook, said);
}

int try_cls_bpf(const struct attempt *a, struct said *said)
{
	owned_fd int prog = load(BPF_PROG_TYPE_SCHED_CLS, 0, 0);
	LIBBPF_OPTS(bpf_tc_opts, o, .prog_fd = prog, .handle = 1, .priority = 1);
	struct bpf_tc_hook hook;
	int err;

	if (prog < 0)
		return prog;
	err = make_clsact(&hook, said);
	if (err)
		return err;
	hook.attach_point = BPF_TC_INGRESS;
	err = bpf_tc_attach(&hook, &o);
	if (err == -ENOENT)
		snprintf(said->why, sizeof(said->why), "no classifier of this kind: the module cls_bpf");
	return err;
}
