// SPDX-License-Identifier: GPL-2.0-or-later
#include "numbers/ppp.h"
#include "text/parts.h"

static void put_code(const struct record *r, struct buf *b)
{
	const char *name = ppp_code_name(r->ppp_proto, r->ppp_code);

	buf_lit(b, ", ");
	buf_str(b, name ? name : "Unknown");
	buf_lit(b, " (0x");
	buf_hex(b, r->ppp_code, 2);
	buf_lit(b, "), id ");
	buf_u64(b, r->ppp_id);
}

/* "PPPoE  [ses 0x11] LCP, Conf-Request (0x01), id 1, length 12", as tcpdump does: two bytes are the protocol's. */
void line_ppp(const struct record *r, struct buf *b)
{
	if (record_has(r, FIELD_PPPOE_SESSION) && !record_has(r, FIELD_SRC_IP)) {
		buf_lit(b, "PPPoE  [ses 0x");
		buf_hex(b, r->pppoe_session, 1);
		buf_lit(b, "] ");
	}
	if (record_has(r, FIELD_PPP_NAME)) {
		buf_str(b, r->ppp_name);
	} else {
		buf_lit(b, "PPP protocol 0x");
		buf_hex(b, r->ppp_proto, 4);
	}
	if (record_has(r, FIELD_PPP_CODE))
		put_code(r, b);
	buf_lit(b, ", length ");
	buf_u64(b, r->ppp_len);
}
