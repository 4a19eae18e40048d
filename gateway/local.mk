# The server: master and front.
noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	gateway/access_log.c gateway/access_log.h \
	gateway/answer_edit.c gateway/answer_edit.h \
	gateway/cgi_env.c gateway/cgi_env.h \
	gateway/clients.c gateway/clients.h \
	gateway/conn.c gateway/conn.h \
	gateway/conn_client.c gateway/conn_client.h \
	gateway/conn_proxied.c gateway/conn_proxied.h \
	gateway/conn_tls.c gateway/conn_tls.h \
	gateway/ticket_keys.c gateway/ticket_keys.h \
	gateway/http1.c gateway/http1.h gateway/http1_io.c gateway/http1_request.h \
	gateway/file_cache.c gateway/file_cache.h \
	gateway/http2.c gateway/http2.h gateway/http2_conn.h gateway/http2_io.c \
	gateway/outq.c gateway/outq.h \
	gateway/req_body.c gateway/req_body.h \
	gateway/request.c gateway/request.h gateway/request_log.c \
	gateway/respond.c gateway/respond.h \
	gateway/respond_coded.c gateway/respond_coded.h \
	gateway/request_edit.c gateway/request_edit.h \
	gateway/request_env.c gateway/request_env.h \
	gateway/route.c gateway/route.h \
	gateway/spool.c gateway/spool.h \
	gateway/transport.c gateway/transport.h \
	gateway/served_file.c gateway/served_file.h \
	gateway/serve.h gateway/serve_listing.c gateway/serve_php.c gateway/serve_sendfile.c gateway/serve_static.c \
	gateway/expires.c gateway/expires.h \
	gateway/front.c gateway/front.h \
	gateway/front_lock.c gateway/front_lock.h \
	gateway/build_info.c gateway/build_info.h \
	gateway/cgroup_tree.c gateway/cgroup_tree.h \
	gateway/cmdline.c gateway/cmdline.h \
	gateway/control.c gateway/control.h \
	gateway/generation.c gateway/generation.h \
	gateway/front_paths.c gateway/front_paths.h \
	gateway/header_rules.c gateway/header_rules.h \
	gateway/learned.c gateway/learned.h \
	gateway/launch.c gateway/launch.h \
	gateway/launch_view.c gateway/launch_view.h \
	gateway/listen.c gateway/listen.h \
	gateway/log_files.c gateway/log_files.h \
	gateway/log_hub.c gateway/log_hub.h \
	gateway/log_pipe.c gateway/log_pipe.h \
	gateway/log_writer.c gateway/log_writer.h gateway/log_writer_lock.c gateway/log_writer_lock.h \
	gateway/master.c gateway/master.h \
	gateway/mail_proc.c gateway/mail_proc.h \
	gateway/master_lock.c gateway/master_lock.h \
	gateway/master_priv.h gateway/master_upgrade.c \
	gateway/notify.c gateway/notify.h \
	gateway/pid_file.c gateway/pid_file.h \
	gateway/site_cgroup.c gateway/site_cgroup.h gateway/site_cgroup_priv.h gateway/site_cgroup_watch.c \
	gateway/selftest.c gateway/selftest.h \
	gateway/selftest_judge.c gateway/selftest_judge.h \
	gateway/selftest_server.c gateway/selftest_server.h \
	gateway/spare.c gateway/spare.h \
	gateway/running.c gateway/running.h \
	gateway/spawn.c gateway/spawn.h \
	gateway/takeover.c gateway/takeover.h
libgateway_a_CPPFLAGS = $(AM_CPPFLAGS) $(OPENSSL_CFLAGS) $(NGHTTP2_CFLAGS) $(SECCOMP_CFLAGS) $(CAP_CFLAGS)

bin_PROGRAMS += bulkhead
bulkhead_SOURCES = gateway/main.c
bulkhead_LDADD = libgateway.a libtls_own.a libattack.a libhttp.a libpools.a libconf.a libmail.a libsandbox.a libipc.a libbase.a \
	$(OPENSSL_LIBS) $(NGHTTP2_LIBS) $(PCRE2_LIBS) $(SECCOMP_LIBS) $(CAP_LIBS) $(ZLIB_LIBS) $(BROTLI_LIBS)

if HAVE_CHECK
check_PROGRAMS += tests/unit/check_selftest
TESTS += tests/unit/check_selftest
tests_unit_check_selftest_SOURCES = tests/unit/check_selftest.c tests/unit/unit.h
tests_unit_check_selftest_CPPFLAGS = $(AM_CPPFLAGS) -DSOURCE_DIR='"$(abs_top_srcdir)"'
tests_unit_check_selftest_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_selftest_LDADD = libgateway.a libattack.a libbase.a $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_gateway
TESTS += tests/unit/check_gateway
tests_unit_check_gateway_SOURCES = tests/unit/check_gateway.c tests/unit/unit.h
tests_unit_check_gateway_CFLAGS = $(AM_CFLAGS) -Wno-write-strings $(CHECK_CFLAGS)
tests_unit_check_gateway_LDADD = libgateway.a libhttp.a libsandbox.a libbase.a $(SECCOMP_LIBS) $(CAP_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_spool
TESTS += tests/unit/check_spool
tests_unit_check_spool_SOURCES = tests/unit/check_spool.c tests/unit/unit.h
tests_unit_check_spool_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_spool_LDADD = libgateway.a libhttp.a libbase.a $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_file_cache
TESTS += tests/unit/check_file_cache
tests_unit_check_file_cache_SOURCES = tests/unit/check_file_cache.c tests/unit/unit.h
tests_unit_check_file_cache_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_file_cache_LDADD = libgateway.a libhttp.a libconf.a libbase.a $(PCRE2_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_front_lock
TESTS += tests/unit/check_front_lock
tests_unit_check_front_lock_SOURCES = tests/unit/check_front_lock.c tests/unit/unit.h
tests_unit_check_front_lock_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_front_lock_LDADD = libgateway.a libconf.a libsandbox.a libbase.a $(SECCOMP_LIBS) $(CAP_LIBS) $(PCRE2_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_learned
TESTS += tests/unit/check_learned
tests_unit_check_learned_SOURCES = tests/unit/check_learned.c tests/unit/unit.h
tests_unit_check_learned_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_learned_LDADD = libgateway.a libsandbox.a libbase.a $(SECCOMP_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_clients
TESTS += tests/unit/check_clients
tests_unit_check_clients_SOURCES = tests/unit/check_clients.c tests/unit/unit.h
tests_unit_check_clients_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_clients_LDADD = libgateway.a libbase.a $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_edit
TESTS += tests/unit/check_edit
tests_unit_check_edit_SOURCES = tests/unit/check_edit.c tests/unit/check_compress.c tests/unit/check_edit.h tests/unit/unit.h \
	tests/unit/conf_fixture.c tests/unit/conf_fixture.h
tests_unit_check_edit_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(ZLIB_CFLAGS)
tests_unit_check_edit_LDADD = libgateway.a libtls_own.a libhttp.a libconf.a libhttp.a libbase.a $(OPENSSL_LIBS) $(PCRE2_LIBS) $(ZLIB_LIBS) $(BROTLI_LIBS) $(CHECK_LIBS)
endif

# Fuzz targets: replayed over their corpora by `make check`, run by libFuzzer with --enable-fuzz.
check_PROGRAMS += tests/fuzz/replay_cgi_env
TESTS += tests/fuzz/replay_cgi_env
tests_fuzz_replay_cgi_env_SOURCES = tests/fuzz/fuzz_cgi_env.c tests/fuzz/replay.c
tests_fuzz_replay_cgi_env_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/cgi_env"'
tests_fuzz_replay_cgi_env_LDADD = libgateway.a libhttp.a libbase.a
EXTRA_DIST += tests/fuzz/corpus/cgi_env
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_cgi_env
tests_fuzz_fuzz_cgi_env_SOURCES = tests/fuzz/fuzz_cgi_env.c gateway/cgi_env.c gateway/http/req_fields.c \
	gateway/http/http1_parse.c gateway/http/http1_fields.c gateway/http/http_chars.c
tests_fuzz_fuzz_cgi_env_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_cgi_env_LDADD = libbase.a
endif
