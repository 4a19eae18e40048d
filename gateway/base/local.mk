# Helpers that every role uses; nothing here depends on another folder.
noinst_LIBRARIES += libbase.a
libbase_a_SOURCES = \
	gateway/base/arena.c gateway/base/arena.h \
	gateway/base/buf.c gateway/base/buf.h \
	gateway/base/container.h \
	gateway/base/decimal.h \
	gateway/base/err.c gateway/base/err.h \
	gateway/base/io.c gateway/base/io.h \
	gateway/base/ip_net.c gateway/base/ip_net.h \
	gateway/base/kept_proc.c gateway/base/kept_proc.h \
	gateway/base/log.c gateway/base/log.h \
	gateway/base/log_budget.c gateway/base/log_budget.h \
	gateway/base/log_format.c gateway/base/log_format.h \
	gateway/base/log_frame.c gateway/base/log_frame.h \
	gateway/base/loop.c gateway/base/loop.h \
	gateway/base/pace.c gateway/base/pace.h \
	gateway/base/remote_ip_rules.h \
	gateway/base/siphash.c gateway/base/siphash.h

EXTRA_DIST += tests/fuzz/corpus/log_frame
check_PROGRAMS += tests/fuzz/replay_log_frame
TESTS += tests/fuzz/replay_log_frame
tests_fuzz_replay_log_frame_SOURCES = tests/fuzz/fuzz_log_frame.c tests/fuzz/replay.c
tests_fuzz_replay_log_frame_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/log_frame"'
tests_fuzz_replay_log_frame_LDADD = libbase.a
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_log_frame
tests_fuzz_fuzz_log_frame_SOURCES = tests/fuzz/fuzz_log_frame.c gateway/base/log_frame.c
tests_fuzz_fuzz_log_frame_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_log_frame_LDADD = libbase.a
endif

if HAVE_CHECK
check_PROGRAMS += tests/unit/check_base
TESTS += tests/unit/check_base
tests_unit_check_base_SOURCES = tests/unit/check_base.c tests/unit/unit.h
tests_unit_check_base_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_base_LDADD = libbase.a $(CHECK_LIBS)
endif
