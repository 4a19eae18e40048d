# Who answers a FastCGI request: codec, client, pools of servers, cells.
noinst_LIBRARIES += libpools.a
libpools_a_SOURCES = \
	pools/backend.c pools/backend.h \
	pools/fcgi_client.c pools/fcgi_client.h \
	pools/fcgi_codec.c pools/fcgi_codec.h \
	pools/mailbox.c pools/mailbox.h \
	pools/waitq.c pools/waitq.h
