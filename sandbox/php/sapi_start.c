/* SPDX-License-Identifier: Apache-2.0 */
/* PHP's configuration and start: the distribution's files, then the site's settings, then what the sandbox insists on. */
#include "sandbox/php/sapi.h"
#include "sandbox/php/sapi_mail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <main/php_ini.h>
#include <main/php_main.h>
#include <Zend/zend_ini.h>

#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "sandbox/php/opcache_report.h"
#include "sandbox/php/warm_patterns.h"

/*
 * Last word over every file and site:
 * opcache.jit writes code at run time, which the filter denies; dl() would load code of the site's choice.
 * Opcache's file cache would run what a script has put into a directory instead of what is in the script's file; its
 * memory is made private, which needs the one kind of segment that opcache_memory_find() knows.
 */
static const char forced[] =
	"opcache.jit=disable\n"
	"opcache.jit_buffer_size=0\n"
	"opcache.file_cache=\n"
	"opcache.file_cache_only=0\n"
	"opcache.preferred_memory_model=mmap\n"
	"enable_dl=0\n";

/* The first of configure's candidates that has a php.ini or a conf.d. */
const char *sapi_ini_dir(void)
{
	static char dir[4096];
	char file[4200];

	for (const char *at = BH_PHP_INI_DIRS; *at != '\0';) {
		size_t len = strcspn(at, ":");
		if (len > 0 && len < sizeof(dir)) {
			memcpy(dir, at, len);
			dir[len] = '\0';
			snprintf(file, sizeof(file), "%s/php.ini", dir);
			if (access(file, R_OK) == 0)
				return dir;
			snprintf(file, sizeof(file), "%s/conf.d", dir);
			if (access(file, X_OK) == 0)
				return dir;
		}
		at += len + (at[len] == ':');
	}
	return NULL;
}

static bool is_ini_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-");

	return n > 0 && s[n] == '\0';
}

/* Single quotes take everything as it is, so what has none and stays on its line can be given to the ini parser. */
static bool is_plain_value(const char *s)
{
	return strpbrk(s, "'\r\n") == NULL;
}

/* php_admin_value counts from the start (opcache's memory, disable_functions, extensions); as text behind php.ini. */
static int build_ini(const struct spec *s, struct buf *out)
{
	for (size_t i = 0; i < s->ini_n; i++) {
		const struct spec_ini *ini = &s->ini[i];
		const char *quote = ini->value[0] == '\0' ? "" : "'";
		if (!ini->admin || !is_ini_name(ini->name) || !is_plain_value(ini->value))
			continue;
		if (buf_printf(out, "%s=%s%s%s\n", ini->name, quote, ini->value, quote) != 0)
			return GW_ERR_NOMEM;
	}
	if (sapi_mail_is_ours(s) && buf_puts(out, "sendmail_path='" SAPI_MAIL_COMMAND "'\n") != 0)
		return GW_ERR_NOMEM;
	return buf_append(out, forced, sizeof(forced)) != 0 ? GW_ERR_NOMEM : 0; /* with its NUL */
}

/* Set a directive for the life of the process, below what requests change and PHP restores. */
static void set_master(const struct spec_ini *ini)
{
	zend_ini_entry *entry = zend_hash_str_find_ptr(EG(ini_directives), ini->name, strlen(ini->name));

	if (entry == NULL)
		return; /* of an extension that is not there; mod_php says nothing either */
	if (!ini->admin && (entry->modifiable & ZEND_INI_PERDIR) == 0) {
		log_warn("php_value %s: only php.ini and php_admin_value can set this", ini->name);
		return;
	}
	zend_string *value = zend_string_init(ini->value, strlen(ini->value), true);
	/* Some directives refuse after start-up; those have taken the value from the text above. */
	if (entry->on_modify == NULL || entry->on_modify(entry, value, entry->mh_arg1, entry->mh_arg2, entry->mh_arg3,
						ZEND_INI_STAGE_ACTIVATE) == SUCCESS)
		entry->value = value;
	else
		zend_string_release(value);
	if (ini->admin)
		entry->modifiable = ZEND_INI_SYSTEM;
}

/* What the sandbox forced, no later setting changes. */
static bool is_forced(const char *name)
{
	size_t len = strlen(name);

	for (const char *line = forced; *line != '\0'; line = strchr(line, '\n') + 1)
		if (strncmp(line, name, len) == 0 && line[len] == '=')
			return true;
	return false;
}

const void *sapi_php_code(void)
{
	return (const void *)(uintptr_t)php_request_startup;
}

static const struct spec *site;

const struct spec *sapi_site(void)
{
	return site;
}

int sapi_start(const struct spec *s, const char **why)
{
	static char scan_dir[4200] = "PHP_INI_SCAN_DIR=";
	struct buf text; /* PHP keeps pointers into it: never freed */
	const char *dir = sapi_ini_dir();

	site = s;
	buf_init(&text);
	*why = "out of memory";
	if (build_ini(s, &text) != 0)
		return GW_ERR_NOMEM;
	bh_sapi_module.php_ini_ignore_cwd = 1;
	if (dir != NULL) {
		bh_sapi_module.php_ini_path_override = (char *)(uintptr_t)dir;
		snprintf(scan_dir + strlen("PHP_INI_SCAN_DIR="), sizeof(scan_dir) - strlen("PHP_INI_SCAN_DIR="), "%s/conf.d", dir);
		putenv(scan_dir);
	}
	*why = "PHP does not start";
#ifdef ZEND_SIGNALS
	zend_signal_startup();
#endif
	sapi_startup(&bh_sapi_module);
	bh_sapi_module.ini_entries = (char *)buf_head(&text); /* sapi_startup() clears it */
	if (bh_sapi_module.startup(&bh_sapi_module) != SUCCESS)
		return GW_ERR_SYS;
	unsetenv("PHP_INI_SCAN_DIR");
	opcache_report_override();
	sapi_mail_init(s);
	for (size_t i = 0; i < s->ini_n; i++)
		if (!is_forced(s->ini[i].name) && !(sapi_mail_is_ours(s) && strcmp(s->ini[i].name, "sendmail_path") == 0))
			set_master(&s->ini[i]);
	warm_patterns_take_setting();
	return 0;
}
