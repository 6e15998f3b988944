/* SPDX-License-Identifier: MIT */
/* eater MIB [child]: touches that much memory, itself or in a child, and keeps it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t bytes = (size_t)(argc > 1 ? atoi(argv[1]) : 64) << 20;

	if (argc < 3 || fork() == 0) {
		char *p = malloc(bytes);
		if (p == NULL) {
			return 1;
		}
		memset(p, 0x5a, bytes);
		printf("ate %zu bytes, last %d\n", bytes, p[bytes - 1]);
		fflush(stdout);
	}
	for (;;) {
		pause();
	}
}
