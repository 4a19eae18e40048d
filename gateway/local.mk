# The server: master and front.
noinst_LIBRARIES += libgateway.a
libgateway_a_SOURCES = \
	gateway/front.c gateway/front.h \
	gateway/front_lock.c gateway/front_lock.h \
	gateway/front_paths.c gateway/front_paths.h \
	gateway/front_sched.c gateway/front_sched.h \
	gateway/answer/answer_edit.c gateway/answer/answer_edit.h \
	gateway/answer/cgi_env.c gateway/answer/cgi_env.h \
	gateway/answer/expires.c gateway/answer/expires.h \
	gateway/answer/file_cache.c gateway/answer/file_cache.h \
	gateway/answer/header_rules.c gateway/answer/header_rules.h \
	gateway/answer/request.c gateway/answer/request.h \
	gateway/answer/request_edit.c gateway/answer/request_edit.h \
	gateway/answer/request_env.c gateway/answer/request_env.h \
	gateway/answer/expr_fields.h \
	gateway/answer/request_expr.c gateway/answer/request_expr.h \
	gateway/answer/request_log.c \
	gateway/answer/respond.c gateway/answer/respond.h \
	gateway/answer/respond_coded.c gateway/answer/respond_coded.h \
	gateway/answer/route.c gateway/answer/route.h \
	gateway/answer/serve.h \
	gateway/answer/serve_listing.c \
	gateway/answer/serve_php.c \
	gateway/answer/serve_sendfile.c \
	gateway/answer/serve_static.c \
	gateway/answer/served_file.c gateway/answer/served_file.h \
	gateway/cli/build_info.c gateway/cli/build_info.h \
	gateway/cli/cmdline.c gateway/cli/cmdline.h \
	gateway/cli/learned.c gateway/cli/learned.h \
	gateway/cli/running.c gateway/cli/running.h \
	gateway/cli/selftest.c gateway/cli/selftest.h \
	gateway/cli/selftest_judge.c gateway/cli/selftest_judge.h \
	gateway/cli/selftest_server.c gateway/cli/selftest_server.h \
	gateway/client/clients.c gateway/client/clients.h \
	gateway/client/conn.c gateway/client/conn.h \
	gateway/client/conn_client.c gateway/client/conn_client.h \
	gateway/client/conn_proxied.c gateway/client/conn_proxied.h \
	gateway/client/conn_tls.c gateway/client/conn_tls.h \
	gateway/client/http1.c gateway/client/http1.h \
	gateway/client/http1_io.c \
	gateway/client/http1_request.h \
	gateway/client/http2.c gateway/client/http2.h \
	gateway/client/http2_conn.h \
	gateway/client/http2_io.c \
	gateway/client/http2_mem.c gateway/client/http2_mem.h \
	gateway/client/http2_time.c \
	gateway/client/outq.c gateway/client/outq.h \
	gateway/client/req_body.c gateway/client/req_body.h \
	gateway/client/spool.c gateway/client/spool.h \
	gateway/client/transport.c gateway/client/transport.h \
	gateway/log/access_log.c gateway/log/access_log.h \
	gateway/log/log_files.c gateway/log/log_files.h \
	gateway/log/log_hub.c gateway/log/log_hub.h \
	gateway/log/log_pipe.c gateway/log/log_pipe.h \
	gateway/log/log_writer.c gateway/log/log_writer.h \
	gateway/log/log_writer_lock.c gateway/log/log_writer_lock.h \
	gateway/master/client_mem.c gateway/master/client_mem.h \
	gateway/master/cgroup_tree.c gateway/master/cgroup_tree.h \
	gateway/master/control.c gateway/master/control.h \
	gateway/master/generation.c gateway/master/generation.h \
	gateway/master/launch.c gateway/master/launch.h \
	gateway/master/launch_view.c gateway/master/launch_view.h \
	gateway/master/listen.c gateway/master/listen.h \
	gateway/master/mail_proc.c gateway/master/mail_proc.h \
	gateway/master/master.c gateway/master/master.h \
	gateway/master/master_lock.c gateway/master/master_lock.h \
	gateway/master/master_priv.h \
	gateway/master/master_said.c \
	gateway/master/master_upgrade.c \
	gateway/master/notify.c gateway/master/notify.h \
	gateway/master/pid_file.c gateway/master/pid_file.h \
	gateway/master/site_cgroup.c gateway/master/site_cgroup.h \
	gateway/master/site_cgroup_priv.h \
	gateway/master/site_cgroup_watch.c \
	gateway/master/spare.c gateway/master/spare.h \
	gateway/master/spawn.c gateway/master/spawn.h \
	gateway/master/takeover.c gateway/master/takeover.h \
	gateway/master/ticket_keys.c gateway/master/ticket_keys.h
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
check_PROGRAMS += tests/unit/check_master_procs
TESTS += tests/unit/check_master_procs
tests_unit_check_master_procs_SOURCES = tests/unit/check_master_procs.c tests/unit/unit.h
tests_unit_check_master_procs_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_master_procs_LDADD = libgateway.a libhttp.a libmail.a libconf.a libsandbox.a libipc.a libbase.a $(SECCOMP_LIBS) $(CAP_LIBS) $(PCRE2_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_learned
TESTS += tests/unit/check_learned
tests_unit_check_learned_SOURCES = tests/unit/check_learned.c tests/unit/unit.h
tests_unit_check_learned_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_learned_LDADD = libgateway.a libsandbox.a libbase.a $(SECCOMP_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_front_sched
TESTS += tests/unit/check_front_sched
tests_unit_check_front_sched_SOURCES = tests/unit/check_front_sched.c tests/unit/unit.h
tests_unit_check_front_sched_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_front_sched_LDADD = libgateway.a libbase.a $(CHECK_LIBS)
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
tests_fuzz_fuzz_cgi_env_SOURCES = tests/fuzz/fuzz_cgi_env.c gateway/answer/cgi_env.c gateway/http/req_fields.c \
	gateway/http/http1_parse.c gateway/http/http1_fields.c gateway/http/http_chars.c
tests_fuzz_fuzz_cgi_env_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_cgi_env_LDADD = libbase.a
endif
