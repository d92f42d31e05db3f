// SPDX-License-Identifier: GPL-2.0-or-later
/* k8ssweep STEP FILE...: read objects whole, which must give no mistake, then cut at every STEPth byte. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "k8s/load.h"
#include "util/err.h"

static uint64_t mistakes;

static void on_mistake(void *ctx, const struct mistake *m)
{
	mistakes += m->level == MISTAKE_ERROR;
}

static char *slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	size_t room = 16 << 20;
	char *p = malloc(room);

	if (!f || !p) {
		perror(path);
		exit(1);
	}
	*n = fread(p, 1, room, f);
	fclose(f);
	return p;
}

static uint64_t load(const char *text, size_t n, const char *name)
{
	struct load_report rep = { .mistake = on_mistake };
	struct k8s *k;

	mistakes = 0;
	if (k8s_open(&k) || load_text(k, text, n, name, &rep))
		exit(1);
	k8s_close(k);
	return rep.objects;
}

int main(int argc, char **argv)
{
	size_t step = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	uint64_t cuts = 0, objects = 0;
	int rc = 0;

	if (!step || argc < 3) {
		fprintf(stderr, "usage: k8ssweep STEP FILE...\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		size_t n;
		char *text = slurp(argv[i], &n), *copy;

		objects += load(text, n, argv[i]);
		if (mistakes) {
			printf("%s: %" PRIu64 " mistakes\n", argv[i], mistakes);
			rc = 1;
		}
		for (size_t at = 0; at < n; at += step, cuts++) {
			/* In room of its own, so that a sanitizer sees what reads beyond it. */
			copy = malloc(at + 1);
			if (!copy)
				return 1;
			memcpy(copy, text, at);
			load(copy, at, argv[i]);
			free(copy);
		}
		free(text);
	}
	printf("# %" PRIu64 " objects, %" PRIu64 " cuts\n", objects, cuts);
	return rc;
}
