# Manual pages, texts for people, and the first configuration (kept when there is one already).
dist_man_MANS += docs/bulkhead.8 docs/bulkhead.conf.5
dist_doc_DATA = docs/design.md docs/directives.md docs/threat-model.md docs/attacks.md
EXTRA_DIST += docs/bulkhead.conf LICENSE

install-data-hook:
	$(MKDIR_P) $(DESTDIR)$(sysconfdir)/bulkhead
	test -e $(DESTDIR)$(sysconfdir)/bulkhead/bulkhead.conf || \
		$(INSTALL_DATA) $(srcdir)/docs/bulkhead.conf $(DESTDIR)$(sysconfdir)/bulkhead/bulkhead.conf

uninstall-hook:
	-cmp -s $(srcdir)/docs/bulkhead.conf $(DESTDIR)$(sysconfdir)/bulkhead/bulkhead.conf && \
		rm -f $(DESTDIR)$(sysconfdir)/bulkhead/bulkhead.conf
