/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_CONV_APART_H
#define NETPROBE_DECODE_CONV_APART_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Bytes of one direction that came before those in front of them: each in its place by its
 * sequence number, no two of them APART_SPAN or more apart.  They lie in chunks, so what is held is
 * paid for and not what lies between; finding the next one takes a fixed number of steps.
 */
enum { APART_CHUNK = 1024, APART_CHUNKS = 128, APART_SPAN = APART_CHUNK * (APART_CHUNKS - 1) };

struct apart;

/* Memory that putting n bytes at seq takes, at most; a may be NULL. */
uint32_t apart_cost(const struct apart *a, uint32_t seq, uint32_t n);
/*
 * Puts them, but for those that are there.  The memory taken is added to *memory.  False: there is
 * none; nothing was put.
 */
bool apart_put(struct apart **a, uint32_t seq, const uint8_t *p, uint32_t n, uint32_t *memory);
/* Are bytes of [seq, seq + n) held, and do they differ from these? */
bool apart_differs(const struct apart *a, uint32_t seq, const uint8_t *p, uint32_t n);
/* The first byte held in [seq, seq + n); seq + n when there is none. */
uint32_t apart_next(const struct apart *a, uint32_t seq, uint32_t n);
/* How many bytes are held from seq on, up to the end of a chunk; *p is where. */
uint32_t apart_run(const struct apart *a, uint32_t seq, const uint8_t **p);
/* Forget [seq, seq + n). */
void apart_forget(struct apart *a, uint32_t seq, uint32_t n, uint32_t *memory);
void apart_free(struct apart **a, uint32_t *memory);

#endif
