/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef NETPROBE_UTIL_UNWRITTEN_H
#define NETPROBE_UTIL_UNWRITTEN_H

#include <stddef.h>

/*
 * What MemorySanitizer cannot know by itself (make fuzz-memory); nothing, elsewhere.
 *   unwritten       memory that is used again: nobody may read what it held
 *   written         memory that a library wrote, which is not built with the sanitizer
 *   check_written   somebody reads it now
 */
#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
#define NETPROBE_MSAN 1
#endif
#endif

#ifdef NETPROBE_MSAN
static inline void unwritten(void *p, size_t n)
{
	__msan_allocated_memory(p, n);
}

static inline void written(void *p, size_t n)
{
	__msan_unpoison(p, n);
}

static inline void check_written(const void *p, size_t n)
{
	__msan_check_mem_is_initialized(p, n);
}
#else
static inline void unwritten(void *p, size_t n)
{
	(void)p;
	(void)n;
}

static inline void written(void *p, size_t n)
{
	(void)p;
	(void)n;
}

static inline void check_written(const void *p, size_t n)
{
	(void)p;
	(void)n;
}
#endif

#endif
