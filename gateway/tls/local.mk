# TLS: certificates, tickets, sessions. Nothing here knows HTTP, a loop or a connection's states.
noinst_LIBRARIES += libtls_own.a
libtls_own_a_SOURCES = \
	gateway/tls/secret.c gateway/tls/secret.h \
	gateway/tls/sni.c gateway/tls/sni.h \
	gateway/tls/ticket_ring.c gateway/tls/ticket_ring.h \
	gateway/tls/tls_ctx.c gateway/tls/tls_ctx.h \
	gateway/tls/tls_front.c gateway/tls/tls_front.h \
	gateway/tls/tls_session.c gateway/tls/tls_session.h \
	gateway/tls/tls_store.c gateway/tls/tls_store.h \
	gateway/tls/tls_vars.c gateway/tls/tls_vars.h \
	gateway/tls/tls_verdict.c gateway/tls/tls_verdict.h
libtls_own_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)

if HAVE_CHECK
check_PROGRAMS += tests/unit/check_tls
TESTS += tests/unit/check_tls
tests_unit_check_tls_SOURCES = tests/unit/check_tls.c tests/unit/conf_fixture.c tests/unit/conf_fixture.h tests/unit/unit.h
tests_unit_check_tls_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_tls_LDADD = libtls_own.a libconf.a libsandbox.a libbase.a $(OPENSSL_LIBS) $(SECCOMP_LIBS) $(CAP_LIBS) $(PCRE2_LIBS) $(CHECK_LIBS)
endif

# Fuzz target: replayed over its corpus by make check, fuzzed when configured with --enable-fuzz.
EXTRA_DIST += tests/fuzz/corpus/sni tests/fuzz/dict/sni.dict
check_PROGRAMS += tests/fuzz/replay_sni
TESTS += tests/fuzz/replay_sni
tests_fuzz_replay_sni_SOURCES = tests/fuzz/fuzz_sni.c tests/fuzz/replay.c
tests_fuzz_replay_sni_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/sni"'
tests_fuzz_replay_sni_LDADD = libtls_own.a libbase.a
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_sni
tests_fuzz_fuzz_sni_SOURCES = tests/fuzz/fuzz_sni.c gateway/tls/sni.c
tests_fuzz_fuzz_sni_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_sni_LDADD = libbase.a
endif
