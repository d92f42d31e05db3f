// SPDX-License-Identifier: GPL-2.0-or-later
/* --alerts and --alert: which rules, at which limits, and what is shown beside. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/watch.h"
#include "detect/fields.h"
#include "util/err.h"

const char *watch_alert_word(unsigned int i)
{
	return i < RULES ? detect_rules[i].name : NULL;
}

/* RULE, RULE=off, RULE=N or RULE=N/TIME */
static int parse_alert(struct detect_options *o, const char *text)
{
	size_t n = strcspn(text, "=");
	int rule = detect_find(text, n);
	struct detect_limit *l;
	char number[32];
	const char *p;
	size_t len;

	if (rule < 0)
		return opt_none_of("--alert", text, n, OPT_WORDS_OF(watch_alert_word));
	l = &o->limits[rule];
	l->on = true;
	if (!text[n])
		return 0;
	p = text + n + 1;
	if (!strcmp(p, "off")) {
		l->on = false;
		return 0;
	}
	len = strcspn(p, "/");
	if (len >= sizeof(number))
		return fail(0, "--alert %s: write it as RULE=N/TIME", text);
	memcpy(number, p, len);
	number[len] = '\0';
	if (opt_number(number, 1000, 1, &l->n) || !l->n)
		return fail(0, "--alert %s: '%s' is not a number from 1", text, number);
	if (p[len] && (opt_duration(p + len + 1, &l->window_ns) || !l->window_ns))
		return fail(0, "--alert %s: '%s' is not a time (1s, 5m)", text, p + len + 1);
	return 0;
}

int watch_check_alerts(struct watch *w)
{
	int err = 0;

	w->alerts = w->o->alerts || w->o->alert.n;
	detect_defaults(&w->detect);
	for (unsigned int i = 0; i < w->o->alert.n && !err; i++)
		err = parse_alert(&w->detect, w->o->alert.v[i]);
	if (!err && w->alerts && w->o->write && !w->o->print)
		err = fail(0, "-w writes frames: add --print to have alerts as well");
	return err;
}

int watch_open_alerts(struct watch *w)
{
	w->detect.seed = session_seed();
	if (detect_open(&w->s.pipe.detect, &w->detect))
		return fail(ENOMEM, "alerts");
	w->s.pipe.shown = dataset_bit(&alert_dataset) | dataset_bit(&lost_dataset);
	if (w->o->drops)
		w->s.pipe.shown |= dataset_bit(&drop_dataset);
	if (w->o->blocks)
		w->s.pipe.shown |= dataset_bit(&block_dataset);
	if (w->o->packets)
		w->s.pipe.shown = UINT64_MAX;
	else if (w->o->proto)
		w->s.pipe.shown |= w->kinds;
	return 0;
}

void watch_tell_alerts(struct watch *w)
{
	struct detect_counts c;

	if (!w->s.pipe.detect)
		return;
	detect_counts(w->s.pipe.detect, &c);
	if (c.suppressed)
		note("%llu alert%s; %llu more were repeats of these", (unsigned long long)c.alerts,
		     c.alerts == 1 ? "" : "s", (unsigned long long)c.suppressed);
}
