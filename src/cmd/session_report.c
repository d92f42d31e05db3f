// SPDX-License-Identifier: GPL-2.0-or-later
/* What a session says at the end, and on SIGUSR1: tcpdump's three lines and the ledger. */
#include <string.h>

#include "cmd/session_parts.h"
#include "util/err.h"

typedef unsigned long long ull;

/* What the output has, lost records and all; not what was meant for it. */
static void tell_written(const struct out *o, bool named)
{
	note_line("        %llu records written%s%s, %llu not delivered", (ull)o->written, named ? " to " : "",
		  named ? o->name : "", (ull)o->lost);
}

/*
 * Conservation: every packet that reached a hook is in exactly one place.
 *   seen    = filtered + sampled + emitted + lost
 *   emitted = read + still in the ring
 */
void session_ledger(struct session *s)
{
	struct decode_counts d = { 0 };
	struct source_counts c;
	uint64_t lost, waiting, decoded;
	bool balanced;

	s->source->ops->counts(s->source, &c);
	if (session_in_kernel(s)) {
		note_line("ledger: %llu packets counted in the kernel", (ull)c.seen);
		for (unsigned int i = 0; i < s->out.n_outs; i++)
			tell_written(s->out.outs[i], s->out.n_outs > 1);
		return;
	}
	if (s->pipe.decode)
		decode_counts(s->pipe.decode, &d);
	lost = c.lost_ring + c.lost_map + c.lost_other;
	waiting = c.emitted - c.read;
	decoded = s->pipe.frames - s->pipe.filtered;
	balanced = c.seen == c.filtered + c.sampled + c.emitted + lost && c.emitted >= c.read;
	note_line("ledger: %llu seen = %llu filtered + %llu sampled + %llu emitted + %llu lost%s", (ull)c.seen,
		  (ull)c.filtered, (ull)c.sampled, (ull)c.emitted, (ull)lost,
		  balanced ? "" : " (DOES NOT BALANCE)");
	note_line("        %llu emitted = %llu read + %llu waiting; %llu cut at the snap length", (ull)c.emitted,
		  (ull)c.read, (ull)waiting, (ull)c.truncated);
	note_line("        %llu read = %llu refused here + %llu decoded (%llu not to the end, %llu malformed)",
		  (ull)c.read, (ull)s->pipe.filtered, (ull)decoded, (ull)d.undecoded, (ull)d.malformed);
	for (unsigned int i = 0; i < s->out.n_outs; i++)
		tell_written(s->out.outs[i], s->out.n_outs > 1);
	if (s->pipe.where)
		note_line("        %llu records left out by --where", (ull)s->pipe.refused);
}

uint64_t session_lost(const struct session *s)
{
	struct source_counts c = { 0 };
	uint64_t lost = s->pipe.lost + output_lost(&s->out);

	if (s->source && s->o->read && !s->source->ops->counts(s->source, &c))
		lost += c.lost_other;
	return lost;
}

void session_trailer(struct session *s)
{
	struct source_counts c;
	uint64_t lost, captured, received;

	s->source->ops->counts(s->source, &c);
	if (session_in_kernel(s)) {
		session_ledger(s);
		return;
	}
	lost = c.lost_ring + c.lost_map;
	captured = c.read - s->pipe.filtered;
	received = c.emitted + lost;
	note("%llu packet%s captured", (ull)captured, captured == 1 ? "" : "s");
	note("%llu packet%s received by filter", (ull)received, received == 1 ? "" : "s");
	note("%llu packet%s dropped by kernel", (ull)lost, lost == 1 ? "" : "s");
	if (c.lost_other)
		note("%llu packet%s dropped by interface or queue", (ull)c.lost_other, c.lost_other == 1 ? "" : "s");
	if (s->live || s->o->g->verbose)
		session_ledger(s);
}

void session_tell_left_out(const struct session *s)
{
	ull n = s->pipe.unfiltered_links;

	if (n)
		warn("%llu packet%s left out: the filter means nothing for %s link type", n, n == 1 ? "" : "s",
		     n == 1 ? "its" : "their");
	n = s->pipe.undirected;
	if (n)
		warn("%llu packet%s of unknown direction, which -Q lets pass", n, n == 1 ? "" : "s");
}
