/* SPDX-License-Identifier: Apache-2.0 */
/* Compiling and rendering; what each directive writes is in access_items.c. */
#include "gateway/http/access_format.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/http/access_items.h"
#include "gateway/http/http_chars.h"

#define CONDITIONS_MAX 32
#define JSON_MARK "json:"

struct op {
	const char *key;           /* JSON: the member's beginning, "{\"name\":" or ",\"name\":" */
	struct access_op item;     /* what to write */
	const struct access_item *kind;
	bool negate;               /* "%!200": the listed statuses are those that give "-" */
	size_t conditions_n;
	int16_t *conditions;       /* statuses; none: always */
};

struct access_format {
	struct arena arena;
	bool json;
	size_t n, cap;
	struct op *ops;
};

struct compiler {
	struct access_format *f;
	const char *start, *s;     /* the format, the next octet of it */
	const char *why;
};

static bool refuse(struct compiler *c, const char *why)
{
	c->why = why;
	return false;
}

static struct op *add(struct compiler *c)
{
	struct access_format *f = c->f;

	if (f->n == f->cap) {
		size_t cap = f->cap == 0 ? 16 : f->cap * 2;
		struct op *ops = arena_calloc(&f->arena, cap, sizeof(*ops));
		if (ops == NULL)
			return NULL;
		if (f->n > 0)
			memcpy(ops, f->ops, f->n * sizeof(*ops));
		f->ops = ops;
		f->cap = cap;
	}
	return &f->ops[f->n++];
}

/* Text up to the next "%"; \n, \r, \t and \\ as in C, any other backslash stands for itself. */
static bool literal(struct compiler *c)
{
	size_t max = strcspn(c->s, "%");
	char *text = arena_alloc(&c->f->arena, max + 1), *out = text;
	struct op *op = add(c);

	if (op == NULL || text == NULL)
		return refuse(c, "out of memory");
	for (const char *end = c->s + max; c->s < end; c->s++) {
		const char *escapes = "n\nr\rt\t\\\\", *e = NULL;
		if (*c->s == '\\' && c->s + 1 < end)
			for (e = escapes; *e != '\0' && *e != c->s[1]; e += 2)
				;
		if (e != NULL && *e != '\0') {
			*out++ = e[1];
			c->s++;
		} else {
			*out++ = *c->s;
		}
	}
	*out = '\0';
	op->kind = &access_item_literal;
	op->item.arg = text;
	op->item.arg_len = (size_t)(out - text);
	return true;
}

static bool condition(struct compiler *c, struct op *op)
{
	int status = 0;

	for (; http_is_digit(*c->s); c->s++) {
		status = status * 10 + (*c->s - '0');
		if (status > 999)
			return refuse(c, "a status has three digits");
	}
	if (op->conditions == NULL)
		op->conditions = arena_calloc(&c->f->arena, CONDITIONS_MAX, sizeof(*op->conditions));
	if (op->conditions == NULL)
		return refuse(c, "out of memory");
	if (op->conditions_n == CONDITIONS_MAX)
		return refuse(c, "too many statuses");
	op->conditions[op->conditions_n++] = (int16_t)status;
	return true;
}

static bool argument(struct compiler *c, struct op *op)
{
	const char *end = strchr(c->s, '}');

	if (end == NULL)
		return refuse(c, "\"{\" without \"}\"");
	op->item.arg_len = (size_t)(end - c->s - 1);
	op->item.arg = arena_strndup(&c->f->arena, c->s + 1, op->item.arg_len);
	if (op->item.arg == NULL)
		return refuse(c, "out of memory");
	c->s = end + 1;
	return true;
}

/* Behind "%": marks, statuses and argument in any order, then the letter. */
static bool directive(struct compiler *c)
{
	struct op *op = add(c);

	if (op == NULL)
		return refuse(c, "out of memory");
	for (c->s++;;) {
		char ch = *c->s;
		if (http_is_digit(ch)) {
			if (!condition(c, op))
				return false;
		} else if (ch == '{') {
			if (!argument(c, op))
				return false;
		} else if (ch == '!' || ch == ',' || ch == '<' || ch == '>') {
			op->negate |= ch == '!';
			if (ch == '<' || ch == '>')
				op->item.final = ch == '>';
			c->s++;
		} else {
			break;
		}
	}
	if (*c->s == '\0')
		return refuse(c, "unfinished directive");
	op->kind = access_item_find(&c->s);
	if (op->kind == NULL)
		return refuse(c, "unknown directive");
	if (op->kind->argument == ACCESS_ARG_NEEDED && op->item.arg_len == 0)
		return refuse(c, "this directive needs a {name}");
	if (op->kind->argument == ACCESS_ARG_NONE && op->item.arg != NULL)
		return refuse(c, "this directive takes no {argument}");
	op->item.number = op->kind->number;
	if (op->kind->prepare != NULL && !op->kind->prepare(&op->item))
		return refuse(c, "unknown {argument}");
	return true;
}

/* One "name=%directive" of a JSON format. */
static bool member(struct compiler *c)
{
	size_t first = c->f->n, len = strspn(c->s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
	const char *name = c->s;

	if (len == 0 || name[len] != '=' || name[len + 1] != '%')
		return refuse(c, "a JSON format is a list of name=%directive");
	c->s += len + 1;
	if (!directive(c))
		return false;
	if (*c->s != '\0' && *c->s != ' ')
		return refuse(c, "in a JSON format a blank follows each directive");
	c->s += strspn(c->s, " ");
	struct op *op = &c->f->ops[first];
	op->item.json = true;
	op->key = arena_printf(&c->f->arena, "%c\"%.*s\":", first == 0 ? '{' : ',', (int)len, name);
	return op->key != NULL || refuse(c, "out of memory");
}

struct access_format *access_format_new(const char *format, const char **why, size_t *at)
{
	struct access_format *f = calloc(1, sizeof(*f));
	struct compiler c = {.f = f, .start = format, .s = format, .why = "out of memory"};
	bool ok = f != NULL;

	if (ok) {
		arena_init(&f->arena);
		f->json = strncmp(format, JSON_MARK, sizeof(JSON_MARK) - 1) == 0;
		c.s += f->json ? sizeof(JSON_MARK) - 1 : 0;
		c.s += f->json ? strspn(c.s, " ") : 0;
		ok = !f->json || *c.s != '\0' || refuse(&c, "a JSON format is a list of name=%directive");
	}
	while (ok && *c.s != '\0') {
		c.start = c.s;
		ok = f->json ? member(&c) : *c.s == '%' ? directive(&c) : literal(&c);
	}
	if (ok)
		return f;
	if (why != NULL)
		*why = c.why;
	if (at != NULL)
		*at = (size_t)(c.start - format);
	access_format_free(f);
	return NULL;
}

void access_format_free(struct access_format *f)
{
	if (f == NULL)
		return;
	arena_fini(&f->arena);
	free(f);
}

static bool wanted(const struct op *op, int status)
{
	bool listed = op->conditions_n == 0;

	for (size_t i = 0; i < op->conditions_n && !listed; i++)
		listed = op->conditions[i] == status;
	return op->conditions_n == 0 || listed != op->negate;
}

/* A member of a JSON object: a number, a string, or null where there is nothing. */
static int put_member(const struct op *op, const struct access_event *e, struct buf *out)
{
	bool quoted = !op->item.number;
	int rc = buf_puts(out, op->key);
	size_t at = buf_unread(out);

	if (rc == GW_OK && quoted)
		rc = buf_append(out, "\"", 1);
	if (rc == GW_OK)
		rc = wanted(op, e->status) ? op->kind->put(&op->item, e, out) : buf_puts(out, ACCESS_JSON_NONE);
	if (rc < 0)
		return rc;
	const char *text = (const char *)buf_head(out) + at + quoted;
	size_t len = buf_unread(out) - at - quoted;
	if ((len == 1 && text[0] == ACCESS_JSON_NONE[0]) || (len == 0 && !quoted)) {
		out->len = out->pos + at;
		return buf_puts(out, "null");
	}
	return quoted ? buf_append(out, "\"", 1) : GW_OK;
}

int access_format_render(const struct access_format *f, const struct access_event *e, struct buf *out)
{
	size_t unread = buf_unread(out);
	int rc = GW_OK;

	for (size_t i = 0; i < f->n && rc == GW_OK; i++) {
		const struct op *op = &f->ops[i];
		if (f->json)
			rc = put_member(op, e, out);
		else
			rc = wanted(op, e->status) ? op->kind->put(&op->item, e, out) : buf_append(out, "-", 1);
	}
	if (rc == GW_OK)
		rc = f->json ? buf_append(out, "}\n", 2) : buf_append(out, "\n", 1);
	if (rc < 0)
		out->len = out->pos + unread;
	return rc;
}
