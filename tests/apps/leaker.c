/* SPDX-License-Identifier: MIT */
/* leaker MIB_PER_S [TOOTH_MS]: touches more and more memory; with TOOTH_MS it gives all of it back
 * each so many ms, like a garbage collector. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROOM ((size_t)4 << 30)

static long long now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	double rate = argc > 1 ? atof(argv[1]) : 1;
	long long tooth = argc > 2 ? atoll(argv[2]) : 0, start = now_ms(), last = 0;
	size_t have = 0;
	char *p = mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		return 1;
	}
	for (;;) {
		long long t = now_ms() - start, in = tooth ? t % tooth : t;
		size_t want = (size_t)(rate * 1048576 * (double)in / 1000) & ~(size_t)4095;
		if (tooth && t / tooth != last) {
			last = t / tooth;
			madvise(p, have, MADV_DONTNEED);
			have = 0;
		}
		if (want > have && want <= ROOM) {
			memset(p + have, 1, want - have);
			have = want;
		}
		usleep(50000);
	}
}
