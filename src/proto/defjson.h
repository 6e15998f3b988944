/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_PROTO_DEFJSON_H
#define PMCTL_PROTO_DEFJSON_H
/*
 * defjson - an app's definition as JSON: in requests, in the saved state, in answers.
 *
 * {"name","project","file"|null,"dir","line","set":[["key","value",line],...]}
 * Reading is strict in form and bounded. What keys and values mean is config/'s business.
 */
#include <jansson.h>

#include "common/err.h"
#include "config/def.h"

/* A new reference, or NULL if a text is not UTF-8 (err names the key). */
json_t *defjson_write(const struct app_def *d, struct err *err);

/* A new definition, or NULL. Names are checked for form by config/, not here. */
struct app_def *defjson_read(const json_t *v, struct err *err);

#endif
