# Channels between the roles (every role links libipc), the locks (libsandbox), and one bulkhead-phpX.Y for each PHP.
noinst_LIBRARIES += libipc.a
libipc_a_SOURCES = \
	sandbox/ipc_chan.c sandbox/ipc_chan.h \
	sandbox/ipc_wire.c sandbox/ipc_wire.h \
	sandbox/spec.c sandbox/spec.h

# Fuzz targets: replayed over their corpora by `make check`, run by libFuzzer with --enable-fuzz.
check_PROGRAMS += tests/fuzz/replay_spec tests/fuzz/replay_ipc
TESTS += tests/fuzz/replay_spec tests/fuzz/replay_ipc
tests_fuzz_replay_spec_SOURCES = tests/fuzz/fuzz_spec.c tests/fuzz/replay.c
tests_fuzz_replay_spec_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/spec"'
tests_fuzz_replay_spec_LDADD = libipc.a libbase.a
tests_fuzz_replay_ipc_SOURCES = tests/fuzz/fuzz_ipc.c tests/fuzz/replay.c
tests_fuzz_replay_ipc_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/ipc"'
tests_fuzz_replay_ipc_LDADD = libipc.a libbase.a
EXTRA_DIST += tests/fuzz/corpus/spec tests/fuzz/corpus/ipc
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_spec tests/fuzz/fuzz_ipc
tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c sandbox/spec.c
tests_fuzz_fuzz_spec_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_spec_LDADD = libbase.a
tests_fuzz_fuzz_ipc_SOURCES = tests/fuzz/fuzz_ipc.c sandbox/ipc_wire.c
tests_fuzz_fuzz_ipc_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ipc_LDADD = libbase.a
endif
