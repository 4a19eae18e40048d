/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Machine code that PCRE makes for regular expressions, in a process where nothing is ever writable and executable.
 * PCRE asks mmap(2) for memory that is both. It gets memory of a file that is writable only, until all is compiled; then
 * the file is sealed and takes the same place executable. Before and after, PCRE's compiler of code says that it has no memory.
 */
#ifndef JIT_CODE_H
#define JIT_CODE_H

#include <stdbool.h>

#include "gateway/base/err.h"

/**
 * From here on PCRE can make code, 8 MB at most; none of it may run yet. In a cell, one thread, before its filter.
 * Returns false where the filter or the kernel lets nobody run a memory file's code: there is nothing to end then.
 */
bool jit_code_begin(void);

/**
 * The code is executable, and PCRE must neither make nor free any more: its list of what is free lies in between.
 * Returns 0 or GW_ERR_SYS: what was compiled cannot run, the process must not go on.
 */
int jit_code_end(void) GW_MUST_USE;

#endif
