// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decode/tls/cert.h"
#include "tools/mkcap/cert.h"

static void says(const char *text, const char *p, uint32_t n)
{
	assert_int_equal(n, strlen(text));
	assert_memory_equal(p, text, n);
}

static struct der_text named(const void *p, uint32_t n)
{
	struct der_text t;

	der_name(cursor_over(p, n), &t);
	return t;
}

#define NAMED(text, der) do { \
	struct der_text t_ = named("" der, sizeof(der) - 1); \
	says(text, t_.p, t_.n); \
	assert_false(t_.cut); \
} while (0)

/* openssl x509 says the same. */
static void a_certificate_is_read(void **state)
{
	static const char *const names[] = { "example.org", "*.example.org", "192.0.2.2", "2001:db8::2",
					     "root@example.org", "https://example.org/" };
	static struct tls_cert c;

	assert_true(tls_cert_read(&c, small_cert, sizeof(small_cert)));
	says("CN=example.org,OU=Web,O=M\xc3\xbcller\\, S\xc3\xb6hne,C=DE", c.subject.p, c.subject.n);
	says("CN=example.org,OU=Web,O=M\xc3\xbcller\\, S\xc3\xb6hne,C=DE", c.issuer.p, c.issuer.n);
	says("8100FF", c.serial.p, c.serial.n);
	assert_int_equal(c.sha256.n, 64);
	assert_int_equal(c.not_before, 1704067200 * 1000000000ull);
	assert_int_equal(c.not_after, 2524607999 * 1000000000ull);
	assert_int_equal(c.n_names, 6);
	for (unsigned int i = 0; i < 6; i++)
		says(names[i], c.names[i].p, c.names[i].n);
	assert_false(c.cut);
}

/* Each prefix, and each byte another one: read within its bounds (the sanitizer looks), or refused. */
static void what_is_cut_or_changed_stays_within_its_bounds(void **state)
{
	static struct tls_cert c;

	for (uint32_t n = 0; n < sizeof(small_cert); n++) {
		uint8_t *part = malloc(n ? n : 1);

		memcpy(part, small_cert, n);
		assert_false(tls_cert_read(&c, part, n));
		free(part);
	}
	for (uint32_t i = 0; i < sizeof(small_cert); i++) {
		for (unsigned int v = 0; v < 256; v += 5) {
			uint8_t *other = malloc(sizeof(small_cert));

			memcpy(other, small_cert, sizeof(small_cert));
			other[i] = (uint8_t)v;
			tls_cert_read(&c, other, sizeof(small_cert));
			assert_true(c.n_names <= CERT_NAMES && c.subject.n <= DER_TEXT);
			free(other);
		}
	}
}

static void names_are_told_as_rfc_4514_has_them(void **state)
{
	NAMED("", "");
	/* Two types in one part; a type without a name of its own; a value that is no string. */
	NAMED("CN=a+OU=b,C=DE",
	      "\x31\x0b\x30\x09\6\3\x55\4\6\x13\2" "DE\x31\x14\x30\x08\6\3\x55\4\3\x0c\1a\x30\x08\6\3\x55\4\x0b\x0c\1b");
	NAMED("1.2.840.5=x", "\x31\x0b\x30\x09\6\4\x2a\x86\x48\5\x0c\1x");
	NAMED("2.999.3=#05", "\x31\x0a\x30\x08\6\3\x88\x37\3\2\1\5");
	NAMED("CN=\\#a\\+\\\"\\,\\;\\<\\>\\\\ b\\ ", "\x31\x15\x30\x13\6\3\x55\4\3\x0c\x0c#a+\",;<>\\ b ");
	NAMED("CN=\\00", "\x31\x0a\x30\x08\6\3\x55\4\3\x0c\1\0");
	/* UTF-16, half a pair in it; Latin-1 */
	NAMED("CN=\xc3\xa9\xe2\x82\xac\xef\xbf\xbd", "\x31\x0f\x30\x0d\6\3\x55\4\3\x1e\6\0\xe9\x20\xac\xd8\0");
	NAMED("CN=\xc3\xa9", "\x31\x0a\x30\x08\6\3\x55\4\3\x14\1\xe9");
}

/* More than there is room for. */
static void long_names_are_cut(void **state)
{
	static const uint8_t part[] = "\x31\x18\x30\x16\6\3\x55\4\3\x0c\x0f" "a name a name a";
	static uint8_t many[40 * (sizeof(part) - 1)];
	struct der_text t;

	for (unsigned int i = 0; i < 40; i++)
		memcpy(many + i * (sizeof(part) - 1), part, sizeof(part) - 1);
	t = named(many, sizeof(many));
	assert_true(t.cut && t.n <= DER_TEXT);
	t = named(many, 10 * (sizeof(part) - 1));
	assert_true(!t.cut && t.n == 10 * 18 + 9);
}

static void times_are_those_of_rfc_5280(void **state)
{
	static const struct { uint8_t tag; const char *text; uint64_t seconds; } times[] = {
		{ DER_UTC_TIME, "700101000000Z", 0 },		{ DER_UTC_TIME, "000229123456Z", 951827696 },
		{ DER_UTC_TIME, "491231235959Z", 2524607999 },	{ DER_GENERAL_TIME, "20500101000000Z", 2524608000 },
		{ DER_GENERAL_TIME, "22611231235959Z", 9214646399 },
	}, none[] = {
		{ DER_UTC_TIME, "691231235959Z", 0 },		{ DER_UTC_TIME, "7001010000Z", 0 },
		{ DER_UTC_TIME, "700101000000+", 0 },		{ DER_UTC_TIME, "701301000000Z", 0 },
		{ DER_UTC_TIME, "7001010000-1Z", 0 },		{ DER_GENERAL_TIME, "99991231235959Z", 0 },
		{ DER_OCTETS, "700101000000Z", 0 },
	};
	uint64_t ns;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct der d = { times[i].tag, (const uint8_t *)times[i].text, (uint32_t)strlen(times[i].text) };

		assert_true(der_time(&d, &ns));
		assert_int_equal(ns, times[i].seconds * 1000000000ull);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		struct der d = { none[i].tag, (const uint8_t *)none[i].text, (uint32_t)strlen(none[i].text) };

		assert_false(der_time(&d, &ns));
	}
}

/* Indefinite lengths, lengths of five bytes, tags of several. */
static void what_is_not_der_is_refused(void **state)
{
	static const char *const bad[] = { "\x30\x80\1\1\1\1", "\x30\x85\1\1\1\1\1\1", "\x1f\1\1\1\1\1",
					   "\x30\x84\xff\xff\xff\xff", "\x30\x06xxxxx" };
	struct der d;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cursor c = cursor_over((const uint8_t *)bad[i], 6);

		assert_false(der_next(&c, &d));
		assert_true(c.bad);
		assert_false(der_next(&c, &d));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_is_read),
		cmocka_unit_test(what_is_cut_or_changed_stays_within_its_bounds),
		cmocka_unit_test(names_are_told_as_rfc_4514_has_them),
		cmocka_unit_test(long_names_are_cut),
		cmocka_unit_test(times_are_those_of_rfc_5280),
		cmocka_unit_test(what_is_not_der_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
