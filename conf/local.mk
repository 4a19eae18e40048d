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
	conf/conf_find.c \
	conf/conf_handler.c \
	conf/conf_include.c \
	conf/conf_lex.c conf/conf_lex.h \
	conf/conf_load.c \
	conf/conf_merge.c \
	conf/conf_parse.c conf/conf_parse.h \
	conf/conf_regex.c conf/conf_regex.h \
	conf/conf_resolve.c \
	conf/conf_sections.c \
	conf/conf_set_access.c \
	conf/conf_set_dir.c \
	conf/conf_set_php.c \
	conf/conf_set_server.c \
	conf/conf_types.c conf/conf_types.h \
	conf/conf_users.c conf/conf_users.h \
	conf/conf_util.c conf/conf_util.h \
	conf/conf_value.c \
	conf/conf_vars.c conf/conf_vars.h
libconf_a_CFLAGS = $(AM_CFLAGS) $(PCRE2_CFLAGS)
