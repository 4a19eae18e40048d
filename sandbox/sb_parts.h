/* SPDX-License-Identifier: Apache-2.0 */
/** The parts that profiles are put together from, and the notation of their rows. Private to sb_profile*.c. */
#ifndef SB_PARTS_H
#define SB_PARTS_H

#include <sys/stat.h>

#include "sandbox/sb_profile.h"

#define ALLOW(call) {.name = call, .action = SB_ALLOW}
#define EPERM_(call) {.name = call, .action = SB_EPERM}
#define KILL(call) {.name = call, .action = SB_KILL}
#define WHEN1(a) .cmps_n = 1, .cmps = {a}
#define WHEN2(a, b) .cmps_n = 2, .cmps = {a, b}
#define WHEN3(a, b, c) .cmps_n = 3, .cmps = {a, b, c}
#define IS(n, v) {.arg = (n), .mask = SB_INT, .value = (v)}
#define IS_LONG(n, v) {.arg = (n), .mask = SB_ALL_BITS, .value = (v)}
#define IS_NOT_LONG(n, v) {.arg = (n), .differs = true, .mask = SB_ALL_BITS, .value = (v)}
#define BITS(n, m, v) {.arg = (n), .mask = (m), .value = (v)}
#define NOT_ME(n) {.arg = (n), .differs = true, .whose = SB_OWN_PID, .mask = SB_ALL_BITS}
#define IS_ZYGOTE(n) {.arg = (n), .whose = SB_ZYGOTE_PID, .mask = SB_INT}
#define IS_ZYGOTE_GROUP(n) {.arg = (n), .whose = SB_ZYGOTE_GROUP, .mask = SB_INT}
#define WITHOUT(n, m) BITS(n, m, 0)
#define ONE_OF(n, list) .list_arg = (n), .values_n = sizeof(list) / sizeof((list)[0]), .values = (list)
#define PART(table) {.rules = (table), .rules_n = sizeof(table) / sizeof((table)[0])}

#define SETID (S_ISUID | S_ISGID)
#define TMPFILE_BIT (O_TMPFILE & ~O_DIRECTORY)
#define SOCK_TYPE_BITS 0xfU
/* Every CLONE_NEW* flag: CLONE_NEWNS (0x00020000) and 0x02000000 to 0x40000000; CLONE_NEWTIME shares its bit with the exit signal and is refused by clone(2) itself. */
#define CLONE_NEW_ANY 0x7E020000U

extern const struct sb_part sb_part_common;      /* harmless whatever the arguments */
extern const struct sb_part sb_part_arguments;   /* harmless with the right arguments */
extern const struct sb_part sb_part_strict_cell; /* what `strict` refuses beyond what the others do */
extern const struct sb_part sb_part_php;         /* what `php` has over `strict` */
extern const struct sb_part sb_part_legacy;      /* what `legacy` has over `php` */
extern const struct sb_part sb_part_no_tasks;    /* no new process, no exec, no signal to another: `strict` and `php` */
extern const struct sb_part sb_part_refused;     /* EPERM in every profile */
extern const struct sb_part sb_part_kill;        /* violations: `strict`, `php`, and while learning */
extern const struct sb_part sb_part_kill_eperm;  /* the same calls for programs that try them: `legacy` */
extern const struct sb_part sb_part_zygote;      /* the zygote's own needs, and taking them away */
extern const struct sb_part sb_part_learn;       /* the zygote listens to its cells */
extern const struct sb_part sb_part_on_request;  /* no profile's: how SandboxAllow lets them through */

#endif
