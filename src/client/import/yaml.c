/* SPDX-License-Identifier: MIT */
/* yaml - YAML by libyaml, as a tree. The only user of it. */
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "client/import/json.h"
#include "client/import/where.h"
#include "common/mem.h"
#include "common/words.h"
#include "config/names.h"

#define DEPTH 40
#define NODES 200000 /* made of one document: aliases of aliases could be without end */

struct reader {
	yaml_document_t doc;
	size_t left;	 /* nodes that may still be made */
	const char *why; /* it cannot be read; NULL = not yet */
	unsigned line;
};

static json_t *fail(struct reader *r, const yaml_node_t *node, const char *why)
{
	if (!r->why) {
		r->why = why;
		r->line = (unsigned)node->start_mark.line + 1;
	}
	return NULL;
}

/* As YAML 1.2 and js-yaml, which PM2 reads by, tell: yes and on are texts. */
static json_t *read_plain(const char *s)
{
	char *end;
	if (!*s || words_named("~ null Null NULL", s)) {
		return json_null();
	}
	if (words_named("true True TRUE", s)) {
		return json_true();
	}
	if (words_named("false False FALSE", s)) {
		return json_false();
	}
	const char *digits = s + (*s == '-' || *s == '+');
	size_t n = strspn(digits, "0123456789");
	if (n && n < 18 && !digits[n] && (n == 1 || *digits != '0')) {
		return json_integer(strtoll(s, NULL, 10));
	}
	if (n && n < 18 && digits[n] == '.' &&
	    digits[n + 1 + strspn(digits + n + 1, "0123456789")] == 0) {
		double d = strtod(s, &end);
		return json_real(d);
	}
	return json_string(s);
}

static json_t *read_scalar(struct reader *r, const yaml_node_t *node)
{
	static const char tag[] = "tag:yaml.org,2002:";
	static const char texts[] = "str timestamp", values[] = "int float bool null";
	const char *s = (const char *)node->data.scalar.value;
	const char *type = (const char *)node->tag;
	size_t len = node->data.scalar.length;
	if (strlen(s) != len) {
		return fail(r, node, "there is a NUL byte in it");
	}
	type = type && strncmp(type, tag, sizeof(tag) - 1) == 0 ? type + sizeof(tag) - 1 : "";
	if (!words_named(texts, type) && !words_named(values, type)) {
		return fail(r, node, "a tag (!) that is not understood");
	}
	bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	json_t *v = plain || words_named(values, type) ? read_plain(s) : json_stringn(s, len);
	return v ? v : fail(r, node, "is not UTF-8");
}

static json_t *read_node(struct reader *r, int id, int depth);

static json_t *read_list(struct reader *r, const yaml_node_t *node, int depth)
{
	json_t *list = json_array();
	for (const yaml_node_item_t *i = node->data.sequence.items.start;
	     list && i < node->data.sequence.items.top; i++) {
		json_t *v = read_node(r, *i, depth + 1);
		if (!v || json_array_append_new(list, v) != 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

/* "<<": what the object has not set itself. */
static void merge(json_t *into, json_t *from)
{
	size_t i;
	json_t *each;
	if (json_is_object(from)) {
		json_object_update_missing(into, from);
	}
	json_array_foreach(from, i, each)
	{
		json_object_update_missing(into, each);
	}
}

static json_t *read_object(struct reader *r, const yaml_node_t *node, int depth)
{
	json_t *o = json_object();
	json_t *merged = NULL;
	for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
	     o && p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(&r->doc, p->key);
		json_t *v = read_node(r, p->value, depth + 1);
		const char *name = key && key->type == YAML_SCALAR_NODE
					   ? (const char *)key->data.scalar.value
					   : NULL;
		if (v && name && strcmp(name, "<<") == 0) {
			json_decref(merged);
			merged = v;
		} else if (!v || !name || json_object_set_new(o, name, v) != 0) {
			if (v && !name) {
				json_decref(v);
			}
			fail(r, node, "has a key that is no text");
			json_decref(o);
			o = NULL;
		}
	}
	if (o && merged) {
		merge(o, merged);
	}
	json_decref(merged);
	return o;
}

static json_t *read_node(struct reader *r, int id, int depth)
{
	const yaml_node_t *node = yaml_document_get_node(&r->doc, id);
	if (!node || depth > DEPTH || r->left == 0) {
		return node ? fail(r, node, "is nested too deeply, or too large") : NULL;
	}
	r->left--;
	switch (node->type) {
	case YAML_SCALAR_NODE:
		return read_scalar(r, node);
	case YAML_SEQUENCE_NODE:
		return read_list(r, node, depth);
	case YAML_MAPPING_NODE:
		return read_object(r, node, depth);
	case YAML_NO_NODE:
		break;
	}
	return NULL;
}

/* --- where it stands --- */

static json_t *place_of(const yaml_node_t *node, json_t *below)
{
	return where_place((unsigned)node->start_mark.line + 1, below);
}

/* The places of a node that read_node() has made a tree of. */
static json_t *find_places(struct reader *r, int id)
{
	const yaml_node_t *node = yaml_document_get_node(&r->doc, id);
	json_t *below = NULL, *merged = NULL;
	if (node->type == YAML_SEQUENCE_NODE) {
		below = json_array();
		for (const yaml_node_item_t *i = node->data.sequence.items.start;
		     i < node->data.sequence.items.top; i++) {
			json_array_append_new(below, find_places(r, *i));
		}
	} else if (node->type == YAML_MAPPING_NODE) {
		below = json_object();
		for (const yaml_node_pair_t *p = node->data.mapping.pairs.start;
		     p < node->data.mapping.pairs.top; p++) {
			const yaml_node_t *key = yaml_document_get_node(&r->doc, p->key);
			const char *name = (const char *)key->data.scalar.value;
			json_t *place = find_places(r, p->value);
			if (strcmp(name, "<<") == 0) {
				json_decref(merged);
				merged = place;
			} else {
				json_array_set_new(
					place, 0,
					json_integer((json_int_t)key->start_mark.line + 1));
				where_add(below, name, place);
			}
		}
	}
	if (merged) {
		merge(below, json_array_get(merged, 1));
	}
	json_decref(merged);
	return place_of(node, below);
}

/* PM2 refuses a second document too. */
static bool is_last(yaml_parser_t *parser)
{
	yaml_document_t more;
	if (!yaml_parser_load(parser, &more)) {
		return true; /* what is behind the document is no YAML, and not looked at */
	}
	bool last = !yaml_document_get_root_node(&more);
	yaml_document_delete(&more);
	return last;
}

json_t *importyaml_read(const char *text, size_t len, json_t **where, struct err *err)
{
	struct reader r = {.left = NODES};
	yaml_parser_t parser;
	json_t *root = NULL;
	char shown[SHOWN_MAX];
	if (!yaml_parser_initialize(&parser)) {
		abort(); /* out of memory, as in mem.h */
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, len);
	if (!yaml_parser_load(&parser, &r.doc)) {
		err_set(err, ERR_CONFIG, "line %zu, column %zu: %s", parser.problem_mark.line + 1,
			parser.problem_mark.column + 1,
			names_shown(parser.problem ? parser.problem : "is not YAML", shown));
	} else {
		const yaml_node_t *top = yaml_document_get_root_node(&r.doc);
		root = top ? read_node(&r, 1, 0) : NULL;
		if (root && !is_last(&parser)) {
			err_set(err, ERR_CONFIG,
				"there is more than one document in it (---), which PM2 does not "
				"read either");
			json_decref(root);
			root = NULL;
		} else if (!root && r.why) {
			err_set(err, ERR_CONFIG, "line %u: %s", r.line, r.why);
		} else if (!root) {
			err_set(err, ERR_CONFIG, "is empty");
		} else if (where) {
			*where = find_places(&r, 1);
		}
		yaml_document_delete(&r.doc);
	}
	yaml_parser_delete(&parser);
	return root;
}
