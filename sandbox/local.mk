# Channels between the roles (every role links libipc), the locks (libsandbox), and one bulkhead-phpX.Y for each PHP.
noinst_LIBRARIES += libipc.a
libipc_a_SOURCES = \
	sandbox/ipc_chan.c sandbox/ipc_chan.h \
	sandbox/ipc_wire.c sandbox/ipc_wire.h \
	sandbox/rollback/rb_why.c sandbox/rollback/rollback.h \
	sandbox/sb_layer.c sandbox/sb_layer.h \
	sandbox/spec.c sandbox/spec.h

noinst_LIBRARIES += libsandbox.a
libsandbox_a_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS) $(CAP_CFLAGS)
libsandbox_a_SOURCES = \
	sandbox/rollback/rb_kernel.h sandbox/rollback/rb_maps.c sandbox/rollback/rb_maps.h sandbox/rollback/rb_priv.h \
	sandbox/rollback/rb_probe.c sandbox/rollback/rb_watch.h \
	sandbox/sb_cell_cgroup.c sandbox/sb_cell_cgroup.h \
	sandbox/sb_cred.c sandbox/sb_cred.h \
	sandbox/sb_call_text.c sandbox/sb_call_text.h \
	sandbox/sb_enter.c sandbox/sb_enter.h \
	sandbox/sb_filter.c sandbox/sb_filter.h \
	sandbox/sb_role_filter.c sandbox/sb_role_filter.h \
	sandbox/sb_landlock.c sandbox/sb_landlock.h \
	sandbox/sb_newmount.c sandbox/sb_newmount.h \
	sandbox/sb_ns.c sandbox/sb_ns.h \
	sandbox/sb_probe.c sandbox/sb_probe.h \
	sandbox/sb_proc.c sandbox/sb_proc.h \
	sandbox/sb_profile.c sandbox/sb_profile.h \
	sandbox/sb_harden.c sandbox/sb_harden.h \
	sandbox/sb_learn.c sandbox/sb_learn.h \
	sandbox/sb_never.c \
	sandbox/sb_parts.h \
	sandbox/sb_policy.c sandbox/sb_policy.h \
	sandbox/sb_profile_common.c \
	sandbox/sb_profile_legacy.c \
	sandbox/sb_profile_php.c \
	sandbox/sb_profile_refused.c \
	sandbox/sb_root.c sandbox/sb_root.h \
	sandbox/sb_sigsys.c sandbox/sb_sigsys.h \
	sandbox/sb_site_rules.c sandbox/sb_site_rules.h \
	sandbox/sb_view.c sandbox/sb_view.h

# The mail process, and what cells share with it.
noinst_LIBRARIES += libmail.a
libmail_a_CFLAGS = $(AM_CFLAGS) $(SECCOMP_CFLAGS)
libmail_a_SOURCES = \
	sandbox/mail/mail_addr.c sandbox/mail/mail_addr.h \
	sandbox/mail/mail_compose.c sandbox/mail/mail_compose.h \
	sandbox/mail/mail_lock.c sandbox/mail/mail_lock.h \
	sandbox/mail/mail_rate.c sandbox/mail/mail_rate.h \
	sandbox/mail/mail_role.c sandbox/mail/mail_role.h \
	sandbox/mail/mail_session.c sandbox/mail/mail_site.h \
	sandbox/mail/mail_wire.c sandbox/mail/mail_wire.h \
	sandbox/mail/smtp_dialog.c sandbox/mail/smtp_dialog.h \
	sandbox/mail/smtp_reply.c sandbox/mail/smtp_reply.h \
	sandbox/mail/smtp_text.c sandbox/mail/smtp_text.h

# What `bulkhead --selftest` tries. The extension that does it is built with the programs that link PHP.
noinst_LIBRARIES += libattack.a
libattack_a_SOURCES = \
	sandbox/attack/attack.h \
	sandbox/attack/calls.c \
	sandbox/attack/controls.c \
	sandbox/attack/files.c \
	sandbox/attack/library.c \
	sandbox/attack/memory.c \
	sandbox/attack/network.c \
	sandbox/attack/processes.c \
	sandbox/attack/requests.c \
	sandbox/attack/table.c \
	sandbox/attack/walls.c

# The programs that link PHP; see sandbox/php.mk. As scripts, because their names come from configure.
EXTRA_SCRIPTS =
pkglibexec_SCRIPTS = $(PHP_PROGRAMS)
CLEANFILES += $(PHP_PROGRAMS)
DISTCLEANFILES = php-targets.mk
EXTRA_DIST += sandbox/php.mk sandbox/attack/ext.c $(php_own_sources) $(php_headers)
clean-local: clean-php
@am__include@ $(top_srcdir)/sandbox/php.mk

# Fuzz targets: replayed over their corpora by `make check`, run by libFuzzer with --enable-fuzz.
check_PROGRAMS += tests/fuzz/replay_spec tests/fuzz/replay_ipc
TESTS += tests/fuzz/replay_spec tests/fuzz/replay_ipc
tests_fuzz_replay_spec_SOURCES = tests/fuzz/fuzz_spec.c tests/fuzz/replay.c
tests_fuzz_replay_spec_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/spec"'
tests_fuzz_replay_spec_LDADD = libipc.a libbase.a
tests_fuzz_replay_ipc_SOURCES = tests/fuzz/fuzz_ipc.c tests/fuzz/replay.c
tests_fuzz_replay_ipc_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/ipc"'
tests_fuzz_replay_ipc_LDADD = libipc.a libbase.a
check_PROGRAMS += tests/fuzz/replay_seen
TESTS += tests/fuzz/replay_seen
tests_fuzz_replay_seen_SOURCES = tests/fuzz/fuzz_seen.c tests/fuzz/replay.c sandbox/php/opcache_seen.c sandbox/php/pattern_list.c sandbox/php/text_list.c
tests_fuzz_replay_seen_LDADD = libbase.a
tests_fuzz_replay_seen_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/seen"'
EXTRA_DIST += tests/fuzz/corpus/spec tests/fuzz/corpus/ipc tests/fuzz/corpus/seen
check_PROGRAMS += tests/fuzz/replay_script_times
TESTS += tests/fuzz/replay_script_times
tests_fuzz_replay_script_times_SOURCES = tests/fuzz/fuzz_script_times.c tests/fuzz/replay.c sandbox/php/script_times.c
tests_fuzz_replay_script_times_LDADD = libbase.a
tests_fuzz_replay_script_times_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/script_times"'
EXTRA_DIST += tests/fuzz/corpus/script_times
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_spec tests/fuzz/fuzz_ipc
tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz_spec.c sandbox/sb_layer.c sandbox/spec.c
tests_fuzz_fuzz_spec_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_spec_LDADD = libbase.a
tests_fuzz_fuzz_ipc_SOURCES = tests/fuzz/fuzz_ipc.c sandbox/ipc_wire.c
tests_fuzz_fuzz_ipc_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_ipc_LDADD = libbase.a
noinst_PROGRAMS += tests/fuzz/fuzz_script_times
tests_fuzz_fuzz_script_times_SOURCES = tests/fuzz/fuzz_script_times.c sandbox/php/script_times.c
tests_fuzz_fuzz_script_times_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
noinst_PROGRAMS += tests/fuzz/fuzz_seen
tests_fuzz_fuzz_seen_SOURCES = tests/fuzz/fuzz_seen.c sandbox/php/opcache_seen.c sandbox/php/pattern_list.c sandbox/php/text_list.c
tests_fuzz_fuzz_seen_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
endif

check_PROGRAMS += tests/fuzz/replay_smtp_reply tests/fuzz/replay_mail_wire tests/fuzz/replay_mail_compose
TESTS += tests/fuzz/replay_smtp_reply tests/fuzz/replay_mail_wire tests/fuzz/replay_mail_compose
EXTRA_DIST += tests/fuzz/corpus/smtp_reply tests/fuzz/corpus/mail_wire tests/fuzz/corpus/mail_compose
tests_fuzz_replay_smtp_reply_SOURCES = tests/fuzz/fuzz_smtp_reply.c tests/fuzz/replay.c
tests_fuzz_replay_smtp_reply_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/smtp_reply"'
tests_fuzz_replay_smtp_reply_LDADD = libmail.a libbase.a
tests_fuzz_replay_mail_wire_SOURCES = tests/fuzz/fuzz_mail_wire.c tests/fuzz/replay.c
tests_fuzz_replay_mail_wire_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/mail_wire"'
tests_fuzz_replay_mail_wire_LDADD = libmail.a libbase.a
tests_fuzz_replay_mail_compose_SOURCES = tests/fuzz/fuzz_mail_compose.c tests/fuzz/replay.c
tests_fuzz_replay_mail_compose_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/mail_compose"'
tests_fuzz_replay_mail_compose_LDADD = libmail.a libbase.a
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_smtp_reply tests/fuzz/fuzz_mail_wire tests/fuzz/fuzz_mail_compose
tests_fuzz_fuzz_smtp_reply_SOURCES = tests/fuzz/fuzz_smtp_reply.c sandbox/mail/smtp_reply.c sandbox/mail/smtp_dialog.c
tests_fuzz_fuzz_smtp_reply_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_smtp_reply_LDADD = libbase.a
tests_fuzz_fuzz_mail_wire_SOURCES = tests/fuzz/fuzz_mail_wire.c sandbox/mail/mail_wire.c sandbox/mail/mail_addr.c
tests_fuzz_fuzz_mail_wire_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_mail_wire_LDADD = libbase.a
tests_fuzz_fuzz_mail_compose_SOURCES = tests/fuzz/fuzz_mail_compose.c sandbox/mail/mail_compose.c sandbox/mail/mail_addr.c sandbox/mail/smtp_text.c
tests_fuzz_fuzz_mail_compose_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_mail_compose_LDADD = libbase.a
endif
if HAVE_CHECK
check_PROGRAMS += tests/unit/check_mail
TESTS += tests/unit/check_mail
tests_unit_check_mail_SOURCES = tests/unit/check_mail.c tests/unit/unit.h
tests_unit_check_mail_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_mail_LDADD = libmail.a libconf.a libsandbox.a libbase.a $(SECCOMP_LIBS) $(CAP_LIBS) $(CHECK_LIBS)
endif

# What the profiles let through and what not, tried under the loaded filter. Never sanitised, so compiled from the sources.
check_PROGRAMS += tests/probe/try_syscall
TESTS += tests/probe/try_syscall
tests_probe_try_syscall_CFLAGS = $(BH_CFLAGS) $(BH_HARDEN_CFLAGS) $(SECCOMP_CFLAGS)
tests_probe_try_syscall_LDFLAGS = $(BH_HARDEN_LDFLAGS)
tests_probe_try_syscall_LDADD = $(SECCOMP_LIBS)
tests_probe_try_syscall_SOURCES = \
	tests/probe/try_syscall.c tests/probe/cases.c tests/probe/cases.h \
	gateway/base/io.c sandbox/sb_filter.c sandbox/sb_never.c sandbox/sb_policy.c sandbox/sb_profile.c \
	sandbox/sb_profile_common.c sandbox/sb_profile_legacy.c sandbox/sb_profile_php.c sandbox/sb_profile_refused.c \
	sandbox/sb_sigsys.c

if HAVE_CHECK
check_PROGRAMS += tests/unit/check_opcache_seen
TESTS += tests/unit/check_opcache_seen
tests_unit_check_opcache_seen_SOURCES = tests/unit/check_opcache_seen.c tests/unit/unit.h sandbox/php/opcache_seen.c
tests_unit_check_opcache_seen_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_opcache_seen_LDADD = $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_script_times
TESTS += tests/unit/check_script_times
tests_unit_check_script_times_SOURCES = tests/unit/check_script_times.c tests/unit/unit.h sandbox/php/script_times.c
tests_unit_check_script_times_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_script_times_LDADD = $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_pattern_list
TESTS += tests/unit/check_pattern_list
tests_unit_check_pattern_list_SOURCES = tests/unit/check_pattern_list.c tests/unit/unit.h sandbox/php/pattern_list.c sandbox/php/text_list.c
tests_unit_check_pattern_list_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_pattern_list_LDADD = $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_hot_runs
TESTS += tests/unit/check_hot_runs
tests_unit_check_hot_runs_SOURCES = tests/unit/check_hot_runs.c tests/unit/unit.h sandbox/php/hot_runs.c
tests_unit_check_hot_runs_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_hot_runs_LDADD = $(CHECK_LIBS)

check_PROGRAMS += tests/unit/check_rb_maps
TESTS += tests/unit/check_rb_maps
tests_unit_check_rb_maps_SOURCES = tests/unit/check_rb_maps.c tests/unit/unit.h sandbox/rollback/rb_maps.c
tests_unit_check_rb_maps_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_rb_maps_LDADD = $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_sandbox
TESTS += tests/unit/check_sandbox
tests_unit_check_sandbox_SOURCES = tests/unit/check_sandbox.c tests/unit/unit.h
tests_unit_check_sandbox_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SECCOMP_CFLAGS) $(CAP_CFLAGS)
tests_unit_check_sandbox_LDADD = libsandbox.a libipc.a libbase.a $(SECCOMP_LIBS) $(CAP_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_harden
TESTS += tests/unit/check_harden
tests_unit_check_harden_SOURCES = tests/unit/check_harden.c tests/unit/unit.h
tests_unit_check_harden_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_harden_LDADD = libsandbox.a libbase.a $(SECCOMP_LIBS) $(CHECK_LIBS)
check_PROGRAMS += tests/unit/check_filter
TESTS += tests/unit/check_filter
tests_unit_check_filter_SOURCES = tests/unit/check_filter.c tests/unit/unit.h
tests_unit_check_filter_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SECCOMP_CFLAGS)
tests_unit_check_filter_LDADD = libsandbox.a libbase.a $(SECCOMP_LIBS) $(CHECK_LIBS)
endif

# Rollback without PHP. A sanitizer's run-time has memory of its own in the process: never sanitised.
if HAVE_CHECK
rollback_sources = \
	tests/unit/unit.h tests/unit/load_watch.h \
	gateway/base/io.c sandbox/php/image.c sandbox/rollback/rb_maps.c sandbox/rollback/rb_memory.c sandbox/rollback/rb_own.c sandbox/rollback/rb_probe.c \
	sandbox/rollback/rb_space.c sandbox/rollback/rb_state.c sandbox/rollback/rb_usual.c sandbox/rollback/rb_watch.c sandbox/rollback/rb_why.c sandbox/rollback/rollback.c \
	sandbox/sb_proc.c sandbox/sb_sigsys.c
check_PROGRAMS += tests/unit/check_rollback
TESTS += tests/unit/check_rollback
tests_unit_check_rollback_CFLAGS = $(BH_CFLAGS) $(BH_HARDEN_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_rollback_LDFLAGS = $(BH_HARDEN_LDFLAGS)
tests_unit_check_rollback_LDADD = $(CHECK_LIBS)
tests_unit_check_rollback_SOURCES = $(rollback_sources) tests/unit/check_rollback.c

check_PROGRAMS += tests/unit/check_opcache_heads
TESTS += tests/unit/check_opcache_heads
tests_unit_check_opcache_heads_CFLAGS = $(BH_CFLAGS) $(BH_HARDEN_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_opcache_heads_LDFLAGS = $(BH_HARDEN_LDFLAGS)
tests_unit_check_opcache_heads_LDADD = $(CHECK_LIBS)
tests_unit_check_opcache_heads_SOURCES = tests/unit/check_opcache_heads.c tests/unit/unit.h sandbox/php/opcache_heads.c

check_PROGRAMS += tests/unit/check_rb_space
TESTS += tests/unit/check_rb_space
tests_unit_check_rb_space_CFLAGS = $(BH_CFLAGS) $(BH_HARDEN_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_rb_space_LDFLAGS = $(BH_HARDEN_LDFLAGS)
tests_unit_check_rb_space_LDADD = $(CHECK_LIBS)
tests_unit_check_rb_space_SOURCES = tests/unit/check_rb_space.c tests/unit/unit.h sandbox/rollback/rb_maps.c sandbox/rollback/rb_space.c

check_PROGRAMS += tests/unit/check_rb_watch
TESTS += tests/unit/check_rb_watch
tests_unit_check_rb_watch_CFLAGS = $(BH_CFLAGS) $(BH_HARDEN_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_rb_watch_LDFLAGS = $(BH_HARDEN_LDFLAGS)
tests_unit_check_rb_watch_LDADD = $(CHECK_LIBS)
tests_unit_check_rb_watch_SOURCES = $(rollback_sources) tests/unit/check_rb_watch.c
endif
