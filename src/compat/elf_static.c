// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libelf.a of elfutils 0.192 refers to three symbols of libeu.a, which Debian
 * does not package (sourceware bug 32293), and from 0.189 on to libzstd, for
 * compressed sections that BPF objects never have.  Weak: a complete archive wins.
 */
#include <pthread.h>
#include <stddef.h>

struct eu_tree {
	void *root;
	pthread_rwlock_t lock;
};

#define WEAK __attribute__((weak))

void eu_search_tree_init(struct eu_tree *t);
void eu_search_tree_fini(struct eu_tree *t, void (*free_node)(void *));
void *ZSTD_createCCtx(void);
size_t ZSTD_freeCCtx(void *ctx);
size_t ZSTD_compressStream2(void *ctx, void *out, void *in, int end);
size_t ZSTD_decompress(void *out, size_t cap, const void *in, size_t n);
unsigned int ZSTD_isError(size_t code);

WEAK void eu_search_tree_init(struct eu_tree *t)
{
	t->root = NULL;
	pthread_rwlock_init(&t->lock, NULL);
}

WEAK void eu_search_tree_fini(struct eu_tree *t, void (*free_node)(void *))
{
	t->root = NULL;
	pthread_rwlock_destroy(&t->lock);
}

WEAK void *ZSTD_createCCtx(void)
{
	return NULL;
}

WEAK size_t ZSTD_freeCCtx(void *ctx)
{
	return 0;
}

WEAK size_t ZSTD_compressStream2(void *ctx, void *out, void *in, int end)
{
	return (size_t)-1;
}

WEAK size_t ZSTD_decompress(void *out, size_t cap, const void *in, size_t n)
{
	return (size_t)-1;
}

WEAK unsigned int ZSTD_isError(size_t code)
{
	return code > (size_t)-120;
}
