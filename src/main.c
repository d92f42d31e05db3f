// SPDX-License-Identifier: GPL-2.0-or-later
#include <signal.h>

#include "cmd/cmd.h"

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);	/* write errors come back as EPIPE, where they can be told apart */
	signal(SIGXFSZ, SIG_IGN);	/* and as EFBIG */
	return command_main(argc, argv);
}
