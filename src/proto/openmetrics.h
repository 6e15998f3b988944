/* SPDX-License-Identifier: MIT */
#ifndef PMCTL_PROTO_OPENMETRICS_H
#define PMCTL_PROTO_OPENMETRICS_H
/*
 * openmetrics - writes the text format of OpenMetrics 1.0 into a buffer as it is known; or the
 * older one of Prometheus, 0.0.4, which is what promtool and many collectors read.
 *
 * Families one after the other, each with all its samples; one without a sample leaves no trace.
 * Labels and help are escaped and made valid UTF-8. The name of a family carries its unit, as the
 * format demands; suffixes such as _total are added here.
 */
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

enum om_format { OM_OPENMETRICS, OM_PROMETHEUS, OM_FORMATS };

/* For Content-Type. */
const char *om_content_type(enum om_format format);

enum om_type { OM_GAUGE, OM_COUNTER, OM_INFO, OM_STATESET, OM_HISTOGRAM };

struct om_family {
	const char *name; /* without the suffix of its samples */
	enum om_type type;
	const char *unit; /* NULL = none */
	const char *help; /* one sentence */
};

struct om {
	struct buf *out; /* borrowed */
	enum om_format format;
	const struct om_family *family;
	bool begun;  /* its head is written */
	bool labels; /* the sample has one already */
};

void om_init(struct om *w, struct buf *out, enum om_format format);
/* What follows are samples of this family (borrowed). */
void om_family(struct om *w, const struct om_family *f);
/* Begin a sample. suffix NULL = that of the type: _total, _info or none. */
void om_sample(struct om *w, const char *suffix);
/* A label of it; one whose value is NULL or "" is left out, which means the same. */
void om_label(struct om *w, const char *name, const char *value);
void om_label_int(struct om *w, const char *name, int64_t value);
/* End the sample: value / 10^digits, written exactly. digits is 0 to 9. */
void om_value(struct om *w, int64_t value, int digits);
/* Nothing more comes. */
void om_end(struct om *w);

/* "gauge", "counter" ... */
const char *om_type_name(enum om_type type);

#endif
