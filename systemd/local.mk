# What systemd reads. Installed below $(prefix)/lib, where systemd looks when prefix is /usr or /usr/local; no configure
# switch. The unit names installed paths, so it is made from a template.
systemdunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d

nodist_systemdunit_DATA = systemd/bulkhead.service
dist_sysusers_DATA = systemd/sysusers.d/bulkhead.conf
dist_tmpfiles_DATA = systemd/tmpfiles.d/bulkhead.conf
EXTRA_DIST += systemd/bulkhead.service.in
CLEANFILES += systemd/bulkhead.service

systemd/bulkhead.service: $(top_srcdir)/systemd/bulkhead.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) systemd && \
	sed -e 's,[@]bindir[@],$(bindir),g' -e 's,[@]sysconfdir[@],$(sysconfdir),g' $(top_srcdir)/systemd/bulkhead.service.in > $@.tmp && \
	mv $@.tmp $@
