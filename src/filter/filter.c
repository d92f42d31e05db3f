// SPDX-License-Identifier: GPL-2.0-or-later
/* libpcap's side of a filter.  <pcap/bpf.h> and <linux/bpf.h> do not go together: the latter stays out. */
#include "filter/filter.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "filter/canon.h"
#include "numbers/linktype.h"
#include "tags.h"
#include "util/cleanup.h"
#include "util/err.h"

enum {
	TEXT_MAX = 64 * 1024,
	/*
	 * libpcap's optimizer takes time by the square of this: a second for 300 hosts, half a
	 * minute for 900.  What is longer would not fit the kernel's 4096 instructions anyway.
	 */
	OPTIMIZE_MAX = 12 * 1024,
	QUOTE_MAX = 300,		/* bytes of the expression in a message */
	SNAPLEN = 262144,		/* what a match returns, as tcpdump has it */
	ADDRESSES = 12,			/* bytes before the place of a tag */
	/* Only protochain jumps backwards, once for each header: more steps than any honest chain takes. */
	STEPS_MAX = 1 << 16,
	ANCILLARY = -0x1000,		/* SKF_AD_OFF: loads from here on ask the kernel, not the packet */
};

_Static_assert(sizeof(struct filter_insn) == sizeof(struct bpf_insn), "one layout");
_Static_assert(offsetof(struct filter_insn, k) == offsetof(struct bpf_insn, k), "one layout");

/* ── the words of an expression ── */

static size_t word_length(const char *p)
{
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	/* A name does not end in '-' or '_'. */
	while (n > 1 && (p[n - 1] == '-' || p[n - 1] == '_'))
		n--;
	return n;
}

/*
 * The first of `words` (ends with NULL) that the expression has as a keyword, or NULL.
 * pcap-filter(7): a name is letters, digits, '-', '_', '.'; one behind a backslash is
 * no keyword.  So `host vlan.example` and `\vlan` are not `vlan`.
 */
static const char *keyword_in(const char *text, const char *const *words)
{
	const char *p = text;

	while (*p) {
		size_t n = word_length(p);

		if (*p == '\\') {
			p += 1 + strcspn(p + 1, " !()\n\t");
			continue;
		}
		for (int i = 0; n && words[i]; i++)
			if (strlen(words[i]) == n && !memcmp(words[i], p, n))
				return words[i];
		p += n ? n : 1;
	}
	return NULL;
}

static const char *ellipsis(const char *text)
{
	return strlen(text) > QUOTE_MAX ? "..." : "";
}

static bool is_tag_type(unsigned long type)
{
#define IS(tag) (type == (tag))
	return NP_VLAN_TYPES(IS, ||);
#undef IS
}

/* Does [n] or [n:size] at p stay inside the addresses, which no tag moves?  What is not a number does not. */
static bool inside_addresses(const char *p)
{
	unsigned long at, size = 1;
	char *end;

	at = strtoul(p, &end, 0);
	if (end == p)
		return false;
	end += strspn(end, " \t\n");
	if (*end == ':')
		size = strtoul(end + 1, &end, 0);
	end += strspn(end, " \t\n");
	return *end == ']' && at < ADDRESSES && size <= ADDRESSES - at;
}

/* One word of the expression, n bytes at p.  What stands where a tag would be: ether[14:2], a tag's type. */
static bool looks_at_tags(const char *p, size_t n, bool *about_type)
{
	static const char *const links[] = { "ether", "link", "wlan", "fddi", "tr", "ppp", "slip" };
	const char *next = p + n + strspn(p + n, " \t\n");
	char *end;

	for (unsigned int i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		if (strlen(links[i]) != n || memcmp(links[i], p, n) != 0)
			continue;
		*about_type |= !strncmp(next, "proto", 5);
		return *next == '[' && !inside_addresses(next + 1);
	}
	return *about_type && is_tag_type(strtoul(p, &end, 0)) && end == p + n;
}

/* The part of an expression that speaks of tags in their place by bytes or by number, for a message. */
static const char *tag_bytes(const char *text, size_t *n)
{
	bool about_type = false;

	for (const char *p = text; *p; p += *n ? *n : 1) {
		*n = word_length(p);
		if (*n && looks_at_tags(p, *n, &about_type)) {
			if (p[*n + strspn(p + *n, " \t\n")] == '[')
				*n = strcspn(p, "]") + 1;
			*n = *n < strlen(p) ? *n : strlen(p);
			return p;
		}
	}
	return NULL;
}

/* Does it look at bytes of the link header? */
static bool reads_link(const char *text)
{
	size_t n;

	for (const char *p = text; *p; p += n ? n : 1) {
		n = word_length(p);
		if (((n == 4 && !memcmp(p, "link", 4)) || (n == 5 && !memcmp(p, "ether", 5))) &&
		    p[n + strspn(p + n, " \t\n")] == '[')
			return true;
	}
	return false;
}

/* What is asked for implies literal semantics, or leaves no sense to `inner`: say so. */
static void imply(struct filter *f)
{
	static const char *const tags[] = { "vlan", "mpls", "pppoed", "pppoes", NULL };
	static const char *const tunnels[] = { "geneve", "vxlan", NULL };
	const char *word = keyword_in(f->text, tags);
	size_t n;

	if (word && !f->strict) {
		note("filter: '%s' sees VLAN tags in their place (as with --strict-pcap)", word);
		f->strict = true;
	}
	word = f->strict ? NULL : tag_bytes(f->text, &n);
	if (word) {
		note("filter: '%.*s%s' sees VLAN tags in their place (as with --strict-pcap)",
		     (int)(n < QUOTE_MAX ? n : QUOTE_MAX), word, n < QUOTE_MAX ? "" : "...");
		f->strict = true;
	}
	word = keyword_in(f->text, tunnels);
	if (word && f->inner) {
		note("filter: '%s' looks for the tunnel itself: --inner has no effect", word);
		f->inner = false;
	}
}

/* ── compile ── */

/*
 * Loads at or above SKF_AD_OFF are what libpcap makes of `inbound`, `outbound`
 * and `ifindex` where the frame does not tell; nobody could answer in user space.
 * libpcap 1.11 refuses them itself, as "not a live capture".
 */
static int refuse_untold(const struct filter *f)
{
	return fail(0, "filter \"%.*s%s\": %s", QUOTE_MAX, f->text, ellipsis(f->text),
		    "the frame does not tell direction or interface index: use -Q or -i");
}

static int refuse_ancillary(const struct filter *f)
{
	for (unsigned int i = 0; i < f->n; i++) {
		uint16_t code = f->insns[i].code;

		if (BPF_CLASS(code) == BPF_LD && BPF_MODE(code) == BPF_ABS &&
		    f->insns[i].k >= (uint32_t)ANCILLARY)
			return refuse_untold(f);
	}
	return 0;
}

static int dlt_of(const struct filter *f)
{
	return f->ether ? DLT_EN10MB : linktype_dlt(f->link);
}

static int take_program(struct filter *f, const struct bpf_program *prog)
{
	f->insns = calloc(prog->bf_len, sizeof(*f->insns));
	if (!f->insns)
		return fail(ENOMEM, "filter");
	memcpy(f->insns, prog->bf_insns, prog->bf_len * sizeof(*f->insns));
	f->n = prog->bf_len;
	return 0;
}

/* 0, or -errno with the reason in libpcap's words, "" when it has none. */
static int build(struct filter *f, char *why, size_t size)
{
	struct bpf_program prog;
	pcap_t *p = pcap_open_dead(dlt_of(f), SNAPLEN);
	int err = -EINVAL;

	*why = '\0';
	if (!p)
		return -ENOMEM;
	if (pcap_compile(p, &prog, f->text, strlen(f->text) <= OPTIMIZE_MAX, PCAP_NETMASK_UNKNOWN)) {
		snprintf(why, size, "%s", pcap_geterr(p));
	} else {
		err = take_program(f, &prog);
		pcap_freecode(&prog);
	}
	pcap_close(p);
	return err;
}

static int compile(struct filter *f)
{
	char why[PCAP_ERRBUF_SIZE];
	const char *name = pcap_datalink_val_to_name(dlt_of(f));
	int err = build(f, why, sizeof(why));

	if (!err || err == -ENOMEM)
		return err ? fail(ENOMEM, "filter") : 0;
	if (!strncmp(why, "not a live capture", 18))
		return refuse_untold(f);
	if (f->ether)
		return fail(0, "filter \"%.*s%s\": %s", QUOTE_MAX, f->text, ellipsis(f->text), why);
	return fail(0, "filter \"%.*s%s\", for frames of link type %u (%s): %s", QUOTE_MAX, f->text,
		    ellipsis(f->text), f->link, name ? name : "unknown", why);
}

static int filter_new(struct filter **out, const char *text, bool strict, bool inner)
{
	struct filter *f;

	if (strlen(text) > TEXT_MAX)
		return fail(E2BIG, "filter expression of %zu bytes, at most %d", strlen(text), TEXT_MAX);
	f = calloc(1, sizeof(*f));
	if (!f || !(f->text = strdup(text))) {
		free(f);
		return fail(ENOMEM, "filter");
	}
	f->strict = strict;
	f->inner = inner;
	imply(f);
	f->link_bytes = reads_link(text);
	*out = f;
	return 0;
}

static bool is_blank(const char *text)
{
	return !text[strspn(text, " \t\r\n")];
}

int filter_compile(struct filter **out, const char *text, uint16_t link, bool strict, bool inner)
{
	struct filter *f = NULL;
	int err = filter_new(&f, text, strict, inner);

	if (!f)
		return err;
	f->link = link;
	f->ether = link == LINK_ETHERNET || f->inner;
	if (!is_blank(text))
		err = compile(f);
	if (!err)
		err = refuse_ancillary(f);
	if (err) {
		filter_free(f);
		return err;
	}
	filter_translate(f, NULL, NULL, 0);	/* sets kernel, why_not */
	*out = f;
	return 0;
}

int filter_check(const char *text, bool *strict, bool *inner)
{
	/* Between them they know all words of the language. */
	static const uint16_t links[] = { LINK_ETHERNET, LINK_SLL, LINK_80211, LINK_SUNATM, LINK_PFLOG, LINK_MTP2,
					  LINK_FRELAY };
	char why[PCAP_ERRBUF_SIZE];
	struct filter *f = NULL;
	int err = filter_new(&f, text, *strict, *inner);

	if (!f)
		return err;
	*strict = f->strict;
	*inner = f->inner;
	err = is_blank(text) ? 0 : -EINVAL;
	for (unsigned int i = 0; i < sizeof(links) / sizeof(links[0]) && err == -EINVAL; i++) {
		f->link = links[i];
		f->ether = links[i] == LINK_ETHERNET || f->inner;
		err = build(f, why, sizeof(why));
	}
	f->link = LINK_ETHERNET;
	f->ether = true;
	if (err)
		err = compile(f);	/* says why not */
	filter_free(f);
	return err;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	free(f->insns);
	free(f->text);
	free(f);
}

/* ── evaluate ── */

struct machine {
	const struct canon *frame;
	uint32_t a, x, m[BPF_MEMWORDS];
};

static unsigned int size_of(uint16_t code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

/*
 * LD, LDX.  False: the frame does not hold it, which rejects.  X + k does not wrap,
 * as in libpcap's own interpreter.
 */
static bool load(struct machine *v, const struct filter_insn *p)
{
	uint32_t *to = BPF_CLASS(p->code) == BPF_LD ? &v->a : &v->x;

	switch (BPF_MODE(p->code)) {
	case BPF_IMM:
		*to = p->k;
		return true;
	case BPF_LEN:
		*to = v->frame->sent;
		return true;
	case BPF_MEM:
		*to = p->k < BPF_MEMWORDS ? v->m[p->k] : 0;
		return p->k < BPF_MEMWORDS;
	case BPF_ABS:
		return to == &v->a && canon_load(v->frame, p->k, size_of(p->code), to);
	case BPF_IND:
		return to == &v->a && canon_load(v->frame, (uint64_t)v->x + p->k, size_of(p->code), to);
	case BPF_MSH:
		if (to != &v->x || !canon_load(v->frame, p->k, 1, to))
			return false;
		v->x = (v->x & 0x0f) << 2;
		return true;
	default:
		return false;
	}
}

/* False: division by zero, which rejects. */
static bool calculate(struct machine *v, const struct filter_insn *p)
{
	uint32_t k = BPF_SRC(p->code) == BPF_X ? v->x : p->k;

	switch (BPF_OP(p->code)) {
	case BPF_ADD: v->a += k; break;
	case BPF_SUB: v->a -= k; break;
	case BPF_MUL: v->a *= k; break;
	case BPF_OR:  v->a |= k; break;
	case BPF_AND: v->a &= k; break;
	case BPF_XOR: v->a ^= k; break;
	case BPF_LSH: v->a = k < 32 ? v->a << k : 0; break;
	case BPF_RSH: v->a = k < 32 ? v->a >> k : 0; break;
	case BPF_NEG: v->a = -v->a; break;
	case BPF_DIV:
		if (!k)
			return false;
		v->a /= k;
		break;
	case BPF_MOD:
		if (!k)
			return false;
		v->a %= k;
		break;
	default:
		return false;
	}
	return true;
}

/* *pc is behind p.  Backwards by wrapping, in protochain only. */
static bool jump(const struct machine *v, const struct filter_insn *p, uint32_t *pc)
{
	uint32_t k = BPF_SRC(p->code) == BPF_X ? v->x : p->k;

	switch (BPF_OP(p->code)) {
	case BPF_JA:   *pc += p->k; return true;
	case BPF_JEQ:  *pc += v->a == k ? p->jt : p->jf; return true;
	case BPF_JGT:  *pc += v->a > k ? p->jt : p->jf; return true;
	case BPF_JGE:  *pc += v->a >= k ? p->jt : p->jf; return true;
	case BPF_JSET: *pc += v->a & k ? p->jt : p->jf; return true;
	default:       return false;
	}
}

static bool store(struct machine *v, const struct filter_insn *p)
{
	if (p->k >= BPF_MEMWORDS)
		return false;
	v->m[p->k] = BPF_CLASS(p->code) == BPF_ST ? v->a : v->x;
	return true;
}

/* One instruction that neither jumps nor returns. */
static bool step(struct machine *v, const struct filter_insn *p)
{
	switch (BPF_CLASS(p->code)) {
	case BPF_LD:
	case BPF_LDX:
		return load(v, p);
	case BPF_ST:
	case BPF_STX:
		return store(v, p);
	case BPF_ALU:
		return calculate(v, p);
	default:
		if (BPF_MISCOP(p->code) == BPF_TXA)
			v->a = v->x;
		else
			v->x = v->a;
		return true;
	}
}

static bool evaluate(const struct filter *f, const struct canon *frame)
{
	struct machine v = { .frame = frame };
	const struct filter_insn *p;
	uint32_t pc = 0, left = f->n + STEPS_MAX;

	while (pc < f->n && left--) {
		p = &f->insns[pc++];
		if (BPF_CLASS(p->code) == BPF_RET)
			return BPF_RVAL(p->code) == BPF_A ? v.a : p->k;
		if (!(BPF_CLASS(p->code) == BPF_JMP ? jump(&v, p, &pc) : step(&v, p)))
			return false;
	}
	return false;
}

bool filter_match_link(const struct filter *f, uint16_t link, const uint8_t *data, uint32_t cap, uint32_t len)
{
	struct canon_how how = { .strict = f->strict, .inner = f->inner, .ether = f->ether,
				 .as_is = f->link_bytes };
	struct canon frame;

	if (!f->n)
		return true;
	canon_make(&frame, link, how, data, cap, len);
	return evaluate(f, &frame);
}

bool filter_match(const struct filter *f, const uint8_t *data, uint32_t cap, uint32_t len)
{
	return filter_match_link(f, f->link, data, cap, len);
}
