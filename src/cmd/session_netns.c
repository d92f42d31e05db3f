// SPDX-License-Identifier: GPL-2.0-or-later
/* Network namespaces: the one to be in, and the names of all. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/session_parts.h"
#include "kern/link.h"
#include "util/err.h"

enum { NAMESPACES_MAX = 1024 };

static struct {
	uint32_t inode;
	char name[256];
} namespaces[NAMESPACES_MAX];
static unsigned int n_namespaces;

static void learn_names(void)
{
	DIR *dir = opendir("/run/netns");
	const struct dirent *e;
	struct stat st;

	while (dir && n_namespaces < NAMESPACES_MAX && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || fstatat(dirfd(dir), e->d_name, &st, 0))
			continue;
		namespaces[n_namespaces].inode = (uint32_t)st.st_ino;
		snprintf(namespaces[n_namespaces].name, sizeof(namespaces[0].name), "%s", e->d_name);
		n_namespaces++;
	}
	if (dir)
		closedir(dir);
}

int session_netns(const struct globals *g, bool *any)
{
	bool all = any && g->netns && !strcmp(g->netns, "any");

	if (any)
		*any = all;
	if (all)
		learn_names();
	return g->netns && !all ? exit_status(netns_enter(g->netns)) : EXIT_DONE;
}

/* As lsns(8) and readlink call one without a name.  Good until the next call. */
const char *netns_name(void *unused, uint32_t inode)
{
	static char number[24];

	for (unsigned int i = 0; i < n_namespaces; i++)
		if (namespaces[i].inode == inode)
			return namespaces[i].name;
	snprintf(number, sizeof(number), "net:[%u]", inode);
	return number;
}
