# Who answers a FastCGI request: codec, client, pools of servers, cells.
noinst_LIBRARIES += libpools.a
libpools_a_SOURCES = \
	pools/backend.c pools/backend.h \
	pools/cells.c pools/cells.h pools/cells_priv.h \
	pools/cells_plan.c \
	pools/cells_zygote.c \
	pools/fcgi_client.c pools/fcgi_client.h \
	pools/fcgi_codec.c pools/fcgi_codec.h \
	pools/mailbox.c pools/mailbox.h \
	pools/pool.c pools/pool.h pools/pool_priv.h \
	pools/pool_idle.c \
	pools/pool_member.c \
	pools/waitq.c pools/waitq.h
libpools_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)

# Not a test: load on a real FastCGI server, for people.
check_PROGRAMS += tests/bench/pool_load
tests_bench_pool_load_SOURCES = tests/bench/pool_load.c tests/unit/pool_drive.c tests/unit/pool_drive.h
tests_bench_pool_load_LDADD = libpools.a libipc.a libbase.a
