/* SPDX-License-Identifier: MIT */
#include "sys/hostfig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "sys/fileio.h"

#define SHORTEST_MS 400

bool hostfig_parse_stat(const char *text, uint64_t *busy, uint64_t *total)
{
	/* user nice system idle iowait irq softirq steal; guests are in user already */
	unsigned long long v[8] = {0};
	if (strncmp(text, "cpu ", 4) != 0 ||
	    sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3],
		   &v[4], &v[5], &v[6], &v[7]) < 4) {
		return false;
	}
	*total = 0;
	for (int i = 0; i < 8; i++) {
		*total += v[i];
	}
	*busy = *total - v[3] - v[4];
	return true;
}

int64_t hostfig_parse_mem(const char *text, const char *key)
{
	size_t len = strlen(key);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ':') {
			return strtoll(line + len + 1, NULL, 10) * 1024;
		}
	}
	return -1;
}

void hostfig_init(struct hostfig *h)
{
	struct utsname u;
	*h = (struct hostfig){.cpu_pct = -1,
			      .mem_used = -1,
			      .mem_total = -1,
			      .load1 = -1,
			      .self_cpu_pct = -1,
			      .self_mem = -1,
			      .stat_fd = -1,
			      .mem_fd = -1,
			      .statm_fd = -1};
	if (uname(&u) == 0) {
		snprintf(h->name, sizeof(h->name), "%.63s", u.nodename);
	}
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	h->cpus = n > 0 ? (int)n : 1;
}

static void close_one(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
	*fd = -1;
}

void hostfig_finish(struct hostfig *h)
{
	close_one(&h->stat_fd);
	close_one(&h->mem_fd);
	close_one(&h->statm_fd);
}

static bool read_kept(int *fd, const char *path, char *text, size_t cap)
{
	if (*fd < 0) {
		*fd = file_open(AT_FDCWD, path, O_RDONLY);
	}
	return *fd >= 0 && file_pread(*fd, text, cap) > 0;
}

static void read_cpu(struct hostfig *h)
{
	char text[512]; /* only its first line is wanted */
	uint64_t busy, total;
	if (!read_kept(&h->stat_fd, "/proc/stat", text, sizeof(text)) ||
	    !hostfig_parse_stat(text, &busy, &total)) {
		h->cpu_pct = -1;
		return;
	}
	if (h->total && total > h->total) {
		double used = busy > h->busy ? (double)(busy - h->busy) : 0;
		h->cpu_pct = used * 100. / (double)(total - h->total);
	}
	h->busy = busy;
	h->total = total;
}

static void read_memory(struct hostfig *h)
{
	char text[1024];
	if (read_kept(&h->mem_fd, "/proc/meminfo", text, sizeof(text))) {
		int64_t available = hostfig_parse_mem(text, "MemAvailable");
		h->mem_total = hostfig_parse_mem(text, "MemTotal");
		h->mem_used = available >= 0 ? h->mem_total - available : -1;
	}
}

static void read_self(struct hostfig *h, int64_t passed_ms)
{
	struct timespec ts;
	char text[128];
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	uint64_t us = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	if (h->read_mono_ms && passed_ms > 0) {
		h->self_cpu_pct = (double)(us - h->self_us) / (double)passed_ms / 10.;
	}
	h->self_us = us;
	if (read_kept(&h->statm_fd, "/proc/self/statm", text, sizeof(text))) {
		const char *rss = strchr(text, ' ');
		h->self_mem = rss ? strtoll(rss, NULL, 10) * sysconf(_SC_PAGESIZE) : -1;
	}
}

void hostfig_read(struct hostfig *h, int64_t now_mono_ms)
{
	struct sysinfo si;
	int64_t passed = now_mono_ms - h->read_mono_ms;
	if (h->read_mono_ms && passed < SHORTEST_MS) {
		return;
	}
	read_cpu(h);
	read_memory(h);
	read_self(h, passed);
	h->load1 = sysinfo(&si) == 0 ? (double)si.loads[0] / (1 << SI_LOAD_SHIFT) : -1;
	h->read_mono_ms = now_mono_ms;
}
