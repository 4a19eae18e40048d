/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/selftest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/cli/selftest_judge.h"
#include "gateway/cli/selftest_server.h"
#include "sandbox/attack/attack.h"
#include "sandbox/sb_layer.h"
#include "sandbox/sb_probe.h"

#define WHY_LEN 200

struct tally {
	unsigned stopped, through, skipped, broken; /* broken: controls */
};

/* --- running --------------------------------------------------------------------------------------------------------------- */

/* Ends with a NUL, if there is anything. */
static const char *text_of(const struct buf *log)
{
	return buf_unread(log) == 0 ? "" : (const char *)buf_head(log);
}

static int write_scripts(const struct selftest_server *s, const struct attack *a, const char *site)
{
	char name[80];
	const char *const first[] = {"<?php\n", attack_library, a->code, "\n", NULL};
	int err = selftest_server_script(s, site, a->name, first);

	if (err != GW_OK || (a->end != ATTACK_THEN_SELF && a->end != ATTACK_THEN_VICTIM))
		return err;
	const char *const then[] = {"<?php\n", attack_library, a->then, "\n", NULL};
	snprintf(name, sizeof(name), "%s-then", a->name);
	return selftest_server_script(s, a->end == ATTACK_THEN_VICTIM ? "victim" : site, name, then);
}

/* What became of it afterwards; the first program has run. */
static enum selftest_verdict judge_end(struct selftest_server *s, const struct attack *a, const char *site, struct selftest_answer *answer,
	struct buf *log, char *why)
{
	char path[128], call[80];

	switch (a->end) {
	case ATTACK_THEN_GET:
		selftest_server_ask(s, site, a->then, answer);
		snprintf(why, WHY_LEN, "the client gets %d", answer->status);
		return answer->status >= 400 && strstr(answer->body, SELFTEST_SECRET) == NULL ? SELFTEST_PASS : SELFTEST_FAIL;
	case ATTACK_THEN_LOG:
		snprintf(why, WHY_LEN, "the log was read");
		return selftest_log_has_line(text_of(log), a->then) ? SELFTEST_FAIL : SELFTEST_PASS;
	default:
		snprintf(path, sizeof(path), "/%s-then.php", a->name);
		selftest_server_ask(s, a->end == ATTACK_THEN_VICTIM ? "victim" : site, path, answer);
		selftest_server_log(s, log);
		/* Here a violation would be the victim's. */
		if (selftest_find_violation(text_of(log), call, sizeof(call)) != NULL) {
			snprintf(why, WHY_LEN, "the later request was ended at %s", call);
			return SELFTEST_FAIL;
		}
		/* The front found that something was wrong, and let nobody have it. */
		if (answer->status == 502 && strcmp(a->layer, "front") == 0) {
			snprintf(why, WHY_LEN, "the later client gets 502");
			return SELFTEST_PASS;
		}
		return selftest_judge(a, answer->status, answer->body, NULL, why, WHY_LEN);
	}
}

/* What the attack needs, or the layer it is about, and this machine does not have. */
static bool is_missing(const struct selftest_server *s, const struct attack *a, char *why)
{
	const struct sb_probe *probe = sb_probe();
	unsigned layer;

	if ((a->needs & ATTACK_NEEDS_ROOT) != 0 && !s->privileged)
		snprintf(why, WHY_LEN, "not started as root: all sites have one user");
	else if ((a->needs & ATTACK_NOT_LEGACY) != 0 && s->legacy)
		snprintf(why, WHY_LEN, "SandboxProfile legacy allows it");
	else if ((a->needs & ATTACK_ONLY_LEGACY) != 0 && !s->legacy)
		snprintf(why, WHY_LEN, "only SandboxProfile legacy starts programs");
#ifndef __x86_64__
	else if ((a->needs & ATTACK_NEEDS_X86) != 0)
		snprintf(why, WHY_LEN, "x86_64 only");
#endif
	else if (sb_layers_parse(a->layer, &layer) && (probe->layers & layer) != layer)
		snprintf(why, WHY_LEN, "this machine has no layer %s: %s", a->layer, probe->why == NULL ? "the kernel lacks it" : probe->why);
	else if (a->abi > probe->landlock_abi)
		snprintf(why, WHY_LEN, "Landlock here has ABI %d, this needs %d", probe->landlock_abi, a->abi);
	else
		return false;
	return true;
}

static enum selftest_verdict run(struct selftest_server *s, const struct attack *a, char *why)
{
	const char *site = a->site != NULL ? a->site : "attacker";
	struct selftest_answer answer;
	struct buf log;
	char path[128], call[80];
	enum selftest_verdict verdict = SELFTEST_FAIL;

	if (is_missing(s, a, why))
		return SELFTEST_SKIP;
	buf_init(&answer.text);
	buf_init(&log);
	snprintf(path, sizeof(path), "/%s.php", a->name);
	snprintf(why, WHY_LEN, "its script cannot be written");
	if (write_scripts(s, a, site) == GW_OK) {
		selftest_server_log(s, &log);
		for (unsigned i = 0; i < (a->repeat == 0 ? 1 : a->repeat); i++)
			selftest_server_ask(s, site, path, &answer);
		selftest_server_log(s, &log);
		const char *violation = selftest_find_violation(text_of(&log), call, sizeof(call));
		/* With an end of its own the first answer counts only if it says that it is all over. */
		bool over = a->end == ATTACK_THEN_NOTHING || violation != NULL ||
			(answer.status == 200 && (selftest_said(answer.body, "skip") != NULL || selftest_said(answer.body, "through") != NULL));
		verdict = over ? selftest_judge(a, answer.status, answer.body, violation, why, WHY_LEN) : judge_end(s, a, site, &answer, &log, why);
	}
	buf_fini(&answer.text);
	buf_fini(&log);
	return verdict;
}

static void count(struct tally *t, const struct attack *a, enum selftest_verdict v)
{
	t->skipped += v == SELFTEST_SKIP;
	if (selftest_is_control(a))
		t->broken += v == SELFTEST_FAIL;
	else if (v != SELFTEST_SKIP)
		*(v == SELFTEST_PASS ? &t->stopped : &t->through) += 1;
}

static int run_all(struct selftest_server *s, const char *list)
{
	static const char *const words[] = {[SELFTEST_PASS] = "PASS", [SELFTEST_FAIL] = "FAIL", [SELFTEST_SKIP] = "SKIP"};
	struct tally t = {0};
	const struct attack *a;
	char why[WHY_LEN];

	for (size_t i = 0; (a = attack_at(i)) != NULL; i++) {
		if (!selftest_is_chosen(list, a))
			continue;
		enum selftest_verdict v = run(s, a, why);
		count(&t, a, v);
		for (char *p = why; *p != '\0'; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				*p = '?'; /* octets of a cell, on somebody's terminal */
		printf("%s  %-13s %-28s %s\n", words[v], a->layer, a->name, why);
		fflush(stdout);
	}
	printf("\n%u attacks stopped, %u got through, %u skipped", t.stopped, t.through, t.skipped);
	if (t.broken > 0)
		printf("; %u controls failed: what was stopped may have been stopped by something else", t.broken);
	printf("\n");
	return t.through + t.broken > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int selftest_run(const struct cmdline *cmd)
{
	struct selftest_server s;
	struct buf list;
	char name[64];

	if (strcmp(cmd->selftest, "list") == 0) {
		buf_init(&list);
		int err = selftest_list(&list);
		if (err == GW_OK)
			err = io_write_all(STDOUT_FILENO, buf_head(&list), buf_unread(&list));
		buf_fini(&list);
		return err == GW_OK ? EXIT_SUCCESS : 2;
	}
	if (selftest_unknown(cmd->selftest, name, sizeof(name)) != NULL) {
		fprintf(stderr, "bulkhead: --selftest=%s: no attack and no layer; see --selftest=list\n", name);
		return 2;
	}
	int status = 2;
	if (selftest_server_make(&s, cmd) == GW_OK && selftest_server_start(&s, cmd) == GW_OK)
		status = run_all(&s, cmd->selftest);
	selftest_server_end(&s);
	return status;
}
