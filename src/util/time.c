// SPDX-License-Identifier: GPL-2.0-or-later
#include "util/time.h"

#include <string.h>
#include <time.h>

enum { NS_PER_SEC = 1000000000, NS_PER_US = 1000 };

static char *put_2(char *o, unsigned int v)
{
	o[0] = (char)('0' + v / 10);
	o[1] = (char)('0' + v % 10);
	return o + 2;
}

static char *put_6(char *o, unsigned int v)
{
	put_2(o, v / 10000);
	put_2(o + 2, v / 100 % 100);
	put_2(o + 4, v % 100);
	return o + 6;
}

static char *put_u64(char *o, uint64_t v)
{
	char t[20];
	unsigned int i = sizeof(t);

	do
		t[--i] = (char)('0' + v % 10);
	while (v /= 10);
	memcpy(o, t + i, sizeof(t) - i);
	return o + sizeof(t) - i;
}

/* YYYY-MM-DD?HH:MM:SS.  64 bits of nanoseconds end in 2554, so four digits do. */
static void put_stamp(char *o, const struct tm *tm, char between)
{
	unsigned int year = (unsigned int)(tm->tm_year + 1900);

	o = put_2(o, year / 100);
	o = put_2(o, year % 100);
	*o++ = '-';
	o = put_2(o, (unsigned int)tm->tm_mon + 1);
	*o++ = '-';
	o = put_2(o, (unsigned int)tm->tm_mday);
	*o++ = between;
	o = put_2(o, (unsigned int)tm->tm_hour);
	*o++ = ':';
	o = put_2(o, (unsigned int)tm->tm_min);
	*o++ = ':';
	put_2(o, (unsigned int)tm->tm_sec);
}

uint64_t time_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

unsigned int time_utc(struct time_cache *c, char *out, uint64_t ns)
{
	uint64_t sec = ns / NS_PER_SEC;
	unsigned int frac = (unsigned int)(ns % NS_PER_SEC);
	time_t t = (time_t)sec;
	struct tm tm;

	if (c->utc_sec != sec + 1) {
		gmtime_r(&t, &tm);
		put_stamp(c->utc, &tm, 'T');
		c->utc_sec = sec + 1;
	}
	memcpy(out, c->utc, 19);
	out[19] = '.';
	out[20] = (char)('0' + frac / 100000000);
	put_2(out + 21, frac / 1000000 % 100);
	put_6(out + 23, frac % 1000000);
	out[29] = 'Z';
	return 30;
}

static void refresh_local(struct time_cache *c, uint64_t sec)
{
	time_t t = (time_t)sec;
	struct tm tm;

	if (c->local_sec == sec + 1)
		return;
	if (!localtime_r(&t, &tm))
		gmtime_r(&t, &tm);
	put_stamp(c->local, &tm, ' ');
	c->local_sec = sec + 1;
}

/* ".uuuuuu": cut, not rounded, so that stamps of one frame agree in every format. */
static char *put_us(char *o, uint64_t ns)
{
	*o++ = '.';
	return put_6(o, (unsigned int)(ns % NS_PER_SEC) / NS_PER_US);
}

unsigned int time_local(struct time_cache *c, char *out, uint64_t ns)
{
	refresh_local(c, ns / NS_PER_SEC);
	memcpy(out, c->local + 11, 8);
	return (unsigned int)(put_us(out + 8, ns) - out);
}

unsigned int time_date(struct time_cache *c, char *out, uint64_t ns)
{
	refresh_local(c, ns / NS_PER_SEC);
	memcpy(out, c->local, 19);
	return (unsigned int)(put_us(out + 19, ns) - out);
}

unsigned int time_epoch(char *out, uint64_t ns)
{
	return (unsigned int)(put_us(put_u64(out, ns / NS_PER_SEC), ns) - out);
}

unsigned int time_span(char *out, uint64_t from, uint64_t to)
{
	uint64_t a = from / NS_PER_US, b = to / NS_PER_US;
	uint64_t us = a > b ? a - b : b - a, sec = us / 1000000;
	char *o = out;

	*o++ = a > b ? '-' : ' ';
	if (sec < 10 * 3600)
		*o++ = '0';
	o = put_u64(o, sec / 3600);
	*o++ = ':';
	o = put_2(o, (unsigned int)(sec / 60 % 60));
	*o++ = ':';
	o = put_2(o, (unsigned int)(sec % 60));
	*o++ = '.';
	return (unsigned int)(put_6(o, (unsigned int)(us % 1000000)) - out);
}
