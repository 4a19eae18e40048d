/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/opcache_link.h"

#include <stdbool.h>

#include <main/php.h>
#include <Zend/zend_compile.h>
#include <Zend/zend_exceptions.h>

#define PASSES_MAX 32 /* as deep as a chain of parents can be that comes in the wrong order */

static bool is_linked(zend_string *lc_name)
{
	const zend_class_entry *ce = zend_hash_find_ptr(EG(class_table), lc_name);

	return ce != NULL && (ce->ce_flags & ZEND_ACC_LINKED) != 0;
}

static bool are_linked(const zend_class_name *names, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (!is_linked(names[i].lc_name))
			return false;
	return true;
}

/* A class that is declared when the execution reaches it is kept under a key that no script can write: it begins with NUL. */
static bool waits(const Bucket *b)
{
	const zend_class_entry *ce = Z_TYPE(b->val) == IS_PTR ? Z_PTR(b->val) : NULL;

	return ce != NULL && b->key != NULL && ZSTR_LEN(b->key) > 0 && ZSTR_VAL(b->key)[0] == '\0' &&
	       ce->type == ZEND_USER_CLASS && (ce->ce_flags & (ZEND_ACC_LINKED | ZEND_ACC_ANON_CLASS)) == 0;
}

/* What the DECLARE_CLASS instruction does. */
static bool link_class(zend_string *key, const zend_class_entry *ce)
{
	zend_string *lc_name = zend_string_tolower(ce->name);
	zend_string *lc_parent = ce->parent_name == NULL ? NULL : zend_string_tolower(ce->parent_name);
	bool done = false;

	if (!zend_hash_exists(EG(class_table), lc_name) && (lc_parent == NULL || is_linked(lc_parent)) &&
	    are_linked(ce->interface_names, ce->num_interfaces) && are_linked(ce->trait_names, ce->num_traits)) {
		zval names[2];
		ZVAL_STR(&names[0], lc_name);
		ZVAL_STR(&names[1], key);
		done = do_bind_class(names, lc_parent) == SUCCESS;
		if (EG(exception) != NULL)
			zend_clear_exception();
	}
	zend_string_release(lc_name);
	if (lc_parent != NULL)
		zend_string_release(lc_parent);
	return done;
}

void opcache_link_classes(void)
{
	bool more = true;

	for (int pass = 0; pass < PASSES_MAX && more; pass++) {
		more = false;
		/* By number: the table may move, and a class that is linked changes its key in place. */
		for (uint32_t i = 0; i < EG(class_table)->nNumUsed; i++) {
			const Bucket *b = &EG(class_table)->arData[i];
			if (waits(b) && link_class(b->key, Z_PTR(b->val)))
				more = true;
		}
	}
}
