// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A classic program and a frame out of the input.  Three must agree: our
 * interpreter, libpcap's, and the translation run by a small eBPF machine that
 * stops at whatever the verifier would refuse: a register or stack slot read
 * before it is written, memory out of bounds, a jump backwards or out.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "filter/canon.h"
#include "filter/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* libpcap's; its headers and <linux/bpf.h> exclude each other. */
int bpf_validate(const struct filter_insn *p, int n);
unsigned int bpf_filter(const struct filter_insn *p, const uint8_t *data, unsigned int len, unsigned int cap);

enum { INSNS = 80, WORDS = 16, FRAME_MAX = 4096 };
enum { AT_SCRATCH = 0x10000000, AT_STACK = 0x20000000, AT_LEDGER = 0x30000000, CONTEXT = 0x40000000 };
enum { FD_SCRATCH = 3, FD_LEDGER, FD_PROGRAMS };

#define CHECK(c) do { if (!(c)) __builtin_trap(); } while (0)

/* ── the input ── */

/* Every code that libpcap's interpreter knows; it aborts on others. */
static const uint16_t known[] = {
	0x06, 0x16, 0x20, 0x28, 0x30, 0x80, 0xb1, 0x40, 0x48, 0x50, 0x00, 0x01, 0x60, 0x61, 0x81, 0x02, 0x03,
	0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c,
	0x44, 0x4c,
	0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0x94, 0x9c, 0xa4, 0xac, 0x07, 0x87,
};
enum { KNOWN = sizeof(known) / sizeof(*known) };

static uint32_t constant(uint8_t kind, uint16_t v)
{
	switch (kind & 7) {
	case 0: case 1: case 2:
		return v & 0x3f;
	case 3:
		return v;
	case 4:
		return v & 0x3ff;
	case 5:
		return 0u - (v & 0xff);
	case 6:
		return (uint32_t)v << 16 | (v & 0xff);
	default:
		return 500 + (v & 0x1f);
	}
}

/*
 * M[] is set first, for libpcap leaves it undefined.  One bit of A + X decides
 * at the end, so that whatever went wrong before shows half of the time.
 */
static unsigned int make_program(struct filter_insn *p, const uint8_t **data, size_t *size, bool *all_known)
{
	unsigned int n = 0, want = *size ? 1 + **data % 48 : 0;

	for (; n < WORDS; n++)
		p[n] = (struct filter_insn){ 0x02, 0, 0, n };
	*all_known = true;
	for (; want && *size >= 7; want--, *data += 6, *size -= 6) {
		const uint8_t *b = *data + 1;
		bool raw = b[0] >= 250;
		uint16_t code;
		uint32_t k = constant(b[1], (uint16_t)(b[4] << 8 | b[5]));

		/* Returns (the first two) are rare, or programs would be short. */
		code = raw ? b[4] : known[b[0] < 8 ? b[0] / 4 : 2 + b[0] % (KNOWN - 2)];
		p[n++] = (struct filter_insn){ code, b[2] % 8, b[3] % 8, k };
		*all_known &= !raw;
	}
	p[n++] = (struct filter_insn){ 0x0c, 0, 0, 0 };
	p[n++] = (struct filter_insn){ 0x74, 0, 0, *size ? **data & 31 : 0 };
	p[n++] = (struct filter_insn){ 0x54, 0, 0, 1 };
	p[n++] = (struct filter_insn){ 0x16, 0, 0, 0 };
	return n;
}

/* libpcap's interpreter shifts by K as C does, and may jump backwards for ever. */
static bool is_defined(const struct filter_insn *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if ((p[i].code == 0x64 || p[i].code == 0x74) && p[i].k > 31)
			return false;
		if (p[i].code == 0x05 && p[i].k > n)
			return false;
	}
	return true;
}

/* ── the machine ── */

struct machine {
	uint64_t r[11];
	uint16_t set;			/* registers that hold something */
	uint8_t stack[512];
	bool stack_set[512];
	struct np_scratch *scratch;
	struct np_ledger ledger;
	bool matched;
};

static uint64_t get(const struct machine *m, unsigned int reg)
{
	CHECK(reg < 11 && m->set & 1u << reg);
	return m->r[reg];
}

static void put(struct machine *m, unsigned int reg, uint64_t v)
{
	CHECK(reg < 10);
	m->r[reg] = v;
	m->set |= (uint16_t)(1u << reg);
}

static uint8_t *memory(struct machine *m, uint64_t at, unsigned int size, bool write)
{
	if (at >= AT_SCRATCH && at + size <= AT_SCRATCH + sizeof(*m->scratch))
		return (uint8_t *)m->scratch + (at - AT_SCRATCH);
	if (at >= AT_LEDGER && at + size <= AT_LEDGER + sizeof(m->ledger))
		return (uint8_t *)&m->ledger + (at - AT_LEDGER);
	CHECK(at >= AT_STACK && at + size <= AT_STACK + sizeof(m->stack));
	at -= AT_STACK;
	for (unsigned int i = 0; i < size; i++) {
		CHECK(write || m->stack_set[at + i]);
		m->stack_set[at + i] = true;
	}
	return m->stack + at;
}

static unsigned int width(uint8_t code)
{
	static const unsigned int widths[] = { 4, 2, 1, 8 };

	return widths[BPF_SIZE(code) >> 3];
}

static void call(struct machine *m, int id)
{
	switch (id) {
	case BPF_FUNC_map_lookup_elem:
		memory(m, get(m, 2), 4, false);
		CHECK(get(m, 1) == FD_SCRATCH || get(m, 1) == FD_LEDGER);
		put(m, 0, m->r[1] == FD_SCRATCH ? AT_SCRATCH : AT_LEDGER);
		break;
	case BPF_FUNC_get_smp_processor_id:
		put(m, 0, 0);
		break;
	default:
		CHECK(id == BPF_FUNC_tail_call);
		CHECK(get(m, 1) == CONTEXT && get(m, 2) == FD_PROGRAMS && get(m, 3) == NP_SLOT_EMIT);
		m->matched = true;
	}
	m->set &= (uint16_t)~0x3e;	/* r1 to r5 */
}

static uint64_t alu32(uint8_t op, uint32_t a, uint32_t b)
{
	switch (op) {
	case BPF_ADD: return a + b;
	case BPF_SUB: return a - b;
	case BPF_MUL: return a * b;
	case BPF_DIV: CHECK(b); return a / b;
	case BPF_MOD: CHECK(b); return a % b;
	case BPF_OR:  return a | b;
	case BPF_AND: return a & b;
	case BPF_XOR: return a ^ b;
	case BPF_LSH: CHECK(b < 32); return a << b;
	case BPF_RSH: CHECK(b < 32); return a >> b;
	default:      CHECK(op == BPF_MOV); return b;
	}
}

static void alu(struct machine *m, const struct bpf_insn *p)
{
	uint8_t op = BPF_OP(p->code);
	uint64_t b = BPF_SRC(p->code) == BPF_X ? 0 : (uint64_t)(int64_t)p->imm;

	if (op == BPF_END) {
		uint32_t v = (uint32_t)get(m, p->dst_reg);

		CHECK(p->imm == 16 || p->imm == 32);
		put(m, p->dst_reg, p->imm == 16 ? __builtin_bswap16((uint16_t)v) : __builtin_bswap32(v));
		return;
	}
	if (op == BPF_NEG) {
		put(m, p->dst_reg, (uint32_t)(0 - (uint32_t)get(m, p->dst_reg)));
		return;
	}
	if (BPF_SRC(p->code) == BPF_X)
		b = get(m, p->src_reg);
	if (BPF_CLASS(p->code) == BPF_ALU) {
		uint32_t a = op == BPF_MOV ? 0 : (uint32_t)get(m, p->dst_reg);

		put(m, p->dst_reg, (uint32_t)alu32(op, a, (uint32_t)b));
		return;
	}
	CHECK(op == BPF_MOV || op == BPF_ADD || op == BPF_XOR);
	if (op != BPF_MOV)
		b = op == BPF_ADD ? get(m, p->dst_reg) + b : get(m, p->dst_reg) ^ b;
	put(m, p->dst_reg, b);
}

static bool compare(uint8_t op, uint64_t a, uint64_t b)
{
	switch (op) {
	case BPF_JEQ:  return a == b;
	case BPF_JNE:  return a != b;
	case BPF_JGT:  return a > b;
	case BPF_JGE:  return a >= b;
	case BPF_JLT:  return a < b;
	case BPF_JLE:  return a <= b;
	default:       CHECK(op == BPF_JSET); return a & b;
	}
}

static bool takes_jump(struct machine *m, const struct bpf_insn *p)
{
	uint64_t a, b;

	if (BPF_OP(p->code) == BPF_JA)
		return true;
	a = get(m, p->dst_reg);
	b = BPF_SRC(p->code) == BPF_X ? get(m, p->src_reg) : (uint64_t)(int64_t)p->imm;
	if (BPF_CLASS(p->code) == BPF_JMP32)
		return compare(BPF_OP(p->code), (uint32_t)a, (uint32_t)b);
	return compare(BPF_OP(p->code), a, b);
}

static void access_memory(struct machine *m, const struct bpf_insn *p)
{
	unsigned int size = width(p->code);
	bool load = BPF_CLASS(p->code) == BPF_LDX;
	uint64_t v = 0, at = get(m, load ? p->src_reg : p->dst_reg) + (uint64_t)(int64_t)p->off;
	uint8_t *where = memory(m, at, size, !load);

	if (load) {
		memcpy(&v, where, size);
		put(m, p->dst_reg, v);
		return;
	}
	v = BPF_CLASS(p->code) == BPF_STX ? get(m, p->src_reg) : (uint64_t)(int64_t)p->imm;
	memcpy(where, &v, size);
}

/* Returns what the program returns, or 1 after a tail call. */
static int run(struct machine *m, const struct bpf_insn *p, int n)
{
	for (int pc = 0;; pc++) {
		CHECK(pc >= 0 && pc < n);
		switch (BPF_CLASS(p[pc].code)) {
		case BPF_ALU:
		case BPF_ALU64:
			alu(m, &p[pc]);
			break;
		case BPF_JMP:
		case BPF_JMP32:
			if (p[pc].code == (BPF_JMP | BPF_EXIT))
				return (int)get(m, 0);
			if (p[pc].code == (BPF_JMP | BPF_CALL)) {
				call(m, p[pc].imm);
				if (m->matched)
					return 1;
			} else {
				CHECK(p[pc].off >= 0);
				pc += takes_jump(m, &p[pc]) ? p[pc].off : 0;
			}
			break;
		case BPF_LD:
			put(m, p[pc].dst_reg, (uint64_t)p[pc].imm);
			pc++;
			break;
		default:
			access_memory(m, &p[pc]);
		}
	}
}

/* The verifier refuses what no path leads to. */
static void check_reachable(const struct bpf_insn *p, int n)
{
	static bool seen[FILTER_EBPF_MAX + 1];

	memset(seen, 0, (size_t)n + 1);
	seen[0] = true;
	for (int i = 0; i < n; i++) {
		uint8_t op = BPF_OP(p[i].code), class = BPF_CLASS(p[i].code);
		bool jumps = (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;

		CHECK(seen[i]);
		if (jumps) {
			CHECK(p[i].off >= 0 && i + 1 + p[i].off < n);
			seen[i + 1 + p[i].off] = true;
		}
		if (!(class == BPF_JMP && (op == BPF_JA || op == BPF_EXIT)))
			seen[i + 1] = true;
	}
	CHECK(!seen[n]);
}

static void try_translation(struct filter *f, const struct canon *c, bool expected)
{
	static const struct filter_maps maps = { FD_SCRATCH, FD_LEDGER, FD_PROGRAMS, NP_SLOT_EMIT, -1 };
	static struct bpf_insn code[4096];
	struct np_scratch scratch = { .len = c->len, .sent = c->sent };
	struct machine m = { .scratch = &scratch, .set = 1 << 1 | 1 << 10 };
	int n = filter_translate(f, &maps, code, 4096), ret;

	CHECK(n > 0 ? f->kernel && !f->why_not : !f->kernel && f->why_not);
	if (n < 0)
		return;
	check_reachable(code, n);
	memset(scratch.data, 0xa5, sizeof(scratch.data));
	scratch.cap = canon_copy(c, scratch.data, NP_SCRATCH);
	m.r[1] = CONTEXT;
	m.r[10] = AT_STACK + sizeof(m.stack);
	ret = run(&m, code, n);
	if (scratch.undecided)
		CHECK(m.matched && c->len > NP_SCRATCH);
	else
		CHECK(m.matched == expected);
	CHECK(m.matched ? ret == 1 : ret == -1);
	CHECK(m.ledger.filtered == !m.matched && !m.ledger.lost_map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t links[] = { 1, 1, 1, 1, 113, 276, 101, 0, 108, 9, 12, 228, 229, 147 };
	static uint8_t flat[FRAME_MAX + 32];
	struct filter_insn program[INSNS];
	struct filter f = { .text = (char *)"", .insns = program, .ether = true };
	struct canon c;
	bool all_known, expected;
	struct canon_how how;
	uint32_t n;

	if (size < 2)
		return 0;
	f.link = links[(data[0] >> 2) % (sizeof(links) / sizeof(*links))];
	f.strict = data[0] & 1;
	f.inner = data[0] & 2;
	data++;
	size--;
	f.n = make_program(program, &data, &size, &all_known);
	if (size > FRAME_MAX)
		return 0;
	how = (struct canon_how){ .strict = f.strict, .inner = f.inner, .ether = f.ether };
	canon_make(&c, f.link, how, data, (uint32_t)size, (uint32_t)size);
	n = canon_copy(&c, flat, sizeof(flat));
	CHECK(n == c.cap && c.cap == c.len && n <= size + 14);
	expected = filter_match(&f, data, (uint32_t)size, (uint32_t)size);
	if (all_known && is_defined(program, f.n) && bpf_validate(program, (int)f.n))
		CHECK((bpf_filter(program, flat, c.sent, c.cap) != 0) == expected);
	try_translation(&f, &c, expected);
	return 0;
}
