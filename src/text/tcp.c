// SPDX-License-Identifier: GPL-2.0-or-later
#include "text/parts.h"
#include "util/bytes.h"

enum { TH_FIN = 1, TH_SYN = 2, TH_RST = 4, TH_ACK = 16, TH_URG = 32 };

/* What to take off the sequence numbers of one line. */
struct base {
	uint32_t seq, ack;		/* of this line's fields */
	uint32_t sack;			/* of selective acknowledgements: as ack, from the second line on */
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

static uint64_t hash_addr(uint64_t h, const struct addr *a)
{
	uint64_t v[2];

	memcpy(v, a->b, sizeof(v));
	return mix(mix(h, v[0] + a->family), v[1]);
}

static bool is_flow(const struct line_flow *f, const struct line_flow *key)
{
	return f->used && f->lo_port == key->lo_port && f->hi_port == key->hi_port &&
	       !memcmp(&f->lo, &key->lo, sizeof(f->lo)) && !memcmp(&f->hi, &key->hi, sizeof(f->hi));
}

/* The flow's place: its own (found), or that of the one longest unused in its set. */
static struct line_flow *find_flow(struct line_state *st, const struct line_flow *key, bool *found)
{
	uint64_t h = hash_addr(hash_addr(st->seed, &key->lo), &key->hi);
	struct line_flow *set, *oldest;
	unsigned int i;

	h = mix(h, (uint64_t)key->lo_port << 16 | key->hi_port);
	set = &st->flow[(h >> 20) % (LINE_FLOWS / LINE_WAYS) * LINE_WAYS];
	oldest = set;
	for (i = 0; i < LINE_WAYS; i++) {
		*found = is_flow(&set[i], key);
		if (*found)
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	return oldest;
}

/*
 * tcpdump's rule: the first line of a connection that acknowledges something, and
 * each SYN that does, shows the numbers as sent; later ones count from those.
 */
static struct base base_of(struct line_state *st, const struct record *r)
{
	struct line_flow key = { 0 }, *f;
	int order = memcmp(r->src.b, r->dst.b, 16);
	bool from_lo = order ? order < 0 : r->sport <= r->dport, found;

	if (st->opt.absolute_seq || !(r->tcp_flag_bits & TH_ACK))
		return (struct base){ 0, 0, 0 };
	key.lo = from_lo ? r->src : r->dst;
	key.hi = from_lo ? r->dst : r->src;
	key.lo_port = from_lo ? r->sport : r->dport;
	key.hi_port = from_lo ? r->dport : r->sport;
	f = find_flow(st, &key, &found);
	if (found && !(r->tcp_flag_bits & TH_SYN)) {
		f->used = ++st->clock;
		return from_lo ? (struct base){ f->lo_seq, f->hi_seq, f->hi_seq } :
				 (struct base){ f->hi_seq, f->lo_seq, f->lo_seq };
	}
	key.lo_seq = from_lo ? r->tcp_seq : r->tcp_ack - 1;
	key.hi_seq = from_lo ? r->tcp_ack - 1 : r->tcp_seq;
	key.used = ++st->clock;
	*f = key;
	return (struct base){ 0, 0, r->tcp_ack - 1 };
}

void line_tcp_seen(struct line_state *st, const struct record *r)
{
	if (record_has(r, FIELD_TCP_FLAGS))
		base_of(st, r);
}

static char *put_hex(char *o, const uint8_t *p, uint32_t n)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t i;

	for (i = 0; i < n; i++) {
		*o++ = digits[p[i] >> 4];
		*o++ = digits[p[i] & 15];
	}
	return o;
}

static char *put_sack(char *o, const uint8_t *p, uint32_t n, uint32_t base)
{
	o = LINE_LIT(o, "sack ");
	o = line_u32(o, n / 8);
	*o++ = ' ';
	for (; n >= 8; n -= 8, p += 8) {
		*o++ = '{';
		o = line_u32(o, be32(p) - base);
		*o++ = ':';
		o = line_u32(o, be32(p + 4) - base);
		*o++ = '}';
	}
	return o;
}

static char *put_timestamp(char *o, const uint8_t *p)
{
	o = line_u32(LINE_LIT(o, "TS val "), be32(p));
	return line_u32(LINE_LIT(o, " ecr "), be32(p + 4));
}

/* No name is longer than twelve bytes: see LINE_ROOM. */
static const char *option_name(uint8_t kind)
{
	switch (kind) {
	case 2:
		return "mss";
	case 3:
		return "wscale";
	case 4:
		return "sackOK";
	case 5:
		return "sack";
	case 6:
		return "echo";
	case 7:
		return "echoreply";
	case 8:
		return "TS";
	case 19:
		return "md5";
	case 28:
		return "uto";
	case 29:
		return "tcp-ao";
	case 30:
		return "mptcp";
	case 34:
		return "tfo";
	case 254:
		return "exp";
	default:
		return NULL;
	}
}

/* An option whose value is not understood: its name or number, and n bytes. */
static char *put_other(char *o, uint8_t kind, const uint8_t *p, uint32_t n)
{
	const char *name = option_name(kind);

	if (name)
		o = (char *)memcpy(o, name, strlen(name)) + strlen(name);
	else
		o = line_u32(LINE_LIT(o, "unknown-"), kind);
	return n ? put_hex(LINE_LIT(o, " 0x"), p, n) : o;
}

static uint64_t get_n(const uint8_t *p, uint32_t n)
{
	return n == 8 ? be64(p) : be32(p);
}

static char *put_u64(char *o, uint64_t v)
{
	char text[20];
	unsigned int n = 0;

	do
		text[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		*o++ = text[--n];
	return o;
}

/* RFC 8684, 3.3: p is after the subtype. */
static char *put_dss(char *o, const uint8_t *p, uint32_t n)
{
	uint32_t ack = p[0] & 1 ? (p[0] & 2 ? 8 : 4) : 0, seq = p[0] & 4 ? (p[0] & 8 ? 8 : 4) : 0;

	if (n < 1 + ack + (seq ? seq + 6 : 0))
		return o;
	if (p[0] & 16)
		o = LINE_LIT(o, " fin");
	p++;
	if (ack)
		o = put_u64(LINE_LIT(o, " ack "), get_n(p, ack));
	p += ack;
	if (!seq)
		return o;
	o = put_u64(LINE_LIT(o, " seq "), get_n(p, seq));
	p += seq;
	o = line_u32(LINE_LIT(o, " subseq "), be32(p));
	return line_u32(LINE_LIT(o, " len "), be16(p + 4));
}

/* RFC 8684, 3.1: p is after the version. */
static char *put_capable(char *o, const uint8_t *p, uint32_t n)
{
	if (n && *p & 0x80)
		o = LINE_LIT(o, " csum");
	if (n < 9)
		return o;
	o = put_hex(LINE_LIT(o, " {0x"), p + 1, 8);
	if (n >= 17)
		o = put_hex(LINE_LIT(o, ",0x"), p + 9, 8);
	*o++ = '}';
	return o;
}

/* RFC 8684, 8.1; those from 8 on tcpdump does not name. */
static char *put_mptcp(char *o, const uint8_t *p, uint32_t n)
{
	static const char *const names[] = {
		"capable", "join", "dss", "add-addr", "rem-addr", "prio", "fail", "fast-close", "unknown",
	};
	unsigned int subtype = p[0] >> 4 < 8 ? p[0] >> 4 : 8;

	o = line_u32(LINE_LIT(o, "mptcp "), n + 2);
	*o++ = ' ';
	o = (char *)memcpy(o, names[subtype], strlen(names[subtype])) + strlen(names[subtype]);
	if (subtype == 0)
		return put_capable(line_u32(LINE_LIT(o, " v"), p[0] & 15), p + 1, n - 1);
	return subtype == 2 && n > 1 ? put_dss(o, p + 1, n - 1) : o;
}

/* One option; p points after its kind and length, n bytes are left. */
static char *put_option(char *o, uint8_t kind, const uint8_t *p, uint32_t n, uint32_t base)
{
	if (kind == 8 && n == 8)
		return put_timestamp(o, p);
	if (kind == 2 && n == 2)
		return line_u32(LINE_LIT(o, "mss "), be16(p));
	if (kind == 3 && n == 1)
		return line_u32(LINE_LIT(o, "wscale "), p[0]);
	if (kind == 5 && n && n % 8 == 0)
		return put_sack(o, p, n, base);
	if (kind == 30 && n)
		return put_mptcp(o, p, n);
	if (kind == 34 && !n)
		return LINE_LIT(o, "tfo  cookiereq");
	if (kind == 34)
		return put_hex(LINE_LIT(o, "tfo  cookie "), p, n);
	if (kind == 254 && n >= 2 && p[0] == 0xf9 && p[1] == 0x89)	/* RFC 7413, 4.1.3.1 */
		return n == 2 ? LINE_LIT(o, "exp-tfo cookiereq") :
				put_hex(LINE_LIT(o, "exp-tfo cookie "), p + 2, n - 2);
	return put_other(o, kind, p, n);
}

bool line_tcp_is_cut(const struct record *r)
{
	return record_has(r, FIELD_TCP_FLAGS) && r->tcp_options.n < r->tcp_options_len;
}

/* The option at p, of which `got` bytes were captured of `left` that there are: is it cut? */
static bool is_cut(const uint8_t *p, uint32_t got, uint32_t left)
{
	if (!got || (got < 2 && left >= 2 && *p > 1))
		return true;
	return got >= 2 && *p > 1 && p[1] > got && p[1] <= left;
}

/* As much as there is of it: tcpdump has the name when it has the length. */
static char *put_cut(char *o, const uint8_t *p, uint32_t got)
{
	if (got >= 2)
		o = put_other(o, p[0], NULL, 0);
	return LINE_LIT(o, " [|tcp]");
}

/* RFC 9293, 3.2: each takes a byte at least. */
static char *put_options(char *o, const struct record *r, uint32_t base)
{
	const uint8_t *p = (const uint8_t *)r->tcp_options.p;
	const uint8_t *end = p + (r->tcp_options.n < 40 ? r->tcp_options.n : 40);
	const uint8_t *stop = p + r->tcp_options_len;

	o = LINE_LIT(o, ", options [");
	while (p < stop) {
		if (p > (const uint8_t *)r->tcp_options.p)
			*o++ = ',';
		if (is_cut(p, (uint32_t)(end - p), (uint32_t)(stop - p)))
			return put_cut(o, p, (uint32_t)(end - p));
		if (*p == 0) {
			o = LINE_LIT(o, "eol");
			break;
		}
		if (*p == 1) {
			o = LINE_LIT(o, "nop");
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p) {
			o = LINE_LIT(o, "[bad opt]");
			break;
		}
		o = put_option(o, p[0], p + 2, p[1] - 2u, base);
		p += p[1];
	}
	*o++ = ']';
	return o;
}

static char *put_flags(char *o, uint8_t flags)
{
	static const char letters[8] = { 'F', 'S', 'R', 'P', '.', 'U', 'E', 'W' };

	o = LINE_LIT(o, "Flags [");
	if (!flags)
		o = LINE_LIT(o, "none");
	for (; flags; flags &= (uint8_t)(flags - 1))
		*o++ = letters[__builtin_ctz(flags)];
	*o++ = ']';
	return o;
}

static char *put_numbers(char *o, const struct record *r, const struct base *base, bool verbose)
{
	uint32_t seq = r->tcp_seq - base->seq;

	if (r->rest_len || verbose || r->tcp_flag_bits & (TH_FIN | TH_SYN | TH_RST)) {
		o = line_u32(LINE_LIT(o, ", seq "), seq);
		if (r->rest_len) {
			*o++ = ':';
			o = line_u32(o, seq + r->rest_len);
		}
	}
	if (r->tcp_flag_bits & TH_ACK)
		o = line_u32(LINE_LIT(o, ", ack "), r->tcp_ack - base->ack);
	return o;
}

/*
 * The longest line: fixed words and numbers below 160 bytes, and 40 bytes of
 * options, of which two can become 16 at most ("unknown-255 0x" and a comma).
 */
enum { LINE_ROOM = 160 + 20 * 16 + 64 };

void line_tcp(struct line_state *st, const struct record *r, struct buf *b)
{
	struct base base;
	char *o;

	if (!buf_room(b, LINE_ROOM))
		return;
	o = b->p + b->n;
	if (!record_has(r, FIELD_TCP_FLAGS)) {	/* cut before them */
		o = LINE_LIT(o, "tcp");
	} else if (st->opt.quiet) {
		o = line_u32(LINE_LIT(o, "tcp "), r->rest_len);
	} else {
		base = base_of(st, r);
		o = put_flags(o, r->tcp_flag_bits);
		o = put_numbers(o, r, &base, st->opt.verbose > 1);
		o = line_u32(LINE_LIT(o, ", win "), r->tcp_window);
		if (r->tcp_flag_bits & TH_URG)
			o = line_u32(LINE_LIT(o, ", urg "), r->tcp_urgent);
		if (r->tcp_options_len)
			o = put_options(o, r, base.sack);
		if (!line_tcp_is_cut(r))
			o = line_u32(LINE_LIT(o, ", length "), r->rest_len);
	}
	b->n = (size_t)(o - b->p);
}
