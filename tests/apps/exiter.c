/* SPDX-License-Identifier: MIT */
/* exiter CODE [MS] [TEXT]: says TEXT on stderr and exits with CODE after MS milliseconds. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int code = argc > 1 ? atoi(argv[1]) : 0;

	printf("started %d\n", (int)getpid());
	fflush(stdout);
	if (argc > 2) {
		usleep((useconds_t)atoi(argv[2]) * 1000);
	}
	fprintf(stderr, "%s\n", argc > 3 ? argv[3] : "last words");
	return code;
}
