# HTTP decoders and static files. Nothing here knows a connection, a configuration or a loop.
noinst_LIBRARIES += libhttp.a
libhttp_a_SOURCES = \
	gateway/http/access_format.c gateway/http/access_format.h \
	gateway/http/access_items.c gateway/http/access_items.h \
	gateway/http/cgi_header.c gateway/http/cgi_header.h \
	gateway/http/conditional.c gateway/http/conditional.h \
	gateway/http/etag.c gateway/http/etag.h \
	gateway/http/http1_chunked.c \
	gateway/http/http1_fields.c gateway/http/http1_internal.h \
	gateway/http/http1_parse.c gateway/http/http1_parse.h \
	gateway/http/http_chars.c gateway/http/http_chars.h \
	gateway/http/http_date.c gateway/http/http_date.h \
	gateway/http/multirange.c gateway/http/multirange.h \
	gateway/http/status_text.c gateway/http/status_text.h \
	gateway/http/uri.c gateway/http/uri.h
libhttp_a_SOURCES += \
	gateway/static/file_open.c gateway/static/file_open.h \
	gateway/static/file_walk.c gateway/static/file_walk.h \
	gateway/static/script_find.c gateway/static/script_find.h
