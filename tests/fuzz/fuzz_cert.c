// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a certificate, and as a Name. */
#include "fuzz_help.h"

#include "decode/tls/cert.h"

static void look(const struct der_text *t)
{
	if (t->n > DER_TEXT)
		abort();
	touch(t->p, t->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tls_cert c;
	struct der_text name;
	uint8_t *copy;

	if (size > UINT16_MAX)
		return 0;
	copy = exact(data, size);
	if (tls_cert_read(&c, copy, (uint32_t)size)) {
		if (c.n_names > CERT_NAMES)
			abort();
		for (uint32_t i = 0; i < c.n_names; i++)
			touch(c.names[i].p, c.names[i].n);
		look(&c.serial);
		look(&c.issuer);
		look(&c.subject);
		look(&c.sha256);
	}
	der_name(cursor_over(copy, size), &name);
	look(&name);
	free(copy);
	return 0;
}
