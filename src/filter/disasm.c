// SPDX-License-Identifier: GPL-2.0-or-later
/* Filter programs for people: classic BPF as libpcap writes it, eBPF as bpftool writes it. */
#include "filter/filter.h"

#include <inttypes.h>
#include <linux/types.h>
#include <linux/bpf.h>

#include "abi.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { RVAL = 0x18, RET_A = 0x10, TXA = 0x80, SNAPLEN = 262144 };
/* Stand for the maps in a dump: no descriptor is that large. */
enum { FD_SCRATCH = 0x7ffffff0, FD_LEDGER, FD_PROGRAMS };

/* ── classic ── */

static const char *const alu_names[16] = {
	"add", "sub", "mul", "div", "or", "and", "lsh", "rsh", "neg", "mod", "xor",
};
static const char *const jump_names[16] = { "ja", "jeq", "jgt", "jge", "jset" };

struct text {
	char op[16], arg[48];
};

#define SAY(t, name, ...) do { \
	snprintf((t)->op, sizeof((t)->op), "%s", name); \
	snprintf((t)->arg, sizeof((t)->arg), __VA_ARGS__); \
} while (0)

static void classic_load(struct text *t, const struct filter_insn *p)
{
	bool x = BPF_CLASS(p->code) == BPF_LDX;
	const char *size = BPF_SIZE(p->code) == BPF_W ? "" : BPF_SIZE(p->code) == BPF_H ? "h" : "b";
	char name[8];

	snprintf(name, sizeof(name), "ld%s%s", x ? "x" : "", size);
	switch (BPF_MODE(p->code)) {
	case BPF_IMM:
		SAY(t, name, "#0x%x", p->k);
		break;
	case BPF_ABS:
		SAY(t, name, "[%" PRIu32 "]", p->k);
		break;
	case BPF_IND:
		SAY(t, name, "[x + %" PRIu32 "]", p->k);
		break;
	case BPF_MEM:
		SAY(t, name, "M[%" PRIu32 "]", p->k);
		break;
	case BPF_LEN:
		SAY(t, name, "#pktlen");
		break;
	case BPF_MSH:
		SAY(t, name, "4*([%" PRIu32 "]&0xf)", p->k);
		break;
	default:
		SAY(t, "unimp", "0x%x", p->code);
	}
}

static void classic_alu(struct text *t, const struct filter_insn *p)
{
	const char *name = alu_names[BPF_OP(p->code) >> 4];
	bool bits = BPF_OP(p->code) == BPF_AND || BPF_OP(p->code) == BPF_OR || BPF_OP(p->code) == BPF_XOR;

	if (!name)
		SAY(t, "unimp", "0x%x", p->code);
	else if (BPF_OP(p->code) == BPF_NEG)
		SAY(t, name, "%s", "");
	else if (BPF_SRC(p->code) == BPF_X)
		SAY(t, name, "x");
	else if (bits)
		SAY(t, name, "#0x%x", p->k);
	else
		SAY(t, name, "#%" PRIu32, p->k);
}

static void classic_text(struct text *t, const struct filter_insn *p, unsigned int i)
{
	const char *name = jump_names[BPF_OP(p->code) >> 4];

	switch (BPF_CLASS(p->code)) {
	case BPF_LD:
	case BPF_LDX:
		classic_load(t, p);
		break;
	case BPF_ST:
	case BPF_STX:
		SAY(t, BPF_CLASS(p->code) == BPF_ST ? "st" : "stx", "M[%" PRIu32 "]", p->k);
		break;
	case BPF_ALU:
		classic_alu(t, p);
		break;
	case BPF_JMP:
		if (!name)
			SAY(t, "unimp", "0x%x", p->code);
		else if (BPF_OP(p->code) == BPF_JA)
			SAY(t, name, "%" PRIu32, i + 1 + p->k);
		else if (BPF_SRC(p->code) == BPF_X)
			SAY(t, name, "x");
		else
			SAY(t, name, "#0x%x", p->k);
		break;
	case BPF_RET:
		if ((p->code & RVAL) == RET_A)
			SAY(t, "ret", "%s", "");
		else
			SAY(t, "ret", "#%" PRIu32, p->k);
		break;
	default:
		SAY(t, BPF_OP(p->code) == TXA ? "txa" : "tax", "%s", "");
	}
}

static void classic_line(FILE *to, const struct filter_insn *p, unsigned int i)
{
	bool branches = BPF_CLASS(p->code) == BPF_JMP && BPF_OP(p->code) != BPF_JA;
	struct text t;

	classic_text(&t, p, i);
	if (branches)
		fprintf(to, "(%03u) %-8s %-16s jt %u\tjf %u\n", i, t.op, t.arg, i + 1 + p->jt, i + 1 + p->jf);
	else if (*t.arg)
		fprintf(to, "(%03u) %-8s %s\n", i, t.op, t.arg);
	else
		fprintf(to, "(%03u) %s\n", i, t.op);
}

static void dump_classic(const struct filter_insn *p, unsigned int n, unsigned int level, FILE *to)
{
	if (level > 2)
		fprintf(to, "%u\n", n);
	for (unsigned int i = 0; i < n; i++, p++) {
		if (level > 2)
			fprintf(to, "%u %u %u %" PRIu32 "\n", p->code, p->jt, p->jf, p->k);
		else if (level == 2)
			fprintf(to, "{ 0x%x, %u, %u, 0x%08" PRIx32 " },\n", p->code, p->jt, p->jf, p->k);
		else
			classic_line(to, p, i);
	}
}

/* ── eBPF ── */

static const char *const alu_signs[16] = {
	"+=", "-=", "*=", "/=", "|=", "&=", "<<=", ">>=", NULL, "%=", "^=", "=", "s>>=",
};
static const char *const jump_signs[16] = {
	NULL, "==", ">", ">=", "&", "!=", "s>", "s>=", NULL, NULL, "<", "<=", "s<", "s<=",
};

static const char *width(uint8_t code)
{
	static const char *const names[] = { "u32", "u16", "u8", "u64" };

	return names[BPF_SIZE(code) >> 3];
}

static const char *map_name(int fd)
{
	return fd == FD_SCRATCH ? "np_scratch" : fd == FD_LEDGER ? "np_ledger" : "np_slots";
}

static const char *helper_name(int id)
{
	switch (id) {
	case BPF_FUNC_map_lookup_elem:
		return "bpf_map_lookup_elem";
	case BPF_FUNC_get_smp_processor_id:
		return "bpf_get_smp_processor_id";
	case BPF_FUNC_tail_call:
		return "bpf_tail_call";
	default:
		return "unknown";
	}
}

static void alu_line(FILE *to, const struct bpf_insn *p)
{
	char r = BPF_CLASS(p->code) == BPF_ALU64 ? 'r' : 'w';
	const char *sign = alu_signs[BPF_OP(p->code) >> 4];

	if (BPF_OP(p->code) == BPF_END)
		fprintf(to, "r%u = %s%d r%u\n", p->dst_reg, BPF_SRC(p->code) == BPF_TO_BE ? "be" : "le",
			p->imm, p->dst_reg);
	else if (BPF_OP(p->code) == BPF_NEG)
		fprintf(to, "%c%u = -%c%u\n", r, p->dst_reg, r, p->dst_reg);
	else if (!sign)
		fprintf(to, "BUG_alu_%02x\n", p->code);
	else if (BPF_SRC(p->code) == BPF_X)
		fprintf(to, "%c%u %s %c%u\n", r, p->dst_reg, sign, r, p->src_reg);
	else
		fprintf(to, "%c%u %s %d\n", r, p->dst_reg, sign, p->imm);
}

static void jump_line(FILE *to, const struct bpf_insn *p)
{
	char r = BPF_CLASS(p->code) == BPF_JMP32 ? 'w' : 'r';
	const char *sign = jump_signs[BPF_OP(p->code) >> 4];

	if (BPF_OP(p->code) == BPF_CALL)
		fprintf(to, "call %s#%d\n", helper_name(p->imm), p->imm);
	else if (BPF_OP(p->code) == BPF_EXIT)
		fprintf(to, "exit\n");
	else if (BPF_OP(p->code) == BPF_JA)
		fprintf(to, "goto pc%+d\n", p->off);
	else if (!sign)
		fprintf(to, "BUG_jmp_%02x\n", p->code);
	else if (BPF_SRC(p->code) == BPF_X)
		fprintf(to, "if %c%u %s %c%u goto pc%+d\n", r, p->dst_reg, sign, r, p->src_reg, p->off);
	else
		fprintf(to, "if %c%u %s 0x%x goto pc%+d\n", r, p->dst_reg, sign, (unsigned int)p->imm,
			p->off);
}

static void memory_line(FILE *to, const struct bpf_insn *p)
{
	switch (BPF_CLASS(p->code)) {
	case BPF_LDX:
		fprintf(to, "r%u = *(%s *)(r%u %+d)\n", p->dst_reg, width(p->code), p->src_reg, p->off);
		break;
	case BPF_ST:
		fprintf(to, "*(%s *)(r%u %+d) = %d\n", width(p->code), p->dst_reg, p->off, p->imm);
		break;
	default:
		fprintf(to, "*(%s *)(r%u %+d) = r%u\n", width(p->code), p->dst_reg, p->off, p->src_reg);
	}
}

static void dump_ebpf(const struct bpf_insn *p, unsigned int n, FILE *to)
{
	for (unsigned int i = 0; i < n; i++) {
		fprintf(to, "%4u: (%02x) ", i, p[i].code);
		switch (BPF_CLASS(p[i].code)) {
		case BPF_ALU:
		case BPF_ALU64:
			alu_line(to, &p[i]);
			break;
		case BPF_JMP:
		case BPF_JMP32:
			jump_line(to, &p[i]);
			break;
		case BPF_LD:	/* two slots */
			fprintf(to, "r%u = map[%s]\n", p[i].dst_reg, map_name(p[i].imm));
			i++;
			break;
		default:
			memory_line(to, &p[i]);
		}
	}
}

void filter_dump(struct filter *f, unsigned int level, FILE *to)
{
	static const struct filter_insn all = { BPF_RET | BPF_K, 0, 0, SNAPLEN };
	static const struct filter_maps maps = { FD_SCRATCH, FD_LEDGER, FD_PROGRAMS, NP_SLOT_EMIT, -1 };
	owned_mem struct bpf_insn *out = NULL;
	int n;

	dump_classic(f->n ? f->insns : &all, f->n ? f->n : 1, level, to);
	if (level > 1)
		return;
	out = calloc(FILTER_EBPF_MAX, sizeof(*out));
	n = out ? filter_translate(f, &maps, out, FILTER_EBPF_MAX) : -1;
	if (n >= 0) {
		fputc('\n', to);
		dump_ebpf(out, (unsigned int)n, to);
	} else {
		note("not evaluated in the kernel: %s", f->why_not ? f->why_not : "no memory");
	}
}
