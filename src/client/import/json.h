/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CLIENT_IMPORT_JSON_H
#define PMCTL_CLIENT_IMPORT_JSON_H
/* json - JSON and YAML texts of others as trees. Pure. */
#include <jansson.h>

#include "common/err.h"

/* Comments as in JavaScript and commas behind the last element are passed over, as PM2 does. NULL
 * with line and column. *where, unless where is NULL, gets the places of all of it (where.h). */
json_t *importjson_read(const char *text, size_t len, json_t **where, struct err *err);

/* The only document; anchors are followed, plain scalars become numbers, booleans and null. NULL
 * with line and column; *where as above. */
json_t *importyaml_read(const char *text, size_t len, json_t **where, struct err *err);

#endif
