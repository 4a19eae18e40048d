/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECK_POOLS_H
#define CHECK_POOLS_H

#include "tests/unit/unit.h"

Suite *codec_suite(void);
Suite *client_suite(void);
Suite *pool_suite(void);
Suite *cells_suite(void);
Suite *zygote_suite(void);
Suite *busy_suite(void);
Suite *budget_suite(void);

#endif
