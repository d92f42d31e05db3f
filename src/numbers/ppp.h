/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_NUMBERS_PPP_H
#define NETPROBE_NUMBERS_PPP_H

#include <stdbool.h>
#include <stdint.h>

/* "LCP", "IPCP", …; NULL when it is none that has a name here. */
const char *ppp_name(uint16_t proto);
/* Does it negotiate, in packets that begin with a code, an identifier and a length (RFC 1661, 5)? */
bool ppp_is_control(uint16_t proto);
/* "Conf-Request", …; NULL: no name. */
const char *ppp_code_name(uint16_t proto, uint8_t code);

#endif
