// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/tls/cert.h"

#include <nettle/sha2.h>
#include <string.h>

#include "util/addr.h"
#include "util/unwritten.h"

enum {
	TAG_VERSION = 0xa0, TAG_ISSUER_ID = 0x81, TAG_SUBJECT_ID = 0x82, TAG_EXTENSIONS = 0xa3,
	NAME_MAIL = 0x81, NAME_DNS = 0x82, NAME_URI = 0x86, NAME_IP = 0x87,
};

static void add_addr(struct tls_cert *c, const struct der *d)
{
	struct addr a = { .family = d->n == 16 ? 6 : 4 };
	char *room;

	if (d->n != 4 && d->n != 16)
		return;
	if (c->n_addrs == CERT_ADDRS) {
		c->cut = true;
		return;
	}
	room = c->addrs[c->n_addrs++];
	memcpy(a.b, d->p, d->n);
	c->names[c->n_names++] = (struct str){ room, (uint32_t)addr_text(room, &a) };
}

/* GeneralNames (4.2.1.6) */
static void read_names(struct tls_cert *c, struct cursor octets)
{
	struct cursor list;
	struct der d;

	if (!der_enter(&octets, DER_SEQUENCE, &list))
		return;
	while (der_next(&list, &d)) {
		if (c->n_names == CERT_NAMES) {
			c->cut = true;
			return;
		}
		if (d.tag == NAME_IP)
			add_addr(c, &d);
		else if (d.n && (d.tag == NAME_DNS || d.tag == NAME_MAIL || d.tag == NAME_URI))
			c->names[c->n_names++] = (struct str){ (const char *)d.p, d.n };
	}
}

/* 4.1.2.9: each a type, perhaps whether it is critical, and octets. */
static void read_extensions(struct tls_cert *c, struct cursor *tbs)
{
	struct cursor tagged, list, one;
	struct der type, value;

	if (!der_enter(tbs, TAG_EXTENSIONS, &tagged) || !der_enter(&tagged, DER_SEQUENCE, &list))
		return;
	while (der_enter(&list, DER_SEQUENCE, &one)) {
		if (!der_next(&one, &type) || type.n != 3 || memcmp(type.p, "\x55\x1d\x11", 3))
			continue;
		while (der_next(&one, &value))
			if (value.tag == DER_OCTETS)
				read_names(c, cursor_over(value.p, value.n));
	}
}

static void read_validity(struct tls_cert *c, struct cursor v)
{
	struct der d;

	if (!der_next(&v, &d) || !der_time(&d, &c->not_before))
		c->not_before = 0;
	if (!der_next(&v, &d) || !der_time(&d, &c->not_after))
		c->not_after = 0;
}

static void read_digest(struct tls_cert *c, const uint8_t *p, uint32_t n)
{
	uint8_t digest[SHA256_DIGEST_SIZE];
	struct sha256_ctx sha;

	check_written(p, n);
	sha256_init(&sha);
	sha256_update(&sha, n, p);
	sha256_digest(&sha, sizeof(digest), digest);
	written(digest, sizeof(digest));
	der_hex(digest, sizeof(digest), &c->sha256);
}

bool tls_cert_read(struct tls_cert *c, const uint8_t *p, uint32_t n)
{
	struct cursor all = cursor_over(p, n), cert, tbs, in, issuer, validity, subject;
	struct der serial;

	c->n_names = c->n_addrs = 0;
	c->serial.n = c->sha256.n = 0;
	c->serial.cut = c->sha256.cut = c->cut = false;
	if (!der_enter(&all, DER_SEQUENCE, &cert) || !der_enter(&cert, DER_SEQUENCE, &tbs))
		return false;
	der_enter(&tbs, TAG_VERSION, &in);
	if (!der_next(&tbs, &serial) || serial.tag != DER_INTEGER || !der_enter(&tbs, DER_SEQUENCE, &in) ||
	    !der_enter(&tbs, DER_SEQUENCE, &issuer) || !der_enter(&tbs, DER_SEQUENCE, &validity) ||
	    !der_enter(&tbs, DER_SEQUENCE, &subject) || !der_enter(&tbs, DER_SEQUENCE, &in))
		return false;
	/* Of a positive number whose first bit is set there is a byte of zeros in front. */
	if (serial.n > 1 && !serial.p[0]) {
		serial.p++;
		serial.n--;
	}
	der_hex(serial.p, serial.n, &c->serial);
	der_name(issuer, &c->issuer);
	der_name(subject, &c->subject);
	read_validity(c, validity);
	der_enter(&tbs, TAG_ISSUER_ID, &in);
	der_enter(&tbs, TAG_SUBJECT_ID, &in);
	read_extensions(c, &tbs);
	read_digest(c, p, n);
	c->cut |= c->issuer.cut || c->subject.cut || c->serial.cut;
	return true;
}
