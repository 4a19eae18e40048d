/* SPDX-License-Identifier: Apache-2.0 */
/* What each client has: counts, rates, and a table that stays what it is under millions of addresses. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/pace.h"
#include "gateway/base/siphash.h"
#include "gateway/client/clients.h"
#include "tests/unit/unit.h"

#define S 1000000ULL

static const uint8_t seed[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static struct ip_addr v4(uint32_t n)
{
	return (struct ip_addr){.b = {[10] = 0xff, [11] = 0xff, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
}

static struct ip_addr v6(const char *text)
{
	struct ip_addr a;

	ck_assert(ip_parse(text, strlen(text), &a));
	return a;
}

static struct clients *make(const struct client_limits *lim, size_t live_max)
{
	int fd = clients_mem_new(live_max);
	struct clients *t = clients_new(lim, fd, 0);

	ck_assert_ptr_nonnull(t);
	close(fd);
	return t;
}

static struct client *enter(struct clients *t, struct ip_addr a, enum client_verdict want)
{
	struct client *c;
	bool tell;

	ck_assert_int_eq(clients_enter(t, &a, 100 * S, &c, &tell), want);
	ck_assert((c != NULL) == (want == CLIENT_OK));
	return c;
}

/* The authors' own vector of 16 octets. */
START_TEST(hash_is_siphash)
{
	ck_assert_uint_eq(siphash_16(seed, seed), 0x3f2acc7f57c29bdbULL);
	ck_assert_uint_ne(siphash_16(seed, seed), siphash_16((const uint8_t[16]){1}, seed));
}
END_TEST

START_TEST(connections_are_counted)
{
	struct clients *t = make(&(struct client_limits){.connections = 2, .v4_bits = 32, .v6_bits = 64}, 100);
	struct client *a = enter(t, v4(1), CLIENT_OK), *b = enter(t, v4(1), CLIENT_OK);

	ck_assert_ptr_eq(a, b);
	enter(t, v4(1), CLIENT_OVER);
	clients_leave(t, enter(t, v4(2), CLIENT_OK)); /* others are not concerned */
	clients_leave(t, b);
	b = enter(t, v4(1), CLIENT_OK);
	enter(t, v4(1), CLIENT_OVER);
	clients_leave(t, a);
	clients_leave(t, b);
	clients_leave(t, NULL);
	clients_leave(t, enter(t, v4(1), CLIENT_OK));
	clients_free(t);
	clients_free(NULL);
}
END_TEST

START_TEST(a_client_is_a_prefix)
{
	struct clients *t = make(&(struct client_limits){.connections = 1, .v4_bits = 24, .v6_bits = 64}, 100);

	enter(t, v4(0x0a000001), CLIENT_OK);
	enter(t, v4(0x0a0000ff), CLIENT_OVER);
	enter(t, v4(0x0a000100), CLIENT_OK);
	enter(t, v6("2001:db8::1"), CLIENT_OK);
	enter(t, v6("2001:db8::ffff:ffff:ffff:ffff"), CLIENT_OVER);
	enter(t, v6("2001:db8:0:1::1"), CLIENT_OK);
	clients_free(t);
}
END_TEST

START_TEST(requests_are_paid_for)
{
	/* Ten a second, fifteen at once. */
	struct clients *t = make(&(struct client_limits){.request_us = S / 10, .burst_us = 15 * S / 10, .v4_bits = 32, .v6_bits = 64}, 100);
	struct client *c = enter(t, v4(1), CLIENT_OK), *d = enter(t, v4(2), CLIENT_OK);
	unsigned retry_s = 0;
	bool tell;

	for (int i = 0; i < 15; i++)
		ck_assert(clients_request(t, c, 100 * S, &retry_s, &tell));
	ck_assert(!clients_request(t, c, 100 * S, &retry_s, &tell));
	ck_assert(tell && retry_s == 1);
	ck_assert(!clients_request(t, c, 100 * S, &retry_s, &tell) && !tell); /* said once */
	ck_assert(clients_request(t, d, 100 * S, &retry_s, &tell));
	ck_assert(clients_request(t, c, 100 * S + S / 10, &retry_s, &tell));
	ck_assert(!clients_request(t, c, 100 * S + S / 10, &retry_s, &tell));
	/* Who leaves and comes back owes as before. */
	clients_leave(t, c);
	c = enter(t, v4(1), CLIENT_OK);
	ck_assert(!clients_request(t, c, 100 * S + S / 10, &retry_s, &tell));
	for (int i = 0; i < 15; i++)
		ck_assert(clients_request(t, c, 200 * S, &retry_s, &tell));
	ck_assert(!clients_request(t, c, 200 * S, &retry_s, &tell));
	ck_assert(tell); /* a minute later, once more */
	clients_free(t);

	t = make(&(struct client_limits){.request_us = 60 * S, .burst_us = 60 * S, .v4_bits = 32, .v6_bits = 64}, 100);
	c = enter(t, v4(1), CLIENT_OK);
	ck_assert(clients_request(t, c, 100 * S, &retry_s, &tell));
	ck_assert(!clients_request(t, c, 130 * S, &retry_s, &tell));
	ck_assert_uint_eq(retry_s, 30);
	clients_free(t);
}
END_TEST

/* Millions of addresses, each once: time and memory stay small, and who is connected stays known. */
START_TEST(an_attack_with_many_addresses)
{
	struct clients *t = make(&(struct client_limits){.connections = 1, .request_us = S, .burst_us = S, .v4_bits = 32, .v6_bits = 64}, 1000);
	struct client *kept[1000];
	struct rusage before, after;
	struct timespec from, to;
	unsigned told = 0;

	for (uint32_t i = 0; i < 1000; i++)
		kept[i] = enter(t, v4(i), CLIENT_OK);
	getrusage(RUSAGE_SELF, &before);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	for (uint32_t i = 0; i < 2000000; i++) {
		struct ip_addr a = v4(0x01000000 + i);
		struct client *c;
		unsigned retry_s;
		bool tell;
		ck_assert_int_eq(clients_enter(t, &a, 100 * S, &c, &tell), CLIENT_OK);
		clients_request(t, c, 100 * S, &retry_s, &tell);
		clients_request(t, c, 100 * S, &retry_s, &tell);
		told += tell;
		clients_leave(t, c);
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	getrusage(RUSAGE_SELF, &after);
#ifndef BH_SANITIZED /* it keeps a shadow of what is touched, and what was freed */
	ck_assert_msg(after.ru_maxrss - before.ru_maxrss < 16 * 1024, "%ld KB more", after.ru_maxrss - before.ru_maxrss);
#endif
	ck_assert_msg(to.tv_sec - from.tv_sec < 20, "%ld s", (long)(to.tv_sec - from.tv_sec));
	ck_assert_msg(told > 0 && told <= 41, "%u lines", told);
	for (uint32_t i = 0; i < 1000; i++) {
		enter(t, v4(i), CLIENT_OVER);
		clients_leave(t, kept[i]);
		clients_leave(t, enter(t, v4(i), CLIENT_OK));
	}
	clients_free(t);
}
END_TEST

/* More connections than it was made for: those that find no room are refused, and none of the others is forgotten. */
START_TEST(a_full_table_refuses)
{
	struct clients *t = make(&(struct client_limits){.connections = 1, .v4_bits = 32, .v6_bits = 64}, 16);
	static struct client *all[100000];
	unsigned refused = 0;

	for (uint32_t i = 0; i < 100000; i++) {
		struct ip_addr a = v4(i);
		bool tell;
		if (clients_enter(t, &a, 100 * S, &all[i], &tell) != CLIENT_OK)
			refused++;
	}
	ck_assert_msg(refused > 30000 && refused < 40000, "%u", refused);
	for (uint32_t i = 0; i < 100000; i++) {
		if (all[i] != NULL)
			enter(t, v4(i), CLIENT_OVER);
		clients_leave(t, all[i]);
	}
	for (uint32_t i = 0; i < 100000; i++)
		clients_leave(t, enter(t, v4(i), CLIENT_OK));
	clients_free(t);
}
END_TEST

/* Two fronts, one table: what one counts the other sees, until it is forgotten; requests stay paid for. */
START_TEST(fronts_share_a_table)
{
	const struct client_limits lim = {.connections = 3, .request_us = S, .burst_us = 2 * S, .v4_bits = 32, .v6_bits = 64};
	int fd = clients_mem_new(100);
	struct clients *old = clients_new(&lim, fd, 1), *new = clients_new(&lim, fd, 2);
	struct client *kept = enter(old, v4(1), CLIENT_OK);
	unsigned retry_s;
	bool tell;

	enter(old, v4(1), CLIENT_OK);
	ck_assert(clients_request(old, kept, 100 * S, &retry_s, &tell) && clients_request(old, kept, 100 * S, &retry_s, &tell));
	struct client *c = enter(new, v4(1), CLIENT_OK);
	enter(new, v4(1), CLIENT_OVER);
	enter(old, v4(1), CLIENT_OVER);
	clients_leave(new, enter(new, v4(2), CLIENT_OK));
	ck_assert(!clients_request(new, c, 100 * S, &retry_s, &tell));
	clients_leave(old, kept);
	enter(new, v4(1), CLIENT_OK);
	enter(new, v4(1), CLIENT_OVER);
	/* One of the old one's and both of the new one's are left. The old one dies, and its last connection with it. */
	clients_free(old);
	ck_assert_int_eq(clients_mem_forget(fd, 1), GW_OK);
	enter(new, v4(1), CLIENT_OK);
	enter(new, v4(1), CLIENT_OVER);
	/* Another in the same slot begins with nothing, and with the same debts. */
	old = clients_new(&lim, fd, 1);
	enter(old, v4(1), CLIENT_OVER);
	clients_leave(new, c);
	c = enter(old, v4(1), CLIENT_OK);
	ck_assert(!clients_request(old, c, 100 * S, &retry_s, &tell));
	ck_assert(clients_request(old, c, 101 * S, &retry_s, &tell));
	clients_free(old);
	clients_free(new);
	close(fd);
}
END_TEST

/* A process that dies with a lock in its hand keeps nobody. */
START_TEST(a_front_that_dies_leaves_the_table)
{
	const struct client_limits lim = {.connections = 1, .v4_bits = 32, .v6_bits = 64};
	int fd = clients_mem_new(100), status;
	struct clients *t = clients_new(&lim, fd, 0);

	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();
		if (pid == 0) {
			struct clients *own = clients_new(&lim, fd, 1);
			for (uint32_t i = 0;; i++) {
				struct ip_addr a = v4(i % 100);
				struct client *c;
				bool tell;
				clients_enter(own, &a, 100 * S, &c, &tell);
				clients_leave(own, c);
			}
		}
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(clients_mem_forget(fd, 1), GW_OK);
		for (uint32_t i = 0; i < 100; i++)
			clients_leave(t, enter(t, v4(i), CLIENT_OK));
	}
	clients_free(t);
	close(fd);
}
END_TEST

/* Who owes more than a new configuration lets anybody owe is no worse off than the others. */
START_TEST(debts_of_another_configuration)
{
	const struct client_limits hour = {.request_us = 3600 * S, .burst_us = 10 * 3600 * S, .v4_bits = 32, .v6_bits = 64};
	const struct client_limits second = {.request_us = S, .burst_us = 2 * S, .v4_bits = 32, .v6_bits = 64};
	int fd = clients_mem_new(100);
	struct clients *old = clients_new(&hour, fd, 0), *new = clients_new(&second, fd, 1);
	struct client *c = enter(old, v4(1), CLIENT_OK), *d = enter(new, v4(1), CLIENT_OK);
	unsigned retry_s;
	bool tell;

	for (int i = 0; i < 10; i++)
		ck_assert(clients_request(old, c, 100 * S, &retry_s, &tell));
	ck_assert(!clients_request(new, d, 100 * S, &retry_s, &tell));
	ck_assert_uint_eq(retry_s, 1);
	clients_free(old);
	clients_free(new);
	close(fd);
}
END_TEST

START_TEST(memory_of_another_kind_is_refused)
{
	const struct client_limits lim = {.connections = 1, .v4_bits = 32, .v6_bits = 64};
	int fd = clients_mem_new(100);

	ck_assert_int_eq(ftruncate(fd, 0), -1);
	close(fd);
	ck_assert_ptr_null(clients_new(&lim, -1, 0));
	fd = memfd_create("short", MFD_CLOEXEC);
	ck_assert_ptr_null(clients_new(&lim, fd, 0));
	close(fd);
}
END_TEST

static void *come_and_go(void *arg)
{
	struct clients *t = arg;

	for (uint32_t i = 0; i < 200000; i++) {
		struct ip_addr a = v4(i % 7);
		struct client *c;
		unsigned retry_s;
		bool tell;
		if (clients_enter(t, &a, 100 * S, &c, &tell) == CLIENT_OK)
			clients_request(t, c, 100 * S + i, &retry_s, &tell);
		clients_leave(t, c);
	}
	return NULL;
}

START_TEST(many_threads_count_right)
{
	struct clients *t = make(&(struct client_limits){.connections = 4, .request_us = 1, .burst_us = 1, .v4_bits = 32, .v6_bits = 64}, 100);
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, t), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < 7; i++) {
		for (int j = 0; j < 4; j++)
			enter(t, v4(i), CLIENT_OK);
		enter(t, v4(i), CLIENT_OVER);
	}
	clients_free(t);
}
END_TEST

static const struct {
	struct pace p;
	uint64_t spent_ms, octets, left_ms;
} paces[] = {
	{{0, 0, 0}, 99999999, 0, UINT64_MAX}, {{0, 10, 500}, 5, 0, UINT64_MAX}, {{1000, 0, 0}, 0, 0, 1000}, {{1000, 0, 0}, 400, 99999, 600},
	{{1000, 0, 0}, 1000, 0, 0}, {{1000, 0, 0}, 5000, 0, 0}, {{1000, 0, 500}, 1000, 250, 500}, {{1000, 4000, 500}, 1000, 1000000, 3000},
	{{1000, 4000, 500}, 4000, 1000000, 0}, {{1000, 0, 500}, 0, UINT64_C(1) << 62, 1000 + (UINT64_C(1) << 62) / 500 * 1000 + 808},
};

START_TEST(a_pace)
{
	ck_assert_uint_eq(pace_left_ms(&paces[_i].p, paces[_i].spent_ms, paces[_i].octets), paces[_i].left_ms);
}
END_TEST

static Suite *suite_clients(void)
{
	Suite *s = suite_create("clients");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, hash_is_siphash);
	tcase_add_test(t, connections_are_counted);
	tcase_add_test(t, a_client_is_a_prefix);
	tcase_add_test(t, requests_are_paid_for);
	tcase_add_test(t, an_attack_with_many_addresses);
	tcase_add_test(t, a_full_table_refuses);
	tcase_add_test(t, fronts_share_a_table);
	tcase_add_test(t, a_front_that_dies_leaves_the_table);
	tcase_add_test(t, debts_of_another_configuration);
	tcase_add_test(t, memory_of_another_kind_is_refused);
	tcase_add_test(t, many_threads_count_right);
	tcase_add_loop_test(t, a_pace, 0, (int)(sizeof(paces) / sizeof(*paces)));
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite_clients)
