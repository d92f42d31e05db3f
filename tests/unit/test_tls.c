// SPDX-License-Identifier: GPL-2.0-or-later
#include "talk_help.h"

#include "decode/tls/quic_crypto.h"
#include "decode/tls/fields.h"
#include "decode/tls/hello.h"
#include "tools/mkcap/cert.h"

/* A browser's hello, with its published JA3, and the parts of the example in JA4's specification. */
static void put_hello(struct bytes *o)
{
	static const uint16_t ciphers[] = { 0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030,
					    0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35 };
	uint32_t start, extensions;

	put16(o, 0x0100);
	put16(o, 0);
	start = o->n;
	put16(o, 0x0303);
	for (int i = 0; i < 16; i++)
		put16(o, 0x0102);
	PUT(o, "\0");
	put16(o, sizeof(ciphers));
	for (size_t i = 0; i < sizeof(ciphers) / 2; i++)
		put16(o, ciphers[i]);
	PUT(o, "\1\0\0\0");
	extensions = o->n;
	PUT(o, "\x2a\x2a\0\0\0\0\0\x0b\0\x09\0\0\6" "a.test\0\x17\0\0\xff\1\0\1\0\0\x0a\0\x0a\0\x08\x3a\x3a\0\x1d\0\x17\0\x18"
		"\0\x0b\0\2\1\0\0\x23\0\0\0\x10\0\x0e\0\x0c\2h2\x08http/1.1\0\5\0\5\1\0\0\0\0"
		"\0\x0d\0\x12\0\x10\4\3\x08\4\4\1\5\3\x08\5\5\1\x08\6\6\1\0\x12\0\0\0\x33\0\2\0\0\0\x2d\0\2\1\1"
		"\0\x2b\0\7\6\x4a\x4a\3\4\3\3\0\x1b\0\3\2\0\2\x44\x69\0\5\0\3\2h2\x5a\x5a\0\1\0\0\x15\0\0");
	o->p[extensions - 2] = (uint8_t)((o->n - extensions) >> 8);
	o->p[extensions - 1] = (uint8_t)(o->n - extensions);
	o->p[start - 2] = (uint8_t)((o->n - start) >> 8);
	o->p[start - 1] = (uint8_t)(o->n - start);
}

#define HELLO(frame, proto) \
	"tls action=client_hello frame=" #frame " sport=4000 protocol=" proto " tls.version=1.3 tls.version_protocol=tls " \
	"tls.client.server_name=a.test tls.client.ja3=cd08e31494f9531f560d64c695473da9 tls.client.ja4="
#define JA4  "13d1516h2_8daaf6152771_e5627efa2ab1 tls.client.alpn=h2,http/1.1"

/* The hello in records of n bytes each. */
static void say_hello(struct talk *t, uint32_t n)
{
	struct bytes o = { .n = 0 };

	put_hello(&o);
	for (uint32_t at = 0; at < o.n; at += n) {
		uint32_t part = o.n - at < n ? o.n - at : n;
		struct bytes record = { .n = 0 };

		PUT(&record, "\x16\3\1");
		put16(&record, part);
		put(&record, o.p + at, part);
		talk_say(t, ASK, record.p, record.n);
	}
}

#define SERVER_HELLO "\x16\3\3\0\x3a\2\0\0\x36\3\3" "0123456789abcdef0123456789abcdef" "\0\x13\1\0" \
		     "\0\x0e\0\x2b\0\2\3\4\0\x33\0\4\0\x1d\0\0"

static void fingerprints_are_those_of_their_inventors(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&tls_dataset), 1234);
	talk_handshake(&t);
	say_hello(&t, 4000);
	HEARD(&t, HELLO(3, "tls") "t" JA4);
	SAY(&t, REPLY, SERVER_HELLO);
	HEARD(&t, "tls action=server_hello outcome=success duration=1000000 frame=4 sport=1234 protocol=tls "
		  "tls.version=1.3 tls.version_protocol=tls tls.cipher_id=0x1301 tls.resumed=0 "
		  "tls.server.ja3s=f4febc55ea12b31ae17cfb7e614afda8");
	talk_close(&t);
}

static void a_hello_may_be_split_over_records_and_segments(void **state)
{
	struct bytes o = { .n = 0 };
	struct talk t;

	talk_open(&t, dataset_bit(&tls_dataset), 443);
	say_hello(&t, 1);
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "t" JA4));
	talk_close(&t);
	talk_open(&t, dataset_bit(&tls_dataset), 443);
	PUT(&o, "\x16\3\1\0\0");
	put_hello(&o);
	o.p[3] = (uint8_t)((o.n - 5) >> 8);
	o.p[4] = (uint8_t)(o.n - 5);
	talk_drip(&t, ASK, o.p, o.n);
	assert_int_equal(t.lines.n, 1);
	talk_close(&t);
}

static void what_is_cut_has_a_name_but_no_fingerprint(void **state)
{
	struct bytes o = { .n = 0 };
	struct talk t;

	PUT(&o, "\x16\3\1\0\0");
	put_hello(&o);
	o.p[3] = (uint8_t)((o.n - 5) >> 8);
	o.p[4] = (uint8_t)(o.n - 5);
	talk_open(&t, dataset_bit(&tls_dataset), 443);
	talk_packet(&t, 6, ASK, 16, o.p, 150, o.n);
	HEARD(&t, "tls action=client_hello frame=1 sport=4000 protocol=tls tls.version=1.2 tls.version_protocol=tls "
		  "tls.client.server_name=a.test");
	talk_close(&t);
}

static void ciphertext_is_nobodys(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&tls_dataset), 443);
	SAY(&t, ASK, "\x17\3\3\0\4abcd\x16\3\3\0\4\1\2\3\4");
	say_hello(&t, 4000);
	assert_int_equal(t.lines.n, 1);
	SAY(&t, REPLY, SERVER_HELLO "\x17\3\3\0\4abcd");
	SAY(&t, REPLY, SERVER_HELLO);
	assert_int_equal(t.lines.n, 2);
	talk_close(&t);
}

/* RFC 9001, appendix A */
static void initials_open_with_the_keys_of_the_rfc(void **state)
{
	static const uint8_t cid[8] = { 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08 };
	/* A.3: the server's packet */
	static const uint8_t packet[] = {
		0xcf, 0x00, 0x00, 0x00, 0x01, 0x00, 0x08, 0xf0, 0x67, 0xa5, 0x50, 0x2a, 0x42, 0x62, 0xb5, 0x00,
		0x40, 0x75, 0xc0, 0xd9, 0x5a, 0x48, 0x2c, 0xd0, 0x99, 0x1c, 0xd2, 0x5b, 0x0a, 0xac, 0x40, 0x6a,
		0x58, 0x16, 0xb6, 0x39, 0x41, 0x00, 0xf3, 0x7a, 0x1c, 0x69, 0x79, 0x75, 0x54, 0x78, 0x0b, 0xb3,
		0x8c, 0xc5, 0xa9, 0x9f, 0x5e, 0xde, 0x4c, 0xf7, 0x3c, 0x3e, 0xc2, 0x49, 0x3a, 0x18, 0x39, 0xb3,
		0xdb, 0xcb, 0xa3, 0xf6, 0xea, 0x46, 0xc5, 0xb7, 0x68, 0x4d, 0xf3, 0x54, 0x8e, 0x7d, 0xde, 0xb9,
		0xc3, 0xbf, 0x9c, 0x73, 0xcc, 0x3f, 0x3b, 0xde, 0xd7, 0x4b, 0x56, 0x2b, 0xfb, 0x19, 0xfb, 0x84,
		0x02, 0x2f, 0x8e, 0xf4, 0xcd, 0xd9, 0x37, 0x95, 0xd7, 0x7d, 0x06, 0xed, 0xbb, 0x7a, 0xaf, 0x2f,
		0x58, 0x89, 0x18, 0x50, 0xab, 0xbd, 0xca, 0x3d, 0x20, 0x39, 0x8c, 0x27, 0x64, 0x56, 0xcb, 0xc4,
		0x21, 0x58, 0x40, 0x7d, 0xd0, 0x74, 0xee,
	};
	uint8_t out[QUIC_PACKET_MAX], bad[sizeof(packet)];

	assert_int_equal(quic_open(1, true, cid, 8, packet, sizeof(packet), 18, false, out), 99);
	assert_memory_equal(out, "\x02\0\0\0\0\x06\0\x40\x5a\x02\0\0\x56\x03\x03", 15);
	memcpy(bad, packet, sizeof(packet));
	bad[60] ^= 1;
	assert_int_equal(quic_open(1, true, cid, 8, bad, sizeof(bad), 18, false, out), -1);
	assert_int_equal(quic_open(1, false, cid, 8, packet, sizeof(packet), 18, false, out), -1);
	assert_int_equal(quic_open(7, true, cid, 8, packet, sizeof(packet), 18, false, out), -1);
}

static void dtls_fragments_are_put_together(void **state)
{
	struct bytes hello = { .n = 0 }, o;
	struct talk t;
	uint32_t len, half;

	put_hello(&hello);
	/* the cookie of DTLS stands behind the session id */
	memmove(hello.p + 4 + 36, hello.p + 4 + 35, hello.n - 39);
	hello.p[4 + 35] = 0;
	hello.p[4] = 0xfe;
	hello.p[5] = 0xfd;
	hello.n++;
	len = hello.n - 4;
	half = len / 2;
	talk_open(&t, dataset_bit(&tls_dataset), 1234);
	for (int part = 1; part >= 0; part--) {		/* the second half first */
		uint32_t at = part ? half : 0, n = part ? len - half : half;

		o = (struct bytes){ .n = 0 };
		PUT(&o, "\x16\xfe\xff\0\0\0\0\0\0\0\0");
		put16(&o, n + 12);
		PUT(&o, "\1\0");
		put16(&o, len);
		PUT(&o, "\0\0\0");
		put16(&o, at);
		PUT(&o, "\0");
		put16(&o, n);
		put(&o, hello.p + 4 + at, n);
		talk_datagram(&t, ASK, o.p, o.n);
	}
	talk_datagram(&t, ASK, o.p, o.n);		/* sent once more */
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "protocol=dtls"));
	assert_non_null(strstr(t.lines.text[0], "server_name=a.test"));
	assert_non_null(strstr(t.lines.text[0], "tls.client.ja4=d13d1516h2_8daaf6152771"));
	talk_close(&t);
}

/* One between the same ports, once more. */
static void a_second_dtls_handshake_is_told(void **state)
{
	uint8_t hello[] = "\x16\xfe\xff\0\0\0\0\0\0\0\0\0\x36\1\0\0\x2a\0\0\0\0\0\0\0\x2a\xfe\xfd"
			  "0123456789abcdef0123456789abcdef\0\0\0\2\x13\1\1\0";
	struct talk t;

	talk_open(&t, dataset_bit(&tls_dataset), 1234);
	for (int i = 0; i < 2; i++) {
		talk_datagram(&t, ASK, hello, sizeof(hello) - 1);
		talk_datagram(&t, ASK, hello, sizeof(hello) - 1);
		hello[40]++;
	}
	assert_int_equal(t.lines.n, 2);
	talk_close(&t);
}

/* The extension counts; and lengths that lie leave what stands before them. */
static void an_empty_name_is_one_to_ja4(void **state)
{
	struct decode_counts c = { .frames = 0 };
	struct talk t;

	talk_open(&t, dataset_bit(&tls_dataset), 443);
	talk_handshake(&t);
	SAY(&t, ASK, "\x16\3\1\0\x33\1\0\0\x2f\3\3" "0123456789abcdef0123456789abcdef\0\0\2\x13\1\1\0\0\4\0\0\0\0");
	assert_int_equal(t.lines.n, 1);
	assert_non_null(strstr(t.lines.text[0], "tls.client.ja4=t12d010100_"));
	talk_close(&t);
	talk_open(&t, dataset_bit(&tls_dataset), 443);
	talk_handshake(&t);
	SAY(&t, ASK, "\x16\3\1\0\x33\1\0\0\x2f\3\3" "0123456789abcdef0123456789abcdef\0\x77\2\x13\1\1\0\0\4\0\0\0\0");
	assert_int_equal(t.lines.n, 1);
	assert_null(strstr(t.lines.text[0], "ja"));
	conv_counts(t.conv, &c);
	assert_int_equal(c.malformed, 1);
	talk_close(&t);
}

#define RANDOM "0123456789abcdef0123456789abcdef"
#define SESSION "\x20" "session session session session "

static bool told(const struct talk *t, unsigned int i, const char *words)
{
	assert_true(i < t->lines.n);
	return strstr(t->lines.text[i], words);
}

/* RFC 8446, 4.2.11: two identities; a server that selects one; before that, the request to greet once more. */
static void pre_shared_keys_are_counted(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&tls_dataset), 443);
	talk_handshake(&t);
	SAY(&t, ASK, "\x16\3\1\0\x4c\1\0\0\x48\3\3" RANDOM "\0\0\2\x13\1\1\0\0\x1d"
		     "\xfe\x0d\0\2\0\1" "\0\x29\0\x13\0\x0f\0\1a\0\0\0\0" "\0\2bb\0\0\0\0\0\0");
	assert_true(told(&t, 0, " tls.client.psks=2 tls.client.ech=1"));
	SAY(&t, REPLY, "\x16\3\3\0\x32\2\0\0\x2e\3\3"
		       "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16"
		       "\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c" "\0\x13\1\0\0\6\0\x2b\0\2\3\4");
	assert_true(told(&t, 1, "server_hello") && told(&t, 1, " tls.server.retry=1") && !told(&t, 1, "resumed"));
	SAY(&t, ASK, "\x16\3\1\0\x2f\1\0\0\x2b\3\3" RANDOM "\0\0\2\x13\1\1\0\0\0");
	assert_true(told(&t, 2, "client_hello") && !told(&t, 2, "psks"));
	SAY(&t, REPLY, "\x16\3\3\0\x38\2\0\0\x34\3\3" RANDOM "\0\x13\1\0\0\x0c\0\x2b\0\2\3\4\0\x29\0\2\0\1");
	assert_true(told(&t, 3, " tls.resumed=1") && !told(&t, 3, "retry"));
	talk_close(&t);
}

/* What is final is told where it is offered with a draft; JA4 goes by the draft. */
static void drafts_are_told_where_nothing_else_is_offered(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&tls_dataset), 443);
	talk_handshake(&t);
	SAY(&t, ASK, "\x16\3\1\0\x38\1\0\0\x34\3\3" RANDOM "\0\0\2\x13\1\1\0\0\x09\0\x2b\0\5\4\x7f\x17\3\3");
	SAY(&t, ASK, "\x16\3\1\0\x36\1\0\0\x32\3\3" RANDOM "\0\0\2\x13\1\1\0\0\7\0\x2b\0\3\2\x7f\x17");
	assert_true(told(&t, 0, "tls.version=1.2 ") && told(&t, 0, "tls.client.ja4=t00i0101"));
	assert_true(told(&t, 1, "tls.version=1.3-draft23 ") && told(&t, 1, "tls.client.ja4=t00i0101"));
	talk_close(&t);
}

/* RFC 5246, 7.4.1.3: the server says the client's session id again. */
static void a_session_that_goes_on_is_told(void **state)
{
	static const char *const resumed[] = { " tls.resumed=1", " tls.resumed=0" };
	struct talk t;

	for (unsigned int other = 0; other < 2; other++) {
		uint8_t answer[] = "\x16\3\3\0\x4a\2\0\0\x46\3\3" RANDOM SESSION "\xc0\x2f\0";

		talk_open(&t, dataset_bit(&tls_dataset), 443);
		talk_handshake(&t);
		SAY(&t, ASK, "\x16\3\1\0\x56\1\0\0\x52\3\3" RANDOM SESSION "\0\2\xc0\x2f\1\0\0\x07\0\x23\0\3xyz");
		assert_true(told(&t, 0, " tls.client.ticket=1"));
		answer[50] ^= (uint8_t)other;
		talk_say(&t, REPLY, answer, sizeof(answer) - 1);
		assert_true(told(&t, 1, resumed[other]));
		talk_close(&t);
	}
	/* Nobody saw what was offered. */
	talk_open(&t, dataset_bit(&tls_dataset), 443);
	SAY(&t, REPLY, "\x16\3\3\0\x4a\2\0\0\x46\3\3" RANDOM SESSION "\xc0\x2f\0");
	assert_true(told(&t, 0, "server_hello") && !told(&t, 0, "resumed"));
	talk_close(&t);
}

/* A record of TLS 1.2 with a Certificate message, of which DTLS has another head. */
static void put_certificate(struct bytes *o)
{
	PUT(o, "\0");
	put16(o, sizeof(small_cert) + 3);
	PUT(o, "\0");
	put16(o, sizeof(small_cert));
	put(o, small_cert, sizeof(small_cert));
}

static void say_certificate(struct talk *t, enum talk_dir dir)
{
	struct bytes o = { .n = 0 };

	PUT(&o, "\x16\3\3");
	put16(&o, sizeof(small_cert) + 10);
	PUT(&o, "\x0b\0");
	put16(&o, sizeof(small_cert) + 6);
	put_certificate(&o);
	talk_drip(t, dir, o.p, o.n);
}

#define CLIENT_HELLO_12 "\x16\3\1\0\x2d\1\0\0\x29\3\3" RANDOM "\0\0\2\xc0\x2f\1\0"
#define SERVER_HELLO_12 "\x16\3\3\0\x2a\2\0\0\x26\3\3" RANDOM "\0\xc0\x2f\0"

/* RFC 5246, 7.3: the server's, then the client's; behind the change to ciphertext there is nothing. */
static void certificates_are_told_up_to_tls_1_2(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&tls_dataset), 443);
	talk_handshake(&t);
	SAY(&t, ASK, CLIENT_HELLO_12);
	SAY(&t, REPLY, SERVER_HELLO_12);
	say_certificate(&t, REPLY);
	SAY(&t, REPLY, "\x16\3\3\0\4\x0e\0\0\0");
	say_certificate(&t, ASK);
	SAY(&t, ASK, "\x14\3\3\0\1\1" "\x15\3\3\0\2\2\x28");
	assert_int_equal(t.lines.n, 4);
	assert_true(told(&t, 2, "handshake action=certificate") && told(&t, 2, " sport=443 protocol=tls "));
	assert_true(told(&t, 2, " tls.server.subject=CN=example.org,OU=Web,O="));
	assert_true(told(&t, 2, " tls.server.certificates=1 tls.server.hash.sha256="));
	assert_true(told(&t, 2, " tls.server.x509.alternative_names=example.org,*.example.org,192.0.2.2,2001:db8::2,"));
	assert_true(told(&t, 3, " sport=4000 ") && told(&t, 3, " tls.client.issuer=CN=example.org,OU=Web,O="));
	talk_close(&t);
}

/* A warning is no answer; what is fatal is one, and the hello waits no longer. */
static void alerts_are_told_and_answer_hellos(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&tls_dataset), 443);
	talk_handshake(&t);
	SAY(&t, ASK, CLIENT_HELLO_12);
	t.lines.n = 0;
	SAY(&t, REPLY, "\x15\3\3\0\2\1\x70");
	SAY(&t, REPLY, "\x15\3\3\0");
	SAY(&t, REPLY, "\2\2\x28");
	HEARD(&t, "handshake action=alert frame=4 sport=443 protocol=tls tls.alert.level=warning tls.alert.code=112 "
		  "tls.alert.description=unrecognized_name",
	      "handshake action=alert outcome=failure duration=3000000 frame=6 sport=443 protocol=tls "
	      "tls.alert.level=fatal tls.alert.code=40 tls.alert.description=handshake_failure");
	talk_wait(&t, 100);
	assert_int_equal(t.lines.n, 0);
	talk_close(&t);
}

/* RFC 3207, 2595, 4511 (4.14), PostgreSQL's SSLRequest: hellos behind what is in clear. */
static void hellos_are_found_behind_starttls(void **state)
{
	static const struct { uint16_t port; const char *server[3], *client[3]; uint32_t n[3]; } before[] = {
		{ 25, { "220 a ESMTP\r\n", "250-a\r\n250 STARTTLS\r\n", "220 go\r\n" }, { NULL, "EHLO b\r\n", "STARTTLS\r\n" },
		  { 0, 0, 0 } },
		{ 143, { "* OK IMAP4\r\n", "* CAPABILITY STARTTLS\r\na OK\r\n", "b OK\r\n" },
		  { NULL, "a CAPABILITY\r\n", "b STARTTLS\r\n" }, { 0, 0, 0 } },
		{ 110, { "+OK POP3\r\n", "+OK\r\nSTLS\r\n.\r\n", "+OK\r\n" }, { NULL, "CAPA\r\n", "STLS\r\n" }, { 0, 0, 0 } },
		{ 389, { "\x30\x0c\2\1\1\x78\7\x0a\1\0\4\0\4" }, { "\x30\x1d\2\1\1\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037" },
		  { 31 } },
		{ 5432, { "S" }, { "\0\0\0\x08\4\xd2\x16\x2f" }, { 8 } },
	};

	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		struct talk t;

		talk_open(&t, 0, before[i].port);
		talk_handshake(&t);
		for (int k = 0; k < 3; k++) {
			const char *c = before[i].client[k], *s = before[i].server[k];

			if (c)
				talk_say(&t, ASK, c, before[i].n[k] ? before[i].n[k] : (uint32_t)strlen(c));
			if (s)
				talk_say(&t, REPLY, s, (uint32_t)strlen(s));
		}
		SAY(&t, ASK, CLIENT_HELLO_12);
		SAY(&t, REPLY, SERVER_HELLO_12);
		assert_int_equal(t.lines.n, 2);
		assert_true(told(&t, 0, "tls action=client_hello") && told(&t, 1, "tls action=server_hello outcome=success"));
		talk_close(&t);
	}
}

/* RFC 6347, 4.2: a record and a message of DTLS, `seq` the number of that. */
static void say_dtls(struct talk *t, enum talk_dir dir, uint8_t type, uint8_t seq, const void *p, uint32_t n)
{
	const uint8_t head[] = { type, 0, (uint8_t)(n >> 8), (uint8_t)n, 0, seq, 0, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n };
	struct bytes o = { .n = 0 };

	PUT(&o, "\x16\xfe\xfd\0\0\0\0\0\0\0\0");
	put16(&o, n + 12);
	put(&o, head, sizeof(head));
	put(&o, p, n);
	talk_datagram(t, dir, o.p, o.n);
}

static void certificates_and_alerts_of_dtls_are_told(void **state)
{
	struct bytes cert = { .n = 0 };
	struct talk t;

	put_certificate(&cert);
	talk_open(&t, dataset_bit(&tls_dataset), 4433);
	/* To nobody who greeted it means nothing. */
	say_dtls(&t, REPLY, 11, 1, cert.p, cert.n);
	assert_int_equal(t.lines.n, 0);
	say_dtls(&t, ASK, 1, 0, "\xfe\xfd" RANDOM "\0\0\0\2\xc0\x2f\1\0", 42);
	say_dtls(&t, REPLY, 2, 0, "\xfe\xfd" RANDOM "\0\xc0\x2f\0", 38);
	say_dtls(&t, REPLY, 11, 1, cert.p, cert.n);
	say_dtls(&t, REPLY, 11, 1, cert.p, cert.n);
	say_dtls(&t, ASK, 11, 1, cert.p, cert.n);
	talk_datagram(&t, ASK, "\x15\xfe\xfd\0\0\0\0\0\0\0\1\0\2\2\x30", 15);
	assert_int_equal(t.lines.n, 5);
	assert_true(told(&t, 2, "protocol=dtls tls.server.subject=CN=example.org,"));
	assert_true(told(&t, 3, "protocol=dtls tls.client.subject=CN=example.org,"));
	assert_true(told(&t, 4, "protocol=dtls tls.alert.level=fatal tls.alert.code=48 tls.alert.description=unknown_ca"));
	talk_close(&t);
}

/* RFC 9000, 17.2.1 */
static void versions_that_a_server_offers_are_told(void **state)
{
	struct talk t;

	talk_open(&t, dataset_bit(&tls_dataset), 443);
	talk_datagram(&t, REPLY, "\x80\0\0\0\0\2ab\3cde\x1a\x2a\x3a\x4a\0\0\0\1\x6b\x33\x43\xcf\xff\0\0\x1d", 28);
	HEARD(&t, "handshake action=version_negotiation frame=1 sport=443 protocol=quic quic.destination_cid=6162 "
		  "quic.source_cid=636465 quic.versions=0x1a2a3a4a,1,2,draft-29");
	/* None that is known; half a number; another port. */
	talk_datagram(&t, REPLY, "\x80\0\0\0\0\0\0\x1a\x2a\x3a\x4a", 11);
	talk_datagram(&t, REPLY, "\x80\0\0\0\0\0\0\0\0\0\1\0\0", 13);
	assert_int_equal(t.lines.n, 0);
	talk_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fingerprints_are_those_of_their_inventors),
		cmocka_unit_test(a_hello_may_be_split_over_records_and_segments),
		cmocka_unit_test(what_is_cut_has_a_name_but_no_fingerprint),
		cmocka_unit_test(ciphertext_is_nobodys),
		cmocka_unit_test(initials_open_with_the_keys_of_the_rfc),
		cmocka_unit_test(dtls_fragments_are_put_together),
		cmocka_unit_test(a_second_dtls_handshake_is_told),
		cmocka_unit_test(an_empty_name_is_one_to_ja4),
		cmocka_unit_test(pre_shared_keys_are_counted),
		cmocka_unit_test(drafts_are_told_where_nothing_else_is_offered),
		cmocka_unit_test(a_session_that_goes_on_is_told),
		cmocka_unit_test(certificates_are_told_up_to_tls_1_2),
		cmocka_unit_test(alerts_are_told_and_answer_hellos),
		cmocka_unit_test(hellos_are_found_behind_starttls),
		cmocka_unit_test(certificates_and_alerts_of_dtls_are_told),
		cmocka_unit_test(versions_that_a_server_offers_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
