/* SPDX-License-Identifier: Apache-2.0 */
/** The suites of check_http, one for each of its files. */
#ifndef CHECK_HTTP_H
#define CHECK_HTTP_H

#include "tests/unit/unit.h"

Suite *suite_accept_encoding(void);
Suite *suite_http_chunked(void);
Suite *suite_http_values(void);
Suite *suite_listing_page(void);
Suite *suite_http_scripts(void);
Suite *suite_access_format(void);
Suite *suite_proxies(void);

#endif
