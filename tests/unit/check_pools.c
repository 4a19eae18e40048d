/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/check_pools.h"

UNIT_MAIN(codec_suite, client_suite, pool_suite, cells_suite, zygote_suite, busy_suite, budget_suite)
