// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "cmd/watch.h"
#include "decode/protocol.h"
#include "numbers/ipproto.h"
#include "util/err.h"

/* What is decoded, and as what: --proto, --decode-as, --where. */

/* The bits of the dataset with that name, or of the protocol, or of all; 0: there is none. */
static uint64_t proto_kinds(const char *name, size_t n)
{
	bool all = n == 3 && !memcmp(name, "all", 3);
	const struct protocol *protocol = protocol_find(name, n);
	const struct dataset *set = dataset_find(name, n);
	uint64_t kinds = protocol ? dataset_bit(protocol->set) : 0;

	if (set && set->is_protocol)
		kinds |= dataset_bit(set);
	for (unsigned int i = 0; all && i < n_datasets; i++)
		if (datasets[i]->is_protocol)
			kinds |= dataset_bit(datasets[i]);
	return kinds;
}

/* All, the protocols, and their datasets where those are called otherwise. */
const char *watch_proto_word(unsigned int i)
{
	unsigned int at = 1;

	if (!i)
		return "all";
	for (const struct protocol *const *p = protocols; *p; p++, at++)
		if (at == i)
			return (*p)->name;
	for (unsigned int k = 0; k < n_datasets; k++) {
		const char *name = datasets[k]->name;

		if (datasets[k]->is_protocol && !protocol_find(name, strlen(name)) && at++ == i)
			return name;
	}
	return NULL;
}

static void take_protos(struct watch *w, const char *list)
{
	for (const char *p = list; p && *p;) {
		size_t n = strcspn(p, ",");

		w->kinds |= proto_kinds(p, n);
		p += n + (p[n] == ',');
	}
}

/* tcp:7777=redis */
static int parse_decode_as(struct watch *w, const char *text)
{
	struct decode_as *as = &w->decode_as[w->n_decode_as];
	const char *name = strchr(text, '=');
	unsigned long port;
	char *end;

	if (w->n_decode_as == sizeof(w->decode_as) / sizeof(w->decode_as[0]))
		return fail(0, "--decode-as: at most %u ports", w->n_decode_as);
	if (strncmp(text, "tcp:", 4) && strncmp(text, "udp:", 4))
		return fail(0, "--decode-as %s: write it as tcp:PORT=PROTOCOL or udp:PORT=PROTOCOL", text);
	as->proto = text[0] == 't' ? PROTO_TCP : PROTO_UDP;
	port = strtoul(text + 4, &end, 10);
	if (end == text + 4 || end != name || !port || port > UINT16_MAX)
		return fail(0, "--decode-as %s: the port is a number from 1 to 65535", text);
	as->port = (uint16_t)port;
	as->protocol = protocol_find(name + 1, strlen(name + 1));
	if (!as->protocol)
		return fail(0, "--decode-as: no protocol '%s' (%s)", name + 1, protocol_names());
	if (as->proto == PROTO_TCP ? !as->protocol->take : !as->protocol->datagram)
		return fail(0, "--decode-as: %s is not read over %.3s", name + 1, text);
	w->n_decode_as++;
	return 0;
}

int watch_check_decode(struct watch *w)
{
	const struct watch_opts *o = w->o;
	int err = 0;

	take_protos(w, o->proto);
	for (unsigned int i = 0; i < o->decode_as.n && !err; i++)
		err = parse_decode_as(w, o->decode_as.v[i]);
	if (!err && o->where && o->write)
		err = fail(0, "--where chooses records, -w writes frames: give -w a filter instead");
	if (!err && o->where)
		err = where_compile(&w->where, o->where);
	return err;
}

/* Is a record a line for people? */
static bool has_lines(const struct watch *w)
{
	return !w->g->json && !w->g->pretty && !w->g->csv && !w->s.out.n_columns;
}

/* Has each frame one, chosen by nothing but the frame? */
static bool has_line_each(const struct watch *w)
{
	return has_lines(w) && !w->where && !w->o->packets && !w->alerts && !w->o->proto;
}

static int open_decoders(struct watch *w)
{
	struct decode_options d = {
		.mode = w->o->packets || w->alerts ? DECODE_PACKETS :
			w->o->proto   ? DECODE_MESSAGES :
					DECODE_LINES,
		.kinds = w->alerts ? 0 : w->kinds,
		.answer_timeout_ns = w->o->answer_timeout_ns,
		.seed = session_seed(),
		.decode_as = w->decode_as,
		.n_decode_as = w->n_decode_as,
		.show_secrets = w->o->show_secrets,
		.lines = has_lines(w),
		.heads = has_line_each(w),
		.no_answer = !w->o->read || w->o->answer_timeout_ns,
	};

	return decode_open(&w->s.pipe.decode, &d);
}

int watch_open_stages(struct watch *w)
{
	int err;

	w->s.pipe.where = w->where;
	if (!w->ask.output.records)
		return 0;
	err = open_decoders(w);
	return !err && w->alerts ? watch_open_alerts(w) : err;
}

void watch_close_stages(struct watch *w)
{
	watch_tell_alerts(w);
	detect_close(w->s.pipe.detect);
	decode_close(w->s.pipe.decode);
}
