/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_BOUND_H
#define NETPROBE_BOUND_H

/*
 * n, which the caller has found to be from 1 to max, told to the verifier in the register that is used
 * next.  In C that fails in three ways: the compiler joins the two comparisons to one of n - 1, which
 * binds n only since Linux 6.11; n != 0 raises its minimum only since 6.8; and a spill between check
 * and use may forget both.  max: a constant.
 *
 * Without CAP_PERFMON the verifier also walks what the processor may do wrongly: where it knows how a
 * comparison ends, the other way too.  So it must not know much of n before: a length is stored and
 * read back first.
 */
#define BOUND(n, max)                                                                     \
	asm volatile("if %[v] <= %[most] goto +1\n"                                       \
		     "%[v] = %[most]\n"                                                   \
		     "if %[v] s> 0 goto +1\n"                                             \
		     "%[v] = 1\n"                                                         \
		     : [v] "+r"(n)                                                        \
		     : [most] "i"(max))

#endif
