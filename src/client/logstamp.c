/* SPDX-License-Identifier: MIT */
#include "client/logstamp.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/client.h"
#include "client/logsrc.h"

#define STAMP  24 /* 2026-11-22T14:03:01.118Z */
#define HEAD   6  /* {"t":" */
#define MS_NS  1000000
#define SEC_MS 1000

enum logstamp logstamp_of(const json_t *file)
{
	const char *format = member_text(file, "format", "raw");
	return strcmp(format, "time") == 0   ? LOGSTAMP_TIME
	       : strcmp(format, "json") == 0 ? LOGSTAMP_JSON
					     : LOGSTAMP_NONE;
}

static int number(const char *s, size_t digits)
{
	int n = 0;
	for (size_t i = 0; i < digits; i++) {
		n = n * 10 + (s[i] - '0');
	}
	return n;
}

/* -1: these are no STAMP bytes of ours. */
static int64_t read_stamp(const char *s, size_t len)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
	if (len < STAMP) {
		return -1;
	}
	for (size_t i = 0; i < STAMP; i++) {
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i]) {
			return -1;
		}
	}
	struct tm tm = {.tm_year = number(s, 4) - 1900,
			.tm_mon = number(s + 5, 2) - 1,
			.tm_mday = number(s + 8, 2),
			.tm_hour = number(s + 11, 2),
			.tm_min = number(s + 14, 2),
			.tm_sec = number(s + 17, 2)};
	return ((int64_t)timegm(&tm) * SEC_MS + number(s + 20, 3)) * MS_NS;
}

static bool take_time(struct logline *l)
{
	int64_t t = read_stamp(l->data, l->len);
	if (t < 0 || l->len <= STAMP || l->data[STAMP] != ' ') {
		return false;
	}
	l->t_ns = t;
	l->data += STAMP + 1;
	l->len -= STAMP + 1;
	return true;
}

static bool take_json(struct logline *l, struct buf *room)
{
	static const char head[] = "{\"t\":\"", next[] = "\",\"app\":\"";
	size_t begins = HEAD + STAMP + strlen(next);
	int64_t t = l->len > begins ? read_stamp(l->data + HEAD, STAMP) : -1;
	if (t < 0 || memcmp(l->data, head, HEAD) != 0 ||
	    memcmp(l->data + HEAD + STAMP, next, strlen(next)) != 0) {
		return false;
	}
	json_t *o = json_loadb(l->data, l->len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	const json_t *msg = json_object_get(o, "msg"), *pid = json_object_get(o, "pid");
	bool ours = json_object_size(o) == 6 && json_is_string(msg) && json_is_integer(pid) &&
		    json_is_integer(json_object_get(o, "slot")) &&
		    json_is_string(json_object_get(o, "stream"));
	if (ours) {
		buf_reset(room);
		buf_add(room, json_string_value(msg), json_string_length(msg));
		buf_adds(room, "");
		l->t_ns = t;
		l->pid = (pid_t)json_integer_value(pid);
		l->data = room->data ? room->data : "";
		l->len = room->len;
	}
	json_decref(o);
	return ours;
}

bool logstamp_take(enum logstamp form, struct logline *l, struct buf *room)
{
	return form == LOGSTAMP_TIME ? take_time(l) : form == LOGSTAMP_JSON && take_json(l, room);
}
