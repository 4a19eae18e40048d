/* SPDX-License-Identifier: Apache-2.0 */
/** The main() of every unit test program: list the suites, run them. */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stdlib.h>

/* check's macros pass a NULL file name and such through -Wconversion quietly; tests only include this header. */
#define UNIT_MAIN(...)                                                   \
	int main(void)                                                   \
	{                                                                \
		Suite *(*suites[])(void) = {__VA_ARGS__};                \
		SRunner *r = srunner_create(NULL);                       \
		for (size_t i = 0; i < sizeof(suites) / sizeof(*suites); i++) \
			srunner_add_suite(r, suites[i]());               \
		srunner_run_all(r, CK_NORMAL);                           \
		int failed = srunner_ntests_failed(r);                   \
		srunner_free(r);                                         \
		return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;        \
	}

#endif
