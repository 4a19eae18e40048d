/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/err.h"
#include "gateway/cli/learned.h"
#include "tests/unit/unit.h"

#define HEAD "[Mon Nov 23 03:10:28.340092 2026] [front:warn] [pid 15:tid 15] site="
#define EXEC " learned: need=legacy call=execve count=1 as=execve() script=/srv/a.php\n"
#define SOCKET " learned: need=php call=bind count=10 as=bind() script=/srv/b.php\n"
#define QUEUE " learned: need=allow call=mq_open count=1 as=mq_open() script=/srv/c d.php\n"
#define FORK " learned: need=legacy call=wait4 count=1 as=wait4() script=/srv/a.php\n"

static const struct {
	const char *log, *want, *never; /* texts that must and must not be in what is printed; NULL: nothing is learned */
} logs[] = {
	{HEAD "a.test" SOCKET, "# site a.test\nSandboxProfile php\n#   php     at least 10 times: bind() in /srv/b.php\n", "SandboxAllow"},
	{HEAD "a.test" QUEUE, "SandboxProfile strict\nSandboxAllow mq_open\n", "SandboxProfile php"},
	{HEAD "a.test" QUEUE HEAD "a.test" SOCKET, "SandboxProfile php\nSandboxAllow mq_open\n", "SandboxProfile strict"},
	{HEAD "a.test" FORK, "SandboxProfile strict\nSandboxAllow wait4\n", "legacy\n"},
	{HEAD "a.test" EXEC HEAD "a.test" QUEUE HEAD "a.test" FORK, "SandboxProfile legacy\nSandboxAllow mq_open\n", "Allow execve"},
	{HEAD "a.test" SOCKET HEAD "b.test" EXEC, "# site b.test\nSandboxProfile legacy\n", "SandboxAllow"},
	/* the most that was counted, and once by name */
	{HEAD "a.test" QUEUE HEAD "a.test learned: need=allow call=mq_open count=100 as=mq_open() script=/x\n", "at least 100 times", "mq_open mq_open"},
	/* what cannot be allowed is a comment */
	{HEAD "a.test learned: need=allow call=mount count=1 as=mount() script=/x\n", "cannot be allowed: it is a violation", "SandboxAllow"},
	{HEAD "a.test learned: need=allow call=x\"y count=1 as=- script=/x\n", "no call is named so", "SandboxAllow"},
	{HEAD "a.test learned: need=allow call=mq_open count=1 as=\x1b[2J script=/\x1b\n", "?[2J", "\x1b"},
	/* what is not the front's word, or not a line of this kind */
	{"[Mon] [front:error] [pid 15:tid 15] site=a.test" EXEC, NULL, NULL},
	{"[Mon] [front:warn] [pid 15:tid 15] [client 1.2.3.4:5] site=a.test script=/a.php" EXEC, NULL, NULL},
	{HEAD "a.test something else learned: need=php call=bind count=1 as=bind() script=/x\n", NULL, NULL},
	{HEAD "a.test learned: need=root call=bind count=1 as=bind() script=/x\n", NULL, NULL},
	{HEAD "a.test learned: need=php", NULL, NULL},
	{"\n\n[", NULL, NULL},
};

START_TEST(learned)
{
	char *text = NULL;
	size_t len = 0;
	FILE *in = fmemopen((char *)(uintptr_t)logs[_i].log, strlen(logs[_i].log), "r"), *out = open_memstream(&text, &len);

	ck_assert(in != NULL && out != NULL);
	ck_assert_int_eq(learned_print(in, out), logs[_i].want == NULL ? GW_ERR_NOTFOUND : 0);
	fclose(in);
	fclose(out);
	if (logs[_i].want != NULL) {
		ck_assert_msg(strstr(text, logs[_i].want) != NULL, "%s", text);
		ck_assert_msg(strstr(text, logs[_i].never) == NULL, "%s", text);
	} else {
		ck_assert_uint_eq(len, 0);
	}
	free(text);
}
END_TEST

static Suite *learned_suite(void)
{
	Suite *s = suite_create("learned");
	TCase *t = tcase_create("learned");

	tcase_add_loop_test(t, learned, 0, (int)(sizeof(logs) / sizeof(logs[0])));
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(learned_suite)
