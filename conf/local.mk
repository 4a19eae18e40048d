# The configuration: language, directive table, merging, look-ups.
noinst_LIBRARIES += libconf.a
libconf_a_SOURCES = \
	conf/conf.h \
	conf/conf_addr.c conf/conf_addr.h \
	conf/conf_build.c conf/conf_build.h \
	conf/conf_check.c \
	conf/conf_diag.c conf/conf_diag.h \
	conf/conf_dir.c \
	conf/conf_directives.c conf/conf_fields.h \
	conf/conf_dump.c \
	conf/conf_edit.c conf/conf_edit.h \
	conf/conf_expr_build.c conf/conf_expr_names.c conf/conf_expr_parse.c conf/conf_expr_run.c conf/conf_expr_text.c conf/conf_expr_words.c \
	conf/conf_expr.h conf/conf_expr_priv.h \
	conf/conf_find.c \
	conf/conf_handler.c \
	conf/conf_include.c \
	conf/conf_keep.c conf/conf_keep.h \
	conf/conf_lex.c conf/conf_lex.h \
	conf/conf_load.c \
	conf/conf_logs.c \
	conf/conf_merge.c \
	conf/conf_meta.c \
	conf/conf_parse.c conf/conf_parse.h \
	conf/conf_regex.c conf/conf_regex.h \
	conf/conf_resolve.c \
	conf/conf_salvage.c \
	conf/conf_sections.c \
	conf/conf_set_access.c \
	conf/conf_serving.c conf/conf_serving.h \
	conf/conf_set_bounds.c \
	conf/conf_set_clients.c \
	conf/conf_set_remote_ip.c \
	conf/conf_set_dir.c \
	conf/conf_set_env.c \
	conf/conf_set_filter.c \
	conf/conf_set_header.c \
	conf/conf_set_listing.c \
	conf/conf_set_logs.c \
	conf/conf_set_mail.c \
	conf/conf_set_php.c \
	conf/conf_set_sandbox.c \
	conf/conf_set_server.c \
	conf/conf_set_serving.c \
	conf/conf_set_tls.c \
	conf/conf_tls.c \
	conf/conf_types.c conf/conf_types.h \
	conf/conf_users.c conf/conf_users.h \
	conf/conf_util.c conf/conf_util.h \
	conf/conf_value.c \
	conf/conf_vars.c conf/conf_vars.h
libconf_a_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS)

if HAVE_CHECK
check_PROGRAMS += tests/unit/check_conf
TESTS += tests/unit/check_conf
tests_unit_check_conf_SOURCES = tests/unit/check_conf.c tests/unit/check_conf_errors.c tests/unit/check_conf_hosts.c tests/unit/check_conf_keep.c \
	tests/unit/check_conf_merge.c tests/unit/check_conf_serving.c tests/unit/conf_fixture.c tests/unit/conf_fixture.h tests/unit/unit.h
tests_unit_check_conf_CPPFLAGS = $(AM_CPPFLAGS) -DCHECK_CONF_REFERENCE='"$(abs_top_srcdir)/docs/directives.md"'
tests_unit_check_conf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_conf_LDADD = libconf.a libbase.a $(PCRE2_LIBS) $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_conf_expr
TESTS += tests/unit/check_conf_expr
tests_unit_check_conf_expr_SOURCES = tests/unit/check_conf_expr.c tests/unit/unit.h
tests_unit_check_conf_expr_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_conf_expr_LDADD = libconf.a libbase.a $(PCRE2_LIBS) $(CHECK_LIBS)
endif

# Fuzz targets: replayed over their corpora by make check, fuzzed when configured with --enable-fuzz.
EXTRA_DIST += tests/fuzz/corpus/conf tests/fuzz/corpus/conf_expr tests/fuzz/corpus/conf_load tests/fuzz/corpus/conf_types
check_PROGRAMS += tests/fuzz/replay_conf tests/fuzz/replay_conf_expr tests/fuzz/replay_conf_load tests/fuzz/replay_conf_types
TESTS += tests/fuzz/replay_conf tests/fuzz/replay_conf_expr tests/fuzz/replay_conf_load tests/fuzz/replay_conf_types
tests_fuzz_replay_conf_SOURCES = tests/fuzz/fuzz_conf.c tests/fuzz/replay.c
tests_fuzz_replay_conf_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/conf"'
tests_fuzz_replay_conf_LDADD = libconf.a libbase.a $(PCRE2_LIBS)
tests_fuzz_replay_conf_expr_SOURCES = tests/fuzz/fuzz_conf_expr.c tests/fuzz/replay.c
tests_fuzz_replay_conf_expr_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/conf_expr"'
tests_fuzz_replay_conf_expr_LDADD = libconf.a libbase.a $(PCRE2_LIBS)
tests_fuzz_replay_conf_load_SOURCES = tests/fuzz/fuzz_conf_load.c tests/fuzz/replay.c
tests_fuzz_replay_conf_load_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/conf_load"'
tests_fuzz_replay_conf_load_LDADD = libconf.a libbase.a $(PCRE2_LIBS)
tests_fuzz_replay_conf_types_SOURCES = tests/fuzz/fuzz_conf_types.c tests/fuzz/replay.c
tests_fuzz_replay_conf_types_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/conf_types"'
tests_fuzz_replay_conf_types_LDADD = libconf.a libbase.a $(PCRE2_LIBS)

if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_conf tests/fuzz/fuzz_conf_expr tests/fuzz/fuzz_conf_load tests/fuzz/fuzz_conf_types
tests_fuzz_fuzz_conf_load_SOURCES = tests/fuzz/fuzz_conf_load.c $(libconf_a_SOURCES)
tests_fuzz_fuzz_conf_load_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_conf_load_LDADD = libbase.a $(PCRE2_LIBS)
tests_fuzz_fuzz_conf_expr_SOURCES = tests/fuzz/fuzz_conf_expr.c conf/conf_expr_names.c conf/conf_expr_parse.c conf/conf_expr_run.c \
	conf/conf_expr_text.c conf/conf_expr_words.c
tests_fuzz_fuzz_conf_expr_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_conf_expr_LDADD = libconf.a libbase.a $(PCRE2_LIBS)
tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c conf/conf_lex.c conf/conf_parse.c conf/conf_vars.c
tests_fuzz_fuzz_conf_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_conf_LDADD = libconf.a libbase.a $(PCRE2_LIBS)
tests_fuzz_fuzz_conf_types_SOURCES = tests/fuzz/fuzz_conf_types.c conf/conf_addr.c conf/conf_types.c conf/conf_vars.c conf/conf_util.c
tests_fuzz_fuzz_conf_types_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_conf_types_LDADD = libconf.a libbase.a $(PCRE2_LIBS)
endif
