/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Settings that a site keeps beside its scripts: .user.ini files (user_ini.filename), as php-fpm reads them. From the
 * document root down to the script's directory, the innermost wins; of a script elsewhere only its own directory's. They
 * set what PHP_INI_PERDIR and PHP_INI_USER allow and no php_admin_value decides. Read anew for each request: nothing
 * is remembered, so user_ini.cache_ttl has no meaning here. In a cell, as the site's user.
 */
#ifndef USER_INI_H
#define USER_INI_H

/** Apply those for @script (absolute, may be NULL) below @root (may be NULL), for the request that is about to begin. */
void user_ini_apply(const char *script, const char *root);

#endif
