/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/listing_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/status_text.h"
#include "gateway/http/uri.h"

#define NAME_LEN_MAX 255 /* NAME_MAX: a longer one cannot be in a directory */

static const char style[] =
	":root{color-scheme:light dark;--line:#d5d5d5;--soft:#595959;--link:#0b57a4}"
	"@media(prefers-color-scheme:dark){:root{--line:#3c3c3c;--soft:#a9a9a9;--link:#8ab8f0}body{background:#161616;color:#e8e8e8}}"
	"body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
	"h1{font-size:1.3rem;overflow-wrap:anywhere}"
	"table{border-collapse:collapse;width:100%}"
	"th,td{padding:.3rem .6rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}"
	"th{font-weight:600;white-space:nowrap}"
	"td:first-child{overflow-wrap:anywhere}"
	".n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums;color:var(--soft)}"
	"th.n{color:inherit}"
	"a{color:var(--link);text-decoration:none}a:hover,a:focus{text-decoration:underline}"
	"tr:hover td{background:color-mix(in srgb,currentColor 6%,transparent)}"
	"p{color:var(--soft)}";

/* --- order --------------------------------------------------------------------------------------------------------------- */

void listing_query(const char *query, struct listing_order *order)
{
	for (const char *s = query; s != NULL && *s != '\0';) {
		size_t n = strcspn(s, ";&");
		if (n == 3 && s[0] == 'C' && s[1] == '=' && strchr("NMSD", s[2]) != NULL)
			order->key = s[2];
		else if (n == 3 && s[0] == 'O' && s[1] == '=' && (s[2] == 'A' || s[2] == 'D'))
			order->descending = s[2] == 'D';
		s += n + (s[n] != '\0');
	}
}

static int compare_names(const char *a, const char *b, const struct listing_order *o)
{
	int rc = 0;

	if (o->versions)
		rc = strverscmp(a, b);
	else if (o->ignore_case)
		rc = strcasecmp(a, b);
	return rc != 0 ? rc : strcmp(a, b);
}

static int compare_numbers(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare(const void *x, const void *y, void *arg)
{
	const struct listing_entry *a = x, *b = y;
	const struct listing_order *o = arg;
	int rc = 0;

	if (o->folders_first && a->dir != b->dir)
		return a->dir ? -1 : 1;
	if (o->key == 'M')
		rc = compare_numbers(a->mtime, b->mtime);
	else if (o->key == 'S')
		rc = compare_numbers(a->dir ? -1 : a->size, b->dir ? -1 : b->size);
	else if (o->key == 'D')
		rc = strcmp(a->description != NULL ? a->description : "", b->description != NULL ? b->description : "");
	if (rc == 0)
		rc = compare_names(a->name, b->name, o);
	return o->descending ? -rc : rc;
}

void listing_sort(struct listing_entry *entries, size_t n, const struct listing_order *order)
{
	struct listing_order copy = *order;

	if (n > 1)
		qsort_r(entries, n, sizeof(*entries), compare, &copy);
}

/* --- page ------------------------------------------------------------------------------------------------------------------ */

static int puts_escaped(struct buf *out, const char *s)
{
	return html_escape(out, s, strlen(s));
}

/* A link to @name in this directory; "./" keeps a name with a colon from being read as a scheme. */
static int put_link(struct buf *out, const char *name, bool dir)
{
	char encoded[3 * NAME_LEN_MAX + 1];
	size_t len = strlen(name);

	if (len > NAME_LEN_MAX)
		return GW_OK;
	size_t n = uri_encode_path(name, len, encoded);
	int err = buf_puts(out, "<a href=\"./");
	if (err == 0)
		err = html_escape(out, encoded, n);
	if (err == 0)
		err = buf_puts(out, dir ? "/\">" : "\">");
	if (err == 0)
		err = html_escape(out, name, len);
	return err < 0 ? err : buf_puts(out, dir ? "/</a>" : "</a>");
}

static int put_size(struct buf *out, const struct listing_entry *e)
{
	static const char units[] = "KMGTPE";
	double v = (double)e->size;
	int unit = -1;

	if (e->dir)
		return buf_puts(out, "<td class=\"n\"></td>");
	while (v >= 999.5 && unit < 5) {
		v /= 1024;
		unit++;
	}
	if (unit < 0)
		return buf_printf(out, "<td class=\"n\">%lld B</td>", (long long)e->size);
	return buf_printf(out, "<td class=\"n\" title=\"%lld octets\">%.*f %cB</td>", (long long)e->size, v < 9.95 ? 1 : 0, v, units[unit]);
}

/* @n as @width digits. */
static void digits(char *p, int n, int width)
{
	for (int i = width; i-- > 0; n /= 10)
		p[i] = (char)('0' + n % 10);
}

static int put_date(struct buf *out, time_t when)
{
	char day[] = "0000-00-00", minute[] = "00:00", second[] = "00";
	struct tm tm;

	if (when == 0 || gmtime_r(&when, &tm) == NULL || tm.tm_year < -1900 || tm.tm_year > 9999 - 1900)
		return buf_puts(out, "<td class=\"n\"></td>");
	digits(day, tm.tm_year + 1900, 4);
	digits(day + 5, tm.tm_mon + 1, 2);
	digits(day + 8, tm.tm_mday, 2);
	digits(minute, tm.tm_hour, 2);
	digits(minute + 3, tm.tm_min, 2);
	digits(second, tm.tm_sec, 2);
	return buf_printf(out, "<td class=\"n\"><time datetime=\"%sT%s:%sZ\">%s %s</time></td>", day, minute, second, day, minute);
}

static int put_row(struct buf *out, const struct listing_page *p, const struct listing_entry *e)
{
	int err = buf_puts(out, "<tr><td>");

	if (err == 0)
		err = put_link(out, e->name, e->dir);
	if (err == 0)
		err = buf_puts(out, "</td>");
	if (err == 0 && p->date)
		err = put_date(out, e->mtime);
	if (err == 0 && p->size)
		err = put_size(out, e);
	if (err == 0 && p->description)
		err = buf_puts(out, "<td>");
	if (err == 0 && p->description && e->description != NULL)
		err = puts_escaped(out, e->description);
	if (err == 0 && p->description)
		err = buf_puts(out, "</td>");
	return err < 0 ? err : buf_puts(out, "</tr>\n");
}

/* A column's head: a link that orders by it, or the other way round when it is the one that counts. */
static int put_head(struct buf *out, const struct listing_page *p, char key, const char *title)
{
	const char *class = key == 'M' || key == 'S' ? " class=\"n\"" : "";
	bool now = p->order.key == key;
	const char *sort = !now ? "" : p->order.descending ? " aria-sort=\"descending\"" : " aria-sort=\"ascending\"";
	const char *arrow = !now ? "" : p->order.descending ? " \xe2\x86\x93" : " \xe2\x86\x91";

	if (!p->links)
		return buf_printf(out, "<th scope=\"col\"%s%s>%s</th>", class, sort, title);
	return buf_printf(out, "<th scope=\"col\"%s%s><a href=\"?C=%c;O=%c\">%s</a>%s</th>", class, sort, key,
		now && !p->order.descending ? 'D' : 'A', title, arrow);
}

static int put_top(struct buf *out, const struct listing_page *p)
{
	int err = buf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>Index of ");

	if (err == 0)
		err = puts_escaped(out, p->path);
	if (err == 0)
		err = buf_printf(out, "</title>\n<style>%s</style></head>\n<body><h1>Index of ", style);
	if (err == 0)
		err = puts_escaped(out, p->path);
	if (err == 0)
		err = buf_puts(out, "</h1>\n");
	if (err == 0 && p->above != NULL)
		err = buf_puts(out, p->above);
	return err;
}

static int put_table_top(struct buf *out, const struct listing_page *p)
{
	int err = buf_puts(out, "<table><thead><tr>");

	if (err == 0)
		err = put_head(out, p, 'N', "Name");
	if (err == 0 && p->date)
		err = put_head(out, p, 'M', "Last modified (UTC)");
	if (err == 0 && p->size)
		err = put_head(out, p, 'S', "Size");
	if (err == 0 && p->description)
		err = put_head(out, p, 'D', "Description");
	if (err == 0)
		err = buf_puts(out, "</tr></thead>\n<tbody>\n");
	if (err == 0 && strcmp(p->path, "/") != 0)
		err = buf_printf(out, "<tr><td><a href=\"../\">Parent directory</a></td>%s%s%s</tr>\n", p->date ? "<td></td>" : "",
			p->size ? "<td></td>" : "", p->description ? "<td></td>" : "");
	return err;
}

int listing_page(struct buf *out, const struct listing_page *p)
{
	int err = put_top(out, p);

	if (err == 0)
		err = put_table_top(out, p);
	for (size_t i = 0; err == 0 && i < p->entries_n; i++)
		err = put_row(out, p, &p->entries[i]);
	if (err == 0)
		err = buf_puts(out, "</tbody></table>\n");
	if (err == 0 && p->more)
		err = buf_printf(out, "<p>There are more entries: the first %zu that were found are shown.</p>\n", p->entries_n);
	if (err == 0 && p->below != NULL)
		err = buf_puts(out, p->below);
	return err < 0 ? err : buf_puts(out, "</body></html>\n");
}
