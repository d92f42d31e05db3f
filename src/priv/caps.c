// SPDX-License-Identifier: GPL-2.0-or-later
#include "priv/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/caps.h"
#include "util/err.h"

bool caps_any(void)
{
	struct cap_sets s;

	if (caps_get(&s) || s.effective || s.permitted || s.inheritable)
		return true;
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) > 0)
			return true;
	return false;
}

void caps_unbound(void)
{
	/* EINVAL ends the list of those the kernel knows; EPERM (no CAP_SETPCAP) leaves the bounding set,
	 * which without exec (no_new_privs, seccomp) bounds nothing anyway. */
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			break;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

int caps_keep(uint64_t keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	struct cap_sets s;
	int err = caps_get(&s);

	if (err)
		return fail(err, "cannot read the capabilities");
	keep &= s.permitted;
	data[0].effective = data[0].permitted = (uint32_t)keep;
	data[1].effective = data[1].permitted = (uint32_t)(keep >> 32);
	if (syscall(SYS_capset, &head, data))
		return fail(errno, "cannot drop capabilities");
	return 0;
}
