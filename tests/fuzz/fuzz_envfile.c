/* SPDX-License-Identifier: MIT */
/* The text of an env_file: what was read can be written again and reads the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "config/envfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	if (!name[0] || !strchr(first, name[0]) ||
	    name[1 + strspn(name + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
				      "0123456789")]) {
		abort();
	}
}

static void write_quoted(struct buf *out, const struct env_file_var *v)
{
	buf_addf(out, "export %s = \"", v->name);
	for (const char *s = v->value; *s; s++) {
		if (strchr("\\\"$`", *s)) {
			buf_addc(out, '\\');
		}
		buf_addc(out, *s);
	}
	buf_adds(out, "\" # as it was\r\n");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct env_file f = {0}, again = {0};
	struct buf out = {0};
	struct err err = {0};
	if (!envfile_parse(&f, (const char *)data, size, &err)) {
		if (f.v || f.n || strncmp(err.msg, "line ", 5) != 0) {
			abort();
		}
		return 0;
	}
	for (size_t i = 0; i < f.n; i++) {
		check_name(f.v[i].name);
		write_quoted(&out, &f.v[i]);
	}
	if (!envfile_parse(&again, out.data, out.len, &err) || again.n != f.n) {
		abort();
	}
	for (size_t i = 0; i < f.n; i++) {
		if (strcmp(f.v[i].name, again.v[i].name) != 0 ||
		    strcmp(f.v[i].value, again.v[i].value) != 0) {
			abort();
		}
	}
	envfile_finish(&again);
	envfile_finish(&f);
	buf_finish(&out);
	return 0;
}
