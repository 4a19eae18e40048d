/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "sandbox/rollback/rb_maps.h"

START_TEST(maps_lines)
{
	static const char good[] = "7f1365200000-7f136521a000 rw-p 0067c000 00:01 25895                      /memfd:image (deleted)";
	static const char *const bad[] = {"", "7f", "7f-", "7f-80", "7f-80 ", "7f-80 rw-", "80-7f rw-p 0 00:00 0", "x-80 rw-p 0 00:00 0",
		"7f-80 rw-p g 00:00 0", "11111111111111111-22222222222222222 rw-p 0 00:00 0", "7f-80rw-p 0 00:00 0",
		"7f-80 rw-p 0 0000 0", "7f-80 rw-p 0 00:00 x", "7f-80 rw-p 0 00:00"};
	struct rb_mapping m;

	ck_assert(rb_maps_line(good, strlen(good), &m));
	ck_assert_uint_eq(m.start, 0x7f1365200000);
	ck_assert_uint_eq(m.end, 0x7f136521a000);
	ck_assert_uint_eq(m.offset, 0x67c000);
	ck_assert_uint_eq(m.device, makedev(0, 1));
	ck_assert_uint_eq(m.inode, 25895);
	ck_assert_int_eq(memcmp(m.perms, "rw-p", 4), 0);
	ck_assert_uint_eq(m.name_len, strlen("/memfd:image (deleted)"));
	ck_assert_int_eq(rb_maps_prot(&m), PROT_READ | PROT_WRITE);
	ck_assert(rb_maps_is_memfd(&m, "image"));
	ck_assert(!rb_maps_is_memfd(&m, "imag") && !rb_maps_is_memfd(&m, "images") && !rb_maps_is_memfd(&m, "age"));
	ck_assert(rb_maps_line("1-2 r--p 0 fe:1a 0 ", 19, &m));
	ck_assert_uint_eq(m.device, makedev(0xfe, 0x1a));
	ck_assert_uint_eq(m.inode, 0);
	ck_assert_uint_eq(m.name_len, 0);
	ck_assert_int_eq(rb_maps_prot(&m), PROT_READ);
	ck_assert(!rb_maps_is_memfd(&m, "") && !rb_maps_is_memfd(&m, "image"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!rb_maps_line(bad[i], strlen(bad[i]), &m), "%s", bad[i]);
}
END_TEST

#define R(a, b) {.start = (a), .end = (b), .perms = "rw-"}
#define X(a, b) {.start = (a), .end = (b), .perms = "r-x"}

START_TEST(maps_compared)
{
	static const struct rb_range before[] = {R(10, 20), X(20, 30), R(50, 60)};
	static const struct {
		struct rb_range now[6];
		size_t now_n, added_n;
		struct rb_range added[3];
	} cases[] = {
		{{R(10, 20), X(20, 30), R(50, 60)}, 3, 0, {R(0, 0)}},
		{{R(5, 7), R(10, 20), X(20, 30), R(50, 60)}, 4, 1, {R(5, 7)}},
		{{R(8, 20), X(20, 30), R(50, 61), R(70, 71)}, 4, 3, {R(8, 10), R(60, 61), R(70, 71)}},
		{{R(10, 15), R(15, 20), X(20, 30), R(30, 60)}, 4, 1, {R(30, 50)}}, /* one cut in two, others grown together */
		{{R(10, 20), X(20, 30)}, 2, SIZE_MAX, {R(0, 0)}},                 /* the last is gone */
		{{X(20, 30), R(50, 60)}, 2, SIZE_MAX, {R(0, 0)}},
		{{R(10, 19), X(20, 30), R(50, 60)}, 3, SIZE_MAX, {R(0, 0)}},       /* a part of one is gone */
		{{R(11, 20), X(20, 30), R(50, 60)}, 3, SIZE_MAX, {R(0, 0)}},
		{{R(10, 30), R(50, 60)}, 2, SIZE_MAX, {R(0, 0)}},                 /* other rights */
		{{R(1, 2), R(3, 4), R(5, 6), R(7, 8), R(9, 20)}, 5, SIZE_MAX, {R(0, 0)}}, /* more than there is room for */
		{{R(0, 0)}, 0, SIZE_MAX, {R(0, 0)}},
	};
	struct rb_range out[3];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = rb_maps_added(before, 3, cases[i].now, cases[i].now_n, out, 3);
		ck_assert_msg(n == cases[i].added_n, "case %zu: %zu", i, n);
		for (size_t j = 0; n != SIZE_MAX && j < n; j++)
			ck_assert_msg(out[j].start == cases[i].added[j].start && out[j].end == cases[i].added[j].end, "case %zu", i);
	}
	ck_assert_uint_eq(rb_maps_added(NULL, 0, before, 2, out, 3), 2);
	ck_assert_uint_eq(rb_maps_added(NULL, 0, NULL, 0, out, 3), 0);
}
END_TEST

static Suite *maps_suite(void)
{
	Suite *s = suite_create("rb_maps");
	TCase *t = tcase_create("rb_maps");

	tcase_add_test(t, maps_lines);
	tcase_add_test(t, maps_compared);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(maps_suite)
