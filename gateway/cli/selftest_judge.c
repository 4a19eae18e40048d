/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/selftest_judge.h"

#include <stdio.h>
#include <string.h>

#include "sandbox/attack/attack.h"

#define VIOLATION "killed by its filter at system call "

/* --- the list ------------------------------------------------------------------------------------------------------------- */

bool selftest_is_control(const struct attack *a)
{
	return strcmp(a->layer, "control") == 0;
}

int selftest_list(struct buf *out)
{
	const struct attack *a;
	int err = buf_puts(out, "# Attacks\n\nWhat `bulkhead --selftest` tries, from inside a cell of a throw-away server, and which layer must stop it.\n"
				"Made from the tables in sandbox/attack/ by `bulkhead --selftest=list`.\n");

	for (size_t l = 0; l < attack_layers_n && err == GW_OK; l++) {
		const struct attack_layer *layer = &attack_layers[l];
		bool first = true;
		for (size_t i = 0; err == GW_OK && (a = attack_at(i)) != NULL; i++) {
			if (strcmp(a->layer, layer->name) != 0)
				continue;
			if (first)
				err = buf_printf(out, "\n## %s\n\n%s.\n\n| attack | threat | stopped by |\n|---|---|---|\n", layer->name, layer->what);
			first = false;
			if (err == GW_OK)
				err = buf_printf(out, "| `%s` | %s | %s |\n", a->name, a->threat, a->how);
		}
	}
	return err;
}

/* --- judging --------------------------------------------------------------------------------------------------------------- */

static const char *line_of(const char *body, char *out, size_t cap)
{
	snprintf(out, cap, "%.*s", (int)strcspn(body, "\r\n"), body);
	return out;
}

/* "word: text": the text, or NULL when it begins with another word. */
const char *selftest_said(const char *body, const char *word)
{
	size_t len = strlen(word);

	return strncmp(body, word, len) == 0 && strncmp(body + len, ": ", 2) == 0 ? body + len + 2 : NULL;
}

enum selftest_verdict selftest_judge(const struct attack *a, int status, const char *body, const char *violation, char *why, size_t cap)
{
	const char *text;

	why[0] = '\0';
	if (a->status != 0) {
		snprintf(why, cap, "the client gets %d%s", status, status == a->status ? "" : ", another was expected");
		return status == a->status ? SELFTEST_PASS : SELFTEST_FAIL;
	}
	if (violation != NULL && !selftest_is_control(a)) {
		snprintf(why, cap, "ended at %s", violation);
		return SELFTEST_PASS;
	}
	if (status == 200 && (text = selftest_said(body, "skip")) != NULL) {
		line_of(text, why, cap);
		return SELFTEST_SKIP;
	}
	if (status == 200 && (text = selftest_said(body, selftest_is_control(a) ? "works" : "stopped")) != NULL) {
		line_of(text, why, cap);
		return SELFTEST_PASS;
	}
	if (status == 200 && ((text = selftest_said(body, "through")) != NULL || (text = selftest_said(body, "broken")) != NULL)) {
		line_of(text, why, cap);
		return SELFTEST_FAIL;
	}
	/* Neither stopped nor through: a defect of the test or of the server, and no proof of anything. */
	snprintf(why, cap, "no clear answer: status %d, %.*s", status, (int)strcspn(body, "\r\n"), body);
	return SELFTEST_FAIL;
}

/* --- the log --------------------------------------------------------------------------------------------------------------- */

const char *selftest_find_violation(const char *log, char *out, size_t cap)
{
	const char *at = strstr(log, VIOLATION);

	if (at == NULL)
		return NULL;
	line_of(at + strlen(VIOLATION), out, cap);
	char *end = strchr(out, ')');
	if (end != NULL)
		end[1] = '\0';
	return out;
}

bool selftest_log_has_line(const char *log, const char *begin)
{
	for (const char *at = log; at != NULL && *at != '\0'; at = strchr(at, '\n'), at = at == NULL ? NULL : at + 1)
		if (strncmp(at, begin, strlen(begin)) == 0)
			return true;
	return false;
}

/* --- choosing -------------------------------------------------------------------------------------------------------------- */

static bool in_list(const char *list, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = list; *at != '\0'; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == len && strncmp(at, name, len) == 0)
			return true;
	return false;
}

bool selftest_is_chosen(const char *list, const struct attack *a)
{
	return list[0] == '\0' || selftest_is_control(a) || in_list(list, a->name) || in_list(list, a->layer);
}

static bool is_known(const char *name)
{
	const struct attack *a;

	if (attack_layer_find(name) != NULL)
		return true;
	for (size_t i = 0; (a = attack_at(i)) != NULL; i++)
		if (strcmp(a->name, name) == 0)
			return true;
	return false;
}

const char *selftest_unknown(const char *list, char *out, size_t cap)
{
	for (const char *at = list; *at != '\0'; at += strcspn(at, ","), at += *at == ',') {
		snprintf(out, cap, "%.*s", (int)strcspn(at, ","), at);
		if (!is_known(out))
			return out;
	}
	return NULL;
}
