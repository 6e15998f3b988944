/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_GZREAD_H
#define PMCTL_CLIENT_GZREAD_H
/*
 * gzread - any place of a gzip file, as if it were not compressed, in bounded memory.
 *
 * Reading on is a stream. For a jump, places to begin at are noted on the way (position, bits and
 * the 32 kB before): at most so many, the farther apart the longer the file is. What a jump passes
 * last is kept, so that reading backward, block by block, unpacks everything about once.
 *
 * A damaged file ends where the damage begins.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GZREAD_SPACING (512 * 1024)

struct gzread;

/* Takes over fd. Nothing is read yet. Places are noted at least so many bytes apart. */
struct gzread *gzread_open(int fd, uint64_t spacing);
void gzread_free(struct gzread *g);

int gzread_fd(const struct gzread *g);
/* Bytes at an offset of the unpacked file, not more than 1 MiB; 0 at its end. */
size_t gzread_at(struct gzread *g, void *buf, size_t len, uint64_t at);
/* Of the unpacked file. The first time it has to be read for that. */
uint64_t gzread_size(struct gzread *g);
/* Whether it was found to be cut or damaged, as far as it was read. */
bool gzread_is_damaged(const struct gzread *g);
/* It is not read for a while: give back the memory. */
void gzread_rest(struct gzread *g);

#endif
