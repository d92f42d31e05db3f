/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_HASH_H
#define NETPROBE_UTIL_HASH_H

#include <stdint.h>

/*
 * SipHash-1-3 (Aumasson and Bernstein, 2012) over whole 64-bit words.  Senders choose
 * what is hashed, so a table's seed must be one they cannot know.
 */
struct hash_key { uint64_t k0, k1; };

/* SplitMix64's (Steele, Lea, Flood, OOPSLA 2014): each bit of the answer depends on each of x. */
static inline uint64_t hash_spread(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static inline struct hash_key hash_key_from(uint32_t seed)
{
	uint64_t a = hash_spread(seed);

	return (struct hash_key){ a, hash_spread(a) };
}

static inline uint64_t hash_rotl_(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static inline void hash_round_(uint64_t v[4])
{
	v[0] += v[1]; v[1] = hash_rotl_(v[1], 13) ^ v[0]; v[0] = hash_rotl_(v[0], 32);
	v[2] += v[3]; v[3] = hash_rotl_(v[3], 16) ^ v[2];
	v[0] += v[3]; v[3] = hash_rotl_(v[3], 21) ^ v[0];
	v[2] += v[1]; v[1] = hash_rotl_(v[1], 17) ^ v[2]; v[2] = hash_rotl_(v[2], 32);
}

static inline uint64_t hash_words(const struct hash_key *k, const uint64_t *w, unsigned int n)
{
	uint64_t v[4] = {
		k->k0 ^ 0x736f6d6570736575ull, k->k1 ^ 0x646f72616e646f6dull,
		k->k0 ^ 0x6c7967656e657261ull, k->k1 ^ 0x7465646279746573ull,
	};
	uint64_t last = (uint64_t)n << 59;	/* the length in bytes, in the top byte */

	for (unsigned int i = 0; i < n; i++) {
		v[3] ^= w[i];
		hash_round_(v);
		v[0] ^= w[i];
	}
	v[3] ^= last;
	hash_round_(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		hash_round_(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

#endif
