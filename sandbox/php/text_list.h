/* SPDX-License-Identifier: Apache-2.0 */
/** Texts one behind another, each with its NUL, as zygotes remember paths and patterns in memory of fixed size. Pure. */
#ifndef TEXT_LIST_H
#define TEXT_LIST_H

#include <stdbool.h>
#include <stddef.h>

/** Whether one of the @n texts at @list is @text, of @len octets without its NUL. Any process. */
bool text_list_has(const char *list, size_t n, const char *text, size_t len);

#endif
