/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECK_EDIT_H
#define CHECK_EDIT_H

#include "tests/unit/unit.h"

Suite *compress_suite(void);

#endif
