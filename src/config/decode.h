/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_CONFIG_DECODE_H
#define PMCTL_CONFIG_DECODE_H
/* decode - conf_decode() with its errors not yet in text order. Inside config/ only. */
#include "config/conf.h"
#include "config/problems.h"

/* As conf_decode(). */
bool decode_app(struct app_conf *out, const struct app_def *def, struct problems *p);

/* Check one key and value on its own. *err gets the reason without a subject. */
bool decode_check(const char *dir, const char *key, const char *value, struct err *err);

#endif
