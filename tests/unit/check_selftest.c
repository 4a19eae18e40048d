/* SPDX-License-Identifier: Apache-2.0 */
/** The attacks' tables, what an answer means, and the documents that speak of them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/cli/selftest_judge.h"
#include "sandbox/attack/attack.h"
#include "tests/unit/unit.h"

#define ATTACKS_MIN 60

static char *read_doc(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/docs/%s", SOURCE_DIR, name);
	FILE *f = fopen(path, "re");
	ck_assert_msg(f != NULL, "no %s", path);
	char *text = calloc(1, 1 << 20);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_gt(fread(text, 1, (1 << 20) - 1, f), 0);
	fclose(f);
	return text;
}

static const struct attack *find(const char *name, size_t len)
{
	const struct attack *a;

	for (size_t i = 0; (a = attack_at(i)) != NULL; i++)
		if (strlen(a->name) == len && strncmp(a->name, name, len) == 0)
			return a;
	return NULL;
}

START_TEST(tables)
{
	const struct attack *a;
	size_t attacks = 0, controls = 0;

	for (size_t i = 0; (a = attack_at(i)) != NULL; i++) {
		ck_assert_msg(a->name != NULL && a->threat != NULL && a->layer != NULL && a->how != NULL && a->code != NULL, "row %zu", i);
		for (const char *p = a->name; *p != '\0'; p++)
			ck_assert_msg(islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '-', "%s", a->name);
		ck_assert_msg(find(a->name, strlen(a->name)) == a, "%s is there twice", a->name);
		ck_assert_msg(attack_layer_find(a->layer) != NULL, "%s: no layer %s", a->name, a->layer);
		ck_assert_msg(attack_layer_find(a->name) == NULL, "%s is a layer, too", a->name);
		ck_assert_msg((a->end != ATTACK_THEN_NOTHING) == (a->then != NULL), "%s: half an end", a->name);
		/* Something in it, or after it, must be able to say that the attack got through. */
		bool can_fail = a->status != 0 || a->end == ATTACK_THEN_GET || a->end == ATTACK_THEN_LOG || strstr(a->code, "through(") != NULL ||
			strstr(a->code, "denied(") != NULL || strstr(a->code, "works(") != NULL || strstr(a->code, "through: ") != NULL ||
			(a->then != NULL && (strstr(a->then, "through(") != NULL || strstr(a->then, "works(") != NULL));
		ck_assert_msg(can_fail, "%s cannot fail", a->name);
		*(selftest_is_control(a) ? &controls : &attacks) += 1;
	}
	ck_assert_uint_ge(attacks, ATTACKS_MIN);
	ck_assert_uint_ge(controls, 5);
	for (size_t i = 0; i < attack_layers_n; i++)
		ck_assert_ptr_eq(attack_layer_find(attack_layers[i].name), &attack_layers[i]);
}
END_TEST

static const struct attack plain = {.name = "x", .layer = "filter"}, control = {.name = "x", .layer = "control"},
	status = {.name = "x", .layer = "cell", .status = 504};

static const struct {
	const struct attack *a;
	int status;
	const char *body, *violation;
	enum selftest_verdict want;
	const char *why;
} answers[] = {
	{&plain, 200, "stopped: EPERM\n", NULL, SELFTEST_PASS, "EPERM"},
	{&plain, 200, "through: it did\nstopped: not\n", NULL, SELFTEST_FAIL, "it did"},
	{&plain, 200, "skip: no such call\n", NULL, SELFTEST_SKIP, "no such call"},
	{&plain, 500, "", "101 (ptrace)", SELFTEST_PASS, "ended at 101 (ptrace)"},
	/* What is not clear is no proof. */
	{&plain, 500, "", NULL, SELFTEST_FAIL, "no clear answer: status 500, "},
	{&plain, 0, "", NULL, SELFTEST_FAIL, "no clear answer: status 0, "},
	{&plain, 200, "", NULL, SELFTEST_FAIL, "no clear answer: status 200, "},
	{&plain, 200, "Warning\nstopped: x\n", NULL, SELFTEST_FAIL, "no clear answer: status 200, Warning"},
	{&plain, 404, "stopped: x\n", NULL, SELFTEST_FAIL, "no clear answer: status 404, stopped: x"},
	{&plain, 200, "works: x\n", NULL, SELFTEST_FAIL, "no clear answer: status 200, works: x"},
	{&control, 200, "works: x\n", NULL, SELFTEST_PASS, "x"},
	{&control, 200, "broken: x\n", NULL, SELFTEST_FAIL, "x"},
	{&control, 200, "stopped: x\n", NULL, SELFTEST_FAIL, "no clear answer: status 200, stopped: x"},
	{&control, 500, "", "39 (getpid)", SELFTEST_FAIL, "no clear answer: status 500, "},
	{&status, 504, "", NULL, SELFTEST_PASS, "the client gets 504"},
	{&status, 200, "stopped: x\n", NULL, SELFTEST_FAIL, "the client gets 200, another was expected"},
};

START_TEST(judged)
{
	char why[100];

	ck_assert_int_eq(selftest_judge(answers[_i].a, answers[_i].status, answers[_i].body, answers[_i].violation, why, sizeof(why)),
		answers[_i].want);
	ck_assert_str_eq(why, answers[_i].why);
}
END_TEST

START_TEST(log_is_read)
{
	static const char log[] = "[x] y\n[z] site=a cell 7 killed by its filter at system call 101 (ptrace): 1, 2\nend\n";
	char out[64];

	ck_assert_str_eq(selftest_find_violation(log, out, sizeof(out)), "101 (ptrace)");
	ck_assert_ptr_null(selftest_find_violation("[x] killed by signal 9\n", out, sizeof(out)));
	ck_assert_ptr_null(selftest_find_violation("", out, sizeof(out)));
	ck_assert(selftest_log_has_line(log, "[z]"));
	ck_assert(selftest_log_has_line(log, "end"));
	ck_assert(!selftest_log_has_line(log, "y"));
	ck_assert(!selftest_log_has_line("", "y"));
}
END_TEST

START_TEST(chosen)
{
	const struct attack *a = find("packet-socket", strlen("packet-socket")), *c = find("control-native", strlen("control-native"));
	char out[64];

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(c);
	ck_assert(selftest_is_chosen("", a));
	ck_assert(selftest_is_chosen("uid,packet-socket", a));
	ck_assert(selftest_is_chosen("filter", a));
	ck_assert(!selftest_is_chosen("packet,packet-sockets,uid", a));
	ck_assert(selftest_is_chosen("uid", c)); /* controls always */
	ck_assert_ptr_null(selftest_unknown("", out, sizeof(out)));
	ck_assert_ptr_null(selftest_unknown("filter,packet-socket,uid", out, sizeof(out)));
	ck_assert_str_eq(selftest_unknown("filter,nonsense,uid", out, sizeof(out)), "nonsense");
}
END_TEST

START_TEST(list_is_current)
{
	struct buf out;
	char *stored = read_doc("attacks.md");

	buf_init(&out);
	ck_assert_int_eq(selftest_list(&out), GW_OK);
	ck_assert_int_eq(buf_append(&out, "", 1), GW_OK);
	ck_assert_msg(strcmp((const char *)buf_head(&out), stored) == 0, "docs/attacks.md is old: make it again with bulkhead --selftest=list");
	buf_fini(&out);
	free(stored);
}
END_TEST

/* "(attacks: a, b)" in the threat model: each is in the tables. And each layer that stops something is spoken of. */
START_TEST(threat_model_is_current)
{
	char *text = read_doc("threat-model.md"), name[64];
	size_t named = 0;

	for (const char *at = text; (at = strstr(at, "(attacks: ")) != NULL;) {
		at += strlen("(attacks: ");
		while (*at != ')') {
			size_t len = strcspn(at, ",)\n ");
			snprintf(name, sizeof(name), "%.*s", (int)len, at);
			ck_assert_msg(find(at, len) != NULL, "docs/threat-model.md names attack \"%s\", which there is not", name);
			named++;
			at += len;
			at += strspn(at, ", \n");
			ck_assert_msg(*at != '\0', "a list of attacks without its end");
		}
	}
	ck_assert_uint_ge(named, 30);
	for (size_t i = 0; i < attack_layers_n; i++) {
		snprintf(name, sizeof(name), "| %s |", attack_layers[i].name);
		ck_assert_msg(strcmp(attack_layers[i].name, "control") == 0 || strstr(text, name) != NULL, "no row \"%s\" in docs/threat-model.md", name);
	}
	free(text);
}
END_TEST

static Suite *selftest_suite(void)
{
	Suite *s = suite_create("selftest");
	TCase *t = tcase_create("selftest");

	tcase_add_test(t, tables);
	tcase_add_loop_test(t, judged, 0, (int)(sizeof(answers) / sizeof(*answers)));
	tcase_add_test(t, log_is_read);
	tcase_add_test(t, chosen);
	tcase_add_test(t, list_is_current);
	tcase_add_test(t, threat_model_is_current);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(selftest_suite)
