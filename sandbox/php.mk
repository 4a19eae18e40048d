# SPDX-License-Identifier: Apache-2.0
# One bulkhead-phpX.Y for each PHP that configure found (php-targets.mk). Read by make, not by automake: the list of
# programs is configure's. Compiled from the sources and never sanitised: PHP loads its extensions with RTLD_DEEPBIND,
# which sanitizers cannot do with.
include php-targets.mk

# In a library of automake's as well.
php_shared_sources = \
	gateway/base/arena.c gateway/base/buf.c gateway/base/err.c gateway/base/io.c gateway/base/log.c gateway/base/log_format.c gateway/base/log_frame.c \
	sandbox/ipc_chan.c sandbox/ipc_wire.c sandbox/sb_call_text.c sandbox/sb_cell_cgroup.c sandbox/sb_cred.c \
	sandbox/sb_enter.c sandbox/sb_filter.c sandbox/sb_harden.c sandbox/sb_landlock.c sandbox/sb_layer.c \
	sandbox/sb_learn.c sandbox/sb_never.c sandbox/sb_newmount.c sandbox/sb_ns.c sandbox/sb_policy.c \
	sandbox/sb_proc.c sandbox/sb_profile.c sandbox/sb_profile_common.c sandbox/sb_profile_legacy.c \
	sandbox/sb_profile_php.c sandbox/sb_profile_refused.c sandbox/sb_root.c sandbox/sb_sigsys.c \
	sandbox/sb_site_rules.c sandbox/sb_view.c sandbox/spec.c \
	sandbox/mail/mail_addr.c sandbox/mail/mail_compose.c sandbox/mail/mail_wire.c \
	sandbox/rollback/rb_maps.c sandbox/rollback/rb_why.c

# Nowhere else: this list is also what `make dist` packs.
php_own_sources = \
	sandbox/php/cell.c sandbox/php/chunk_pool.c sandbox/php/cold_objects.c sandbox/php/hot_pages.c sandbox/php/hot_reports.c \
	sandbox/php/hot_runs.c sandbox/php/hot_text.c sandbox/php/kept_signals.c \
	sandbox/php/image.c sandbox/php/jit_code.c sandbox/php/kept_fds.c sandbox/php/learn.c sandbox/php/map_ptr.c sandbox/php/main.c sandbox/php/opcache.c \
	sandbox/php/opcache_compile.c sandbox/php/opcache_heads.c sandbox/php/opcache_link.c sandbox/php/opcache_memory.c \
	sandbox/php/opcache_report.c sandbox/php/opcache_seen.c sandbox/php/opcache_times.c sandbox/php/pattern_list.c sandbox/php/text_list.c sandbox/php/rehearsal.c sandbox/php/sapi.c \
	sandbox/php/sapi_functions.c sandbox/php/sapi_mail.c sandbox/php/sapi_output.c sandbox/php/sapi_request.c sandbox/php/sapi_start.c \
	sandbox/php/script_times.c sandbox/php/script_tree.c sandbox/php/stray.c sandbox/php/text_merge.c sandbox/php/trial.c sandbox/php/user_ini.c \
	sandbox/php/warm.c sandbox/php/warm_paths.c sandbox/php/warm_patterns.c sandbox/php/zygote.c \
	sandbox/rollback/rb_memory.c sandbox/rollback/rb_own.c sandbox/rollback/rb_space.c sandbox/rollback/rb_state.c sandbox/rollback/rb_usual.c sandbox/rollback/rb_watch.c \
	sandbox/rollback/rollback.c

php_headers = \
	sandbox/php/cell.h sandbox/php/chunk_pool.h sandbox/php/cold_objects.h sandbox/php/hot_pages.h sandbox/php/hot_reports.h \
	sandbox/php/hot_runs.h sandbox/php/hot_text.h sandbox/php/kept_signals.h \
	sandbox/php/image.h sandbox/php/jit_code.h sandbox/php/kept_fds.h sandbox/php/learn.h sandbox/php/map_ptr.h sandbox/php/opcache.h \
	sandbox/php/opcache_compile.h sandbox/php/opcache_heads.h sandbox/php/opcache_link.h sandbox/php/opcache_memory.h \
	sandbox/php/opcache_report.h sandbox/php/opcache_seen.h sandbox/php/opcache_times.h sandbox/php/pattern_list.h sandbox/php/rehearsal.h sandbox/php/sapi.h \
	sandbox/php/sapi_mail.h sandbox/php/sapi_output.h sandbox/php/script_times.h sandbox/php/script_tree.h sandbox/php/stray.h sandbox/php/text_list.h sandbox/php/text_merge.h sandbox/php/user_ini.h \
	sandbox/php/trial.h sandbox/php/warm.h sandbox/php/warm_paths.h sandbox/php/warm_patterns.h sandbox/php/zygote.h

php_sources = $(php_shared_sources) $(php_own_sources)
php_cflags = $(BH_CFLAGS) $(BH_HARDEN_CFLAGS) $(FCGI_CFLAGS) $(SECCOMP_CFLAGS) $(CAP_CFLAGS)
php_libs = $(FCGI_LIBS) $(SECCOMP_LIBS) $(CAP_LIBS)

define php_program
php_objects_$(1) := $$(patsubst %.c,php-$(1)/%.o,$$(php_sources))

php-$(1)/%.o: $$(top_srcdir)/%.c config.h php-targets.mk
	@$$(MKDIR_P) $$(@D)
	$$(AM_V_CC)$$(CC) $$(DEFS) $$(AM_CPPFLAGS) $$(PHP_CPPFLAGS_$(1)) -DBH_PHP_VERSION='"$(1)"' \
		-DBH_PHP_INI_DIRS='"$$(PHP_INI_$(1))"' $$(CPPFLAGS) $$(php_cflags) $$(CFLAGS) -MMD -MP -c -o $$@ $$<

bulkhead-php$(1): $$(php_objects_$(1))
	$$(AM_V_CCLD)$$(CC) $$(php_cflags) $$(CFLAGS) $$(BH_HARDEN_LDFLAGS) $$(LDFLAGS) -o $$@ $$(php_objects_$(1)) \
		$$(PHP_LIBS_$(1)) $$(php_libs) $$(LIBS)

# Native code for --selftest; PHP's symbols are those of the program that loads it.
bulkhead-selftest$(1).so: $$(top_srcdir)/sandbox/attack/ext.c config.h php-targets.mk
	$$(AM_V_CCLD)$$(CC) $$(DEFS) $$(AM_CPPFLAGS) $$(PHP_CPPFLAGS_$(1)) $$(CPPFLAGS) $$(php_cflags) $$(CFLAGS) \
		-fPIC -shared $$(LDFLAGS) -o $$@ $$<

-include $$(php_objects_$(1):.o=.d)
endef

$(foreach v,$(PHP_VERSIONS),$(eval $(call php_program,$(v))))

.PHONY: clean-php
clean-php:
	rm -rf $(foreach v,$(PHP_VERSIONS),php-$(v))
