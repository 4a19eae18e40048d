/* SPDX-License-Identifier: Apache-2.0 */
/** HTTP dates (RFC 9110 section 5.6.7), pure. */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define HTTP_DATE_LEN 29

/** "Jan" to "Dec", by struct tm's number of the month. */
extern const char http_month_names[12][4];

/** "Sun, 06 Nov 1994 08:49:37 GMT" into @out (HTTP_DATE_LEN + 1 octets). */
void http_date_format(time_t t, char *out);

/** Any of the three forms; -1 when it is none (or before 1970). Reads the clock for a two-digit year only. */
time_t http_date_parse(const char *s, size_t len);

/** The same, pure: a two-digit year is taken to be at most 50 years after @now. */
time_t http_date_parse_at(const char *s, size_t len, time_t now);

#endif
