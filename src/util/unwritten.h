/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_UNWRITTEN_H
#define NETPROBE_UTIL_UNWRITTEN_H

#include <stddef.h>

/*
 * Memory that is used again holds nothing that anyone may read.  MemorySanitizer is told so: it
 * cannot know, for the memory was written once.
 */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define NETPROBE_MSAN 1
#endif
#endif

static inline void unwritten(void *p, size_t n)
{
#ifdef NETPROBE_MSAN
	__msan_allocated_memory(p, n);
#else
	(void)p;
	(void)n;
#endif
}

#endif
