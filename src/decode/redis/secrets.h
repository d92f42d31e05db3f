/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_DECODE_REDIS_SECRETS_H
#define NETPROBE_DECODE_REDIS_SECRETS_H

#include "record.h"

/* Put "[hidden]" in the place of passwords among a command's arguments; name is in upper case. */
void redis_hide_secrets(struct str name, struct str *args, uint32_t n);
/* May an error quote a password?  command: what it answers; nothing: not known. */
bool redis_quotes_secret(struct str command, struct str error);

#endif
