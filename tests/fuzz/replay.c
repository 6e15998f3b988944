/* SPDX-License-Identifier: MIT */
/*
 * replay - gives a fuzz target every file of a folder, whole and cut at every length (or every
 * STEP bytes, where that takes long), as an ordinary test.
 *
 * To search for new inputs: tests/fuzz/run.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX   (1 << 20)
#define EVERY 600 /* lengths that are tried */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of its exact size, so that the sanitizer sees a step too far. */
static void give(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	if (!copy) {
		abort();
	}
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void replay(const char *path, size_t step)
{
	static uint8_t data[MAX];
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		exit(1);
	}
	size_t n = fread(data, 1, sizeof(data), f);
	fclose(f);
	for (size_t cut = 0; cut < n && cut < EVERY * step; cut += step) {
		give(data, cut);
	}
	give(data, n);
}

/* What no file should hold: very long lines, deep nesting, each byte alone. */
static void synthetic(void)
{
	static const char *const parts[] = {"[",  "{\"a\":", "x",  "\n",  "[app:x]\n",
					    "\"", "\\",	     "a=", "\r\n"};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t len = strlen(parts[i]);
		size_t n = 200000;
		uint8_t *data = malloc(n + len);
		if (!data) {
			abort();
		}
		for (size_t at = 0; at < n; at += len) {
			memcpy(data + at, parts[i], len);
		}
		give(data, n);
		free(data);
	}
	for (int c = 0; c < 256; c++) {
		uint8_t b[2] = {(uint8_t)c, '\n'};
		give(b, 1);
		give(b, 2);
	}
}

int main(int argc, char **argv)
{
	int files = 0;
	DIR *dir = argc >= 2 ? opendir(argv[1]) : NULL;
	size_t step = argc >= 3 ? (size_t)atoi(argv[2]) : 1;
	if (!dir || step == 0) {
		fprintf(stderr, "usage: replay FOLDER [STEP]\n");
		return 2;
	}
	for (struct dirent *e; (e = readdir(dir));) {
		char path[4096];
		if (e->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
			replay(path, step);
			files++;
		}
	}
	closedir(dir);
	synthetic();
	printf("%d files\n", files);
	return files ? 0 : 1;
}
