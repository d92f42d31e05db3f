/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_TIME_H
#define NETPROBE_UTIL_TIME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Wall-clock time as text.  Times are ns since 1970, UTC.  Writers of many
 * stamps keep a cache: date and clock are worked out once a second.  Texts have
 * no NUL; each function returns the length written.
 */
enum { TIME_TEXT_MAX = 32 };	/* room that every function below may need */

struct time_cache {
	uint64_t utc_sec, local_sec;	/* the second that the text is of, + 1; 0: none yet */
	char utc[20];			/* 2014-06-14T00:35:19 */
	char local[20];			/* 2014-06-14 02:35:19 */
};

uint64_t time_now(void);
/* RFC 3339: 2014-06-14T00:35:19.542940000Z */
unsigned int time_utc(struct time_cache *c, char *out, uint64_t ns);
/* tcpdump's default: 02:35:19.542940, in the zone that tzset() took from TZ or /etc/localtime */
unsigned int time_local(struct time_cache *c, char *out, uint64_t ns);
/* -tttt: 2014-06-14 02:35:19.542940 */
unsigned int time_date(struct time_cache *c, char *out, uint64_t ns);
/* -tt: 1402706119.542940 */
unsigned int time_epoch(char *out, uint64_t ns);
/*
 * -ttt and -ttttt: how long from `from` to `to`, both cut to whole microseconds
 * first: " 00:00:08.630669", "-00:00:02.000006".  Hours go on past 24, where
 * tcpdump starts again from 0.
 */
unsigned int time_span(char *out, uint64_t from, uint64_t to);

#endif
