/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/http_date.h"

#include <stdio.h>
#include <string.h>

#include "gateway/http/http_chars.h"

static const char day_names[7][10] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
const char http_month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/*
 * Civil date to days since 1970-01-01 and back, without the C library's time zone machinery; @month 1..12.
 * Years are counted from March, so that a leap day is the last of its year, and in eras of 400 years (146097 days),
 * after which the calendar repeats. 719468 is the number of days from 0000-03-01 to 1970-01-01.
 */
static int64_t from_civil(int64_t year, unsigned month, unsigned day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void to_civil(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t from_march = (5 * day_of_year + 2) / 153;

	*day = (unsigned)(day_of_year - (153 * from_march + 2) / 5 + 1);
	*month = (unsigned)(from_march < 10 ? from_march + 3 : from_march - 9);
	*year = year_of_era + era * 400 + (*month <= 2);
}

static void put_number(char *out, unsigned digits, uint64_t n)
{
	while (digits-- > 0) {
		out[digits] = (char)('0' + n % 10);
		n /= 10;
	}
}

void http_date_format(time_t t, char *out)
{
	int64_t days = t / 86400, seconds = t % 86400, year;
	unsigned month, day;

	if (seconds < 0) {
		seconds += 86400;
		days--;
	}
	to_civil(days, &year, &month, &day);
	if (year < 0 || year > 9999) { /* a file system may hold any number; the form has four digits */
		http_date_format(0, out);
		return;
	}
	int64_t weekday = ((days + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	memcpy(out, "Day, dd Mon yyyy hh:mm:ss GMT", HTTP_DATE_LEN + 1);
	memcpy(out, day_names[weekday], 3);
	put_number(out + 5, 2, day);
	memcpy(out + 8, http_month_names[month - 1], 3);
	put_number(out + 12, 4, (uint64_t)year);
	put_number(out + 17, 2, (uint64_t)seconds / 3600);
	put_number(out + 20, 2, (uint64_t)seconds / 60 % 60);
	put_number(out + 23, 2, (uint64_t)seconds % 60);
}

struct fields {
	unsigned year, month, day, hour, minute, second;
	bool short_year;
};

/*
 * Match @s against @form: "a" a short day name, "l" a long one, "b" a month name, "d" "H" "M" "S" two digits, "e" a day
 * padded with a blank, "Y" four digits, "y" two; anything else stands for itself.
 */
static bool match(const char *form, const char *s, size_t len, struct fields *f)
{
	const char *end = s + len;
	unsigned *number, i, digits;

	*f = (struct fields){0};
	for (; *form != '\0'; form++) {
		size_t left = (size_t)(end - s);
		number = NULL;
		digits = 2;
		switch (*form) {
		case 'a':
		case 'l':
			for (i = 0; i < 7; i++) {
				size_t n = *form == 'a' ? 3 : strlen(day_names[i]);
				if (left >= n && memcmp(s, day_names[i], n) == 0) {
					s += n;
					break;
				}
			}
			if (i == 7)
				return false;
			continue;
		case 'b':
			for (i = 0; i < 12 && (left < 3 || memcmp(s, http_month_names[i], 3) != 0); i++)
				;
			if (i == 12)
				return false;
			f->month = i + 1;
			s += 3;
			continue;
		case 'd':
			number = &f->day;
			break;
		case 'e':
			number = &f->day;
			if (left > 0 && *s == ' ') {
				s++;
				digits = 1;
			}
			break;
		case 'H':
			number = &f->hour;
			break;
		case 'M':
			number = &f->minute;
			break;
		case 'S':
			number = &f->second;
			break;
		case 'Y':
			number = &f->year;
			digits = 4;
			break;
		case 'y':
			number = &f->year;
			f->short_year = true;
			break;
		default:
			if (left == 0 || *s != *form)
				return false;
			s++;
			continue;
		}
		for (; digits > 0; digits--, s++) {
			if (s == end || !http_is_digit(*s))
				return false;
			*number = *number * 10 + (unsigned)(*s - '0');
		}
	}
	return s == end;
}

static unsigned month_days(int64_t year, unsigned month)
{
	unsigned next = month == 12 ? 1 : month + 1;

	return (unsigned)(from_civil(month == 12 ? year + 1 : year, next, 1) - from_civil(year, month, 1));
}

time_t http_date_parse_at(const char *s, size_t len, time_t now)
{
	/* IMF-fixdate, RFC 850, asctime. The letters of "GMT" that mean something in a form are taken apart from it. */
	static const char *const forms[] = {"a, d b Y H:M:S ", "l, d-b-y H:M:S ", "a b e H:M:S Y"};
	struct fields f;
	size_t i;

	for (i = 0; i < 3; i++) {
		size_t body = len;
		if (i < 2) {
			if (len < 3 || memcmp(s + len - 3, "GMT", 3) != 0)
				continue;
			body = len - 3;
		}
		if (match(forms[i], s, body, &f))
			break;
	}
	if (i == 3)
		return -1;

	int64_t year = f.year;
	if (f.short_year) { /* RFC 9110 5.6.7: never more than 50 years ahead */
		int64_t this_year;
		unsigned month, day;
		to_civil(now / 86400, &this_year, &month, &day);
		year += this_year / 100 * 100;
		if (year > this_year + 50)
			year -= 100;
	}
	if (year < 1970 || f.day < 1 || f.hour > 23 || f.minute > 59 || f.second > 60 || f.day > month_days(year, f.month))
		return -1;
	return (time_t)(from_civil(year, f.month, f.day) * 86400 + f.hour * 3600 + f.minute * 60 + f.second);
}

time_t http_date_parse(const char *s, size_t len)
{
	return http_date_parse_at(s, len, time(NULL));
}
