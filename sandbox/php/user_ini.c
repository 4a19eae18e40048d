/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/user_ini.h"

#include <limits.h>
#include <string.h>

#include <main/php.h>
#include <main/php_ini.h>

/* The first directory to look into: the root when the script is below it, else the script's own. Octets of @script. */
static size_t first_dir(const char *script, const char *root, size_t last)
{
	size_t n = root == NULL ? 0 : strlen(root);

	while (n > 0 && root[n - 1] == '/')
		n--;
	return root != NULL && n <= last && memcmp(script, root, n) == 0 && script[n] == '/' ? n : last;
}

void user_ini_apply(const char *script, const char *root)
{
	const char *name = PG(user_ini_filename), *slash = script == NULL ? NULL : strrchr(script, '/');
	char dir[PATH_MAX];
	HashTable settings;

	if (name == NULL || name[0] == '\0' || slash == NULL || (size_t)(slash - script) >= sizeof(dir))
		return;
	size_t last = (size_t)(slash - script);
	memcpy(dir, script, last);
	zend_hash_init(&settings, 8, NULL, config_zval_dtor, 1);
	for (size_t n = first_dir(script, root, last);; n++) {
		if (n != last && script[n] != '/')
			continue;
		dir[n] = '\0';
		php_parse_user_ini_file(n == 0 ? "/" : dir, name, &settings);
		if (n == last)
			break;
		dir[n] = '/';
	}
	if (zend_hash_num_elements(&settings) > 0)
		php_ini_activate_config(&settings, PHP_INI_PERDIR, PHP_INI_STAGE_HTACCESS);
	zend_hash_destroy(&settings);
}
