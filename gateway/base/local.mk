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
	gateway/base/log.c gateway/base/log.h \
	gateway/base/log_budget.c gateway/base/log_budget.h \
	gateway/base/loop.c gateway/base/loop.h \
	gateway/base/pace.c gateway/base/pace.h \
	gateway/base/remote_ip_rules.h \
	gateway/base/siphash.c gateway/base/siphash.h

if HAVE_CHECK
check_PROGRAMS += tests/unit/check_base
TESTS += tests/unit/check_base
tests_unit_check_base_SOURCES = tests/unit/check_base.c tests/unit/unit.h
tests_unit_check_base_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_base_LDADD = libbase.a $(CHECK_LIBS)
endif
