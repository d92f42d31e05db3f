// SPDX-License-Identifier: GPL-2.0-or-later
/* Where sets are attached, and what became of packets: status. */
#include <string.h>

#include "cmd/block.h"
#include "cmd/listing.h"
#include "util/err.h"
#include "util/time.h"

struct status_run {
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct time_cache time;
	unsigned int n;			/* sets told */
};

void block_print_confirmation(struct buf *b, const struct firewall_body *f)
{
	if (f->confirmed)
		buf_lit(b, "confirmed");
	else if (f->expired)
		buf_lit(b, "NOT CONFIRMED IN TIME: everything passes");
	else
		buf_fmt(b, "not confirmed: everything passes in %llu s", (unsigned long long)f->opens_in_s);
}

static void put_made(struct status_run *run, struct buf *b, const struct firewall_body *f)
{
	static const char *const modes[] = { "passes", "is counted and passes", "is dropped" };
	char when[TIME_TEXT_MAX + 1];
	unsigned int mode = 0;

	while (mode < 2 && f->mode != block_modes[mode])
		mode++;
	when[time_date(&run->time, when, f->made_ns)] = '\0';
	buf_fmt(b, "made %.19s", when);
	block_put_clean(b, " by block ", f->made_by.p, f->made_by.n);
	buf_fmt(b, "; what no entry decides %s (%s), later fragments: %s\n", modes[mode], f->mode, f->frag);
}

static void put_forgotten(struct buf *b, uint64_t n, const char *what)
{
	if (n)
		buf_fmt(b, "\n%14llu %16s  %s forgotten: too many at once", (unsigned long long)n, "-", what);
}

static void firewall_line(void *ctx, const struct record *r, struct buf *b)
{
	static const char *const texts[] = {
#define REASON_TEXT(id, name, text) text,
		NP_REASONS(REASON_TEXT)
#undef REASON_TEXT
	};
	const struct firewall_body *f = firewall_of(r);
	const struct named_count *packets = f->packets.p, *bytes = f->bytes.p;
	struct status_run *run = ctx;
	char size[16];

	if (run->n++)
		buf_chr(b, '\n');
	block_put_clean(b, "", r->interface.p, r->interface.n);
	buf_fmt(b, ": %u %s at %s%s%s", f->entries, block_entries(f->entries), r->hook,
		record_has(r, FIELD_LINK_MODE) ? " " : "", record_has(r, FIELD_LINK_MODE) ? r->hook_mode : "");
	if (record_has(r, FIELD_LINK_ID))
		buf_fmt(b, ", link %u", r->link_id);
	block_print_size(size, f->memory_bytes);
	buf_fmt(b, ", %s of memory\n", size);
	put_made(run, b, f);
	block_print_confirmation(b, f);
	buf_fmt(b, "\n%14s %16s", "PACKETS", "BYTES");
	for (uint32_t i = 0; i < f->packets.n; i++)
		if (packets[i].n || i == NP_R_DROP || i == NP_R_NONE)
			buf_fmt(b, "\n%14llu %16llu  %s: %s", (unsigned long long)packets[i].n,
				(unsigned long long)bytes[i].n, packets[i].name, texts[i]);
	put_forgotten(b, f->meters, "rates of sources");
	put_forgotten(b, f->fragments, "fragments");
}

static int tell(struct status_run *run, struct block_run *b)
{
	struct firewall_counts counts;
	struct np_stats s;
	struct np_guard g;
	struct record r;
	int err = block_clock(&b->set, 0, &g);

	if (err)
		return err;
	block_stats(&b->set, &s);
	block_set_record(&r, b, &s, &g, &counts);
	return listing_put(&run->pipe, &r);
}

int block_status(struct block_run *b)
{
	static const uint16_t columns[] = {
		FIELD_INTERFACE, FIELD_LINK_HOOK, FIELD_LINK_MODE, FIELD_LINK_ID, FIELD_FW_ENTRIES, FIELD_FW_MODE,
		FIELD_FW_FRAG, FIELD_FW_CONFIRMED, FIELD_FW_OPENS_IN, FIELD_FW_EXPIRED, FIELD_FW_MEMORY, FIELD_FW_MADE,
		FIELD_FW_MADE_BY, FIELD_FW_PACKETS, FIELD_FW_BYTES, FIELD_FW_METERS, FIELD_FW_FRAGMENTS,
	};
	struct status_run run = { 0 };
	struct block_sets sets = { 0 };
	int err;

	run.o = (struct output_options){ .g = b->g, .records = true,
					 .text = { .line = firewall_line, .line_state = &run } };
	if (output_check(&run.out, &run.o))
		return EXIT_USAGE;
	err = block_sets_open(&sets, b, false);
	if (!err)
		err = listing_open(&run.out, &run.pipe, &firewall_dataset, columns,
				   sizeof(columns) / sizeof(columns[0]));
	run.pipe.where = b->where;
	for (unsigned int i = 0; i < sets.n && !err; i++)
		err = tell(&run, sets.v[i]);
	block_sets_close(&sets);
	return listing_close(&run.out, &run.pipe, err);
}
