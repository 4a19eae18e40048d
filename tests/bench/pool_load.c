/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Load on a FastCGI server through a pool, without the HTTP front:
 *   pool_load unix:/run/php.sock|ADDRESS:PORT /path/script.php CLIENTS MILLISECONDS [MAX_IDLE [MAX_CONNECTIONS [OTHERS]]]
 * OTHERS clients use a second pool on the same server, as another front would: are they served beside the first?
 * Prints requests per second, percentiles, and how many connections it took.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "pools/fcgi_codec.h"
#include "pools/pool.h"
#include "tests/unit/pool_drive.h"

static void parse_addr(const char *s, struct conf_addr *a)
{
	const char *colon = strrchr(s, ':');

	a->text = s;
	if (strncmp(s, "unix:", 5) == 0) {
		a->u.un.sun_family = AF_UNIX;
		snprintf(a->u.un.sun_path, sizeof(a->u.un.sun_path), "%s", s + 5);
		a->len = sizeof(a->u.un);
		return;
	}
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)&a->u.ss;
	char host[64];
	snprintf(host, sizeof(host), "%.*s", colon == NULL ? 0 : (int)(colon - s), s);
	in->sin_family = AF_INET;
	if (colon == NULL || inet_pton(AF_INET, host, &in->sin_addr) != 1) {
		fprintf(stderr, "pool_load: no address: %s\n", s);
		exit(2);
	}
	in->sin_port = htons((uint16_t)atoi(colon + 1));
	a->len = sizeof(*in);
}

static void put(struct buf *b, const char *name, const char *value)
{
	if (fcgi_put_param(b, name, strlen(name), value, strlen(value)) != GW_OK)
		abort();
}

static void report(const char *who, struct drive_group *g, struct backend *b, uint64_t ms)
{
	struct pool_stats s;

	pool_stats(b, &s);
	printf("%s: %.0f/s failed=%lu median=%uus p99=%uus max=%uus octets=%lu connects=%lu reused=%lu\n", who,
		(double)g->done * 1000 / (double)ms, drive_failures(g), drive_percentile(g, 50), drive_percentile(g, 99),
		drive_percentile(g, 100), g->octets, s.connects, s.reused);
}

int main(int argc, char **argv)
{
	struct conf_pool_member member = {.weight = 1};
	struct conf_pool conf = {.name = "load", .members_n = 1, .members = &member, .max_idle = 4, .idle_timeout_ms = 1000,
		.connect_timeout_ms = 1000, .fail_timeout_ms = 1000, .queue_timeout_ms = 10000};
	struct buf params;

	if (argc < 5) {
		fprintf(stderr, "usage: pool_load ADDRESS SCRIPT CLIENTS MILLISECONDS [MAX_IDLE [MAX_CONNECTIONS [OTHERS]]]\n");
		return 2;
	}
	parse_addr(argv[1], &member.addr);
	uint64_t ms = (uint64_t)atol(argv[4]);
	if (argc > 5)
		conf.max_idle = (unsigned)atoi(argv[5]);
	if (argc > 6)
		member.max_connections = (unsigned)atoi(argv[6]);
	unsigned others = argc > 7 ? (unsigned)atoi(argv[7]) : 0;
	buf_init(&params);
	put(&params, "SCRIPT_FILENAME", argv[2]);
	put(&params, "SCRIPT_NAME", "/load.php");
	put(&params, "REQUEST_METHOD", "GET");
	put(&params, "SERVER_PROTOCOL", "HTTP/1.1");
	put(&params, "QUERY_STRING", "");
	struct drive *d = drive_new(2);
	struct backend *b[2] = {pool_new(&conf, drive_loop(d, 0)), pool_new(&conf, drive_loop(d, 1))};
	struct drive_group g[2] = {
		{.backend = b[0], .clients = (unsigned)atoi(argv[3]), .stop_ms = ms},
		{.backend = b[1], .clients = others, .start_ms = ms / 5, .stop_ms = ms * 4 / 5, .think_ms = 10},
	};
	for (int i = 0; i < 2; i++) {
		g[i].params = params.data;
		g[i].params_len = params.len;
	}
	drive_run(d, g, 2);
	report("load", &g[0], b[0], ms);
	if (others > 0)
		report("others", &g[1], b[1], ms * 3 / 5);
	for (int i = 0; i < 2; i++) {
		pool_free(b[i]);
		drive_group_fini(&g[i]);
	}
	drive_free(d);
	buf_fini(&params);
	return 0;
}
