/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of Header and RequestHeader (mod_headers). */
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

/* The words of one line, taken from the left and, for the condition, from the right. */
struct words {
	struct conf_build *b;
	const struct conf_node *n;
	size_t at, end;
};

static const struct {
	const char *word;
	enum conf_header_action action;
	size_t values; /* words after the name: least and most */
	bool answer_only;
} actions[] = {
	{"set", CONF_HEADER_SET, 1, false}, {"setifempty", CONF_HEADER_SETIFEMPTY, 1, false},
	{"append", CONF_HEADER_APPEND, 1, false}, {"merge", CONF_HEADER_MERGE, 1, false}, {"add", CONF_HEADER_ADD, 1, false},
	{"unset", CONF_HEADER_UNSET, 0, false}, {"echo", CONF_HEADER_ECHO, 0, true}, {"edit", CONF_HEADER_EDIT, 2, false},
	{"edit*", CONF_HEADER_EDIT_ALL, 2, false}, {"note", CONF_HEADER_NOTE, 1, true},
};

/* RFC 9110 5.6.2 */
#define TOKEN "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static bool take_action(struct words *w, bool answer, struct conf_header *h, size_t *values)
{
	const char *word = w->n->args[w->at].text;
	struct conf_suggest s;
	char more[128];

	conf_suggest_init(&s, word);
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (actions[i].answer_only && !answer)
			continue;
		if (strcasecmp(actions[i].word, word) == 0) {
			h->action = actions[i].action;
			*values = actions[i].values;
			w->at++;
			return true;
		}
		conf_suggest_try(&s, actions[i].word);
	}
	if (answer) {
		conf_suggest_try(&s, "always");
		conf_suggest_try(&s, "onsuccess");
	}
	conf_error(w->b, w->n, (int)w->at, "%s: there is no action '%s'%s", w->n->name.text, word,
		conf_suggest_text(&s, more, sizeof(more)));
	return false;
}

static bool is_one_of(const char *name, size_t len, const char *const *names)
{
	for (; *names != NULL; names++)
		if (strlen(*names) == len && strncasecmp(name, *names, len) == 0)
			return true;
	return false;
}

bool conf_header_is_framing(const char *name, size_t len, bool answer)
{
	static const char *const both[] = {"content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection",
		"te", "trailer", "upgrade", NULL};
	static const char *const ours[] = {"date", "server", "status", NULL};
	static const char *const theirs[] = {"expect", "host", "proxy", NULL};

	return is_one_of(name, len, both) || is_one_of(name, len, answer ? ours : theirs);
}

static bool take_name(struct words *w, bool answer, struct conf_header *h)
{
	const char *text = w->n->args[w->at].text;
	size_t len = strlen(text);

	if (h->action == CONF_HEADER_ECHO) {
		h->name = text;
		h->re = conf_build_regex_any_case(w->b, w->n, (int)w->at, text);
		w->at++;
		return h->re != NULL;
	}
	len -= len > 1 && text[len - 1] == ':';
	if (len == 0 || strspn(text, TOKEN) < len) {
		conf_error(w->b, w->n, (int)w->at, "%s: '%s' is not the name of a field", w->n->name.text, text);
		return false;
	}
	h->name = arena_strndup(w->b->a, text, len);
	if (h->name == NULL) {
		w->b->oom = true;
		return false;
	}
	if (conf_header_is_framing(h->name, len, answer)) {
		conf_build_noeffect(w->b, w->n, arena_printf(w->b->a, "%s %s", w->n->name.text, h->name),
			"the server itself says how a message is framed, to whom it goes and from whom it comes");
		return false;
	}
	w->at++;
	return true;
}

/* env=name, env=!name, early or expr=condition as the last word. */
static bool take_condition(struct words *w, bool answer, struct conf_header *h, size_t values)
{
	const char *last = w->n->args[w->end - 1].text;

	/* A word that is needed as a value is one, whatever it looks like. */
	if (w->end - w->at <= values)
		return true;
	if (strncasecmp(last, "env=", 4) == 0) {
		h->env = last + 4;
		h->env_not = *h->env == '!';
		h->env += h->env_not;
	} else if (strcasecmp(last, "early") == 0) {
		if (answer) {
			conf_error(w->b, w->n, (int)w->end - 1, "Header: early is for RequestHeader; an answer's fields are changed when it is sent");
			return false;
		}
		h->early = true;
	} else if (strncasecmp(last, "expr=", 5) == 0) {
		int arg = (int)w->end - 1;
		h->expr = answer ? conf_build_expr(w->b, w->n, arg, last + 5, false) : conf_build_early_condition(w->b, w->n, arg, last + 5);
		if (h->expr == NULL)
			return false;
	} else {
		conf_error(w->b, w->n, (int)w->end - 1, "%s: '%s' is none of early, env=name, expr=condition; a value with blanks is quoted",
			w->n->name.text, last);
		return false;
	}
	w->end--;
	return true;
}

/* --- values ------------------------------------------------------------------------------------------------------------- */

static bool add_piece(struct words *w, struct conf_header *h, int kind, const char *text)
{
	struct conf_header_piece *v = conf_push(w->b->a, h->pieces, h->pieces_n, sizeof(*v));

	if (v == NULL || text == NULL) {
		w->b->oom = true;
		return false;
	}
	h->pieces = v;
	v[h->pieces_n].kind = (__typeof__(v->kind))kind;
	v[h->pieces_n++].text = text;
	return true;
}

/* Text up to the next "%", with \\ and \t; a field has one line. */
static bool take_text(struct words *w, struct conf_header *h, const char **s)
{
	char *text = arena_alloc(w->b->a, strlen(*s) + 1), *to = text;

	if (text == NULL)
		return add_piece(w, h, CONF_PIECE_TEXT, NULL);
	for (; **s != '\0' && **s != '%'; (*s)++) {
		bool escape = **s == '\\' && ((*s)[1] == '\\' || (*s)[1] == 't');
		if ((**s == '\\' && ((*s)[1] == 'r' || (*s)[1] == 'n')) || ((unsigned char)**s < 0x20 && **s != '\t') || **s == 0x7f) {
			conf_error(w->b, w->n, (int)w->at, "%s: a line end or another control octet cannot stand in a field", w->n->name.text);
			return false;
		}
		if (escape)
			(*s)++;
		*to++ = escape && **s == 't' ? '\t' : **s;
	}
	*to = '\0';
	return to == text || add_piece(w, h, CONF_PIECE_TEXT, text);
}

/* What follows a "%". */
static bool take_item(struct words *w, struct conf_header *h, const char **s)
{
	const char *at = *s + 1, *close;

	if (*at == '{' && (close = strchr(at, '}')) != NULL && (close[1] == 'e' || close[1] == 's')) {
		*s = close + 2;
		return add_piece(w, h, close[1] == 'e' ? CONF_PIECE_ENV : CONF_PIECE_TLS, arena_strndup(w->b->a, at + 1, (size_t)(close - at - 1)));
	}
	*s += *at != '\0' ? 2 : 1;
	switch (*at) {
	case '%':
		return add_piece(w, h, CONF_PIECE_TEXT, "%");
	case 't':
		return add_piece(w, h, CONF_PIECE_TIME, "");
	case 'D':
		return add_piece(w, h, CONF_PIECE_DURATION, "");
	case 'l':
		return add_piece(w, h, CONF_PIECE_LOAD, "");
	case 'i':
	case 'b':
		conf_error(w->b, w->n, (int)w->at, "%s: %%%c is a share of Apache's processes, which there are none of here", w->n->name.text, *at);
		return false;
	default:
		conf_error(w->b, w->n, (int)w->at, "%s: after %% may follow t, D, l, {name}e, {name}s or another %%", w->n->name.text);
		return false;
	}
}

static bool take_expr(struct words *w, struct conf_header *h, const char *text)
{
	const struct conf_expr *e = conf_build_expr(w->b, w->n, (int)w->at, text, true);

	if (e == NULL || !add_piece(w, h, CONF_PIECE_EXPR, ""))
		return false;
	((struct conf_header_piece *)(uintptr_t)h->pieces)[h->pieces_n - 1].expr = e;
	return true;
}

static bool take_value(struct words *w, struct conf_header *h)
{
	const char *s = w->n->args[w->at].text;

	if (strncasecmp(s, "expr=", 5) == 0)
		return take_expr(w, h, s + 5);
	if (*s == '\0')
		return add_piece(w, h, CONF_PIECE_TEXT, "");
	while (*s != '\0')
		if (!(*s == '%' ? take_item(w, h, &s) : take_text(w, h, &s)))
			return false;
	return true;
}

static bool take_values(struct words *w, struct conf_header *h, size_t values)
{
	if (w->end - w->at != values) {
		conf_error(w->b, w->n, w->end - w->at > values ? (int)(w->at + values) : -1, "%s: %s", w->n->name.text,
			values == 0 ? "this action takes the name of a field only" :
			values == 1 ? "this action takes a field and one value; a value with blanks is quoted"
				    : "this action takes a field, a regular expression and what stands in its place");
		return false;
	}
	if (values == 2) {
		h->re = conf_build_regex(w->b, w->n, (int)w->at, w->n->args[w->at].text);
		w->at++;
		if (h->re == NULL)
			return false;
	}
	return values == 0 || take_value(w, h);
}

static bool parse(struct words *w, bool answer, struct conf_header *h)
{
	size_t values = 0;

	if (w->end - w->at < 2) {
		conf_error(w->b, w->n, -1, "%s: an action and the name of a field are needed", w->n->name.text);
		return false;
	}
	return take_action(w, answer, h, &values) && take_name(w, answer, h) && take_condition(w, answer, h, values) &&
		take_values(w, h, values);
}

static void add(struct conf_build *b, const struct conf_header **list, size_t *n, const struct conf_header *h)
{
	struct conf_header *v = conf_push(b->a, *list, *n, sizeof(*v));

	if (v == NULL) {
		b->oom = true;
		return;
	}
	*list = v;
	v[(*n)++] = *h;
}

void conf_set_header(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct words w = {.b = b, .n = n, .end = n->args_n};
	struct conf_header h = {.name = NULL};
	bool always = strcasecmp(n->args[0].text, "always") == 0;
	struct conf_edit *e;

	(void)d;
	w.at = always || strcasecmp(n->args[0].text, "onsuccess") == 0;
	if (!parse(&w, true, &h) || (e = conf_build_edit(b)) == NULL)
		return;
	if (always)
		add(b, &e->always, &e->always_n, &h);
	else
		add(b, &e->success, &e->success_n, &h);
}

void conf_set_request_header(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct words w = {.b = b, .n = n, .end = n->args_n};
	struct conf_header h = {.name = NULL};
	struct conf_edit *e;

	(void)d;
	if (parse(&w, false, &h) && (e = conf_build_edit(b)) != NULL)
		add(b, &e->request, &e->request_n, &h);
}
