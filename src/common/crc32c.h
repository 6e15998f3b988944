/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_COMMON_CRC32C_H
#define PMCTL_COMMON_CRC32C_H
/* crc32c - the Castagnoli checksum (RFC 3720, appendix B.4) that guards our state files. */
#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(const void *data, size_t len);

#endif
