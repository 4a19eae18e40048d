/* SPDX-License-Identifier: Apache-2.0 */
/* The open-file cache by itself: what is remembered, for how long, and within which bounds. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf_types.h"
#include "gateway/answer/file_cache.h"
#include "tests/unit/unit.h"

#define FDS 300 /* of which a third is for files */

static char dir[] = "/tmp/check_file_cache.XXXXXX";
static struct conf conf;
static struct conf_types types; /* none */
static struct conf_dir settings;
static struct conf_server host, other_host;
static struct file_cache cache;
static uint64_t now = 1000000;

static void setup(void)
{
	conf_serving_defaults(&settings.serving);
	conf = (struct conf){.file_cache = {.files = 8, .missing = 2, .age_ms = 250, .memory = 64 * 1024}};
	conf.types = &types;
	conf_map_init(&types.by_ext, NULL);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	file_cache_init(&cache, &conf, FDS);
}

static void teardown(void)
{
	char command[64];

	file_cache_fini(&cache);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
	memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* A file of @n octets, all @c, changed long ago as far as its times of change can be set. */
static void put(const char *name, char c, size_t n)
{
	static char data[100000];

	memset(data, c, n);
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
	close(fd);
}

/* A route to the file, as if it had just been walked. */
static struct route route_to(const char *name)
{
	struct route r = {.kind = ROUTE_STATIC, .dir = &settings, .root = dir, .context_prefix = "", .path_info = "",
		.script_name = name, .filename = path_of(name)};

	r.fd = open(r.filename, O_RDONLY);
	ck_assert_int_ne(r.fd, -1);
	ck_assert_int_eq(fstat(r.fd, &r.st), 0);
	return r;
}

static struct file_entry *add(const char *name)
{
	struct route r = route_to(name);
	bool oom;
	struct file_entry *e = file_cache_add(&cache, &host, name, &r, now, true, &oom);

	ck_assert_ptr_nonnull(e);
	ck_assert(!oom && r.fd == -1);
	return e;
}

static bool known(const char *name)
{
	struct file_entry *e = file_cache_find(&cache, &host, name, now);

	file_entry_unref(e);
	return e != NULL;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

START_TEST(small_and_large)
{
	put("small", 's', 100);
	put("large", 'l', 50000);
	struct file_entry *e = add("small");
	ck_assert_int_eq(e->file.fd, -1);
	ck_assert_int_eq(e->file.data[99], 's');
	ck_assert_str_eq(e->route.script_name, "small");
	file_entry_unref(e);
	e = add("large");
	ck_assert_ptr_null(e->file.data);
	ck_assert(is_open(e->file.fd));
	int fd = e->file.fd;
	file_entry_unref(e);
	ck_assert(known("small") && known("large") && is_open(fd));
	ck_assert_ptr_null(file_cache_find(&cache, &other_host, "small", now));
	ck_assert(!known("smal") && !known("smalll"));
	ck_assert(file_cache_release_fds(&cache));
	ck_assert(!known("large") && known("small") && !is_open(fd));
	ck_assert(!file_cache_release_fds(&cache));
}
END_TEST

START_TEST(age)
{
	put("f", 'a', 10);
	struct file_entry *first = add("f");
	now += 249;
	ck_assert(known("f"));
	now += 1;
	ck_assert(!known("f"));
	/* Written a moment ago: the same times may hide another content, so it is read again. */
	struct file_entry *second = add("f");
	ck_assert_ptr_ne(first, second);
	ck_assert_int_eq(first->file.data[0], 'a');
	file_entry_unref(first);
	/* Long enough after the change it is the same. */
	second->settled = true;
	now += 250;
	struct file_entry *third = add("f");
	ck_assert_ptr_eq(second, third);
	ck_assert(known("f"));
	put("f", 'b', 10);
	now += 250;
	struct file_entry *fourth = add("f");
	ck_assert_ptr_ne(third, fourth);
	ck_assert_int_eq(fourth->file.data[0], 'b');
	ck_assert_int_eq(third->file.data[0], 'a');
	file_entry_unref(second);
	file_entry_unref(third);
	file_entry_unref(fourth);
}
END_TEST

START_TEST(large_one_that_changes)
{
	put("f", 'a', 50000);
	file_entry_unref(add("f"));
	ck_assert(known("f"));
	ck_assert_int_eq(truncate(path_of("f"), 40000), 0);
	ck_assert(!known("f"));
}
END_TEST

START_TEST(bounds)
{
	char name[16];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		put(name, 'x', 10);
		file_entry_unref(add(name));
		ck_assert(known("n0")); /* used all the time */
	}
	ck_assert_uint_eq(cache.lists[FILE_SMALL].n, 8);
	ck_assert(known("n19") && known("n13") && !known("n12") && !known("n1"));
	/* Octets: 64 KB hold four of these, and then nothing of the others. */
	struct file_entry *kept[6];
	for (int i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "k%d", i);
		put(name, (char)('0' + i), 15000);
		kept[i] = add(name);
	}
	ck_assert_int_le(cache.octets, 64 * 1024);
	ck_assert(known("k5") && known("k2") && !known("k1") && !known("n0"));
	/* What is in use is there for its user. */
	ck_assert_int_eq(kept[0]->file.data[14999], '0');
	for (int i = 0; i < 6; i++)
		file_entry_unref(kept[i]);
}
END_TEST

START_TEST(what_is_not_there)
{
	bool oom;

	for (int i = 0; i < 4; i++) {
		char name[16];
		struct route r = {.kind = ROUTE_STATUS, .status = 404, .dir = &settings, .fd = -1, .path_info = ""};
		snprintf(name, sizeof(name), "m%d", i);
		file_entry_unref(file_cache_add(&cache, &host, name, &r, now, true, &oom));
	}
	ck_assert_uint_eq(cache.lists[FILE_MISSING].n, 2);
	ck_assert(known("m3") && known("m2") && !known("m1"));
	struct route denied = {.kind = ROUTE_STATUS, .status = 403, .dir = &settings, .fd = -1, .path_info = ""};
	ck_assert_ptr_null(file_cache_add(&cache, &host, "d", &denied, now, true, &oom));
	struct route with_rest = {.kind = ROUTE_PHP, .dir = &settings, .fd = -1, .path_info = "/rest", .root = dir, .script_name = "/x.php"};
	ck_assert_ptr_null(file_cache_add(&cache, &host, "p", &with_rest, now, true, &oom));
	with_rest.path_info = "";
	file_entry_unref(file_cache_add(&cache, &host, "p", &with_rest, now, true, &oom));
	ck_assert(known("p"));
}
END_TEST

START_TEST(not_kept)
{
	bool oom;
	struct file_cache off;

	put("f", 'a', 10);
	struct route r = route_to("f");
	struct file_entry *e = file_cache_add(&cache, &host, "f", &r, now, false, &oom);
	ck_assert_ptr_nonnull(e);
	ck_assert(!known("f"));
	file_entry_unref(e);
	conf.file_cache.files = 0;
	file_cache_init(&off, &conf, FDS);
	r = route_to("f");
	e = file_cache_add(&off, &host, "f", &r, now, true, &oom);
	ck_assert_int_eq(e->file.data[9], 'a');
	file_entry_unref(e);
	ck_assert_ptr_null(file_cache_find(&off, &host, "f", now));
	file_cache_fini(&off);
}
END_TEST

START_TEST(leaves_when_nobody_asks)
{
	put("f", 'a', 10);
	put("g", 'a', 50000);
	file_entry_unref(add("f"));
	file_entry_unref(add("g"));
	now += FILE_CACHE_IDLE_MS - 1;
	file_entry_unref(add("f"));
	ck_assert(file_cache_sweep(&cache, now));
	ck_assert_uint_eq(cache.lists[FILE_OPEN].n, 1);
	now += 1;
	ck_assert(file_cache_sweep(&cache, now));
	ck_assert_uint_eq(cache.lists[FILE_OPEN].n, 0);
	now += FILE_CACHE_IDLE_MS;
	ck_assert(!file_cache_sweep(&cache, now));
	ck_assert_int_eq(cache.octets, 0);
}
END_TEST

static Suite *suite_file_cache(void)
{
	Suite *s = suite_create("file cache");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, small_and_large);
	tcase_add_test(t, age);
	tcase_add_test(t, large_one_that_changes);
	tcase_add_test(t, bounds);
	tcase_add_test(t, what_is_not_there);
	tcase_add_test(t, not_kept);
	tcase_add_test(t, leaves_when_nobody_asks);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite_file_cache)
