/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_SIPHASH_H
#define PMCTL_COMMON_SIPHASH_H
/*
 * siphash - SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): a number
 * for a text that tells nobody who does not know the key what was in it.
 */
#include <stddef.h>
#include <stdint.h>

/* The key is 16 bytes as two little-endian words. */
uint64_t siphash(const uint64_t key[2], const void *data, size_t len);

#endif
