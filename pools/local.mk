# Who answers a FastCGI request: codec, client, pools of servers, cells.
noinst_LIBRARIES += libpools.a
libpools_a_SOURCES = \
	pools/backend.c pools/backend.h \
	pools/budget.c pools/budget.h \
	pools/cells.c pools/cells.h pools/cells_priv.h \
	pools/cells_away.c \
	pools/cells_plan.c \
	pools/cells_room.c \
	pools/cells_zygote.c \
	pools/fcgi_client.c pools/fcgi_client.h \
	pools/fcgi_codec.c pools/fcgi_codec.h \
	pools/lease_work.c pools/lease_work.h \
	pools/mailbox.c pools/mailbox.h \
	pools/pool.c pools/pool.h pools/pool_priv.h \
	pools/pool_idle.c \
	pools/pool_member.c \
	pools/waitq.c pools/waitq.h
libpools_a_CPPFLAGS = $(AM_CPPFLAGS) $(SECCOMP_CFLAGS)

# Not a test: load on a real FastCGI server, for people.
check_PROGRAMS += tests/bench/pool_load
tests_bench_pool_load_SOURCES = tests/bench/pool_load.c tests/unit/pool_drive.c tests/unit/pool_drive.h
tests_bench_pool_load_LDADD = libpools.a libsandbox.a libipc.a libbase.a $(SECCOMP_LIBS)

check_PROGRAMS += tests/fuzz/replay_fcgi
TESTS += tests/fuzz/replay_fcgi
tests_fuzz_replay_fcgi_SOURCES = tests/fuzz/fuzz_fcgi.c tests/fuzz/replay.c
tests_fuzz_replay_fcgi_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/fcgi"'
tests_fuzz_replay_fcgi_LDADD = libpools.a libbase.a
EXTRA_DIST += tests/fuzz/corpus/fcgi
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_fcgi
tests_fuzz_fuzz_fcgi_SOURCES = tests/fuzz/fuzz_fcgi.c pools/fcgi_codec.c
tests_fuzz_fuzz_fcgi_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_fcgi_LDADD = libbase.a
endif

if HAVE_CHECK
check_PROGRAMS += tests/unit/check_pools
TESTS += tests/unit/check_pools
tests_unit_check_pools_SOURCES = tests/unit/unit.h \
	tests/unit/check_pools.c tests/unit/check_pools.h \
	tests/unit/check_pools_budget.c \
	tests/unit/check_pools_busy.c \
	tests/unit/check_pools_cells.c \
	tests/unit/check_pools_client.c \
	tests/unit/check_pools_codec.c \
	tests/unit/check_pools_pool.c \
	tests/unit/check_pools_zygote.c \
	tests/unit/cells_world.c tests/unit/cells_world.h \
	tests/unit/fcgi_stub.c tests/unit/fcgi_stub.h \
	tests/unit/pool_drive.c tests/unit/pool_drive.h
tests_unit_check_pools_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_pools_LDADD = libpools.a libsandbox.a libipc.a libbase.a $(SECCOMP_LIBS) $(CHECK_LIBS)
endif
