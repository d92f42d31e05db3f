// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries as text: the words that a user writes. */
#include "rules/rule.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "numbers/ipproto.h"
#include "rules/span.h"
#include "util/addr.h"

enum { WHY = 160, SECOND = 1000000000, REASON_MAX = 4095 };

const char *const rule_actions[] = { "?", "drop", "audit", "limit", "allow" };

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_mac(struct np_rule *rule, const char *p, size_t n)
{
	if (n != 17)
		return false;
	for (int i = 0; i < 6; i++, p += 3) {
		if (hex(p[0]) < 0 || hex(p[1]) < 0 || (i < 5 && p[2] != ':' && p[2] != '-'))
			return false;
		rule->addr[i] = (uint8_t)(hex(p[0]) << 4 | hex(p[1]));
	}
	rule->kind = NP_KIND_MAC;
	rule->plen = 48;
	return true;
}

/* Plain decimal, at most max; -1. */
static long decimal(const char *p, size_t n, long max)
{
	long v = 0;

	if (!n || n > 9)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + p[i] - '0';
	}
	return v <= max ? v : -1;
}

/* Four numbers of at most 255, no leading zeros: they would be octal elsewhere. */
static bool parse_v4(uint8_t out[4], const char *p, size_t n)
{
	const char *end = p + n;

	for (int i = 0; i < 4; i++) {
		const char *dot = i < 3 ? memchr(p, '.', (size_t)(end - p)) : end;
		long v = dot ? decimal(p, (size_t)(dot - p), 255) : -1;

		if (v < 0 || (*p == '0' && dot - p > 1))
			return false;
		out[i] = (uint8_t)v;
		p = dot + 1;
	}
	return true;
}

static void mask(uint8_t *addr, unsigned int bytes, unsigned int plen)
{
	for (unsigned int i = 0; i < bytes; i++)
		addr[i] &= plen >= 8 * (i + 1) ? 0xff : plen <= 8 * i ? 0 : (uint8_t)(0xff00 >> (plen - 8 * i));
}

/* ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2) is how programs write addresses of IPv4, not what packets have. */
static void unmap(struct np_rule *rule)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (rule->plen < 96 || memcmp(rule->addr, mapped, sizeof(mapped)))
		return;
	rule->kind = NP_KIND_V4;
	rule->plen -= 96;
	memmove(rule->addr, rule->addr + 12, 4);
	memset(rule->addr + 4, 0, 12);
}

bool rule_target(struct np_rule *rule, const char *text, size_t n)
{
	const char *slash = memchr(text, '/', n);
	size_t len = slash ? (size_t)(slash - text) : n;
	char copy[INET6_ADDRSTRLEN];
	long plen = -1;

	memset(rule->addr, 0, sizeof(rule->addr));
	if (n == 3 && !memcmp(text, "any", 3)) {
		rule->kind = NP_KIND_V4;
		rule->plen = 0;
		return true;
	}
	if (parse_mac(rule, text, n))
		return true;
	memset(rule->addr, 0, sizeof(rule->addr));
	if (slash) {
		plen = decimal(slash + 1, n - len - 1, 128);
		if (plen < 0)
			return false;
	}
	if (parse_v4(rule->addr, text, len)) {
		rule->kind = NP_KIND_V4;
		rule->plen = (uint8_t)(plen < 0 ? 32 : plen);
		mask(rule->addr, 4, rule->plen);
		return plen <= 32;
	}
	if (len >= sizeof(copy) || !memchr(text, ':', len))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	if (inet_pton(AF_INET6, copy, rule->addr) != 1)
		return false;
	rule->kind = NP_KIND_V6;
	rule->plen = (uint8_t)(plen < 0 ? 128 : plen);
	mask(rule->addr, 16, rule->plen);
	unmap(rule);
	return true;
}

/* RFC 1035, 2.3.4: labels of 1 to 63 bytes, 253 in all.  Underscores occur; the last label is no number, nor
 * several with dashes between, so that a mistyped address or range is not taken for a name. */
bool rule_name_ok(const char *p, size_t n)
{
	size_t label = 0;
	bool digits = true;

	if (!n || n > RULE_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		bool alpha = (p[i] | 0x20) >= 'a' && (p[i] | 0x20) <= 'z';

		if (p[i] == '.') {
			if (!label)
				return false;
			label = 0;
			digits = true;
			continue;
		}
		if (!alpha && !(p[i] >= '0' && p[i] <= '9') && p[i] != '-' && p[i] != '_')
			return false;
		digits = digits && !alpha && p[i] != '_';
		if (++label > 63)
			return false;
	}
	return label && !digits;
}

bool rule_domain(struct rules *r, struct np_rule *rule, const char *text, size_t n)
{
	char lower[RULE_NAME_MAX + 1];
	bool suffix = n > 2 && text[0] == '*' && text[1] == '.';

	if (suffix) {
		text += 2;
		n -= 2;
	}
	if (n && text[n - 1] == '.')
		n--;
	if (!rule_name_ok(text, n))
		return false;
	for (size_t i = 0; i < n; i++)
		lower[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] | 0x20 : text[i]);
	memset(rule->addr, 0, sizeof(rule->addr));
	rule->kind = NP_KIND_NAME;
	rule->plen = 0;
	rule->flags = (uint8_t)((rule->flags & ~NP_RULE_SUFFIX) | (suffix ? NP_RULE_SUFFIX : 0));
	rule->name = rules_text(r, lower, n);
	return rule->name != UINT32_MAX;
}

/*
 * A number, perhaps with a fraction and one of kKmMgG, in thousandths, of which parts are left out; stops at what
 * follows.  In integers: what is printed is read as the same again.
 */
static bool number(const char **p, unsigned __int128 *v)
{
	static const char units[] = "kmg";
	unsigned __int128 whole = 0, part = 0, of = 1, scale = 1000;
	const char *s = *p, *u;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9' && whole < 1000000000000000; s++)
		whole = whole * 10 + (unsigned int)(*s - '0');
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++) {
			if (of >= 1000000000000)
				continue;
			of *= 10;
			part = part * 10 + (unsigned int)(*s - '0');
		}
	u = *s ? strchr(units, *s | 0x20) : NULL;
	*p = s + (u != NULL);
	for (ptrdiff_t n = u ? u - units + 1 : 0; n; n--)
		scale *= 1000;
	*v = whole * scale + part * scale / of;
	return true;
}

/* 100pps, 10kpps, 20mbit, 1.5MBps (bytes); /BURST: packets or bytes. */
int rule_rate(const char *text, struct np_rule *rule)
{
	unsigned __int128 rate, burst = 0;
	uint64_t least;
	size_t unit;

	if (!number(&text, &rate))
		return -EINVAL;
	unit = strcspn(text, "/");
	if (unit == 3 && !strncmp(text, "pps", 3))
		rule->flags &= (uint8_t)~NP_RULE_BYTES;
	else if (unit == 3 && (!strncmp(text, "bit", 3) || !strncmp(text, "bps", 3)))
		rate /= 8, rule->flags |= NP_RULE_BYTES;
	else if (unit == 3 && !strncmp(text, "Bps", 3))
		rule->flags |= NP_RULE_BYTES;
	else
		return -EINVAL;
	least = rule->flags & NP_RULE_BYTES ? RULE_BURST_BYTES : 1;
	text += unit;
	if (*text == '/') {
		text++;
		if (!number(&text, &burst) || burst < least * 1000)
			return -EINVAL;
	}
	burst /= 1000;
	if (*text || rate < RULE_RATE_MIN || rate > RULE_RATE_MAX || burst > RULE_BURST_MAX)
		return -EINVAL;
	rule->rate = (uint64_t)rate;
	rule->burst = (uint64_t)burst;
	if (!burst) {
		least = rule->flags & NP_RULE_BYTES ? 4500 : 5;
		rule->burst = rule->rate / 20000 > least ? rule->rate / 20000 : least;
	}
	return 0;
}

static int parse_proto(struct np_rule *rule, const char *word)
{
	long v = decimal(word, strlen(word), 255);

	if (v < 0)
		v = ipproto_number(word);
	rule->proto = (uint8_t)v;
	rule->flags |= NP_RULE_PROTO;
	return v < 0 ? -EINVAL : 0;
}

static const char *proto_word(uint8_t proto)
{
	return proto == PROTO_ICMPV6 ? "icmp6" : ipproto_name(proto);
}

static int parse_ports(struct np_rule *rule, const char *word)
{
	const char *dash = strchr(word, '-');
	size_t n = dash ? (size_t)(dash - word) : strlen(word);
	long lo = decimal(word, n, 65535), hi = dash ? decimal(dash + 1, strlen(dash + 1), 65535) : lo;

	rule->port_lo = (uint16_t)lo;
	rule->port_hi = (uint16_t)hi;
	rule->flags |= NP_RULE_PORT;
	return lo < 0 || hi < lo ? -EINVAL : 0;
}

static int parse_for(struct np_rule *rule, const char *word, uint64_t now_ns)
{
	uint64_t s;

	if (span_read(word, &s) || !s || s > RULE_FOR_MAX_NS / SECOND)
		return -EINVAL;
	rule->expires_ns = now_ns + s * SECOND;
	rule->flags |= NP_RULE_EXPIRES;
	return 0;
}

/* action A [RATE]: how many words it took, 0 when wrong. */
static int parse_action(struct np_rule *rule, int n, char *const *words)
{
	for (uint8_t a = NP_DROP; n && a <= NP_ALLOW; a++) {
		if (strcmp(words[0], rule_actions[a]))
			continue;
		rule->action = a;
		if (a != NP_LIMIT)
			return 1;
		return n > 1 && !rule_rate(words[1], rule) ? 2 : 0;
	}
	return 0;
}

/* The rest of the words with blanks between; nothing of it is cut, which could be within a character. */
static int parse_reason(struct rules *r, struct np_rule *rule, int n, char *const *words)
{
	char text[REASON_MAX + 1];
	size_t len = 0;

	for (int i = 0; i < n && len < sizeof(text); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "", words[i]);
	if (len >= sizeof(text))
		return -E2BIG;
	rule->reason = rules_text(r, text, len);
	return rule->reason == UINT32_MAX ? -ENOMEM : 0;
}

/* One word with what belongs to it: how many it took, or -errno. */
static int parse_word(struct rules *r, struct np_rule *rule, int n, char *const *words, uint64_t now_ns)
{
	static const char *const dirs[] = { "", "src", "dst", "both" };
	const char *w = words[0];
	int took;

	for (uint8_t d = 1; d < 4; d++)
		if (!strcmp(w, dirs[d])) {
			rule->dir = d;
			return 1;
		}
	if (!strcmp(w, "shared")) {
		rule->flags |= NP_RULE_SHARED;
		return 1;
	}
	if (!strcmp(w, "reason")) {
		took = parse_reason(r, rule, n - 1, words + 1);
		return took ? took : n;
	}
	if (n < 2)
		return -EINVAL;
	if (!strcmp(w, "proto"))
		return parse_proto(rule, words[1]) ? -EINVAL : 2;
	if (!strcmp(w, "port"))
		return parse_ports(rule, words[1]) ? -EINVAL : 2;
	if (!strcmp(w, "for"))
		return parse_for(rule, words[1], now_ns) ? -EINVAL : 2;
	if (!strcmp(w, "action")) {
		took = parse_action(rule, n - 1, words + 1);
		return took ? took + 1 : -EINVAL;
	}
	return -EINVAL;
}

/* Which of them a word is: those that say the same thing are one; -1: none that could be said twice. */
static int kind_of(const char *word)
{
	static const struct { const char *word; int kind; } rows[] = {
		{ "src", 0 }, { "dst", 0 }, { "both", 0 }, { "proto", 1 }, { "port", 2 }, { "for", 3 }, { "action", 4 },
		{ "shared", 5 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].word, word))
			return rows[i].kind;
	return -1;
}

static int no_time(const char *word, char *why)
{
	struct buf most = { 0 };

	span_print(&most, RULE_FOR_MAX_NS / SECOND);
	snprintf(why, WHY, "'for %.32s' is no time from 1s to %.*s: 90s, 10m, 12h, 1d, 1d12h", word, (int)most.n,
		 most.p ? most.p : "");
	buf_free(&most);
	return -EINVAL;
}

static int no_reason(int err, char *why)
{
	if (err == -E2BIG)
		snprintf(why, WHY, "'reason': a text of more than %u bytes", REASON_MAX);
	else
		snprintf(why, WHY, "'reason': no memory");
	return -EINVAL;
}

static int not_understood(int n, char *const *words, char *why)
{
	static const struct { const char *word, *wants; } rows[] = {
		{ "proto", ": tcp, udp, icmp, icmp6, sctp, gre, esp, ... or a number up to 255" },
		{ "port", ": N or N-M, up to 65535" },
		{ "-", ": a range has no blanks: 192.0.2.1-192.0.2.9" },
	};
	const char *wants = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(words[0], rows[i].word))
			wants = rows[i].wants;
	if (n > 2 && !strcmp(words[0], "action") && !strcmp(words[1], "limit"))
		snprintf(why, WHY,
			 "'limit %.24s': a rate is 100pps or 1mbit, and behind a slash a burst: packets, or "
			 "bytes, then at least %u", words[2], RULE_BURST_BYTES);
	else
		snprintf(why, WHY, "'%.32s%s%.32s' is not understood%s", words[0], n > 1 ? " " : "",
			 n > 1 ? words[1] : "", wants);
	return -EINVAL;
}

/* The last one would win in silence. */
static int said_twice(const char *before, int n, char *const *words, char *why)
{
	bool value = kind_of(words[0]) != 0 && strcmp(words[0], "shared") && n > 1;

	snprintf(why, WHY, "'%.40s%s%.40s': '%.16s' was given before; once is enough", words[0], value ? " " : "",
		 value ? words[1] : "", before);
	return -EINVAL;
}

/* What no packet is, or what nothing follows from. */
static int contradicts(const struct np_rule *rule, char *why)
{
	static const uint8_t with_ports[] = { PROTO_TCP, PROTO_UDP, PROTO_DCCP, PROTO_SCTP, PROTO_UDPLITE };

	if (rule->flags & NP_RULE_SHARED && rule->action != NP_LIMIT) {
		snprintf(why, WHY, "'shared' is for 'action limit'");
		return -EINVAL;
	}
	if (~rule->flags & (NP_RULE_PROTO | NP_RULE_PORT) || memchr(with_ports, rule->proto, sizeof(with_ports)))
		return 0;
	snprintf(why, WHY, "'port %u': proto %s has no ports; tcp, udp, sctp, dccp and udplite have", rule->port_lo,
		 proto_word(rule->proto));
	return -EINVAL;
}

int rule_words(struct rules *r, struct np_rule *rule, int n, char *const *words, uint64_t now_ns, char *why)
{
	const char *said[6] = { NULL };

	for (int i = 0; i < n;) {
		int took = parse_word(r, rule, n - i, words + i, now_ns), kind = kind_of(words[i]);

		if (took < 0 && !strcmp(words[i], "reason"))
			return no_reason(took, why);
		if (took < 0 && n - i > 1 && !strcmp(words[i], "for"))
			return no_time(words[i + 1], why);
		if (took < 0)
			return not_understood(n - i, words + i, why);
		if (kind >= 0 && said[kind])
			return said_twice(said[kind], n - i, words + i, why);
		if (kind >= 0)
			said[kind] = words[i];
		i += took;
	}
	return contradicts(rule, why);
}

int rule_family(const struct np_rule *rule, char *why)
{
	bool v6 = rule->kind == NP_KIND_V6;

	if (!(rule->flags & NP_RULE_PROTO) || rule->proto != (v6 ? PROTO_ICMP : PROTO_ICMPV6) ||
	    (!v6 && rule->kind != NP_KIND_V4))
		return 0;
	snprintf(why, WHY, "'proto %s': IPv%c has %s", proto_word(rule->proto), v6 ? '6' : '4',
		 proto_word(v6 ? PROTO_ICMPV6 : PROTO_ICMP));
	return -EINVAL;
}

void rule_print_target(struct buf *b, const struct rules *r, const struct np_rule *rule)
{
	struct addr a = { .family = rule->kind };

	if (rule->kind == NP_KIND_MAC) {
		mac_print(b, rule->addr);
		return;
	}
	if (rule->kind == NP_KIND_NAME) {
		buf_fmt(b, "domain %s%s", rule->flags & NP_RULE_SUFFIX ? "*." : "", rules_string(r, rule->name));
		return;
	}
	memcpy(a.b, rule->addr, sizeof(a.b));
	addr_print(b, &a);
	if (rule->plen < (rule->kind == NP_KIND_V4 ? 32 : 128))
		buf_fmt(b, "/%u", rule->plen);
}

/* In the largest unit that leaves no fraction, and where there is one all of it: rule_rate() reads the same rate. */
void rule_print_rate(struct buf *b, const struct np_rule *rule)
{
	static const char *const units[] = { "", "k", "m", "g" };
	bool bytes = rule->flags & NP_RULE_BYTES;
	uint64_t thousandths = rule->rate * (bytes ? 8 : 1), v = thousandths / 1000;
	unsigned int part = (unsigned int)(thousandths % 1000);
	int i = 0, digits = 3;

	for (; !part && v && !(v % 1000) && i < 3; i++)
		v /= 1000;
	buf_fmt(b, "%llu", (unsigned long long)v);
	for (; part && !(part % 10); digits--)
		part /= 10;
	if (part)
		buf_fmt(b, ".%0*u", digits, part);
	buf_fmt(b, "%s%s/%llu", units[i], bytes ? "bit" : "pps", (unsigned long long)rule->burst);
}

void rule_print_match(struct buf *b, const struct rules *r, const struct np_rule *rule)
{
	static const char *const dirs[] = { "", " src", " dst", " both" };

	rule_print_target(b, r, rule);
	if (rule->kind != NP_KIND_NAME)
		buf_str(b, dirs[rule->dir & 3]);
	if (rule->flags & NP_RULE_PROTO)
		buf_fmt(b, " proto %s", proto_word(rule->proto));
	if (rule->flags & NP_RULE_PORT)
		buf_fmt(b, rule->port_lo == rule->port_hi ? " port %u" : " port %u-%u", rule->port_lo, rule->port_hi);
}

void rule_print_action(struct buf *b, const struct np_rule *rule)
{
	buf_fmt(b, "action %s", rule_actions[rule->action <= NP_ALLOW ? rule->action : 0]);
	if (rule->action != NP_LIMIT)
		return;
	buf_chr(b, ' ');
	rule_print_rate(b, rule);
	if (rule->flags & NP_RULE_SHARED)
		buf_lit(b, " shared");
}

void rule_print(struct buf *b, const struct rules *r, const struct np_rule *rule, uint64_t now_ns)
{
	rule_print_match(b, r, rule);
	if (rule->flags & NP_RULE_EXPIRES) {
		uint64_t left = rule->expires_ns > now_ns ? rule->expires_ns - now_ns : 0;

		buf_lit(b, " for ");
		span_print(b, (left + SECOND - 1) / SECOND);
	}
	buf_chr(b, ' ');
	rule_print_action(b, rule);
}
