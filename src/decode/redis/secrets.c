// SPDX-License-Identifier: GPL-2.0-or-later
#include "decode/redis/secrets.h"

#include <string.h>
#include <strings.h>

static bool is(struct str s, const char *word)
{
	return s.n == strlen(word) && !strncasecmp(s.p, word, s.n);
}

static void hide(struct str *args, uint32_t from, uint32_t to, uint32_t n)
{
	static const char word[] = "[hidden]";

	for (uint32_t i = from; i < to && i < n; i++)
		args[i] = (struct str){ word, sizeof(word) - 1 };
}

/* ACL SETUSER: >password, <password, #hash, !hash */
static bool is_password(struct str s)
{
	return s.n && s.p[0] && strchr("><#!", s.p[0]);
}

/* CONFIG SET takes several pairs since 7.0. */
static void hide_config(struct str *args, uint32_t n)
{
	static const char *const secret[] = { "requirepass", "masterauth", "masteruser",
					      "tls-key-file-pass", "tls-client-key-file-pass" };

	if (!n || !is(args[0], "SET"))
		return;
	for (uint32_t i = 1; i + 1 < n; i += 2)
		for (unsigned int k = 0; k < sizeof(secret) / sizeof(secret[0]); k++)
			if (is(args[i], secret[k]))
				hide(args, i + 1, i + 2, n);
}

bool redis_quotes_secret(struct str command, struct str error)
{
	static const char *const commands[] = { "AUTH", "HELLO", "CONFIG", "ACL", "MIGRATE", "SENTINEL" };
	static const char quotes[] = "with args beginning";

	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (is(command, commands[i]))
			return true;
	return !command.n && error.n && memmem(error.p, error.n, quotes, sizeof(quotes) - 1);
}

void redis_hide_secrets(struct str name, struct str *args, uint32_t n)
{
	if (is(name, "AUTH"))
		hide(args, 0, n, n);
	else if (is(name, "CONFIG"))
		hide_config(args, n);
	else if (is(name, "SENTINEL") && n > 3 && is(args[0], "SET"))
		hide(args, 3, n, n);
	for (uint32_t i = 0; i < n; i++) {
		/* HELLO 3 AUTH user password; MIGRATE ... AUTH password, AUTH2 user password */
		if (is(name, "HELLO") && is(args[i], "AUTH"))
			hide(args, i + 1, i + 3, n);
		else if (is(name, "MIGRATE") && i > 4 && is(args[i], "AUTH"))
			hide(args, i + 1, i + 2, n);
		else if (is(name, "MIGRATE") && i > 4 && is(args[i], "AUTH2"))
			hide(args, i + 1, i + 3, n);
		else if (is(name, "ACL") && i > 1 && is(args[0], "SETUSER") && is_password(args[i]))
			hide(args, i, i + 1, n);
	}
}
