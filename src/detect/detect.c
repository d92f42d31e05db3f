// SPDX-License-Identifier: GPL-2.0-or-later
#include "detect/detect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/icmp/fields.h"
#include "detect/detector.h"
#include "detect/fields.h"
#include "util/steady.h"

#define SECONDS(n) ((n) * 1000000000ull)

enum { CALLS_MAX = 32768, REPEATS_MAX = 4096, TEXTS = 4 };

const struct detect_rule_info detect_rules[RULES] = {
	[RULE_PORT_SCAN] = { "port_scan", "ports of one host that refuse or do not answer", "T1046", 47,
			     { 10, SECONDS(3600), true } },
	[RULE_HOST_SCAN] = { "host_scan", "hosts that refuse or do not answer on one port", "T1018", 47,
			     { 8, SECONDS(7200), true } },
	[RULE_SYN_FLOOD] = { "syn_flood", "connections to one host that are begun and not opened", "T1499.001", 73,
			     { 500, SECONDS(1), true } },
	[RULE_TCP_REFLECTION] = { "tcp_reflection", "SYN+ACKs to one host that asked for none", "T1498.002", 73,
				  { 200, SECONDS(1), true } },
	[RULE_UDP_AMPLIFICATION] = { "udp_amplification",
				     "datagrams of amplifying services to one host that asked for none", "T1498.002",
				     73, { 200, SECONDS(1), true } },
	[RULE_ICMP_FLOOD] = { "icmp_flood", "ICMP messages to one host that asked for none", "T1498.001", 47,
			      { 250, SECONDS(1), true } },
	[RULE_DHCP_FLOOD] = { "dhcp_flood", "clients that ask for an address", "T1499.002", 73,
			      { 50, SECONDS(10), true } },
	[RULE_ARP_SPOOF] = { "arp_spoof", "times that an address goes from one station to another", "T1557.002", 73,
			     { 2, SECONDS(60), true } },
	[RULE_BRUTE_FORCE] = { "brute_force", "short sessions with a service that asks for a password", "T1110", 47,
			       { 20, SECONDS(60), true } },
	[RULE_UDP_FLOOD] = { "udp_flood", "datagrams to one host that does not answer", "T1498.001", 47,
			     { 20000, SECONDS(1), false } },
	[RULE_NAME_TUNNEL] = { "dns_tunnel", "names of one domain that carry data", "T1071.004", 73,
			      { 50, SECONDS(60), false } },
	[RULE_RANDOM_SUBDOMAIN] = { "random_subdomain", "names of one domain that do not exist", "T1498.001", 47,
				    { 50, SECONDS(60), false } },
	[RULE_BEACONING] = { "beaconing", "calls at equal distances", "T1071", 47, { 8, SECONDS(86400), false } },
	[RULE_NEW_LISTENER] = { "new_listener", "services that were not there in the beginning", "T1571", 21,
				{ 1, SECONDS(300), false } },
	[RULE_NEW_TALKER] = { "new_talker", "hosts that were not there in the beginning", NULL, 21,
			      { 1, SECONDS(300), false } },
	[RULE_UNUSUAL_VOLUME] = { "unusual_volume", "times the usual spread above the usual bytes of a host",
				  "T1048", 21, { 8, SECONDS(60), false } },
};

static const struct detector *const detectors[] = {
	&scan_detector, &flood_detector, &lan_detector, &guess_detector, &names_detector, &habits_detector,
};
enum { DETECTORS = sizeof(detectors) / sizeof(detectors[0]) };

/* What was told, and how often it was not told again. */
struct repeat {
	struct table_entry e;
	uint64_t told_ns, suppressed;
	bool told;
};

struct detect {
	struct detect_options opt;
	struct hash_key key;
	struct calls *calls;
	void *state[DETECTORS];
	bool on[DETECTORS];
	uint8_t wants[DATASETS_MAX];	/* by id: 1 << place in detectors[] */
	struct table repeats;
	struct steady clock;
	uint64_t now_ns, tick_ns, told_ns;	/* told: what an alert of now bears */
	uint64_t frame_number;		/* of the record that is looked at */
	struct detect_counts counts;
	char text[TEXTS][ADDR_TEXT_MAX + 1];
	unsigned int text_at;
	record_fn fn;
	void *ctx;
	int rc;				/* first non-zero value of fn */
};

int detect_find(const char *name, size_t n)
{
	for (int i = 0; i < RULES; i++) {
		const char *p = detect_rules[i].name;
		size_t at = 0;

		for (; *p && at < n; p++) {
			if (*p == name[at])
				at++;
			else if (*p != '_')
				break;
		}
		if (!*p && at == n)
			return i;
	}
	return -1;
}

void detect_defaults(struct detect_options *o)
{
	memset(o, 0, sizeof(*o));
	for (int i = 0; i < RULES; i++)
		o->limits[i] = detect_rules[i].limit;
}

const struct detect_limit *detect_limit(const struct detect *d, enum detect_rule rule)
{
	return &d->opt.limits[rule];
}

uint64_t detect_now(const struct detect *d)
{
	return d->now_ns;
}

uint32_t detect_seed(const struct detect *d)
{
	return d->opt.seed;
}

const struct hash_key *detect_key(const struct detect *d)
{
	return &d->key;
}

const char *detect_addr(struct detect *d, const struct addr *a)
{
	char *text = d->text[d->text_at++ % TEXTS];

	text[addr_text(text, a)] = '\0';
	return text;
}

static void call_happened(void *ctx, const struct call_news *n)
{
	struct detect *d = ctx;

	for (unsigned int i = 0; i < DETECTORS; i++)
		if (d->on[i] && detectors[i]->call)
			detectors[i]->call(d->state[i], d, n);
}

static bool follow_some(uint16_t port)
{
	return guess_detector.follow(port);
}

static bool follow_all(uint16_t port)
{
	return true;
}

static bool wants(const struct detector *o, const struct dataset *set)
{
	for (const struct dataset *const *p = o->sets; *p; p++)
		if (*p == set)
			return true;
	return (o->identities && set->identify) || (o->lookups && set->lookup);
}

int detect_open(struct detect **out, const struct detect_options *opt)
{
	struct detect *d = calloc(1, sizeof(*d));
	int err = d ? 0 : -ENOMEM;

	if (!err) {
		d->opt = *opt;
		d->key = hash_key_from(opt->seed + 1);
		if (!d->opt.repeat_ns)
			d->opt.repeat_ns = SECONDS(600);
		err = calls_open(&d->calls, CALLS_MAX, opt->seed,
				 opt->limits[RULE_NEW_LISTENER].on ? follow_all : follow_some, call_happened, d);
	}
	if (!err)
		err = table_open(&d->repeats, sizeof(struct repeat), 0, REPEATS_MAX, 0, opt->seed);
	for (unsigned int i = 0; i < DETECTORS && !err; i++) {
		for (int rule = 0; rule < RULES; rule++)
			d->on[i] |= detectors[i]->rules >> rule & 1 && opt->limits[rule].on;
		if (!d->on[i])
			continue;
		for (unsigned int set = 0; set < n_datasets; set++)
			if (wants(detectors[i], datasets[set]))
				d->wants[set] |= (uint8_t)(1u << i);
		err = detectors[i]->open(&d->state[i], d);
	}
	if (err) {
		detect_close(d);
		return err;
	}
	*out = d;
	return 0;
}

void detect_close(struct detect *d)
{
	if (!d)
		return;
	for (unsigned int i = 0; i < DETECTORS; i++)
		if (d->state[i])
			detectors[i]->close(d->state[i]);
	calls_close(d->calls);
	table_close(&d->repeats);
	free(d);
}

static void mark_evidence(struct record *r, const struct alert *a, uint64_t suppressed)
{
	const struct {
		unsigned int id;
		uint64_t v, *to;
	} rows[] = {
		{ FIELD_ALERT_COUNT, a->count, &alert_of(r)->count },
		{ FIELD_ALERT_PORTS, a->ports, &alert_of(r)->ports },
		{ FIELD_ALERT_HOSTS, a->hosts, &alert_of(r)->hosts },
		{ FIELD_ALERT_SOURCES, a->sources, &alert_of(r)->sources },
		{ FIELD_ALERT_SUPPRESSED, suppressed, &alert_of(r)->suppressed },
		{ FIELD_FRAME_NUMBER, r->frame_number, &r->frame_number },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!rows[i].v)
			continue;
		*rows[i].to = rows[i].v;
		record_mark(r, rows[i].id);
	}
}

static void mark_ends(struct record *r, const struct alert *a)
{
	if (a->src && a->src->family) {
		r->src = *a->src;
		record_mark(r, FIELD_SRC_IP);
	}
	if (a->dst && a->dst->family) {
		r->dst = *a->dst;
		record_mark(r, FIELD_DST_IP);
	}
	if (a->smac) {
		memcpy(r->smac, a->smac, 6);
		record_mark(r, FIELD_SRC_MAC);
	}
	if (a->port) {
		r->dport = a->port;
		record_mark(r, FIELD_DST_PORT);
	}
}

static void tell(struct detect *d, const struct alert *a, const char *message, uint64_t suppressed)
{
	const struct detect_rule_info *rule = &detect_rules[a->rule];
	struct record r;

	record_start(&r, &alert_dataset);
	r.time_ns = r.end_ns = d->told_ns;
	r.start_ns = a->start_ns && a->start_ns < d->told_ns ? a->start_ns : d->told_ns;
	r.frame_number = d->frame_number;
	r.event_kind = "alert";
	r.rule_name = (struct str){ rule->name, (uint32_t)strlen(rule->name) };
	r.severity = rule->severity;
	alert_of(&r)->message = (struct str){ message, (uint32_t)strlen(message) };
	record_mark(&r, FIELD_TIME);
	record_mark(&r, FIELD_START);
	record_mark(&r, FIELD_END);
	record_mark(&r, FIELD_EVENT_KIND);
	record_mark(&r, FIELD_SEVERITY);
	record_mark(&r, FIELD_RULE_NAME);
	record_mark(&r, FIELD_MESSAGE);
	if (rule->technique) {
		alert_of(&r)->technique = rule->technique;
		record_mark(&r, FIELD_TECHNIQUE);
	}
	mark_ends(&r, a);
	mark_evidence(&r, a, suppressed);
	d->counts.alerts++;
	if (!d->rc)
		d->rc = d->fn(d->ctx, &r);
}

void detect_raise(struct detect *d, const struct alert *a, const char *fmt, ...)
{
	char message[256];
	struct repeat *re;
	uint64_t key[KEY_WORDS], suppressed;
	va_list ap;
	bool fresh;

	if (!d->opt.limits[a->rule].on)
		return;
	key_make(key, a->same_src, a->same_dst, a->same << 8 | a->rule);
	re = table_get(&d->repeats, key, d->now_ns, &fresh);
	if (!fresh && re->told && d->now_ns - re->told_ns < d->opt.repeat_ns) {
		re->suppressed++;
		d->counts.suppressed++;
		return;
	}
	suppressed = re->suppressed;
	re->suppressed = 0;
	re->told = true;
	re->told_ns = d->now_ns;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	tell(d, a, message, suppressed);
}

static void run_ticks(struct detect *d, bool end)
{
	calls_tick(d->calls, d->now_ns, end);
	for (unsigned int i = 0; i < DETECTORS; i++)
		if (d->on[i] && detectors[i]->tick)
			detectors[i]->tick(d->state[i], d, end);
}

/* Back when the stamps are.  What began ahead of that by more than its window is over. */
static void at(struct detect *d, uint64_t stamp_ns)
{
	d->now_ns = steady_at(&d->clock, stamp_ns);
	d->told_ns = d->clock.doubted > 0 ? stamp_ns : d->now_ns;
	if (d->now_ns - d->tick_ns < TICK_NS)
		return;
	d->tick_ns = d->now_ns;
	run_ticks(d, false);
}

int detect_record(struct detect *d, const struct record *r, record_fn fn, void *ctx)
{
	unsigned int wants = d->wants[r->set->id];

	d->fn = fn;
	d->ctx = ctx;
	d->rc = 0;
	if (!wants && r->set != &packet_dataset && r->set != &icmp_dataset)
		return 0;
	d->frame_number = record_has(r, FIELD_FRAME_NUMBER) ? r->frame_number : 0;
	at(d, r->time_ns);
	if (r->set == &packet_dataset)
		calls_packet(d->calls, r, d->now_ns);
	else if (r->set == &icmp_dataset)
		calls_icmp(d->calls, r, d->now_ns);
	for (unsigned int i = 0; wants; i++, wants >>= 1)
		if (wants & 1)
			detectors[i]->record(d->state[i], d, r);
	return d->rc;
}

int detect_tick(struct detect *d, uint64_t now_ns, record_fn fn, void *ctx)
{
	d->fn = fn;
	d->ctx = ctx;
	d->rc = 0;
	d->frame_number = 0;
	at(d, now_ns);
	return d->rc;
}

int detect_finish(struct detect *d, record_fn fn, void *ctx)
{
	d->fn = fn;
	d->ctx = ctx;
	d->rc = 0;
	d->frame_number = 0;
	run_ticks(d, true);
	return d->rc;
}

void detect_counts(const struct detect *d, struct detect_counts *c)
{
	*c = d->counts;
	c->connections_evicted = calls_evicted(d->calls);
	c->entries_evicted = 0;
	for (unsigned int i = 0; i < DETECTORS; i++)
		if (d->on[i] && detectors[i]->evicted)
			c->entries_evicted += detectors[i]->evicted(d->state[i]);
}
