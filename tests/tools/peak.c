// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * peak FILE COMMAND...: run the command and write into FILE how much memory it, or one of its children, had at
 * once at most, in KiB.  The exit status is the command's.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3) {
		fputs("usage: peak FILE COMMAND...\n", stderr);
		return 2;
	}
	pid = fork();
	if (!pid) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	f = fopen(argv[1], "w");
	if (pid < 0 || !f || wait4(pid, &status, 0, &usage) != pid) {
		perror("peak");
		return 1;
	}
	fprintf(f, "%ld\n", usage.ru_maxrss);
	return fclose(f) || !WIFEXITED(status) ? 1 : WEXITSTATUS(status);
}
