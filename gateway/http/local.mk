# HTTP decoders and static files. Nothing here knows a connection, a configuration or a loop.
noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
	gateway/http/accept_encoding.c gateway/http/accept_encoding.h \
	gateway/http/access_format.c gateway/http/access_format.h \
	gateway/http/access_items.c gateway/http/access_items.h \
	gateway/http/access_json.c gateway/http/access_json.h \
	gateway/http/cgi_header.c gateway/http/cgi_header.h \
	gateway/http/compress.c gateway/http/compress.h \
	gateway/http/conditional.c gateway/http/conditional.h \
	gateway/http/etag.c gateway/http/etag.h \
	gateway/http/field_lines.c gateway/http/field_lines.h \
	gateway/http/http1_chunked.c \
	gateway/http/http1_fields.c gateway/http/http1_internal.h \
	gateway/http/http1_parse.c gateway/http/http1_parse.h \
	gateway/http/http2_block.c gateway/http/http2_block.h \
	gateway/http/http2_frames.c gateway/http/http2_frames.h \
	gateway/http/http2_judge.c gateway/http/http2_judge.h \
	gateway/http/http2_limits.c gateway/http/http2_limits.h \
	gateway/http/http2_numbers.c gateway/http/http2_numbers.h \
	gateway/http/http2_session.c gateway/http/http2_session.h \
	gateway/http/http_chars.c gateway/http/http_chars.h \
	gateway/http/http_date.c gateway/http/http_date.h \
	gateway/http/listing_page.c gateway/http/listing_page.h \
	gateway/http/multirange.c gateway/http/multirange.h \
	gateway/http/proxy_protocol.c gateway/http/proxy_protocol.h \
	gateway/http/remote_ip.c gateway/http/remote_ip.h \
	gateway/http/req_fields.c gateway/http/req_fields.h \
	gateway/http/request_lines.c gateway/http/request_lines.h \
	gateway/http/status_text.c gateway/http/status_text.h \
	gateway/http/uri.c gateway/http/uri.h
libhttp_a_SOURCES += \
	gateway/static/file_open.c gateway/static/file_open.h \
	gateway/static/file_walk.c gateway/static/file_walk.h \
	gateway/static/root_cache.c gateway/static/root_cache.h \
	gateway/static/script_find.c gateway/static/script_find.h
libhttp_a_CPPFLAGS = $(AM_CPPFLAGS) $(ZLIB_CFLAGS) $(BROTLI_CFLAGS)

if HAVE_CHECK
check_PROGRAMS += tests/unit/check_http tests/unit/check_static
TESTS += tests/unit/check_http tests/unit/check_static
tests_unit_check_http_SOURCES = tests/unit/check_http.c tests/unit/check_http.h tests/unit/unit.h \
	tests/unit/check_accept_encoding.c tests/unit/check_http_chunked.c tests/unit/check_listing_page.c \
	tests/unit/check_http_values.c tests/unit/check_http_scripts.c tests/unit/check_access_format.c tests/unit/check_proxies.c
tests_unit_check_http_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_http_LDADD = libhttp.a libbase.a $(CHECK_LIBS)
tests_unit_check_static_SOURCES = tests/unit/check_static.c tests/unit/check_static.h tests/unit/unit.h \
	tests/unit/check_script_find.c tests/unit/check_static_tree.c
tests_unit_check_static_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(SECCOMP_CFLAGS)
tests_unit_check_static_LDADD = libhttp.a libbase.a $(CHECK_LIBS) $(SECCOMP_LIBS)
endif

# Fuzz targets: replayed over their corpora by `make check`, run by libFuzzer with --enable-fuzz.
check_PROGRAMS += tests/fuzz/replay_http1 tests/fuzz/replay_chunked tests/fuzz/replay_cgi_header tests/fuzz/replay_uri tests/fuzz/replay_range tests/fuzz/replay_access_format
check_PROGRAMS += tests/fuzz/replay_proxy_protocol tests/fuzz/replay_remote_ip
TESTS += tests/fuzz/replay_proxy_protocol tests/fuzz/replay_remote_ip
TESTS += tests/fuzz/replay_http1 tests/fuzz/replay_chunked tests/fuzz/replay_cgi_header tests/fuzz/replay_uri tests/fuzz/replay_range tests/fuzz/replay_access_format
tests_fuzz_replay_http1_SOURCES = tests/fuzz/fuzz_http1.c tests/fuzz/replay.c
tests_fuzz_replay_http1_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/http1"'
tests_fuzz_replay_http1_LDADD = libhttp.a libbase.a
tests_fuzz_replay_chunked_SOURCES = tests/fuzz/fuzz_chunked.c tests/fuzz/replay.c
tests_fuzz_replay_chunked_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/chunked"'
tests_fuzz_replay_chunked_LDADD = libhttp.a libbase.a
tests_fuzz_replay_cgi_header_SOURCES = tests/fuzz/fuzz_cgi_header.c tests/fuzz/replay.c
tests_fuzz_replay_cgi_header_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/cgi_header"'
tests_fuzz_replay_cgi_header_LDADD = libhttp.a libbase.a
tests_fuzz_replay_uri_SOURCES = tests/fuzz/fuzz_uri.c tests/fuzz/replay.c
tests_fuzz_replay_uri_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/uri"'
tests_fuzz_replay_uri_LDADD = libhttp.a libbase.a
tests_fuzz_replay_range_SOURCES = tests/fuzz/fuzz_range.c tests/fuzz/replay.c
tests_fuzz_replay_range_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/range"'
tests_fuzz_replay_range_LDADD = libhttp.a libbase.a
tests_fuzz_replay_access_format_SOURCES = tests/fuzz/fuzz_access_format.c tests/fuzz/replay.c
tests_fuzz_replay_access_format_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/access_format"'
tests_fuzz_replay_access_format_LDADD = libhttp.a libbase.a
tests_fuzz_replay_proxy_protocol_SOURCES = tests/fuzz/fuzz_proxy_protocol.c tests/fuzz/replay.c
tests_fuzz_replay_proxy_protocol_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/proxy_protocol"'
tests_fuzz_replay_proxy_protocol_LDADD = libhttp.a libbase.a
tests_fuzz_replay_remote_ip_SOURCES = tests/fuzz/fuzz_remote_ip.c tests/fuzz/replay.c
tests_fuzz_replay_remote_ip_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/remote_ip"'
tests_fuzz_replay_remote_ip_LDADD = libhttp.a libbase.a
EXTRA_DIST += tests/fuzz/corpus/proxy_protocol tests/fuzz/corpus/remote_ip
EXTRA_DIST += tests/fuzz/corpus/http1 tests/fuzz/corpus/chunked tests/fuzz/corpus/cgi_header tests/fuzz/corpus/uri tests/fuzz/corpus/range tests/fuzz/corpus/access_format
check_PROGRAMS += tests/fuzz/replay_accept_encoding
TESTS += tests/fuzz/replay_accept_encoding
tests_fuzz_replay_accept_encoding_SOURCES = tests/fuzz/fuzz_accept_encoding.c tests/fuzz/replay.c
tests_fuzz_replay_accept_encoding_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/accept_encoding"'
tests_fuzz_replay_accept_encoding_LDADD = libhttp.a libbase.a
EXTRA_DIST += tests/fuzz/corpus/accept_encoding
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_accept_encoding
tests_fuzz_fuzz_accept_encoding_SOURCES = tests/fuzz/fuzz_accept_encoding.c \
	gateway/http/accept_encoding.c gateway/http/http_chars.c
tests_fuzz_fuzz_accept_encoding_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_accept_encoding_LDADD = libbase.a
noinst_PROGRAMS += tests/fuzz/fuzz_http1 tests/fuzz/fuzz_chunked tests/fuzz/fuzz_cgi_header tests/fuzz/fuzz_uri tests/fuzz/fuzz_range tests/fuzz/fuzz_access_format
tests_fuzz_fuzz_http1_SOURCES = tests/fuzz/fuzz_http1.c \
	gateway/http/http1_parse.c gateway/http/http1_fields.c gateway/http/http_chars.c
tests_fuzz_fuzz_http1_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_http1_LDADD = libbase.a
tests_fuzz_fuzz_chunked_SOURCES = tests/fuzz/fuzz_chunked.c \
	gateway/http/http1_chunked.c gateway/http/http_chars.c
tests_fuzz_fuzz_chunked_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_chunked_LDADD = libbase.a
tests_fuzz_fuzz_cgi_header_SOURCES = tests/fuzz/fuzz_cgi_header.c \
	gateway/http/cgi_header.c gateway/http/http_chars.c
tests_fuzz_fuzz_cgi_header_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_cgi_header_LDADD = libbase.a
tests_fuzz_fuzz_uri_SOURCES = tests/fuzz/fuzz_uri.c \
	gateway/http/uri.c gateway/http/http_chars.c
tests_fuzz_fuzz_uri_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_uri_LDADD = libbase.a
tests_fuzz_fuzz_range_SOURCES = tests/fuzz/fuzz_range.c \
	gateway/http/conditional.c gateway/http/http_date.c gateway/http/http_chars.c
tests_fuzz_fuzz_range_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_range_LDADD = libbase.a
tests_fuzz_fuzz_access_format_SOURCES = tests/fuzz/fuzz_access_format.c \
	gateway/http/access_format.c gateway/http/access_items.c gateway/http/access_json.c gateway/http/http_chars.c
tests_fuzz_fuzz_access_format_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_access_format_LDADD = libbase.a
noinst_PROGRAMS += tests/fuzz/fuzz_proxy_protocol tests/fuzz/fuzz_remote_ip
tests_fuzz_fuzz_proxy_protocol_SOURCES = tests/fuzz/fuzz_proxy_protocol.c gateway/http/proxy_protocol.c gateway/base/ip_net.c
tests_fuzz_fuzz_proxy_protocol_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_proxy_protocol_LDADD = libbase.a
tests_fuzz_fuzz_remote_ip_SOURCES = tests/fuzz/fuzz_remote_ip.c \
	gateway/http/remote_ip.c gateway/http/req_fields.c gateway/http/http_chars.c gateway/base/ip_net.c
tests_fuzz_fuzz_remote_ip_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_remote_ip_LDADD = libbase.a
endif
check_PROGRAMS += tests/fuzz/replay_field_lines
TESTS += tests/fuzz/replay_field_lines
tests_fuzz_replay_field_lines_SOURCES = tests/fuzz/fuzz_field_lines.c tests/fuzz/replay.c
tests_fuzz_replay_field_lines_CPPFLAGS = $(AM_CPPFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/field_lines"'
tests_fuzz_replay_field_lines_LDADD = libhttp.a libbase.a
EXTRA_DIST += tests/fuzz/corpus/field_lines tests/fuzz/dict/field_lines.dict
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_field_lines
tests_fuzz_fuzz_field_lines_SOURCES = tests/fuzz/fuzz_field_lines.c \
	gateway/http/field_lines.c gateway/http/http_chars.c
tests_fuzz_fuzz_field_lines_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_field_lines_LDADD = libbase.a
endif

# HTTP/2's session: by itself, since it alone needs the library.
check_PROGRAMS += tests/fuzz/replay_http2
TESTS += tests/fuzz/replay_http2
tests_fuzz_replay_http2_SOURCES = tests/fuzz/fuzz_http2.c tests/fuzz/replay.c
tests_fuzz_replay_http2_CPPFLAGS = $(AM_CPPFLAGS) $(NGHTTP2_CFLAGS) -DREPLAY_CORPUS='"$(abs_top_srcdir)/tests/fuzz/corpus/http2"'
tests_fuzz_replay_http2_LDADD = libhttp.a libbase.a $(NGHTTP2_LIBS)
EXTRA_DIST += tests/fuzz/corpus/http2
if FUZZ
noinst_PROGRAMS += tests/fuzz/fuzz_http2
tests_fuzz_fuzz_http2_SOURCES = tests/fuzz/fuzz_http2.c \
	gateway/http/http2_session.c gateway/http/http2_block.c gateway/http/http2_frames.c \
	gateway/http/http2_judge.c gateway/http/http2_limits.c gateway/http/http2_numbers.c \
	gateway/http/http1_parse.c gateway/http/http1_fields.c gateway/http/http_chars.c
tests_fuzz_fuzz_http2_CFLAGS = $(AM_CFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_http2_CPPFLAGS = $(AM_CPPFLAGS) $(NGHTTP2_CFLAGS)
tests_fuzz_fuzz_http2_LDADD = libbase.a $(NGHTTP2_LIBS)
endif
if HAVE_CHECK
check_PROGRAMS += tests/unit/check_http2
TESTS += tests/unit/check_http2
tests_unit_check_http2_SOURCES = tests/unit/check_http2.c tests/unit/unit.h
tests_unit_check_http2_CPPFLAGS = $(AM_CPPFLAGS) $(NGHTTP2_CFLAGS)
tests_unit_check_http2_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_http2_LDADD = libhttp.a libbase.a $(NGHTTP2_LIBS) $(CHECK_LIBS)
endif
