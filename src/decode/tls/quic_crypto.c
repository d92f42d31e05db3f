// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tls/quic_crypto.h"

#include <nettle/aes.h>
#include <nettle/gcm.h>
#include <nettle/hkdf.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <string.h>

#include "util/unwritten.h"

enum { SALT = 20, SECRET = 32, KEY = 16, IV = 12, SAMPLE = 16, V2_DRAFT = 0x709a50c4 };

struct version {
	uint32_t first, last;
	uint8_t salt[SALT];
};

#define DRAFT_21 { 0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, \
		   0x96, 0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a }
#define DRAFT_23 { 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, \
		   0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 }
#define DRAFT_29 { 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, \
		   0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 }
#define VERSION_1 { 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, \
		    0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a }

static const struct version versions[] = {
	{ 1, 1, VERSION_1 },
	{ QUIC_V2, QUIC_V2, { 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
			      0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 } },
	{ V2_DRAFT, V2_DRAFT, { 0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d,
				0x62, 0xca, 0x57, 0x04, 0x06, 0xea, 0x7a, 0xe3, 0xe5, 0xd3 } },
	{ 0xff000015, 0xff000016, DRAFT_21 },
	{ 0xff000017, 0xff00001c, DRAFT_23 },
	{ 0xff00001d, 0xff000020, DRAFT_29 },
	{ 0xff000021, 0xff000022, VERSION_1 },
	{ 0xfaceb001, 0xfaceb001, DRAFT_21 },	/* mvfst */
	{ 0xfaceb002, 0xfaceb013, DRAFT_23 },
	{ 0x54303530, 0x54303530, { 0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,
				    0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10 } },	/* T050 */
	{ 0x54303531, 0x54303531, { 0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
				    0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d } },	/* T051 */
};

static const struct version *find(uint32_t version)
{
	for (unsigned int i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (version >= versions[i].first && version <= versions[i].last)
			return &versions[i];
	return NULL;
}

bool quic_known(uint32_t version)
{
	return find(version);
}

bool quic_is_v2(uint32_t version)
{
	return version == QUIC_V2 || version == V2_DRAFT;
}

/* HKDF-Expand-Label (RFC 8446, 7.1) with an empty context. */
static void expand(const uint8_t secret[SECRET], const char *label, uint8_t *out, uint8_t n)
{
	struct hmac_sha256_ctx hmac;
	uint8_t info[32] = { 0, n };
	size_t len = strlen(label);

	info[2] = (uint8_t)(6 + len);
	memcpy(info + 3, "tls13 ", 6);
	memcpy(info + 9, label, len);
	hmac_sha256_set_key(&hmac, SECRET, secret);
	hkdf_expand(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
		    (nettle_hash_digest_func *)hmac_sha256_digest, SECRET, 10 + len, info, n, out);
}

struct keys { uint8_t key[KEY], iv[IV], hp[KEY]; };

static void derive(struct keys *k, const struct version *v, bool from_server, const uint8_t *cid, uint32_t cid_len)
{
	struct hmac_sha256_ctx hmac;
	uint8_t initial[SECRET], secret[SECRET];
	bool v2 = quic_is_v2(v->first);

	hmac_sha256_set_key(&hmac, SALT, v->salt);
	hkdf_extract(&hmac, (nettle_hash_update_func *)hmac_sha256_update,
		     (nettle_hash_digest_func *)hmac_sha256_digest, SECRET, cid_len, cid, initial);
	expand(initial, from_server ? "server in" : "client in", secret, SECRET);
	expand(secret, v2 ? "quicv2 key" : "quic key", k->key, KEY);
	expand(secret, v2 ? "quicv2 iv" : "quic iv", k->iv, IV);
	expand(secret, v2 ? "quicv2 hp" : "quic hp", k->hp, KEY);
}

int quic_open(uint32_t version, bool from_server, const uint8_t *cid, uint32_t cid_len, const uint8_t *p,
	      uint32_t n, uint32_t pn_at, bool cut, uint8_t *out)
{
	const struct version *v = find(version);
	struct aes128_ctx aes;
	struct gcm_aes128_ctx gcm;
	struct keys k;
	uint8_t head[QUIC_PACKET_MAX], mask[SAMPLE], nonce[IV], tag[QUIC_TAG];
	uint32_t pn_len, size;

	if (!v || n > QUIC_PACKET_MAX || n < pn_at + 4 + SAMPLE)
		return -1;
	check_written(p, n);
	check_written(cid, cid_len);
	derive(&k, v, from_server, cid, cid_len);
	written(&k, sizeof(k));
	aes128_set_encrypt_key(&aes, k.hp);
	aes128_encrypt(&aes, SAMPLE, mask, p + pn_at + 4);
	written(mask, SAMPLE);
	/* RFC 9001, 5.4: the first byte's low bits, and the packet number */
	memcpy(head, p, pn_at + 4);
	head[0] ^= mask[0] & 0x0f;
	pn_len = (head[0] & 3u) + 1;
	memcpy(nonce, k.iv, IV);
	for (uint32_t i = 0; i < pn_len; i++) {
		head[pn_at + i] ^= mask[1 + i];
		nonce[IV - pn_len + i] ^= head[pn_at + i];
	}
	size = n - pn_at - pn_len;
	if (!cut && size < QUIC_TAG)
		return -1;
	size -= cut ? 0 : QUIC_TAG;
	gcm_aes128_set_key(&gcm, k.key);
	gcm_aes128_set_iv(&gcm, IV, nonce);
	gcm_aes128_update(&gcm, pn_at + pn_len, head);
	gcm_aes128_decrypt(&gcm, size, out, p + pn_at + pn_len);
	gcm_aes128_digest(&gcm, QUIC_TAG, tag);
	written(out, size);
	written(tag, QUIC_TAG);
	if (!cut && !memeql_sec(tag, p + n - QUIC_TAG, QUIC_TAG))
		return -1;
	return (int)size;
}
