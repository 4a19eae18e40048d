/* SPDX-License-Identifier: Apache-2.0 */
/* The spool, and the two that fill it: request bodies and answers that wait for their clients. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/client/outq.h"
#include "gateway/client/req_body.h"
#include "gateway/client/spool.h"
#include "tests/unit/unit.h"

#define WIDE (INT64_C(1) << 40)

static struct spool spool, wide_spool;
static struct spool_site one, two, wide, narrow;
static char block[4096];
static int dir;

static void set_up(void)
{
	dir = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ne(dir, -1);
	spool_init(&spool, dir, 10000);
	spool_site_init(&one, &spool, 6000);
	spool_site_init(&two, &spool, 20000);
	spool_init(&wide_spool, dir, WIDE);
	spool_site_init(&wide, &wide_spool, WIDE);
}

static void tear_down(void)
{
	close(dir);
}

START_TEST(share_of_a_site_is_held)
{
	struct spool_file f;

	spool_file_init(&f);
	ck_assert_int_eq(spool_file_open(&f, &one), GW_OK);
	ck_assert_int_eq(spool_file_write(&f, block, 4000, 0), GW_OK);
	ck_assert_int_eq(spool_room(&one), 2000);
	ck_assert_int_eq(spool_file_write(&f, block, 2001, 4000), GW_ERR_FULL);
	ck_assert_int_eq(lseek(f.fd, 0, SEEK_END), 4000);
	ck_assert_int_eq(spool_file_write(&f, block, 2000, 4000), GW_OK);
	ck_assert_int_eq(spool_room(&one), 0);
	/* What lies within the file already costs nothing. */
	ck_assert_int_eq(spool_file_write(&f, block, 100, 0), GW_OK);
	ck_assert_int_eq(spool_file_write(&f, block, 1, 6000), GW_ERR_FULL);
	spool_file_close(&f);
	ck_assert_int_eq(spool_room(&one), 6000);
	ck_assert_int_eq(f.fd, -1);
	spool_file_close(&f);
	ck_assert_int_eq(spool_room(&one), 6000);
}
END_TEST

START_TEST(sites_share_the_whole)
{
	struct spool_file a, b;

	ck_assert_int_eq(spool_file_open(&a, &one), GW_OK);
	ck_assert_int_eq(spool_file_open(&b, &two), GW_OK);
	ck_assert_int_eq(spool_room(&two), 10000);
	ck_assert_int_eq(spool_file_write(&a, block, 4096, 0), GW_OK);
	ck_assert_int_eq(spool_file_write(&b, block, 4096, 0), GW_OK);
	ck_assert_int_eq(spool_room(&one), 10000 - 8192);
	ck_assert_int_eq(spool_file_write(&b, block, 1809, 4096), GW_ERR_FULL);
	ck_assert_int_eq(spool_room(&two), 10000 - 8192); /* a refusal takes nothing, of the site's either */
	ck_assert_int_eq(spool_file_write(&b, block, 1808, 4096), GW_OK);
	ck_assert_int_eq(spool_file_write(&a, block, 1, 4096), GW_ERR_FULL);
	spool_file_close(&b);
	ck_assert_int_eq(spool_file_write(&a, block, 1904, 4096), GW_OK);
	spool_file_close(&a);
	ck_assert_int_eq(spool_room(&two), 10000);
}
END_TEST

START_TEST(files_are_counted)
{
	struct spool_file v[4], late;

	spool_limit_files(&spool, 4);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(spool_file_open(&v[i], i < 2 ? &one : &two), GW_OK);
	spool_file_init(&late);
	ck_assert_int_eq(spool_file_open(&late, &one), GW_ERR_FULL);
	ck_assert_int_eq(late.fd, -1);
	spool_file_close(&v[3]);
	/* There is room, but a site has half of it at most. */
	ck_assert_int_eq(spool_file_open(&late, &one), GW_ERR_FULL);
	ck_assert_int_eq(spool_file_open(&v[3], &two), GW_OK);
	spool_file_close(&v[0]);
	ck_assert_int_eq(spool_file_open(&late, &one), GW_OK);
	spool_file_close(&late);
	for (int i = 1; i < 4; i++)
		spool_file_close(&v[i]);
	ck_assert_int_eq(atomic_load(&spool.files), 0);
	ck_assert_int_eq(atomic_load(&one.files), 0);
}
END_TEST

START_TEST(what_is_written_is_there)
{
	struct spool_file f;
	char got[10];

	ck_assert_int_eq(spool_file_open(&f, &one), GW_OK);
	ck_assert_int_eq(spool_file_write(&f, "01234", 5, 0), GW_OK);
	ck_assert_int_eq(spool_file_write(&f, "56789", 5, 5), GW_OK);
	ck_assert_int_eq(pread(f.fd, got, 10, 0), 10);
	ck_assert_mem_eq(got, "0123456789", 10);
	spool_file_close(&f);
}
END_TEST

/* A limit on files stands in for a full disk. */
START_TEST(full_disk_is_no_quota)
{
	struct rlimit was, small = {1000, 1000};
	struct spool_file f;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	ck_assert_int_eq(spool_file_open(&f, &one), GW_OK);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	int err = spool_file_write(&f, block, 2000, 0);
	bool full = spool_is_full(err);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	ck_assert_int_eq(err, GW_ERR_SYS);
	ck_assert(full);
	spool_file_close(&f);
	ck_assert_int_eq(spool_room(&one), 6000);

	ck_assert(spool_is_full(GW_ERR_FULL));
	ck_assert(!spool_is_full(GW_OK));
	errno = EIO;
	ck_assert(!spool_is_full(GW_ERR_SYS));
}
END_TEST

START_TEST(missing_directory)
{
	struct spool_file f;

	spool_init(&spool, -1, 10000);
	ck_assert_int_eq(spool_file_open(&f, &one), GW_ERR_SYS);
	ck_assert(!spool_is_full(GW_ERR_SYS));
	spool_file_close(&f);
	ck_assert_int_eq(spool_room(&one), 6000);
}
END_TEST

START_TEST(said_once_in_a_while)
{
	ck_assert(spool_may_say(&one, SPOOL_BODY, 5));
	ck_assert(!spool_may_say(&one, SPOOL_BODY, 6));
	ck_assert(spool_may_say(&two, SPOOL_BODY, 6));
	ck_assert(spool_may_say(&one, SPOOL_ANSWER, 7));
	ck_assert(!spool_may_say(&one, SPOOL_BODY, 10004));
	ck_assert(spool_may_say(&one, SPOOL_BODY, 10005));
}
END_TEST

static void *fill(void *arg)
{
	struct spool_site *site = arg;
	struct spool_file f;

	for (int i = 0; i < 500; i++) {
		int64_t off = 0;
		if (spool_file_open(&f, site) != GW_OK)
			return NULL;
		while (spool_file_write(&f, block, 500, off) == GW_OK)
			off += 500;
		if (off > 6000)
			return NULL;
		spool_file_close(&f);
	}
	return site;
}

START_TEST(threads_never_lose_count)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, fill, &one), 0);
	for (int i = 0; i < 4; i++) {
		void *ok;
		ck_assert_int_eq(pthread_join(t[i], &ok), 0);
		ck_assert_ptr_eq(ok, &one);
	}
	ck_assert_int_eq(spool_room(&one), 6000);
	ck_assert_int_eq(spool_room(&two), 10000);
}
END_TEST

/* --- request body ------------------------------------------------------------------------------------------------------------ */

static int feed_all(struct req_body *b, const char *data, size_t len, size_t step, struct spool_site *site)
{
	struct buf in;
	int err = 0;

	buf_init(&in);
	for (size_t i = 0; i < len && err == 0; i += step) {
		ck_assert_int_eq(buf_append(&in, data + i, len - i < step ? len - i : step), 0);
		err = req_body_feed(b, &in, site);
	}
	buf_fini(&in);
	return err;
}

START_TEST(body_is_the_same_in_memory_and_on_disk)
{
	static char data[200000], back[200000];
	static const size_t sizes[] = {1, 100, REQ_BODY_MEM, REQ_BODY_MEM + 1, sizeof(data)};
	struct req_body b;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7 + i / 251);
	buf_init(&b.mem);
	req_body_init(&b, (int64_t)sizes[_i], REQ_BODY_COUNTED, false);
	ck_assert_int_eq(feed_all(&b, data, sizes[_i], 1013, &wide), 0);
	ck_assert(b.complete);
	ck_assert_uint_eq(b.received, sizes[_i]);
	ck_assert_int_eq(b.file.fd != -1, sizes[_i] > REQ_BODY_MEM);
	if (b.file.fd != -1)
		ck_assert_int_eq((int)pread(b.file.fd, back, sizeof(back), 0), (int)sizes[_i]);
	else
		memcpy(back, buf_head(&b.mem), sizes[_i]);
	ck_assert_int_eq(memcmp(back, data, sizes[_i]), 0);
	req_body_fini(&b);
	ck_assert_int_eq(spool_room(&wide), WIDE);
}
END_TEST

/* A chunked body, under limits of its own: one that was given none takes nothing. */
static void begin_chunked(struct req_body *b, unsigned line)
{
	req_body_init(b, -1, REQ_BODY_CHUNKED, false);
	b->decoder.lim = (struct http1_chunk_limits){.line = line, .ext = 100, .trailers = 100, .field = 100, .fields = 10};
}

START_TEST(chunked_body_is_joined_and_bounded)
{
	static const char chunks[] = "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: x\r\n\r\n";
	struct req_body b;

	buf_init(&b.mem);
	begin_chunked(&b, 100);
	ck_assert_int_eq(feed_all(&b, chunks, sizeof(chunks) - 1, 1, &wide), 0);
	ck_assert(b.complete);
	ck_assert_uint_eq(b.received, 11);
	ck_assert_int_eq(memcmp(buf_head(&b.mem), "hello world", 11), 0);
	req_body_reset(&b);
	begin_chunked(&b, 100);
	b.limit = 10;
	ck_assert_int_eq(feed_all(&b, chunks, sizeof(chunks) - 1, 1, &wide), -413);
	req_body_reset(&b);
	begin_chunked(&b, 100);
	ck_assert_int_eq(feed_all(&b, "5\r\nhelloX", 9, 1, &wide), -400);
	ck_assert_str_eq(b.why, "bad framing of a chunked request body");
	req_body_reset(&b);
	begin_chunked(&b, 4);
	ck_assert_int_eq(feed_all(&b, chunks, sizeof(chunks) - 1, 1, &wide), -400);
	ck_assert_ptr_nonnull(strstr(b.why, "LimitRequestChunkLine"));
	req_body_fini(&b);
}
END_TEST

/* Octet number @at of what the tests queue. */
static char octet(uint64_t at)
{
	return (char)(at * 31 >> 3);
}

static void make_octets(char *out, size_t n, uint64_t at)
{
	for (size_t i = 0; i < n; i++)
		out[i] = octet(at + i);
}

/* One assertion for all: each costs a system call. */
static void check_octets(const void *got, size_t n, uint64_t at)
{
	size_t i = 0;

	while (i < n && ((const char *)got)[i] == octet(at + i))
		i++;
	ck_assert_uint_eq(i, n);
}

/* --- output queue --------------------------------------------------------------------------------------------------------------- */

START_TEST(slow_reader_gets_everything_in_order)
{
	static char piece[70000], got[70000];
	int s[2];
	size_t queued = 0, read_back = 0;
	struct outq q;

	outq_init(&q);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s), 0);
	for (int round = 0; round < 40; round++) {
		make_octets(piece, sizeof(piece), queued);
		ck_assert_int_eq(outq_append(&q, &wide, piece, sizeof(piece)), 0);
		queued += sizeof(piece);
		if (round % 3 == 0)
			ck_assert_int_ge(outq_flush(&q, s[0]), 0);
		ssize_t n = round % 5 == 0 ? read(s[1], got, 5000) : 0;
		if (n > 0)
			check_octets(got, (size_t)n, read_back);
		read_back += n > 0 ? (size_t)n : 0;
	}
	ck_assert_int_ne(q.spool.fd, -1);
	while (read_back < queued) {
		ck_assert_int_ge(outq_flush(&q, s[0]), 0);
		ssize_t n = read(s[1], got, sizeof(got));
		ck_assert_int_gt(n, 0);
		check_octets(got, (size_t)n, read_back);
		read_back += (size_t)n;
	}
	ck_assert_int_eq(outq_pending(&q), 0);
	ck_assert_int_eq(q.file_fd, -1);
	close(s[1]);
	ck_assert_int_eq(outq_append(&q, &wide, piece, 10), 0);
	ck_assert_int_eq(outq_flush(&q, s[0]), GW_ERR_CLOSED);
	outq_fini(&q);
	close(s[0]);
}
END_TEST

/* Many on one connection: each has less memory, and the next to use the queue has all of it again. */
START_TEST(less_memory_each)
{
	struct req_body b;
	struct outq q;

	outq_init(&q);
	q.mem_max = 1000;
	ck_assert_int_eq(outq_append(&q, &wide, block, 1000), 0);
	ck_assert_int_eq(q.spool.fd, -1);
	ck_assert_int_eq(outq_append(&q, &wide, block, 1), 0);
	ck_assert_int_ne(q.spool.fd, -1);
	outq_reset(&q, 0);
	ck_assert_int_eq(outq_append(&q, &wide, block, 4096), 0);
	ck_assert_int_eq(q.spool.fd, -1);
	outq_fini(&q);
	buf_init(&b.mem);
	req_body_init(&b, -1, REQ_BODY_FRAMED, false);
	b.mem_max = 1000;
	ck_assert_int_eq(req_body_put(&b, block, 1000, &wide), 0);
	ck_assert_int_eq(b.file.fd, -1);
	ck_assert_int_eq(req_body_put(&b, block, 1, &wide), 0);
	ck_assert_int_ne(b.file.fd, -1);
	ck_assert_uint_eq(b.received, 1001);
	req_body_fini(&b);
}
END_TEST

START_TEST(shrunken_file_is_an_error)
{
	int s[2];
	int fd = spool_tmpfile(dir);
	struct outq q;

	outq_init(&q);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq((int)write(fd, "12345", 5), 5);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s), 0);
	outq_file(&q, fd, 0, 10);
	ck_assert_int_eq(outq_flush(&q, s[0]), 5);
	ck_assert_int_eq(outq_flush(&q, s[0]), GW_ERR_SYS);
	outq_fini(&q);
	close(s[0]);
	close(s[1]);
}
END_TEST

/* Whatever room there is, everything comes, in order: memory, file, and what stayed in memory. */
START_TEST(queue_without_room_keeps_order)
{
	static const int64_t rooms[] = {0, 1000, 70000, 300000};
	static char piece[7001], got[50000];
	uint64_t queued = 0, taken = 0;
	struct outq q;

	spool_site_init(&narrow, &wide_spool, rooms[_i]);
	outq_init(&q);
	for (int round = 0; round < 400; round++) {
		make_octets(piece, sizeof(piece), queued);
		ck_assert_int_eq(outq_append(&q, &narrow, piece, sizeof(piece)), GW_OK);
		queued += sizeof(piece);
		ck_assert(outq_full(&q) == outq_refused(&q));
		for (size_t want = round % 5 == 0 ? 20000 : 1000; want > 0;) {
			const void *data;
			ssize_t n = outq_peek(&q, got, sizeof(got), &data);
			if (n == 0)
				break;
			ck_assert_int_gt(n, 0);
			size_t use = (size_t)n < want ? (size_t)n : want;
			check_octets(data, use, taken);
			outq_consume(&q, use);
			taken += use;
			want -= use;
		}
		ck_assert_int_eq(outq_pending(&q), (int64_t)(queued - taken));
	}
	ck_assert(outq_refused(&q)); /* otherwise there was room, and nothing was tried */
	for (;;) {
		const void *data;
		ssize_t n = outq_peek(&q, got, sizeof(got), &data);
		if (n == 0)
			break;
		check_octets(data, (size_t)n, taken);
		outq_consume(&q, (size_t)n);
		taken += (uint64_t)n;
	}
	ck_assert_uint_eq(taken, queued);
	ck_assert(!outq_full(&q));
	ck_assert_int_eq(spool_room(&narrow), rooms[_i]);
	outq_fini(&q);
}
END_TEST

START_TEST(queue_behind_a_file)
{
	static char piece[1000];
	const void *data;
	struct outq q;
	int fd = spool_tmpfile(dir);

	ck_assert_int_eq((int)write(fd, "12345", 5), 5);
	outq_init(&q);
	outq_file(&q, fd, 1, 3);
	ck_assert_int_eq(outq_append(&q, &wide, "end", 3), GW_OK);
	ck_assert_int_eq(outq_peek(&q, piece, sizeof(piece), &data), 3);
	ck_assert_mem_eq(data, "234", 3);
	outq_consume(&q, 3);
	ck_assert_int_eq(outq_peek(&q, piece, sizeof(piece), &data), 3);
	ck_assert_mem_eq(data, "end", 3);
	outq_consume(&q, 3);
	ck_assert_int_eq(outq_pending(&q), 0);
	ck_assert_int_eq(q.file_fd, -1);
	ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), -1); /* closed */
	outq_fini(&q);
}
END_TEST

START_TEST(body_without_room_is_refused)
{
	static char data[300000];
	struct req_body b;

	buf_init(&b.mem);
	spool_site_init(&narrow, &wide_spool, 200000);
	req_body_init(&b, 250000, REQ_BODY_COUNTED, false);
	ck_assert_int_eq(req_body_fits(&b, 250000, &narrow), -413); /* never */
	ck_assert_int_eq(req_body_fits(&b, 200000, &narrow), 0);
	ck_assert_int_eq(feed_all(&b, data, 250000, 8192, &narrow), -413);
	ck_assert_ptr_nonnull(b.why);
	req_body_reset(&b);
	ck_assert_int_eq(spool_room(&narrow), 200000);

	struct spool_file other;
	ck_assert_int_eq(spool_file_open(&other, &narrow), GW_OK);
	ck_assert_int_eq(spool_file_write(&other, data, 100000, 0), GW_OK);
	req_body_init(&b, 150000, REQ_BODY_COUNTED, true);
	ck_assert_int_eq(req_body_fits(&b, 150000, &narrow), -503); /* not now */
	ck_assert_int_eq(req_body_fits(&b, REQ_BODY_MEM, &narrow), 0); /* needs no file */
	ck_assert_int_eq(feed_all(&b, data, 150000, 8192, &narrow), -503);
	req_body_reset(&b);
	begin_chunked(&b, 100);
	ck_assert_int_eq(req_body_fits(&b, -1, &narrow), 0);
	spool_file_close(&other);
	req_body_init(&b, 150000, REQ_BODY_COUNTED, false);
	ck_assert_int_eq(feed_all(&b, data, 150000, 8192, &narrow), 0);
	ck_assert(b.complete);
	b.limit = 1000;
	ck_assert_int_eq(req_body_fits(&b, 1001, &narrow), -413);
	ck_assert_int_eq(req_body_fits(&b, 1000, &narrow), 0);
	req_body_fini(&b);
	ck_assert_int_eq(spool_room(&narrow), 200000);
}
END_TEST

static Suite *spool_suite(void)
{
	Suite *s = suite_create("spool");
	TCase *t = tcase_create("spool");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, share_of_a_site_is_held);
	tcase_add_test(t, sites_share_the_whole);
	tcase_add_test(t, files_are_counted);
	tcase_add_test(t, what_is_written_is_there);
	tcase_add_test(t, full_disk_is_no_quota);
	tcase_add_test(t, missing_directory);
	tcase_add_test(t, said_once_in_a_while);
	tcase_add_test(t, threads_never_lose_count);
	tcase_add_loop_test(t, body_is_the_same_in_memory_and_on_disk, 0, 5);
	tcase_add_test(t, chunked_body_is_joined_and_bounded);
	tcase_add_test(t, body_without_room_is_refused);
	tcase_add_test(t, slow_reader_gets_everything_in_order);
	tcase_add_loop_test(t, queue_without_room_keeps_order, 0, 4);
	tcase_add_test(t, queue_behind_a_file);
	tcase_add_test(t, less_memory_each);
	tcase_add_test(t, shrunken_file_is_an_error);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(spool_suite)
