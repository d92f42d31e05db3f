// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as a table of MAC address prefixes, behind the address that is looked up. */
#include "fuzz_help.h"

#include "stats/vendors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vendors *v = NULL;
	struct str s;

	if (size < 6 || vendors_parse(&v, (const char *)data + 6, size - 6))
		return 0;
	s = vendors_find(v, data);
	if (touch(s.p, s.n) == UINT64_MAX)
		abort();
	vendors_close(v);
	return 0;
}
