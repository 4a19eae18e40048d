/* SPDX-License-Identifier: Apache-2.0 */
/** Fields of struct conf_server that a virtual host inherits when it does not set them: bits of conf_srv.set. Private to conf/. */
#ifndef CONF_FIELDS_H
#define CONF_FIELDS_H

enum conf_field {
	CONF_F_admin, CONF_F_log_level, CONF_F_timeout_ms, CONF_F_send_min_rate, CONF_F_keepalive, CONF_F_keepalive_timeout_ms,
	CONF_F_max_keepalive_requests, CONF_F_limit_line, CONF_F_limit_fields, CONF_F_limit_field_size, CONF_F_dispatch,
	CONF_F_isolation, CONF_F_profile, CONF_F_start_servers, CONF_F_min_spare, CONF_F_max_spare, CONF_F_max_workers,
	CONF_F_max_requests, CONF_F_request_timeout_ms, CONF_F_site_idle_timeout_ms, CONF_F_zygote_life_ms, CONF_F_php_version,
	CONF_F_memory_max, CONF_F_memory_high, CONF_F_swap_max, CONF_F_processes_max, CONF_F_cpu_max, CONF_F_cpu_weight, CONF_F_io_max,
	CONF_F_oom_group,
	CONF_F_mail_relay, CONF_F_mail_rate, CONF_F_mail_from, CONF_F_mail_max_size, CONF_F_mail_timeout_ms,
	CONF_F_sandbox_off, CONF_F_network, CONF_F_tcp_connect, CONF_F_tcp_bind, CONF_F_tmp_size,
	CONF_F_unavailable, CONF_F_error_format, CONF_F_protocols, CONF_F_encoded_slashes, CONF_F_merge_slashes, CONF_F_spool_max,
	CONF_F_track_first, CONF_F_limit_head, CONF_F_limit_chunk_line, CONF_F_limit_chunk_ext, CONF_F_limit_trailers
};

#endif
