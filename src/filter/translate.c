// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Classic BPF to eBPF, for the program that stands between the entry program
 * and the capture program (bpf/abi.h, struct np_scratch).  Needs nothing newer
 * than Linux 5.10.  What it means is what libpcap's own interpreter does.
 *
 *	r0  A		r6  context
 *	r8  X		r7  the scratch element
 *	r1  where a load ends, or a temporary
 *	r2  a temporary	r9  bytes valid in the scratch
 */
#include "filter/filter.h"

#include <errno.h>
#include <linux/types.h>
#include <linux/bpf.h>

#include "abi.h"
#include "util/cleanup.h"

enum { R_A, R_END, R_TMP, R3, R_CTX = 6, R_SCRATCH, R_X, R_CAP, R_FP };
enum { CLASSIC_MAX = 4096, WORDS = 16, ANCILLARY = -0x1000 };
/*
 * M[k] is at STACK_WORDS - 8 * k, eight bytes each: without CAP_PERFMON, Linux 5.10 refuses
 * a narrower store where it has tracked another one.
 */
enum { STACK_KEY = -4, STACK_WORDS = -16 };
/* NOLINTNEXTLINE(misc-redundant-expression): two of the parts are 0, and named all the same */
enum { ADD_K = BPF_ALU64 | BPF_ADD | BPF_K };
/* Classic codes that <linux/bpf.h> has no name for. */
enum { CLASSIC_TXA = 0x80, CLASSIC_RET_A = 0x10, RVAL = 0x18, MISCOP = 0xf8 };

/* Places to jump to: instructions of the classic program first, then these. */
enum label { TO_SLOW = CLASSIC_MAX, TO_MATCH, TO_REJECT, TO_LOST, LABELS };

struct gen {
	const struct filter *f;
	const struct filter_maps *maps;
	struct bpf_insn *out;
	unsigned int max, n;
	unsigned int at[LABELS];	/* from the first pass, which emits nothing */
	bool live[CLASSIC_MAX + 1];	/* reachable: the verifier refuses what is not */
	bool wanted[LABELS];
	uint16_t words_read;		/* M[k] that the program loads */
	bool too_far;
};

static const struct filter_maps no_maps = { -1, -1, -1, NP_SLOT_EMIT, -1 };

static const char not_classic[] = "not a valid program";
static const char too_long[] = "more than 4096 instructions";
static const char too_large[] = "more than 32768 eBPF instructions";
static const char loops[] = "it loops (protochain)";
static const char asks_kernel[] = "it asks for what is not in the packet";
static const char jumps_far[] = "a jump of more than 32767 instructions";
static const char not_ethernet[] = "it is for another link type than Ethernet";

static uint32_t size_of(uint16_t code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

/* ── which classic programs can be translated, and what of them is reachable ── */

static bool is_load(const struct filter_insn *p)
{
	return BPF_CLASS(p->code) == BPF_LD || BPF_CLASS(p->code) == BPF_LDX;
}

static bool is_packet_load(const struct filter_insn *p)
{
	uint16_t mode = BPF_MODE(p->code);

	return is_load(p) && (mode == BPF_ABS || mode == BPF_IND || mode == BPF_MSH);
}

/* Such a load never succeeds here, whatever X is: no instruction follows it. */
static bool never_loads(const struct filter_insn *p)
{
	return is_packet_load(p) && (uint64_t)p->k + size_of(p->code) > NP_SCRATCH;
}

static const char *check_load(const struct filter_insn *p)
{
	uint16_t mode = BPF_MODE(p->code);
	bool x = BPF_CLASS(p->code) == BPF_LDX;

	if (mode == BPF_MEM)
		return p->k < WORDS ? NULL : not_classic;
	if (mode == BPF_IMM || mode == BPF_LEN)
		return NULL;
	if (mode == BPF_MSH)
		return x && BPF_SIZE(p->code) == BPF_B ? NULL : not_classic;
	if ((mode != BPF_ABS && mode != BPF_IND) || x || BPF_SIZE(p->code) > BPF_B)
		return not_classic;
	return mode == BPF_ABS && p->k >= (uint32_t)ANCILLARY ? asks_kernel : NULL;
}

static const char *check_alu(const struct filter_insn *p)
{
	uint16_t op = BPF_OP(p->code);

	if (op > BPF_XOR)
		return not_classic;
	return (op == BPF_DIV || op == BPF_MOD) && BPF_SRC(p->code) == BPF_K && !p->k ? not_classic : NULL;
}

static const char *check_insn(const struct filter_insn *p)
{
	switch (BPF_CLASS(p->code)) {
	case BPF_LD:
	case BPF_LDX:
		return check_load(p);
	case BPF_ST:
	case BPF_STX:
		return p->k < WORDS ? NULL : not_classic;
	case BPF_ALU:
		return check_alu(p);
	case BPF_JMP:
		return BPF_OP(p->code) <= BPF_JSET ? NULL : not_classic;
	case BPF_RET:
		return (p->code & RVAL) <= CLASSIC_RET_A && (p->code & RVAL) != BPF_X ? NULL : not_classic;
	default:
		return (p->code & MISCOP) == 0 || (p->code & MISCOP) == CLASSIC_TXA ? NULL : not_classic;
	}
}

/* Mark what instruction i leads to; all of it is behind i. */
static const char *follow(struct gen *g, unsigned int i)
{
	const struct filter_insn *p = &g->f->insns[i];
	uint64_t t = i + 1, e = t;

	if (BPF_CLASS(p->code) == BPF_RET || never_loads(p))
		return NULL;
	if (BPF_CLASS(p->code) == BPF_JMP && BPF_OP(p->code) == BPF_JA) {
		if (p->k & 0x80000000)
			return loops;
		t = e += p->k;
	} else if (BPF_CLASS(p->code) == BPF_JMP) {
		t += p->jt;
		e += p->jf;
	}
	if (t >= g->f->n || e >= g->f->n)
		return not_classic;
	g->live[t] = g->live[e] = true;
	return NULL;
}

static const char *walk(struct gen *g)
{
	const char *why = NULL;

	if (!g->f->ether)
		return not_ethernet;
	if (g->f->n > CLASSIC_MAX)
		return too_long;
	g->live[0] = true;
	for (unsigned int i = 0; i < g->f->n && !why; i++) {
		const struct filter_insn *p = &g->f->insns[i];

		if (!g->live[i])
			continue;
		why = check_insn(p);
		if (!why)
			why = follow(g, i);
		if (!why && is_load(p) && BPF_MODE(p->code) == BPF_MEM)
			g->words_read |= (uint16_t)(1u << p->k);
	}
	return why;
}

/* ── emit ── */

static void put(struct gen *g, int code, int dst, int src, int off, uint32_t imm)
{
	if (g->out && g->n < g->max)
		g->out[g->n] = (struct bpf_insn){
			.code = (__u8)code, .dst_reg = (__u8)(dst & 0xf), .src_reg = (__u8)(src & 0xf),
			.off = (__s16)off, .imm = (__s32)imm,
		};
	g->n++;
}

static void put_jump(struct gen *g, int code, int dst, int src, uint32_t imm, unsigned int label)
{
	int off = g->out ? (int)g->at[label] - (int)g->n - 1 : 0;

	if (off > INT16_MAX)
		g->too_far = true;
	g->wanted[label] = true;
	put(g, code, dst, src, off, imm);
}

static void put_goto(struct gen *g, unsigned int label)
{
	put_jump(g, BPF_JMP | BPF_JA, 0, 0, 0, label);
}

static void put_set(struct gen *g, int reg, uint32_t value)
{
	put(g, BPF_ALU | BPF_MOV | BPF_K, reg, 0, 0, value);
}

static void put_move(struct gen *g, int to, int from)
{
	put(g, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

static void put_call(struct gen *g, int helper)
{
	put(g, BPF_JMP | BPF_CALL, 0, 0, 0, (uint32_t)helper);
}

static void put_map(struct gen *g, int reg, int fd)
{
	put(g, BPF_LD | BPF_IMM | BPF_DW, reg, BPF_PSEUDO_MAP_FD, 0, (uint32_t)fd);
	put(g, 0, 0, 0, 0, 0);
}

/* r0 = address of the element whose index is on the stack, or NULL; r1-r5 are gone. */
static void put_lookup(struct gen *g, int fd)
{
	put_map(g, R_END, fd);
	put_move(g, R_TMP, R_FP);
	put(g, ADD_K, R_TMP, 0, 0, (uint32_t)STACK_KEY);
	put_call(g, BPF_FUNC_map_lookup_elem);
}

static void put_start(struct gen *g)
{
	put_move(g, R_CTX, 1);
	put(g, BPF_ST | BPF_MEM | BPF_W, R_FP, 0, STACK_KEY, 0);
	put_lookup(g, g->maps->scratch_fd);
	put_jump(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0, TO_LOST);
	if (!g->f->n)
		return;
	put_move(g, R_SCRATCH, 0);
	put(g, BPF_LDX | BPF_MEM | BPF_W, R_CAP, R_SCRATCH, offsetof(struct np_scratch, cap), 0);
	put_set(g, R_A, 0);
	put_set(g, R_X, 0);
	for (int k = 0; k < WORDS; k++)
		if (g->words_read & 1u << k)
			put(g, BPF_ST | BPF_MEM | BPF_DW, R_FP, 0, STACK_WORDS - 8 * k, 0);
}

/*
 * Without CAP_PERFMON the verifier guards against speculation: an offset must have the
 * same bounds on every path, even on one that is never taken.  So let it forget what it
 * knows: the value goes through an exclusive or with something unknown and back.
 */
static void put_forget(struct gen *g, int reg)
{
	put(g, BPF_LDX | BPF_MEM | BPF_DW, R_TMP, R_SCRATCH, offsetof(struct np_scratch, cap), 0);
	put(g, BPF_ALU64 | BPF_XOR | BPF_X, reg, R_TMP, 0, 0);
	put(g, BPF_ALU64 | BPF_XOR | BPF_X, reg, R_TMP, 0, 0);
}

/*
 * A load from the packet.  r1 becomes the offset behind its last byte, in 64
 * bits: X + k does not wrap.  TO_SLOW sorts out what is beyond the scratch.
 */
static void put_packet_load(struct gen *g, const struct filter_insn *p, int to)
{
	uint32_t size = size_of(p->code);
	uint64_t end = (uint64_t)p->k + size;
	int data = offsetof(struct np_scratch, data), from = R_SCRATCH;

	if (end > INT32_MAX) {		/* no frame is that long */
		put_goto(g, TO_REJECT);
		return;
	}
	if (BPF_MODE(p->code) == BPF_IND) {
		put(g, BPF_ALU | BPF_MOV | BPF_X, R_END, R_X, 0, 0);
		put(g, ADD_K, R_END, 0, 0, (uint32_t)end);
	} else {
		put_set(g, R_END, (uint32_t)end);
	}
	if (never_loads(p)) {
		put_goto(g, TO_SLOW);
		return;
	}
	if (BPF_MODE(p->code) == BPF_IND) {
		put_forget(g, R_END);
		/* The verifier wants a constant bound; `cap` is never above it. */
		put_jump(g, BPF_JMP | BPF_JGT | BPF_K, R_END, 0, NP_SCRATCH, TO_SLOW);
		put_move(g, R_TMP, R_SCRATCH);
		put(g, BPF_ALU64 | BPF_ADD | BPF_X, R_TMP, R_END, 0, 0);
		from = R_TMP;
		data -= (int)size;
	} else {
		data += (int)p->k;
	}
	put_jump(g, BPF_JMP | BPF_JGT | BPF_X, R_END, R_CAP, 0, TO_SLOW);
	put(g, BPF_LDX | BPF_MEM | BPF_SIZE(p->code), to, from, data, 0);
	if (size > 1)
		put(g, BPF_ALU | BPF_END | BPF_TO_BE, to, 0, 0, size * 8);
}

static void put_load(struct gen *g, const struct filter_insn *p)
{
	int to = BPF_CLASS(p->code) == BPF_LD ? R_A : R_X;

	switch (BPF_MODE(p->code)) {
	case BPF_IMM:
		put_set(g, to, p->k);
		break;
	case BPF_LEN:
		put(g, BPF_LDX | BPF_MEM | BPF_W, to, R_SCRATCH, offsetof(struct np_scratch, sent), 0);
		break;
	case BPF_MEM:
		put(g, BPF_LDX | BPF_MEM | BPF_DW, to, R_FP, STACK_WORDS - 8 * (int)p->k, 0);
		break;
	default:
		put_packet_load(g, p, to);
		if (BPF_MODE(p->code) == BPF_MSH && !never_loads(p)) {
			put(g, BPF_ALU | BPF_AND | BPF_K, to, 0, 0, 0x0f);
			put(g, BPF_ALU | BPF_LSH | BPF_K, to, 0, 0, 2);
		}
	}
}

/* eBPF takes a shift modulo 32; libpcap makes it zero. */
static void put_shift(struct gen *g, const struct filter_insn *p)
{
	if (BPF_SRC(p->code) == BPF_K) {
		if (p->k < 32)
			put(g, p->code, R_A, 0, 0, p->k);
		else
			put_set(g, R_A, 0);
		return;
	}
	put(g, BPF_JMP32 | BPF_JLT | BPF_K, R_X, 0, 2, 32);
	put_set(g, R_A, 0);
	put(g, BPF_JMP | BPF_JA, 0, 0, 1, 0);
	put(g, p->code, R_A, R_X, 0, 0);
}

static void put_alu(struct gen *g, const struct filter_insn *p)
{
	uint16_t op = BPF_OP(p->code);
	bool x = BPF_SRC(p->code) == BPF_X;

	if (op == BPF_LSH || op == BPF_RSH) {
		put_shift(g, p);
		return;
	}
	if (op == BPF_NEG) {
		put(g, BPF_ALU | BPF_NEG, R_A, 0, 0, 0);
		return;
	}
	if ((op == BPF_DIV || op == BPF_MOD) && x)
		put_jump(g, BPF_JMP32 | BPF_JEQ | BPF_K, R_X, 0, 0, TO_REJECT);
	put(g, BPF_ALU | op | BPF_SRC(p->code), R_A, x ? R_X : 0, 0, x ? 0 : p->k);
}

/* The same comparison with the other outcome; 0: there is none. */
static int inverse(int op)
{
	return op == BPF_JEQ ? BPF_JNE : op == BPF_JGT ? BPF_JLE : op == BPF_JGE ? BPF_JLT : 0;
}

/* next: the instruction that is emitted after this one. */
static void put_branch(struct gen *g, const struct filter_insn *p, unsigned int i, unsigned int next)
{
	int op = BPF_OP(p->code), src = BPF_SRC(p->code), reg = src == BPF_X ? R_X : 0;
	unsigned int t = i + 1 + (op == BPF_JA ? p->k : p->jt), e = i + 1 + (op == BPF_JA ? p->k : p->jf);
	uint32_t imm = src == BPF_X ? 0 : p->k;

	if (t == e) {
		if (t != next)
			put_goto(g, t);
		return;
	}
	if (t == next && inverse(op)) {
		put_jump(g, BPF_JMP32 | inverse(op) | src, R_A, reg, imm, e);
		return;
	}
	put_jump(g, BPF_JMP32 | op | src, R_A, reg, imm, t);
	if (e != next)
		put_goto(g, e);
}

static void put_return(struct gen *g, const struct filter_insn *p)
{
	if ((p->code & RVAL) == CLASSIC_RET_A)
		put_jump(g, BPF_JMP32 | BPF_JEQ | BPF_K, R_A, 0, 0, TO_REJECT);
	put_goto(g, (p->code & RVAL) == CLASSIC_RET_A || p->k ? TO_MATCH : TO_REJECT);
}

static void put_insn(struct gen *g, unsigned int i, unsigned int next)
{
	const struct filter_insn *p = &g->f->insns[i];

	switch (BPF_CLASS(p->code)) {
	case BPF_LD:
	case BPF_LDX:
		put_load(g, p);
		break;
	case BPF_ST:
	case BPF_STX:
		put(g, BPF_STX | BPF_MEM | BPF_DW, R_FP, BPF_CLASS(p->code) == BPF_ST ? R_A : R_X,
		    STACK_WORDS - 8 * (int)p->k, 0);
		break;
	case BPF_ALU:
		put_alu(g, p);
		break;
	case BPF_JMP:
		put_branch(g, p, i, next);
		break;
	case BPF_RET:
		put_return(g, p);
		break;
	default:
		if ((p->code & MISCOP) == CLASSIC_TXA)
			put(g, BPF_ALU | BPF_MOV | BPF_X, R_A, R_X, 0, 0);
		else
			put(g, BPF_ALU | BPF_MOV | BPF_X, R_X, R_A, 0, 0);
	}
}

/*
 * Add one to a counter of this CPU's ledger and leave.  Not atomic: bottom
 * halves are off, so nobody else writes to it meanwhile (see bpf/packet.bpf.c).
 */
static void put_count_and_leave(struct gen *g, int counter)
{
	put_call(g, BPF_FUNC_get_smp_processor_id);
	put(g, BPF_STX | BPF_MEM | BPF_W, R_FP, 0, STACK_KEY, 0);
	put_lookup(g, g->maps->ledger_fd);
	put(g, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3, 0);
	put(g, BPF_LDX | BPF_MEM | BPF_DW, 1, 0, counter, 0);
	put(g, ADD_K, 1, 0, 0, 1);
	put(g, BPF_STX | BPF_MEM | BPF_DW, 0, 1, counter, 0);
	put(g, BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, (uint32_t)g->maps->ret);
	put(g, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* What the classic instructions jump to.  Each part falls into the next. */
static void put_ends(struct gen *g)
{
	g->at[TO_SLOW] = g->n;
	if (g->wanted[TO_SLOW]) {
		put(g, BPF_LDX | BPF_MEM | BPF_W, R_TMP, R_SCRATCH, offsetof(struct np_scratch, len), 0);
		put_jump(g, BPF_JMP | BPF_JGT | BPF_X, R_END, R_TMP, 0, TO_REJECT);
		put(g, BPF_ST | BPF_MEM | BPF_W, R_SCRATCH, 0, offsetof(struct np_scratch, undecided), 1);
	}
	g->at[TO_MATCH] = g->n;
	if (!g->f->n || g->wanted[TO_MATCH] || g->wanted[TO_SLOW]) {
		put_move(g, 1, R_CTX);
		put_map(g, 2, g->maps->prog_array_fd);
		put_set(g, R3, g->maps->slot);
		put_call(g, BPF_FUNC_tail_call);
	}
	g->at[TO_LOST] = g->n;
	put_count_and_leave(g, offsetof(struct np_ledger, lost_map));
	g->at[TO_REJECT] = g->n;
	if (g->wanted[TO_REJECT])
		put_count_and_leave(g, offsetof(struct np_ledger, filtered));
}

static void pass(struct gen *g)
{
	unsigned int i = 0, next;

	g->n = 0;
	put_start(g);
	for (; i < g->f->n; i = next) {
		for (next = i + 1; next < g->f->n && !g->live[next]; next++)
			;
		g->at[i] = g->n;
		put_insn(g, i, next);
	}
	put_ends(g);
}

int filter_translate(struct filter *f, const struct filter_maps *maps, struct bpf_insn *out, unsigned int max)
{
	/* A first pass finds where everything will be, a second emits it. */
	owned_mem struct gen *g = calloc(1, sizeof(*g));
	owned_mem struct bpf_insn *room = NULL;

	f->kernel = false;
	f->why_not = "no memory";
	if (!g)
		return -ENOMEM;
	g->f = f;
	g->maps = maps ? maps : &no_maps;
	f->why_not = walk(g);
	if (f->why_not)
		return -EOPNOTSUPP;
	pass(g);
	if (g->n > FILTER_EBPF_MAX) {
		f->why_not = too_large;
		return -EOPNOTSUPP;
	}
	if (!out) {
		room = calloc(g->n, sizeof(*room));
		out = room;
		max = g->n;
	}
	if (!out || g->n > max)
		return out ? -ENOSPC : -ENOMEM;
	g->out = out;
	g->max = max;
	pass(g);
	if (g->too_far) {
		f->why_not = jumps_far;
		return -EOPNOTSUPP;
	}
	f->kernel = true;
	return (int)g->n;
}
